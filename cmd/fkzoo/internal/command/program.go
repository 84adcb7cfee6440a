package command

import (
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
)

// Program is what the commands share.
type Program struct {
	Stdout  io.Writer // escapes what would steer a terminal
	Stderr  io.Writer // as it is, for progress bars: see [terminal.Printable]
	Version string    // of the program, as models and ledgers keep it
	Quiet   bool      // no bars: the answers that are printed are a progress, too
}

// Action makes an action of a command's function.
func (p *Program) Action(f func(p *Program, c *cli.Context) error) cli.ActionFunc {
	return func(c *cli.Context) error { return f(p, c) }
}

// Warn prints a line for people.
func (p *Program) Warn(text string) { fmt.Fprintln(p.Stderr, "fkzoo: "+terminal.Printable(text)) }
