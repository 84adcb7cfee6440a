// Package plot has the command plot. It must not know how curves are read or drawn, nor any other command.
package plot

import (
	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/zoo/figure"
)

// Command is the command plot.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "plot", Usage: "draw learning curves", ArgsUsage: "FILE...",
		Description: "A file is a model (.fkz), a table (.csv, with the columns epoch, train_loss and valid_loss), or what --log has written (.jsonl).",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "rows", Usage: "draw the error on the rows held out by how many rows each model was trained on"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a .svg or .png file"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
		},
		Action: func(c *cli.Context) error {
			path := c.String("output")
			if path == "" {
				return command.Usagef("plot: no -o given, want a .svg or .png file")
			}
			if c.NArg() == 0 {
				return command.Usagef("plot: found no file, want at least one .fkz, .csv or .jsonl")
			}
			if err := command.CheckCurves(path, c.Bool("force"), c.Args().Slice()...); err != nil {
				return err
			}
			read := figure.ReadCurves
			if c.Bool("rows") {
				read = figure.ReadRows
			}
			curves, err := read(c.Args().Slice())
			if err != nil {
				return err
			}
			return curves.Write(path, c.Bool("force"))
		},
	}
}
