package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// shellRun is a rival that is started anew for each step, as from the shell, and ends by itself.
type shellRun struct {
	ctx     context.Context
	name    string
	args    []string
	answer  string // the file that each run writes
	release string
}

func startFkzooShell(ctx context.Context, _ *arena, _ *rival, p *prepared) (runner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	model := filepath.Join(p.folder, "model.fkz")
	if err := p.model().Save(model, true); err != nil {
		return nil, err
	}
	image, err := p.image()
	if err != nil {
		return nil, err
	}
	answer := filepath.Join(p.folder, "fkzoo.csv")
	fkzoo := filepath.Join(filepath.Dir(self), "fkzoo")
	return tried(&shellRun{ctx, fkzoo, []string{"predict", model, image, "-o", answer, "--force"}, answer, version})
}

func startPythonShell(ctx context.Context, a *arena, r *rival, p *prepared) (runner, error) {
	interpreter, err := a.python(ctx, r.packages)
	if err != nil {
		return nil, err
	}
	script, err := a.script("oneimage.py")
	if err != nil {
		return nil, err
	}
	image, err := p.image()
	if err != nil {
		return nil, err
	}
	answer := filepath.Join(p.folder, "onnxruntime.csv")
	return tried(&shellRun{ctx, interpreter, []string{script, p.task.ONNX, image, answer}, answer, ""})
}

// image is a file that both read: NumPy's, of floats from 0 to 1, [images, height, width].
func (p *prepared) image() (string, error) {
	path := filepath.Join(p.folder, "image.npy")
	r := rand.New(rand.NewPCG(3, 4))
	values := make([]float32, p.batch*p.task.Input[0]*p.task.Input[1])
	for i := range values {
		values[i] = r.Float32()
	}
	t, err := tensor.New("images", tensor.Float32, []int{p.batch, p.task.Input[0], p.task.Input[1]}, values)
	if err != nil {
		return "", err
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if err := npy.Write(f, t); err != nil {
		return "", err
	}
	return path, f.Close()
}

// tried runs once, so that files are in memory and faults are known.
func tried(s *shellRun) (runner, error) { return s, s.once() }

func (s *shellRun) once() error {
	if err := os.RemoveAll(s.answer); err != nil {
		return err
	}
	errs := new(tail)
	c := exec.CommandContext(s.ctx, s.name, s.args...)
	c.Stderr = errs
	if err := c.Run(); err != nil {
		return fmt.Errorf("%w: %s", err, errs.last())
	}
	if info, err := os.Stat(s.answer); err != nil {
		return err
	} else if info.Size() == 0 {
		return fmt.Errorf("%s: found nothing in it, want an answer", s.answer)
	}
	return nil
}

func (s *shellRun) piece(d time.Duration) (said, error) {
	out, start := said{}, time.Now()
	for out.Steps == 0 || time.Since(start) < d {
		if err := s.once(); err != nil {
			return said{}, err
		}
		out.Steps++
	}
	out.Seconds = time.Since(start).Seconds()
	return out, nil
}

func (s *shellRun) end() (said, error) { return said{}, nil }
func (s *shellRun) version() string    { return s.release }
