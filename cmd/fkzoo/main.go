// Command fkzoo trains, evaluates and uses the networks of a zoo of facial
// keypoint architectures, which plugins offer.
//
// The command line is flags, printing and exit codes. What the commands do is the
// zoo's. This package puts them together; it must not know what any of them needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/answers"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/contest"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/installed"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/models"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/sets"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/training"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// version is set at build from the repository's tag.
var version = "development"

// Exit codes.
const (
	exitFailure = 1 // an interrupted training among them: its model isn't there
	exitUsage   = 2
)

func main() {
	// A closed terminal is a wish to end like any other: a training keeps what it has.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-ctx.Done()
		stop() // a second Ctrl-C ends the program at once
	}()
	os.Exit(run(ctx, os.Args, os.Stdout, os.Stderr))
}

// run is the whole program, with its streams given.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) (code int) {
	defer func() {
		if r := recover(); r != nil {
			fmt.Fprintf(stderr, "fkzoo: internal fault: %v\nPlease report it with what follows.\n%s", r, debug.Stack())
			code = exitFailure
		}
	}()
	out := terminal.NewPrintableWriter(stdout)
	app := newApp(out, stderr)
	args, err := command.Reorder(app, args)
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	if err == nil && out.Err() != nil {
		err = fmt.Errorf("standard output: %w", out.Err())
	}
	if err == nil {
		return 0
	}
	// Ctrl-C before or after a training, as while data is read or images are answered.
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = train.ErrInterrupted
	}
	fmt.Fprintln(stderr, "fkzoo: "+terminal.Printable(strings.TrimSpace(inOneLine(err.Error(), args))))
	for _, hint := range command.Hints(err) {
		fmt.Fprintln(stderr, terminal.Printable(inOneLine(hint, args)))
	}
	if command.IsUsage(err) {
		return exitUsage
	}
	return exitFailure
}

// inOneLine quotes the arguments in a text that would break its lines: a file's name may hold anything.
func inOneLine(text string, args []string) string {
	for _, a := range args {
		if strings.ContainsAny(a, "\n\r\t") {
			text = strings.ReplaceAll(text, a, strconv.Quote(a))
		}
	}
	return text
}

func newApp(stdout, stderr io.Writer) *cli.App {
	p := &command.Program{Stdout: stdout, Stderr: stderr, Version: version}
	var unknown error // a command that there isn't
	usage := func(_ *cli.Context, err error, _ bool) error { return command.UsageError(err) }
	app := &cli.App{
		Name: "fkzoo", Usage: "a zoo of facial-keypoint networks", Version: version,
		Writer: stdout, ErrWriter: stderr,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {}, // run prints errors, once
		OnUsageError:              usage,
		CommandNotFound: func(_ *cli.Context, name string) {
			unknown = command.Usagef("command %q: there is none of that name", name)
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return command.Usagef("command %q: there is none of that name", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		After: func(*cli.Context) error { return unknown },
		Commands: slices.Concat(
			[]*cli.Command{installed.List(p), models.Info(p), training.Train(p)},
			answers.Commands(p), contest.Commands(p),
			[]*cli.Command{models.Merge(p), training.Results(p)},
			sets.Commands(p),
			[]*cli.Command{training.Plot(p), models.Convert(p), models.Export(p), models.Verify(p), models.Salvage(p), models.Diff(p), models.Sign(p),
				installed.Plugin(p), installed.Backend(p)},
		),
	}
	var mark func([]*cli.Command)
	mark = func(all []*cli.Command) {
		for _, c := range all {
			c.OnUsageError = usage
			mark(c.Subcommands)
		}
	}
	mark(app.Commands)
	return app
}
