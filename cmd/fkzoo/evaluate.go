package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/draw"
)

var flipAverageFlag = &cli.BoolFlag{Name: "flip-average", Usage: "answer each image and its mirror image, and take the mean (default: as the models' blueprints say)"}

func flipAverage(c *cli.Context, models []*zoo.Model) bool {
	if c.IsSet("flip-average") {
		return c.Bool("flip-average")
	}
	return zoo.FlipAverage(models)
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
	models, err := loadModels(c.Args().Slice(), zoo.Load)
	if err != nil {
		return err
	}
	if c.String("data") == "" {
		return usagef("evaluate: no --data given, want data with points to compare with")
	}
	if err := checkSheet(c, c.String("data")); err != nil {
		return err
	}
	if path := c.String("plot"); path != "" {
		if err := new(draw.Curves).CheckPath(path); err != nil {
			return usageError{err}
		}
		if err := checkFree(path, c.Bool("force"), c.String("data")); err != nil {
			return err
		}
	}
	in := models[0].Document.Input
	set, err := readDataSized(c.Context, c.String("data"), in.Height, in.Width)
	if err != nil {
		return err
	}
	p.tell(set.Notes)
	b, err := p.backend(c)
	if err != nil {
		return err
	}
	defer b.Close()
	tick, end := p.tick("evaluating")
	e, prediction, err := zoo.Evaluate(c.Context, models, set, zoo.PredictOptions{Backend: b, FlipAverage: flipAverage(c, models), Tick: tick})
	end()
	if err != nil {
		return err
	}
	if path := c.String("sheet"); path != "" {
		if err := worstSheet(path, set, prediction, c.Bool("force")); err != nil {
			return err
		}
	}
	if path := c.String("plot"); path != "" {
		if err := plotColumns(path, set, e, c.Bool("force")); err != nil {
			return err
		}
	}
	if c.Bool("json") {
		return printJSON(p.stdout, e)
	}
	return p.printEvaluation(e, set)
}

func (p *program) printEvaluation(e *zoo.Evaluation, set *dataset.Set) error {
	fmt.Fprintf(p.stdout, "%s: %s, %s\n", set.Source, count(e.Rows, "row"), count(e.Cells, "filled cell"))
	rows := [][]string{{"", "LOSS", "RMSE PX", "MEAN FACE PX"}}
	add := func(name string, s zoo.Score) {
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
		fmt.Fprintln(p.stdout, "the rows held out are not measured apart: the weights started from a model that has seen this data, maybe these rows too")
	}
	fmt.Fprintln(p.stdout)
	rows = [][]string{{"COLUMN", "CELLS", "RMSE PX", "MEAN FACE PX"}}
	for _, col := range e.Columns {
		row := []string{col.Name, fmt.Sprint(col.Cells), "-", "-"}
		if col.Cells > 0 {
			row[2], row[3] = fmt.Sprintf("%.3f", col.RMSEPixels), fmt.Sprintf("%.3f", col.MeanFace)
		}
		rows = append(rows, row)
	}
	return table(p.stdout, rows)
}

// plotColumns draws the error by column: of the rows held out in training, where
// these are known.
func plotColumns(path string, set *dataset.Set, e *zoo.Evaluation, force bool) error {
	score, rows := e.Score, count(e.Rows, "row")
	if e.HeldOut != nil {
		score, rows = *e.HeldOut, count(e.HeldOut.Rows, "row")+" held out in training"
	}
	return zoo.ColumnBars(set.Source+", "+rows, &score).Write(path, force)
}
