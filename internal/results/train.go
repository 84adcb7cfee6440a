package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

func (p *places) model(name string) string { return filepath.Join(p.models, name+".fkz") }

// of reads a run's model file with [model.Load] or [model.Describe]; nil: there is none. One that other arguments made, or
// that is of another blueprint than these give now, is an error: the page would say what isn't so.
func (p *places) of(ctx context.Context, r run, path string, read func(string) (*model.Model, error)) (*model.Model, error) {
	m, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	const anew = "without the file it is trained anew"
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, anew)
	}
	want, found := r.arguments(), m.Run.Command
	const places = 4 // --data PATH -o PATH
	if len(found) != 1+len(want)+places || !slices.Equal(found[1:1+len(want)], want) || found[1+len(want)] != "--data" {
		return nil, fmt.Errorf("%s: was made by «%s», want «fkzoo %s»; %s", path, strings.Join(found, " "), strings.Join(want, " "), anew)
	}
	made, err := checksumOf(m)
	if err != nil {
		return nil, err
	}
	if now, err := p.blueprint(ctx, r); err != nil {
		return nil, err
	} else if now != made {
		return nil, fmt.Errorf("%s: found another blueprint in it than «fkzoo info %s» gives now; %s", path, r.args, anew)
	}
	return m, nil
}

// unfinished is the checkpoint that a run goes on from, or "".
func (p *places) unfinished(ctx context.Context, r run) (path string, m *model.Model, err error) {
	for _, path := range []string{model.LastPath(p.model(r.name)), model.BestPath(p.model(r.name))} {
		if m, err := p.of(ctx, r, path, model.Describe); m != nil || err != nil {
			return path, m, err
		}
	}
	return "", nil, nil
}

// list shows every run, what it is trained by, and how far it is.
func (p *places) list(ctx context.Context) error {
	t := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "RUN\tSTATE\tMINUTES\tRMSE PX\tCOMMAND")
	for _, r := range trainings() {
		state, minutes, rmse := "-", "", ""
		var result *measure.Result
		m, err := p.of(ctx, r, p.model(r.name), model.Describe)
		switch {
		case m != nil:
			state = "done"
		case err == nil:
			if _, m, err = p.unfinished(ctx, r); m != nil {
				state = fmt.Sprintf("%d epochs", m.Epochs())
			}
		}
		if m != nil {
			result, err = measure.ResultOf(m, "")
		} else if err == nil {
			var kept *record
			if kept, err = p.recorded(ctx, r); kept != nil {
				state, result = "recorded", kept.Models[0].Result
			}
		}
		if err != nil {
			state = err.Error()
		}
		if result != nil {
			minutes = fmt.Sprintf("%.1f", result.Minutes)
			if result.RMSEPixels != nil {
				rmse = fmt.Sprintf("%.3f", *result.RMSEPixels)
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\tfkzoo %s\n", r.name, state, minutes, rmse, strings.Join(r.arguments(), " "))
	}
	return t.Flush()
}

// trainAll trains what isn't done. A run that fails doesn't keep the others from theirs.
func (p *places) trainAll(ctx context.Context, wanted []run) error {
	if err := os.MkdirAll(p.models, 0o777); err != nil {
		return err
	}
	var failed []error
	for i, r := range wanted {
		m, err := p.of(ctx, r, p.model(r.name), model.Load)
		if m != nil {
			fmt.Fprintf(p.err, "results: %s is there\n", r.name)
			continue
		}
		if err == nil {
			fmt.Fprintf(p.err, "results: %d of %d, %s\n", i+1, len(wanted), r.name)
			err = p.train(ctx, r)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("%s: interrupted; the same command goes on", r.name)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", r.name, err)
			fmt.Fprintln(p.err, "results: "+err.Error())
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// train starts fkzoo, or lets it go on from where the run was left.
func (p *places) train(ctx context.Context, r run) error {
	args := r.arguments()
	if path, _, err := p.unfinished(ctx, r); err != nil {
		return err
	} else if path != "" { // its recipe and seed stand
		args = append(args[:2:2], "--resume", path)
		if b := r.flag("--backend"); b != "" {
			args = append(args, "--backend", b)
		}
	}
	c := exec.CommandContext(ctx, p.fkzoo, append(args, "--data", p.data, "-o", p.model(r.name))...)
	c.Stdout, c.Stderr = p.out, p.err
	c.Cancel = func() error { // it keeps what was learned, and ends
		var s *signalled
		if errors.As(context.Cause(ctx), &s) && s.Signal == os.Interrupt {
			return nil // the terminal has told it too, and a second time would end it at once
		}
		return c.Process.Signal(syscall.SIGTERM)
	}
	fmt.Fprintln(p.err, "results: "+strings.Join(c.Args, " "))
	return c.Run()
}
