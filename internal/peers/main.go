// Command peers has fkzoo and its peers, PyTorch, JAX and ONNX Runtime, train and answer the same networks in turn, keeps
// what came out in a record beside docs/performance.md, and writes the page's tables from it: «make bench-peers», which
// builds it beside the plugins and with their checksums in it, as fkzoo itself. Each rival is a process of its own that does a
// piece of work when it is asked. The package must not know how a network is trained.
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
	"text/tabwriter"
	"time"

	"github.com/fkzoo/fkzoo/zoo"
)

// version is set at build from the repository's tag, as fkzoo's is.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	run := command
	if len(os.Args) > 1 && os.Args[1] == childMode {
		run = func(_ context.Context, args []string, out, _ io.Writer) error { return child(args[1:], os.Stdin, out) }
	}
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "peers: "+err.Error())
		os.Exit(1)
	}
}

// arena is where rivals meet.
type arena struct {
	page     string // its record is the file of its name with .json
	rounds   int
	piece    time.Duration
	all      bool // every rival is wanted
	out, err io.Writer

	zoo     *zoo.Zoo
	folder  string // of temporary files
	pythons map[string]python
	missing []error // rivals that there were not
}

func (a *arena) say(format string, args ...any) { fmt.Fprintf(a.err, "peers: "+format+"\n", args...) }

func command(ctx context.Context, args []string, stdout, stderr io.Writer) (err error) {
	a := &arena{out: stdout, err: stderr, pythons: map[string]python{}}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&a.page, "page", filepath.Join("docs", "performance.md"), "the page")
	flags.IntVar(&a.rounds, "rounds", 5, "rounds in which rivals take turns")
	flags.DurationVar(&a.piece, "piece", 2*time.Second, "what a rival works for at least when it is its turn")
	flags.BoolVar(&a.all, "all", false, "end with an error where a rival can't be had")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "peers [FLAGS] [CONTEST...]   hold these contests (names or patterns; none: all) and write the page")
		fmt.Fprintln(stderr, "peers [FLAGS] list           show all contests")
		fmt.Fprintln(stderr, "peers [FLAGS] page           write the page alone")
		fmt.Fprintln(stderr, "peers [FLAGS] gpu-tasks DIR  write what «make gpu-check» has PyTorch and JAX do")
		fmt.Fprintln(stderr, "It runs in the repository's folder. All work with as many threads as this process has processors: taskset gives fewer.")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return err
	}
	if a.rounds < 1 || a.piece <= 0 {
		return fmt.Errorf("found %d rounds of %v, want at least one, of some time", a.rounds, a.piece)
	}
	switch first := flags.Arg(0); {
	case flags.NArg() == 1 && first == "list":
		return a.list()
	case flags.NArg() == 1 && first == "page":
		return a.writePage()
	case flags.NArg() == 2 && first == "gpu-tasks":
		a.zoo = zoo.Open(zoo.Options{Version: version})
		defer func() { err = errors.Join(err, a.zoo.Close()) }()
		return a.forGPU(ctx, flags.Arg(1))
	}
	wanted, err := picked(flags.Args())
	if err != nil {
		return err
	}
	if a.folder, err = os.MkdirTemp("", "fkzoo-peers-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(a.folder)) }()
	a.zoo = zoo.Open(zoo.Options{Version: version})
	defer func() { err = errors.Join(err, a.zoo.Close()) }()
	return a.hold(ctx, wanted)
}

// hold holds the contests, keeps each one's result when it is over, and writes the page.
func (a *arena) hold(ctx context.Context, wanted []contest) error {
	var failed []error
	for _, c := range wanted {
		r, err := a.contest(ctx, c)
		if ctx.Err() != nil {
			failed = append(failed, ctx.Err())
			break
		}
		if err == nil {
			err = a.keep(c.name, r)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", c.name, err))
		}
	}
	failed = append(failed, a.writePage())
	if a.all {
		failed = append(failed, a.missing...)
	}
	return errors.Join(failed...)
}

// contest holds one.
func (a *arena) contest(ctx context.Context, c contest) (*result, error) {
	start := time.Now()
	hold := a.race
	if c.layers {
		hold = a.layers
	}
	r, err := hold(ctx, c)
	if err == nil {
		a.say("%s took %.0f s", c.name, time.Since(start).Seconds())
	}
	return r, err
}

// list shows every contest and when it was held.
func (a *arena) list() error {
	kept, err := a.record()
	if err != nil {
		return err
	}
	t := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "CONTEST\tHELD\tWHAT")
	for _, c := range contests {
		held := "-"
		if r := kept[c.name]; r != nil {
			held = r.Made.Date
		}
		fmt.Fprintf(t, "%s\t%s\t%s\n", c.name, held, c)
	}
	return t.Flush()
}
