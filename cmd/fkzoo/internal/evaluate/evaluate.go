// Package evaluate has the command evaluate. It must not know how an answer is computed or measured, nor any other command.
package evaluate

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command evaluate.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "evaluate", Usage: "compare models' answers with the truth", ArgsUsage: "FILE.fkz...",
		Description: "Of several files, the mean answer is compared.",
		Flags: []cli.Flag{
			command.DataFlag, &cli.BoolFlag{Name: "json", Usage: "print JSON"}, command.FlipAverageFlag,
			&cli.StringFlag{Name: "sheet", Usage: "draw the worst faces to a .png file"},
			&cli.StringFlag{Name: "plot", Usage: "draw the error by column to a .svg or .png file"},
			&cli.StringFlag{Name: "expected", Usage: "draw how well expected errors hold to a .svg or .png file"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, command.BackendFlag,
		},
		Action: p.Action(evaluate),
	}
}

func evaluate(p *command.Program, c *cli.Context) error {
	if c.NArg() == 0 {
		return model.ErrNoModel
	}
	if c.String("data") == "" {
		return command.Usagef("evaluate: no --data given, want data with points to compare with")
	}
	if err := command.CheckSheet(c, append(c.Args().Slice(), c.String("data"))...); err != nil {
		return err
	}
	if path := c.String("plot"); path != "" {
		if err := command.CheckCurves(path, c.Bool("force"), append(c.Args().Slice(), c.String("data"), c.String("sheet"))...); err != nil {
			return err
		}
	}
	if path := c.String("expected"); path != "" {
		if err := command.CheckCurves(path, c.Bool("force"), append(c.Args().Slice(), c.String("data"), c.String("sheet"), c.String("plot"))...); err != nil {
			return err
		}
	}
	z := p.Zoo(c)
	defer z.Close()
	e, err := z.Evaluate(c.Context, zoo.EvaluateRequest{ModelsRequest: command.Models(c, c.Args().Slice()...), Data: command.Data(c.String("data")), Expected: c.String("expected") != ""})
	if err != nil {
		return err
	}
	var failed []error // nothing need be missing for another thing
	if c.Bool("json") {
		failed = append(failed, terminal.PrintJSON(p.Stdout, e.Evaluation))
	} else {
		failed = append(failed, printEvaluation(p, e.Evaluation, e.Data))
	}
	if path := c.String("sheet"); path != "" {
		failed = append(failed, figure.WorstSheet(e.Data, e.Answers).Write(path, c.Bool("force")))
	}
	if path := c.String("plot"); path != "" {
		failed = append(failed, plotColumns(path, e.Data, e.Evaluation, c.Bool("force")))
	}
	if path := c.String("expected"); path != "" {
		failed = append(failed, plotExpected(path, e.Data, e.Evaluation, c.Bool("force")))
	}
	return errors.Join(failed...)
}

// plotExpected draws how well expected errors hold.
func plotExpected(path string, set *dataset.Set, e *measure.Evaluation, force bool) error {
	if e.Expected == nil {
		return fmt.Errorf("%s: not drawn: the models don't know how far off they are to be expected; a training with rows held out finds it", path)
	}
	return figure.Expected(set.Source+", "+terminal.Count(set.Len(), "row"), e.Expected).Write(path, force)
}

func printEvaluation(p *command.Program, e *measure.Evaluation, set *dataset.Set) error {
	fmt.Fprintf(p.Stdout, "%s: %s, %s\n", set.Source, terminal.Count(e.Rows, "row"), terminal.Count(e.Cells, "filled cell"))
	rows := [][]string{{"", "LOSS", "RMSE PX", "MEAN FACE PX"}}
	add := func(name string, s measure.Score) {
		rows = append(rows, []string{name, fmt.Sprintf("%.6f", s.Loss), fmt.Sprintf("%.3f", s.RMSEPixels), fmt.Sprintf("%.3f", s.MeanFace)})
	}
	add("all rows", e.Score)
	if e.HeldOut != nil {
		add(terminal.Count(e.HeldOut.Rows, "row")+" held out in training", *e.HeldOut)
	}
	if e.OutOfFold != nil {
		add(terminal.Count(e.OutOfFold.Rows, "row")+" out of fold", *e.OutOfFold)
	}
	if len(e.Members) > 1 {
		for _, m := range e.Members {
			row := []string{"member " + m.Member, "-", "-"}
			if m.Cells > 0 {
				row[1], row[2] = fmt.Sprintf("%.6f", m.Loss), fmt.Sprintf("%.3f", m.RMSEPixels)
			}
			rows = append(rows, row)
		}
	}
	if err := terminal.Table(p.Stdout, rows); err != nil {
		return err
	}
	if e.HeldOutUnknown {
		fmt.Fprintln(p.Stdout, "the rows held out are not measured apart: the weights had been trained before, maybe on these rows too")
	}
	score, of := fairest(e)
	fmt.Fprintf(p.Stdout, "\nby column, of %s:\n", of)
	rows = [][]string{{"COLUMN", "CELLS", "RMSE PX", "MEAN FACE PX"}}
	for _, col := range score.Columns {
		row := []string{col.Name, fmt.Sprint(col.Cells), "-", "-"}
		if col.Cells > 0 {
			row[2], row[3] = fmt.Sprintf("%.3f", col.RMSEPixels), fmt.Sprintf("%.3f", col.MeanFace)
		}
		rows = append(rows, row)
	}
	return terminal.Table(p.Stdout, rows)
}

// fairest is what errors by column are shown of, and a name for these rows.
func fairest(e *measure.Evaluation) (score *measure.Score, of string) {
	score, which := e.Fairest()
	return score, strings.TrimSpace(terminal.Count(score.Rows, "row") + " " + which)
}

// plotColumns draws the error by column.
func plotColumns(path string, set *dataset.Set, e *measure.Evaluation, force bool) error {
	score, of := fairest(e)
	return figure.ColumnBars(set.Source+", "+of, score).Write(path, force)
}
