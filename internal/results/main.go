// Command results trains what docs/results.md shows, keeps what it measures of each model in a record beside the page,
// and writes the page's tables and pictures from the records: «make results». It starts fkzoo as anybody would, and
// must not know how a network is trained.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	ctx, stop := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() { stop(&signalled{<-signals}) }()
	if err := command(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "results: "+err.Error())
		os.Exit(1)
	}
}

// signalled is why the command ends early.
type signalled struct{ os.Signal }

func (s *signalled) Error() string { return s.String() }

// places are where all that the command reads and writes lies.
type places struct {
	fkzoo    string // the program
	data     string // training data
	curves   string // folder of the report's; may be missing
	models   string // folder
	page     string // its pictures lie in the folder of its name without .md
	out, err io.Writer

	blueprints map[string]string // by what fkzoo train is told, see blueprint
}

func command(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	p := &places{out: stdout, err: stderr}
	shared := os.Getenv("FKZOO_TESTDATA")
	flags := flag.NewFlagSet("results", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&p.fkzoo, "fkzoo", filepath.Join("bin", "fkzoo"), "the program")
	flags.StringVar(&p.data, "data", filepath.Join(shared, "data", "training.zip"), "training data")
	flags.StringVar(&p.curves, "curves", filepath.Join(shared, "report", "curves"), "folder of the report's curves")
	flags.StringVar(&p.models, "models", "results", "folder of the models")
	flags.StringVar(&p.page, "page", filepath.Join("docs", "results.md"), "the page")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "results [FLAGS] [RUN...]   train these runs (names or patterns; none: all) and write the page")
		fmt.Fprintln(stderr, "results [FLAGS] list       show all runs and how far they are")
		fmt.Fprintln(stderr, "results [FLAGS] page       write the page alone")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
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
