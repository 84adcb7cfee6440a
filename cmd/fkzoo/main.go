// Command fkzoo trains, evaluates and uses the networks of a zoo of facial
// keypoint architectures, which plugins offer.
//
// This package is the command line alone: flags, printing and exit codes. What
// the commands do is the zoo's.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// version is set at build from the repository's tag.
var version = "development"

// Exit codes.
const (
	exitFailure = 1 // an interrupted training among them: its model isn't there
	exitUsage   = 2
)

// usageError is a wrong use of the command line.
type usageError struct{ error }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

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
	out := &printableWriter{to: stdout}
	app := newApp(out, stderr)
	args, err := reorder(app, args)
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	if err == nil && out.err != nil {
		err = fmt.Errorf("standard output: %w", out.err)
	}
	if err == nil {
		return 0
	}
	// Ctrl-C before or after a training, as while data is read or images are answered.
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		err = train.ErrInterrupted
	}
	fmt.Fprintln(stderr, "fkzoo: "+printable(strings.TrimSpace(inOneLine(err.Error(), args))))
	for _, hint := range hints(err) {
		fmt.Fprintln(stderr, printable(inOneLine(hint, args)))
	}
	if isUsage(err) {
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

// isUsage tells whether an error is the command line's: a backend that isn't
// one and a setting that no recipe takes are found elsewhere.
func isUsage(err error) bool {
	return errors.As(err, new(usageError)) || errors.Is(err, backend.ErrUnknown) || errors.As(err, new(*recipe.SettingError))
}

func newApp(stdout, stderr io.Writer) *cli.App {
	p := &program{stdout: stdout, stderr: stderr}
	usage := func(_ *cli.Context, err error, _ bool) error { return usageError{err} }
	app := &cli.App{
		Name: "fkzoo", Usage: "a zoo of facial-keypoint networks", Version: version,
		Writer: stdout, ErrWriter: stderr,
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {}, // run prints errors, once
		OnUsageError:              usage,
		CommandNotFound: func(_ *cli.Context, name string) {
			p.failed = usagef("command %q: there is none of that name", name)
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usagef("command %q: there is none of that name", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
		After: func(*cli.Context) error { return p.failed },
		Commands: []*cli.Command{
			p.listCommand(), p.infoCommand(), p.trainCommand(), p.evaluateCommand(), p.predictCommand(),
			p.estimateCommand(), p.submitCommand(), p.averageCommand(), p.scoreCommand(), p.submissionCommand(),
			p.mergeCommand(), p.resultsCommand(),
			p.dataCommand(), p.plotCommand(), p.convertCommand(), p.exportCommand(), p.verifyCommand(), p.salvageCommand(), p.diffCommand(), p.signCommand(), p.pluginCommand(), p.backendCommand(),
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

// checkFree refuses, before the work begins, a file that can't be written, its
// folder being missing or its name a device's, or must not be replaced: one that
// exists, without force, and one of the command's other files always.
func checkFree(path string, force bool, others ...string) error {
	if path == "" {
		return nil
	}
	if folder := filepath.Dir(path); !isFolder(folder) {
		return usagef("%s: found no folder %s", path, folder)
	}
	old, err := os.Stat(path)
	for _, other := range others {
		if err != nil && other != "" && filepath.Clean(other) == filepath.Clean(path) {
			return usagef("%s: is given twice, want another file to write to", path)
		}
		if info, missing := os.Stat(other); err == nil && missing == nil && os.SameFile(old, info) {
			return usagef("%s: is read by the command, want another file to write to", path)
		}
	}
	_, _, err = atomicfile.Place(path, force)
	if errors.As(err, new(*atomicfile.PlaceError)) {
		return usageError{err}
	}
	return err
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// program is what the commands share.
type program struct {
	stdout io.Writer // escapes what would steer a terminal
	stderr io.Writer // as it is, for progress bars: see printable
	failed error
}

// warn prints a line for people.
func (p *program) warn(text string) { fmt.Fprintln(p.stderr, "fkzoo: "+printable(text)) }

// host opens the plugins' host. Close it.
func (p *program) host() (*host.Host, error) {
	o, err := host.Defaults()
	if err != nil {
		return nil, err
	}
	o.Warn = p.warn
	return host.New(o)
}

// backendFlag chooses what a network runs on.
var backendFlag = &cli.StringFlag{
	Name: "backend", Value: backend.Auto, EnvVars: []string{"FKZOO_BACKEND"},
	Usage: "what networks run on: " + strings.Join(backend.Names(), ", "),
	// Before any work is done for it. An empty variable is as none.
	Action: func(_ *cli.Context, name string) error {
		if name != "" && !slices.Contains(backend.Names(), name) {
			return usagef("backend %q: %w; want one of %s", name, backend.ErrUnknown, strings.Join(backend.Names(), ", "))
		}
		return nil
	},
}

// backend opens the backend that the flag names, and says which auto took.
func (p *program) backend(c *cli.Context) (*backend.Backend, error) {
	b, err := backend.Open(c.Context, cmp.Or(c.String("backend"), backend.Auto))
	if err != nil {
		return nil, err
	}
	if reason := b.Reason(); reason != "" {
		fmt.Fprintln(p.stderr, "backend auto: "+reason)
	}
	fmt.Fprintln(p.stderr, "backend "+b.Description())
	return b, nil
}

// reorder puts a command's flags before its arguments, since the library stops
// reading flags at the first argument and people don't.
func reorder(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return args, nil
	}
	head, rest := args[:1:1], args[1:]
	commands, flags := app.Commands, app.Flags
	for len(rest) > 0 {
		i := 0
		for i < len(rest) && strings.HasPrefix(rest[i], "-") {
			i++ // the program's own flags have no values
		}
		if i == len(rest) {
			break
		}
		var next *cli.Command
		for _, c := range commands {
			if c.HasName(rest[i]) {
				next = c
			}
		}
		if next == nil {
			break
		}
		head = append(head, rest[:i+1]...)
		rest = rest[i+1:]
		commands, flags = next.Subcommands, next.Flags
	}
	if len(head) == 1 && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") && rest[0] != "help" && rest[0] != "h" {
		return nil, usagef("command %q: there is none of that name", rest[0])
	}
	takesValue := map[string]bool{}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			takesValue[name] = !isBool
		}
	}
	var before, after []string
	for i := 0; i < len(rest); i++ {
		a := rest[i]
		if a == "--" {
			after = append(after, rest[i+1:]...)
			break
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			after = append(after, a)
			continue
		}
		before = append(before, a)
		name := strings.TrimLeft(a, "-")
		if takesValue[name] && !strings.Contains(a, "=") {
			if i+1 == len(rest) {
				return nil, usagef("flag %s: found no value, want one", a)
			}
			i++
			before = append(before, rest[i])
		}
	}
	if len(after) > 0 {
		before = append(before, "--")
	}
	return append(append(head, before...), after...), nil
}
