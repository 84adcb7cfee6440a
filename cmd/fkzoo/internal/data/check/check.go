// Package check has the command data check. It must not know what a fault is, nor any other command.
package check

import (
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/check"
	"github.com/fkzoo/fkzoo/zoo/dataset/mirror"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// errFaults is the error of a check that found what makes training meaningless.
var errFaults = errors.New("a training on it could not mean anything")

// Command is the command data check.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "check", Usage: "find the faults of a data set", ArgsUsage: "PATH|demo",
		Description: "The exit code is 1 where a training on it could not mean anything.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "test", Usage: "a test `SET`, whose faces should not be among those to train on"},
			&cli.StringFlag{Name: "model", Usage: "a model `FILE.fkz`, from whose answers no label should be far"},
			command.FlipAverageFlag,
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			&cli.StringFlag{Name: "sheet", Usage: "draw the faces with the worst faults to a .png file"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, command.BackendFlag,
		},
		Action: p.Action(dataCheck),
	}
}

func dataCheck(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("data check: found %d arguments, want one data set", c.NArg())
	}
	path, test, sheet := c.Args().First(), c.String("test"), c.String("sheet")
	if err := command.CheckSheet(c, path, test, c.String("model")); err != nil {
		return err
	}
	if c.IsSet("flip-average") && c.String("model") == "" {
		return command.Usagef("flip-average: found no --model, want one that answers")
	}
	z := p.Zoo(c)
	defer z.Close()
	var o check.Options
	set, err := checkedSet(z, c, path, &o)
	if err != nil {
		return err
	}
	if test != "" {
		r := command.Data(test)
		r.Height, r.Width = set.Height, set.Width
		if o.Test, err = z.Read(c.Context, r); err != nil {
			return err
		}
	}
	report, err := check.Run(c.Context, set, o)
	if err != nil {
		return err
	}
	if sheet != "" {
		if err := faultSheet(p, sheet, report, set, o, c.Bool("force")); err != nil {
			return err
		}
	}
	for i := range report.Findings {
		if f := &report.Findings[i]; f.Kind == check.Axis {
			f.Text += "; --set recipe.augment.mirror.axis=auto trains so"
		}
	}
	if c.Bool("json") {
		err = terminal.PrintJSON(p.Stdout, report)
	} else {
		err = printFaults(p, report)
	}
	if err == nil && report.Failed() {
		return fmt.Errorf("%s: %w", path, errFaults)
	}
	return err
}

// checkedSet reads the set, and has the model answer it where there is one.
func checkedSet(z *zoo.Zoo, c *cli.Context, path string, o *check.Options) (*dataset.Set, error) {
	if c.String("model") == "" {
		return z.Read(c.Context, command.Data(path))
	}
	models, err := model.ReadAll([]string{c.String("model")}, model.Load)
	if err != nil {
		return nil, err
	}
	set, err := z.Read(c.Context, command.Data(path).For(models[0].Document.Input))
	if err != nil {
		return nil, err
	}
	if err := measure.CheckColumns(models, set); err != nil {
		return nil, err
	}
	with, err := z.EnsembleOf(c.Context, models, command.Models(c))
	if err != nil {
		return nil, err
	}
	defer with.Close()
	tick, end := z.Progress("predicting")
	answers, err := with.Answer(c.Context, set, tick)
	end()
	if err != nil {
		return nil, err
	}
	o.Answers = &check.Answers{Columns: answers.Columns, Points: answers.Points}
	return set, nil
}

func printFaults(p *command.Program, r *check.Report) error {
	fmt.Fprintf(p.Stdout, "%s: %s, %d with every column filled\nchecksum %s\n", r.Source, terminal.Count(r.Rows, "row"), r.Complete, r.Checksum)
	from := "taken from the images' width: neither the images nor the points say enough"
	if r.Axis.From != mirror.FromWidth {
		from = fmt.Sprintf("give or take %.2f, estimated from the %s", r.Axis.Error, r.Axis.From)
	}
	fmt.Fprintf(p.Stdout, "mirror axis: x becomes %.2f - x, %s\n", r.Axis.Axis, from)
	if n := r.Noise; n != nil {
		give := ""
		if n.Error > 0 {
			give = fmt.Sprintf(", give or take %.2f", n.Error)
		}
		fmt.Fprintf(p.Stdout, "labels: by the model's errors on %s of nearly the same image a label is off by about %.2f px (RMS, one axis)%s\n",
			terminal.Count(n.Pairs, "pair"), n.Pixels, give)
	}
	if r.Test != nil {
		fmt.Fprintf(p.Stdout, "%s: %d of %s are, or nearly are, among those to train on\n", r.Test.Source, r.Test.Leaked, terminal.Count(r.Test.Rows, "test face"))
	}
	fmt.Fprintln(p.Stdout)
	rows := [][]string{{"COLUMN", "FILLED", "MISSING", "OUTSIDE", ""}}
	for _, col := range r.Columns {
		row := []string{col.Name, fmt.Sprint(col.Filled), fmt.Sprint(col.Missing), fmt.Sprint(col.Outside)}
		if col.Constant {
			row = append(row, "constant")
		}
		rows = append(rows, row)
	}
	if err := terminal.Table(p.Stdout, rows); err != nil {
		return err
	}
	if len(r.Findings) == 0 {
		_, err := fmt.Fprintln(p.Stdout, "\nno fault found")
		return err
	}
	for _, f := range r.Findings {
		fmt.Fprintf(p.Stdout, "\n%s: %s\n", f.Severity, f.Text)
		const most = 10
		rows := [][]string{}
		for _, row := range f.Rows[:min(most, len(f.Rows))] {
			rows = append(rows, []string{"  " + row.ID, row.Text, strings.Join(row.Columns, " ")})
		}
		if f.Count > most && len(f.Rows) > most {
			rows = append(rows, []string{fmt.Sprintf("  and %d more", f.Count-most)})
		}
		if err := terminal.Table(p.Stdout, rows); err != nil {
			return err
		}
	}
	return nil
}

// faultSheet draws the worst rows of each finding, those of the worst findings first.
func faultSheet(p *command.Program, path string, r *check.Report, set *dataset.Set, o check.Options, force bool) error {
	var answers *answer.Prediction
	if o.Answers != nil {
		answers = &answer.Prediction{Columns: o.Answers.Columns, Points: o.Answers.Points}
	}
	sheet := figure.FaultSheet(r, set, o.Test, answers)
	if len(sheet.Faces) == 0 {
		p.Warn(path + ": not drawn: no row has a fault")
		return nil
	}
	if err := sheet.Write(path, force); err != nil {
		return err
	}
	fmt.Fprintf(p.Stderr, "sheet: %s\n", terminal.Printable(path))
	return nil
}
