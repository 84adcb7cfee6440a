// Package merge has the command merge. It must not know how models are put together, nor any other command.
package merge

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command merge.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "merge", Usage: "make one model of several", ArgsUsage: "FILE.fkz...",
		Description: "The models' members become members of one, whose answer is the mean of theirs;\n" +
			"with --mean-weights the weights of models of one blueprint are averaged instead.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the model file"},
			&cli.BoolFlag{Name: "mean-weights", Usage: "the mean of the weights, of models of the same blueprint"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
		},
		Action: p.Action(merge),
	}
}

func merge(p *command.Program, c *cli.Context) error {
	paths, output := c.Args().Slice(), c.String("output")
	if len(paths) < 2 {
		return command.Usagef("merge: found %d model files, want at least two", len(paths))
	}
	if !command.IsModelFile(output) {
		return command.Usagef("output %q: want a name that ends in .fkz", output)
	}
	if err := command.CheckFree(output, c.Bool("force"), paths...); err != nil {
		return err
	}
	models, err := model.ReadAll(paths, model.Load)
	if err != nil {
		return err
	}
	for i, m := range models {
		if m.State != nil {
			p.Warn(paths[i] + ": is a checkpoint: its weights are taken as they are")
		}
	}
	merge := model.Merge
	if c.Bool("mean-weights") {
		merge = model.MeanWeights
	}
	m, err := merge(models, paths)
	if err != nil {
		return err
	}
	m.Provenance.Fkzoo = p.Version
	z := p.Zoo(c)
	defer z.Close()
	m.Run = z.Record()
	if err := m.Save(output, c.Bool("force")); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "model: %s, %s\n", output, terminal.Count(len(m.Document.Members), "member"))
	return nil
}
