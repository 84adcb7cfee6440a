// Package list has the command list, which shows the architectures that plugins offer. It must not know how plugins are found
// or started, nor any other command.
package list

import (
	"errors"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/host"
)

// listed is an architecture as «list --json» prints it.
type listed struct {
	Name       string         `json:"name"`
	Plugin     string         `json:"plugin"`
	Summary    string         `json:"summary"`
	Parameters int64          `json:"parameters"`
	Members    []string       `json:"members"`
	Settings   []host.Setting `json:"settings"`
	Ambiguous  bool           `json:"ambiguous,omitempty"`
}

// Command is the command list.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "list", Usage: "show the architectures that plugins offer", ArgsUsage: "[PATTERN...]",
		Description: "A pattern is a name with wildcards: fkzoo list 'net?' 'net1*'.",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action:      p.Action(list),
	}
}

func list(p *command.Program, c *cli.Context) error {
	patterns := c.Args().Slice()
	z := p.Zoo(c)
	defer z.Close()
	all, errs, err := z.List(c.Context, patterns...)
	if err != nil {
		return err
	}
	out := []listed{}
	for _, a := range all {
		out = append(out, listed{a.Name, a.Plugin.Name, a.Summary, a.Parameters, a.Members, a.Settings, a.Ambiguous})
	}
	if c.Bool("json") {
		err = terminal.PrintJSON(p.Stdout, out)
	} else if len(out) > 0 {
		rows := [][]string{{"NAME", "PLUGIN", "PARAMETERS", "SUMMARY"}}
		for _, a := range out {
			name := a.Name
			if a.Ambiguous {
				name = a.Plugin + "/" + a.Name
			}
			rows = append(rows, []string{name, a.Plugin, terminal.Thousands(a.Parameters), a.Summary})
		}
		err = terminal.Table(p.Stdout, rows)
	}
	if err == nil && len(errs) == 0 && len(out) == 0 {
		if len(patterns) > 0 {
			return errors.New("no architecture has a name that matches")
		}
		return command.ErrNoPlugins
	}
	return errors.Join(append(errs, err)...)
}
