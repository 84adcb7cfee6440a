// Package data has the command data, and of those below it summary. It must not know how data is stored, nor any other command.
package data

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/data/check"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/data/export"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
)

// Command is the command data.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "data", Usage: "look at training data",
		Subcommands: []*cli.Command{{
			Name: "summary", Usage: "show what a data set holds", ArgsUsage: "PATH|demo|-",
			Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
			Action: p.Action(dataSummary),
		}, check.Command(p), export.Command(p), export.Demo(p), export.Scene(p)},
	}
}

// summarized is a data set as «data summary --json» prints it.
type summarized struct {
	Source   string             `json:"source"`
	Checksum string             `json:"checksum"`
	Rows     int                `json:"rows"`
	Complete int                `json:"complete"`
	Height   int                `json:"height"`
	Width    int                `json:"width"`
	Channels int                `json:"channels"`
	Columns  []summarizedColumn `json:"columns"`
}

type summarizedColumn struct {
	Name   string   `json:"name"`
	Filled int      `json:"filled"`
	Min    *float32 `json:"min"` // null where no cell is filled
	Mean   *float32 `json:"mean"`
	Max    *float32 `json:"max"`
}

func dataSummary(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("data summary: found %d arguments, want one data set", c.NArg())
	}
	z := p.Zoo(c)
	defer z.Close()
	set, err := z.Read(c.Context, command.Data(c.Args().First()))
	if err != nil {
		return err
	}
	s := set.Summary()
	out := summarized{set.Source, set.Checksum, s.Rows, s.Complete, s.Height, s.Width, s.Channels, []summarizedColumn{}}
	rows := [][]string{{"COLUMN", "FILLED", "EMPTY", "MIN", "MEAN", "MAX"}}
	for _, col := range s.Columns {
		j := summarizedColumn{Name: col.Name, Filled: col.Filled}
		row := []string{col.Name, fmt.Sprint(col.Filled), fmt.Sprint(s.Rows - col.Filled)}
		if col.Filled > 0 {
			j.Min, j.Mean, j.Max = &col.Min, &col.Mean, &col.Max
			row = append(row, fmt.Sprintf("%.2f", col.Min), fmt.Sprintf("%.2f", col.Mean), fmt.Sprintf("%.2f", col.Max))
		}
		out.Columns = append(out.Columns, j)
		rows = append(rows, row)
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, out)
	}
	fmt.Fprintf(p.Stdout, "%s: %s of %dx%d with %s, %d of them with every column filled\nchecksum %s\n",
		set.Source, terminal.Count(s.Rows, "row"), s.Width, s.Height, terminal.Count(s.Channels, "channel"), s.Complete, set.Checksum)
	if len(s.Columns) == 0 {
		return nil
	}
	return terminal.Table(p.Stdout, rows)
}
