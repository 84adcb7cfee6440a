// Command results trains what docs/results.md shows, keeps what it measures of each model in a record beside the page,
// and writes the page's tables and pictures from the records: «make results», which builds it beside the plugins and
// with their checksums in it, as fkzoo itself. It asks the zoo's front, and must not know how a network is trained.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/fkzoo/fkzoo/internal/machine"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// version is set at build from the repository's tag, as fkzoo's is.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	err := command(ctx, os.Args[1:], os.Stdout, os.Stderr)
	if err == nil {
		return
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = train.ErrInterrupted
	}
	fmt.Fprintln(os.Stderr, "results: "+err.Error())
	os.Exit(1)
}

// places are where all that the command reads and writes lies.
type places struct {
	data     string // training data
	curves   string // folder of the report's; may be missing
	models   string // folder
	page     string // its pictures lie in the folder of its name without .md
	out, err io.Writer

	zoo        *zoo.Zoo          // describes architectures and measures; each training has its own
	blueprints map[string]string // by a run's arguments, see blueprint
}

// open gives a zoo that works on a backend, "": what FKZOO_BACKEND says, and records a command in what it makes.
func (p *places) open(backend string, command []string) *zoo.Zoo {
	return zoo.Open(zoo.Options{
		Backend: cmp.Or(backend, os.Getenv("FKZOO_BACKEND")), Watch: &front{printer: printer{p.err}},
		Version: version, Machine: machine.Name(), Command: command,
	})
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	p := &places{out: stdout, err: stderr}
	shared := os.Getenv("FKZOO_TESTDATA")
	flags := flag.NewFlagSet("results", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&p.data, "data", filepath.Join(shared, "data", "training.zip"), "training data")
	flags.StringVar(&p.curves, "curves", filepath.Join(shared, "report", "curves"), "folder of the report's curves")
	flags.StringVar(&p.models, "models", "results", "folder of the models")
	flags.StringVar(&p.page, "page", filepath.Join("docs", "results.md"), "the page")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "results [FLAGS] [RUN...]   train these runs (names or patterns; none: all) and write the page")
		fmt.Fprintln(stderr, "results [FLAGS] list       show all runs and how far they are")
		fmt.Fprintln(stderr, "results [FLAGS] page       write the page alone")
		fmt.Fprintln(stderr, "Plugins are those beside the program, where make builds it; by go run with FKZOO_DEV_PLUGINS=bin those of make.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	p.zoo = p.open("", nil)
	defer func() { err = errors.Join(err, p.zoo.Close()) }()
	switch first := flags.Arg(0); {
	case flags.NArg() == 1 && first == "list":
		return p.list(ctx)
	case flags.NArg() == 1 && first == "page":
		return p.writePage(ctx)
	}
	if shared == "" && p.data == filepath.Join("data", "training.zip") {
		return errors.New("FKZOO_TESTDATA is not set: want the folder with data/training.zip")
	}
	wanted, err := picked(flags.Args())
	if err != nil {
		return err
	}
	failed := p.trainAll(ctx, wanted)
	if ctx.Err() != nil {
		return failed
	}
	return errors.Join(failed, p.writePage(ctx))
}
