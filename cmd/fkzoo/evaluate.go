package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

var flipAverageFlag = &cli.BoolFlag{Name: "flip-average", Usage: "answer each image and its mirror image, and take the mean (default: as the models' blueprints say)"}

// flipAverage is what the user wants, or else what all models ask for. Where only
// some do, one that doesn't keeps the others from what they are calibrated for.
func (p *program) flipAverage(c *cli.Context, models []*model.Model) bool {
	if c.IsSet("flip-average") {
		return c.Bool("flip-average")
	}
	average := answer.FlipAverage(models)
	if answer.Miscalibrated(models, average) {
		p.warn("some members are calibrated for the mean with the answer for the mirror image, which others don't ask for, and none is given: their answers are a little off; --flip-average gives it for all")
	}
	return average
}

func (p *program) evaluateCommand() *cli.Command {
	return &cli.Command{
		Name: "evaluate", Usage: "compare models' answers with the truth", ArgsUsage: "FILE.fkz...",
		Description: "Of several files, the mean answer is compared.",
		Flags: []cli.Flag{
			dataFlag, &cli.BoolFlag{Name: "json", Usage: "print JSON"}, flipAverageFlag,
			&cli.StringFlag{Name: "sheet", Usage: "draw the worst faces to a .png file"},
			&cli.StringFlag{Name: "plot", Usage: "draw the error by column to a .svg or .png file"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, backendFlag,
		},
		Action: p.evaluate,
	}
}

func (p *program) evaluate(c *cli.Context) error {
	models, err := loadModels(c.Args().Slice(), model.Load)
	if err != nil {
		return err
	}
	if c.String("data") == "" {
		return usagef("evaluate: no --data given, want data with points to compare with")
	}
	if err := checkSheet(c, append(c.Args().Slice(), c.String("data"))...); err != nil {
		return err
	}
	if path := c.String("plot"); path != "" {
		if err := checkCurves(path, c.Bool("force"), append(c.Args().Slice(), c.String("data"), c.String("sheet"))...); err != nil {
			return err
		}
	}
	set, err := p.readDataFor(c.Context, c.String("data"), models[0])
	if err != nil {
		return err
	}
	b, err := p.backend(c)
	if err != nil {
		return err
	}
	defer b.Close()
	with, err := answer.Open(c.Context, models, answer.Options{Backend: b, FlipAverage: p.flipAverage(c, models)})
	if err != nil {
		return err
	}
	defer with.Close()
	tick, end := p.tick("evaluating")
	e, prediction, err := measure.Evaluate(c.Context, with, set, tick)
	end()
	if err != nil {
		return err
	}
	var failed []error // nothing need be missing for another thing
	if c.Bool("json") {
		failed = append(failed, printJSON(p.stdout, e))
	} else {
		failed = append(failed, p.printEvaluation(e, set))
	}
	if path := c.String("sheet"); path != "" {
		failed = append(failed, figure.WorstSheet(set, prediction).Write(path, c.Bool("force")))
	}
	if path := c.String("plot"); path != "" {
		failed = append(failed, plotColumns(path, set, e, c.Bool("force")))
	}
	return errors.Join(failed...)
}

func (p *program) printEvaluation(e *measure.Evaluation, set *dataset.Set) error {
	fmt.Fprintf(p.stdout, "%s: %s, %s\n", set.Source, count(e.Rows, "row"), count(e.Cells, "filled cell"))
	rows := [][]string{{"", "LOSS", "RMSE PX", "MEAN FACE PX"}}
	add := func(name string, s measure.Score) {
		rows = append(rows, []string{name, fmt.Sprintf("%.6f", s.Loss), fmt.Sprintf("%.3f", s.RMSEPixels), fmt.Sprintf("%.3f", s.MeanFace)})
	}
	add("all rows", e.Score)
	if e.HeldOut != nil {
		add(count(e.HeldOut.Rows, "row")+" held out in training", *e.HeldOut)
	}
	if e.OutOfFold != nil {
		add(count(e.OutOfFold.Rows, "row")+" out of fold", *e.OutOfFold)
	}
	if len(e.Members) > 1 {
		for _, m := range e.Members {
			rows = append(rows, []string{"member " + m.Member, fmt.Sprintf("%.6f", m.Loss), fmt.Sprintf("%.3f", m.RMSEPixels)})
		}
	}
	if err := table(p.stdout, rows); err != nil {
		return err
	}
	if e.HeldOutUnknown {
		fmt.Fprintln(p.stdout, "the rows held out are not measured apart: the weights had been trained before, maybe on these rows too")
	}
	score, of := fairest(e)
	fmt.Fprintf(p.stdout, "\nby column, of %s:\n", of)
	rows = [][]string{{"COLUMN", "CELLS", "RMSE PX", "MEAN FACE PX"}}
	for _, col := range score.Columns {
		row := []string{col.Name, fmt.Sprint(col.Cells), "-", "-"}
		if col.Cells > 0 {
			row[2], row[3] = fmt.Sprintf("%.3f", col.RMSEPixels), fmt.Sprintf("%.3f", col.MeanFace)
		}
		rows = append(rows, row)
	}
	return table(p.stdout, rows)
}

// fairest is what errors by column are shown of, and a name for these rows.
func fairest(e *measure.Evaluation) (score *measure.Score, of string) {
	score, which := e.Fairest()
	return score, strings.TrimSpace(count(score.Rows, "row") + " " + which)
}

// plotColumns draws the error by column.
func plotColumns(path string, set *dataset.Set, e *measure.Evaluation, force bool) error {
	score, of := fairest(e)
	return figure.ColumnBars(set.Source+", "+of, score).Write(path, force)
}
