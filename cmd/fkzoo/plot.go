package main

import (
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/draw"
)

func (p *program) plotCommand() *cli.Command {
	return &cli.Command{
		Name: "plot", Usage: "draw learning curves", ArgsUsage: "FILE.fkz...",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "a .svg or .png file"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
		},
		Action: func(c *cli.Context) error {
			path := c.String("output")
			if path == "" {
				return usagef("plot: no -o given, want a .svg or .png file")
			}
			if err := checkCurves(path, c.Bool("force")); err != nil {
				return err
			}
			models, err := loadModels(c.Args().Slice(), zoo.Describe)
			if err != nil {
				return err
			}
			return drawCurves(path, models, c.Args().Slice(), c.Bool("force"))
		},
	}
}

// checkCurves refuses a file that curves can't be written to, before a training begins.
func checkCurves(path string, force bool) error {
	if err := (&draw.Curves{}).CheckPath(path); err != nil {
		return usageError{err}
	}
	if info, err := os.Stat(filepath.Dir(path)); err != nil || !info.IsDir() {
		return usagef("%s: found no folder %s", path, filepath.Dir(path))
	}
	return checkFree(path, force)
}

// drawCurves draws each member's losses; names are the files', where there are several.
func drawCurves(path string, models []*zoo.Model, names []string, force bool) error {
	curves := draw.Curves{Title: models[0].Document.Name}
	if len(models) > 1 {
		curves.Title = "learning curves"
	}
	for i, m := range models {
		for _, h := range m.History {
			var parts []string
			if len(models) > 1 {
				parts = append(parts, names[i])
			}
			if len(m.History) > 1 {
				parts = append(parts, h.Member)
			}
			run := draw.Run{Train: h.TrainLoss, Validation: h.ValidationLoss}
			for k, part := range parts {
				if k > 0 {
					run.Name += " "
				}
				run.Name += part
			}
			curves.Runs = append(curves.Runs, run)
		}
	}
	return curves.Write(path, force)
}
