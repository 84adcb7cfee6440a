package main

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/internal/pyenv"
)

// rival is someone who takes part.
type rival struct {
	name, shows string
	packages    string // the Python environment, of requirements-….txt; "": fkzoo itself
	onnx        bool   // it runs the network that fkzoo exports
	start       func(ctx context.Context, a *arena, r *rival, p *prepared) (runner, error)
}

var rivals = []*rival{
	{name: "go", shows: "fkzoo", start: startFkzoo},
	{name: "cpu", shows: "fkzoo on XLA", start: startFkzoo},
	{name: "torch", shows: "PyTorch", packages: "torch", start: startPeer},
	{name: "torch-channels-last", shows: "PyTorch, channels_last", packages: "torch", start: startPeer},
	{name: "torch-compiled", shows: "PyTorch, compiled", packages: "torch", start: startPeer},
	{name: "jax", shows: "JAX", packages: "jax", start: startPeer},
	{name: "onnxruntime", shows: "ONNX Runtime", packages: "onnxruntime", onnx: true, start: startPeer},
	{name: "fkzoo-shell", shows: "`fkzoo`", start: startFkzooShell},
	{name: "onnxruntime-shell", shows: "Python with ONNX Runtime", packages: "onnxruntime", onnx: true, start: startPythonShell},
}

func rivalNamed(name string) *rival {
	for _, r := range rivals {
		if r.name == name {
			return r
		}
	}
	return nil
}

// runner is a rival that is ready.
type runner interface {
	piece(d time.Duration) (said, error)
	// end gives the last words, with the memory.
	end() (said, error)
	version() string
}

//go:embed python
var scripts embed.FS

// script writes a file of the folder python to where Python finds it.
func (a *arena) script(name string) (string, error) {
	text, err := scripts.ReadFile("python/" + name)
	if err != nil {
		return "", err
	}
	path := filepath.Join(a.folder, name)
	return path, os.WriteFile(path, text, 0o600)
}

// python is an interpreter with packages, or why there is none.
type python struct {
	path string
	err  error
}

// python gives the interpreter with one peer's packages.
func (a *arena) python(ctx context.Context, packages string) (string, error) {
	if p, ok := a.pythons[packages]; ok {
		return p.path, p.err
	}
	requirements, err := a.script("requirements-" + packages + ".txt")
	if err != nil {
		return "", err
	}
	a.say("Python with %s: there, or installed now", packages)
	var p python
	// The files list all that is needed: of PyTorch's many packages most are for GPUs alone.
	p.path, p.err = pyenv.Open(ctx, requirements, "--no-deps")
	a.pythons[packages] = p
	return p.path, p.err
}

func startFkzoo(ctx context.Context, a *arena, r *rival, p *prepared) (runner, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var variables []string
	if p.task.ISA != "" {
		variables = append(variables, "FKZOO_CPU="+p.task.ISA)
	}
	return launch(ctx, variables, self, childMode, r.name, p.path)
}

func startPeer(ctx context.Context, a *arena, r *rival, p *prepared) (runner, error) {
	interpreter, err := a.python(ctx, r.packages)
	if err != nil {
		return nil, err
	}
	script, err := a.script("peers.py")
	if err != nil {
		return nil, err
	}
	threads := fmt.Sprint(runtime.NumCPU())
	variables := []string{"OMP_NUM_THREADS=" + threads, "MKL_NUM_THREADS=" + threads, "JAX_PLATFORMS=cpu", "PYTHONDONTWRITEBYTECODE=1"}
	if p.task.ISA == "avx2" {
		variables = append(variables, "ATEN_CPU_CAPABILITY=avx2", "ONEDNN_MAX_CPU_ISA=AVX2", "DNNL_MAX_CPU_ISA=AVX2", "MKL_ENABLE_INSTRUCTIONS=AVX2")
	}
	return launch(ctx, variables, interpreter, script, r.name, p.path)
}

// readyWithin is how long a rival may compile, endWithin how long a piece may take beyond what was asked, and endingWithin how
// long a rival that says nothing more may take to end.
const (
	readyWithin  = 15 * time.Minute
	endWithin    = 5 * time.Minute
	endingWithin = 10 * time.Second
)

// process is a rival as a child process.
type process struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *json.Decoder
	errs   *tail
	first  said
	cancel context.CancelFunc
}

// launch starts a rival and waits until it is ready.
func launch(ctx context.Context, variables []string, name string, args ...string) (*process, error) {
	ctx, cancel := context.WithCancel(ctx)
	p := &process{cmd: exec.CommandContext(ctx, name, args...), errs: new(tail), cancel: cancel}
	p.cmd.Env = append(os.Environ(), variables...)
	p.cmd.Stderr = p.errs
	p.cmd.WaitDelay = 10 * time.Second // children of its own may hold the pipe
	in, faultIn := p.cmd.StdinPipe()
	out, faultOut := p.cmd.StdoutPipe()
	if err := errors.Join(faultIn, faultOut); err != nil {
		cancel()
		return nil, err
	}
	p.in, p.out = in, json.NewDecoder(out)
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	var err error
	p.first, err = p.hear(readyWithin)
	return p, err
}

// hear waits for the next line. A rival that fails, or is late, is ended.
func (p *process) hear(within time.Duration) (s said, err error) {
	late := time.AfterFunc(within, p.cancel)
	err = p.out.Decode(&s)
	if !late.Stop() {
		err = errors.Join(fmt.Errorf("said nothing for %v", within), err)
	}
	if err == nil {
		return s, nil
	}
	p.in.Close()
	defer p.cancel()
	// One that has closed its output ends by itself, with a reason of its own.
	defer time.AfterFunc(endingWithin, p.cancel).Stop()
	if ended := p.cmd.Wait(); ended != nil && errors.Is(err, io.EOF) {
		err = ended
	}
	if last := p.errs.last(); last != "" {
		err = fmt.Errorf("%w: %s", err, last)
	}
	return said{}, err
}

func (p *process) piece(d time.Duration) (said, error) {
	if _, err := fmt.Fprintln(p.in, d.Seconds()); err != nil {
		_, died := p.hear(endWithin)
		return said{}, errors.Join(err, died)
	}
	s, err := p.hear(d + endWithin)
	if err == nil && (s.Steps < 1 || s.Seconds <= 0) {
		err = fmt.Errorf("answered %d steps in %g s, want some", s.Steps, s.Seconds)
	}
	return s, err
}

func (p *process) end() (said, error) {
	p.in.Close()
	s, err := p.hear(endWithin)
	if err != nil {
		return s, err
	}
	defer p.cancel()
	return s, p.cmd.Wait()
}

func (p *process) version() string { return p.first.Version }

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(b []byte) (int, error) {
	const most = 4096
	t.text = append(t.text, b...)
	if n := len(t.text); n > most {
		t.text = append(t.text[:0], t.text[n-most:]...)
	}
	return len(b), nil
}

// last is the last line that isn't empty.
func (t *tail) last() string {
	lines := strings.Split(strings.TrimSpace(string(t.text)), "\n")
	return fmt.Sprintf("%.300s", strings.TrimSpace(lines[len(lines)-1]))
}
