package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
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
	if found := m.Run.Command; !r.madeBy(found) {
		return nil, fmt.Errorf("%s: was made by «%s», want «%s»; %s", path, strings.Join(found, " "), r.typed(), anew)
	}
	made, err := checksum(m.Document)
	if err != nil {
		return nil, err
	}
	if now, err := p.blueprint(ctx, r); err != nil {
		return nil, err
	} else if now != made {
		return nil, fmt.Errorf("%s: found another blueprint in it than «%s» trains now; %s", path, r.typed(), anew)
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
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", r.name, state, minutes, rmse, r.typed())
	}
	return t.Flush()
}

// trainAll trains what isn't done. A run that fails doesn't keep the others from theirs.
func (p *places) trainAll(ctx context.Context, wanted []run) error {
	// A reader of the output that went away, as of a pipe, is no reason to lose a training.
	signal.Ignore(syscall.SIGPIPE)
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
			if err == nil || errors.Is(err, context.Canceled) {
				err = train.ErrInterrupted // before or after a training
			}
			return fmt.Errorf("%s: %w; the same command goes on", r.name, err)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", r.name, err)
			fmt.Fprintln(p.err, "results: "+err.Error())
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// checkpoints are kept so often.
const checkpoints = 5 * time.Minute

// train trains a run, or goes on from where it was left.
func (p *places) train(ctx context.Context, r run) (err error) {
	asked, err := r.request()
	if err != nil {
		return err
	}
	path, _, err := p.unfinished(ctx, r)
	if err != nil {
		return err
	}
	if path != "" {
		fmt.Fprintf(p.err, "results: %s goes on from %s\n", r.name, path)
		asked = train.Request{Architecture: asked.Architecture, Resume: path} // its recipe and seed stand
	}
	asked.Output, asked.Every = p.model(r.name), train.Every{Time: checkpoints}
	z := p.open(r.backend(), r.command(p.data, asked.Output))
	defer func() { err = errors.Join(err, z.Close()) }()
	defer p.sayEnding(ctx)()
	_, err = z.Train(ctx, zoo.TrainRequest{Request: asked, Data: zoo.DataRequest{Names: []string{p.data}}}, &watch{printer: printer{p.err}, run: r.name})
	return err
}

// sayEnding tells, when the command is interrupted, what is waited for: a batch may take a while. done ends that.
func (p *places) sayEnding(ctx context.Context) (done func()) {
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(said)
		fmt.Fprintln(p.err, "results: ending after the batch under way; Ctrl-C again ends at once, without what was learned since the last checkpoint")
	})
	return func() {
		if !stop() {
			<-said
		}
	}
}
