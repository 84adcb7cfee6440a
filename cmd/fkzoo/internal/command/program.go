package command

import (
	"cmp"
	"fmt"
	"io"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Program is what the commands share.
type Program struct {
	Stdout  io.Writer // escapes what would steer a terminal
	Stderr  io.Writer // as it is, for progress bars: see [terminal.Printable]
	Version string    // of the program, as models and ledgers keep it
}

// Action makes an action of a command's function.
func (p *Program) Action(f func(p *Program, c *cli.Context) error) cli.ActionFunc {
	return func(c *cli.Context) error { return f(p, c) }
}

// Warn prints a line for people.
func (p *Program) Warn(text string) { fmt.Fprintln(p.Stderr, "fkzoo: "+terminal.Printable(text)) }

// Host opens the plugins' host. Close it.
func (p *Program) Host() (*host.Host, error) {
	o, err := host.Defaults()
	if err != nil {
		return nil, err
	}
	o.Warn = p.Warn
	return host.New(o)
}

// Backend opens the backend that the flag names, and says which auto took.
func (p *Program) Backend(c *cli.Context) (*backend.Backend, error) {
	b, err := backend.Open(c.Context, cmp.Or(c.String("backend"), backend.Auto))
	if err != nil {
		return nil, err
	}
	if reason := b.Reason(); reason != "" {
		fmt.Fprintln(p.Stderr, "backend auto: "+reason)
	}
	fmt.Fprintln(p.Stderr, "backend "+b.Description())
	return b, nil
}

// FlipAverage is what the user wants, or else what all models ask for. Where only
// some do, one that doesn't keeps the others from what they are calibrated for.
func (p *Program) FlipAverage(c *cli.Context, models []*model.Model) bool {
	if c.IsSet("flip-average") {
		return c.Bool("flip-average")
	}
	average := answer.FlipAverage(models)
	if answer.Miscalibrated(models, average) {
		p.Warn("some members are calibrated for the mean with the answer for the mirror image, which others don't ask for, and none is given: their answers are a little off; --flip-average gives it for all")
	}
	return average
}
