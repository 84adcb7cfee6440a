package command

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// usageError is a wrong use of the command line.
type usageError struct{ error }

// UsageError makes an error one of a wrong use of the command line.
func UsageError(err error) error { return usageError{err} }

// Usagef is [UsageError] of a text.
func Usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// IsUsage tells whether an error is the command line's, or what was asked by it: that is found elsewhere.
func IsUsage(err error) bool {
	return errors.As(err, new(usageError)) || request.Is(err) || errors.Is(err, backend.ErrUnknown)
}

// Interrupted makes of Ctrl-C before or after a training, as while data is read or images are answered, the error of one
// within it. Other errors stay.
func Interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return train.ErrInterrupted
	}
	return err
}

// Reorder puts a command's flags before its arguments, since the library stops
// reading flags at the first argument and people don't.
func Reorder(app *cli.App, args []string) ([]string, error) {
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
		return nil, Usagef("command %q: there is none of that name", rest[0])
	}
	before, after, err := sorted(flags, rest)
	if err != nil {
		return nil, err
	}
	return append(append(head, before...), after...), nil
}

// sorted are a command's flags with their values, and its arguments. A flag that has one value is refused where it is given
// twice: the library would take the last without a word.
func sorted(flags []cli.Flag, args []string) (before, after []string, err error) {
	known := map[string]cli.Flag{}
	for _, f := range flags {
		for _, name := range f.Names() {
			known[name] = f
		}
	}
	given := map[cli.Flag]string{}
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			after = append(after, args[i+1:]...)
			break
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			after = append(after, a)
			continue
		}
		before = append(before, a)
		name, _, valued := strings.Cut(strings.TrimLeft(a, "-"), "=")
		f := known[name]
		_, isBool := f.(*cli.BoolFlag)
		said := a
		if f != nil && !isBool && !valued {
			if i+1 == len(args) {
				return nil, nil, Usagef("flag %s: found no value, want one", a)
			}
			i++
			before = append(before, args[i])
			said += " " + args[i]
		}
		if repeated, ok := f.(cli.DocGenerationSliceFlag); f == nil || ok && repeated.IsSliceFlag() {
			continue
		}
		if old, twice := given[f]; twice && !(isBool && old == said) {
			return nil, nil, Usagef("%s: found %s and %s, want one of them", f.Names()[0], old, said)
		}
		given[f] = said
	}
	if len(after) > 0 {
		before = append(before, "--")
	}
	return before, after, nil
}
