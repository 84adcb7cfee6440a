package command

import (
	"fmt"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/internal/machine"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
)

// Zoo opens what all commands ask. Close it.
func (p *Program) Zoo(c *cli.Context) *zoo.Zoo { return p.ZooOn(c, c.String("backend")) }

// ZooOn is [Program.Zoo] with the backend of that name.
func (p *Program) ZooOn(c *cli.Context, backend string) *zoo.Zoo {
	return zoo.Open(zoo.Options{
		Backend: backend, Version: p.Version, Machine: machine.Name(), Command: os.Args,
		Watch: &watcher{p: p, json: c.Bool("json")},
	})
}

// watcher prints what the zoo tells.
type watcher struct {
	p    *Program
	json bool // the output is JSON
	tick func(done, total int)
	end  func()
}

func (w *watcher) Assumed(a zoo.Assumed) {
	say := w.p.Stdout
	if w.json {
		say = w.p.Stderr
	}
	if a.Resumed {
		fmt.Fprintf(say, "no --data given: going on with %s\n", a.Source)
		return
	}
	fmt.Fprintf(say, "no --data given: training on the demo faces, %d faces drawn by fkzoo itself\n", demo.DefaultFaces)
}

func (w *watcher) Backend(b *backend.Backend) {
	if reason := b.Reason(); reason != "" {
		fmt.Fprintln(w.p.Stderr, "backend auto: "+reason)
	}
	for _, err := range b.Missed() {
		for _, hint := range Hints(err) {
			fmt.Fprintln(w.p.Stderr, hint)
		}
	}
	fmt.Fprintln(w.p.Stderr, "backend "+b.Description())
}

func (w *watcher) Warn(about zoo.Warning) {
	if about.Kind == zoo.Miscalibrated {
		about.Text += "; --flip-average gives it for all"
	}
	w.p.Warn(about.Text)
}

func (w *watcher) Progress(doing string, done, total int) {
	if w.end == nil {
		w.tick, w.end = terminal.Tick(w.p.Stderr, doing)
	}
	if w.tick != nil && !w.p.Quiet {
		w.tick(done, total)
	}
}

func (w *watcher) Done() {
	if w.end != nil {
		w.end()
		w.tick, w.end = nil, nil
	}
}

// stdin is what the name - stands for where data is wanted.
const stdin = "-"

// Data asks for data by its names, of images in their own size.
func Data(names ...string) zoo.DataRequest { return DataFrom(os.Stdin, names...) }

// DataFrom is [Data] with what stands for the standard input.
func DataFrom(in io.Reader, names ...string) zoo.DataRequest {
	return zoo.DataRequest{Names: names, Readers: map[string]io.Reader{stdin: in}}
}

// Models asks for models that answer together, as the flags say.
func Models(c *cli.Context, paths ...string) zoo.ModelsRequest {
	r := zoo.ModelsRequest{Models: paths}
	if c.IsSet("flip-average") {
		average := c.Bool("flip-average")
		r.FlipAverage = &average
	}
	return r
}
