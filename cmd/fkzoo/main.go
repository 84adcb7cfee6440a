// Command fkzoo trains, evaluates and uses the networks of a zoo of facial
// keypoint architectures, which plugins offer.
//
// The command line is flags, printing and exit codes. What the commands do is the
// zoo's. This package puts them together; it must not know what any of them needs.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/average"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/backend"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/bench"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/convert"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/data"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/diff"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/estimate"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/evaluate"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/export"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/info"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/list"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/merge"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/plot"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/plugin"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/predict"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/results"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/salvage"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/score"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/sign"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/submission"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/submit"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/train"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/verify"
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
	if ctx.Err() != nil {
		err = command.Interrupted(err)
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
		Commands: []*cli.Command{
			list.Command(p), info.Command(p), train.Command(p), evaluate.Command(p), predict.Command(p),
			estimate.Command(p), submit.Command(p), average.Command(p), score.Command(p), submission.Command(p),
			merge.Command(p), results.Command(p), data.Command(p), plot.Command(p),
			convert.Command(p), export.Command(p), verify.Command(p), salvage.Command(p), diff.Command(p), sign.Command(p),
			plugin.Command(p), backend.Command(p), bench.Command(p),
		},
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
