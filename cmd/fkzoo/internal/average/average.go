// Package average has the command average. It must not know how submissions are read or averaged, nor any other command.
package average

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/contest"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/kaggle"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

// Command is the command average.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "average", Usage: "average submissions for Kaggle", ArgsUsage: "A.csv B.csv...",
		Description: "They must have the same rows, in any order. How far apart each pair is, is printed.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the average, a .csv file"},
			contest.WeightsFlag,
			&cli.BoolFlag{Name: "median", Usage: "the (weighted) median in place of the mean"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON: the ledger"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
		},
		Action: p.Action(average),
	}
}

func average(p *command.Program, c *cli.Context) error {
	paths, output := c.Args().Slice(), c.String("output")
	if len(paths) == 0 {
		return command.Usagef("average: found no submission, want at least one .csv")
	}
	if output == "" {
		return command.Usagef("average: no -o given, want a .csv file to write to")
	}
	o := kaggle.AverageOptions{Median: c.Bool("median")}
	var err error
	if o.Weights, err = contest.Weights(c, len(paths)); err != nil {
		return err
	}
	if err := contest.CheckFree(output, c.Bool("force"), paths...); err != nil {
		return err
	}
	a, err := kaggle.Average(paths, output, o, p.Version)
	if err != nil {
		return err
	}
	for _, note := range a.Notes {
		p.Warn(note)
	}
	for _, d := range a.Distances {
		if d.Alike && (o.Weights == nil || o.Weights[d.A] > 0 && o.Weights[d.B] > 0) {
			p.Warn(fmt.Sprintf("%s and %s are nearly the same: %.3g pixels apart (RMS), so that together they count twice", paths[d.A], paths[d.B], d.RMS))
		}
	}
	if err := a.WriteWith(a.Ledger, output, c.Bool("force")); err != nil {
		return err
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, a.Ledger)
	}
	if len(a.Distances) > 0 {
		rows := [][]string{{"SUBMISSION", "AND", "RMS PX", "LARGEST PX", "IN ROW"}}
		for _, d := range a.Distances {
			rows = append(rows, []string{paths[d.A], paths[d.B], fmt.Sprintf("%.3f", d.RMS), fmt.Sprintf("%.3f", d.Largest), fmt.Sprint(d.Row)})
		}
		if err := terminal.Table(p.Stdout, rows); err != nil {
			return err
		}
	}
	what := "mean"
	if o.Median {
		what = "median"
	}
	fmt.Fprintf(p.Stdout, "%s: the %s of %s, %s rows; ledger %s\n", output, what, terminal.Count(len(paths), "submission"), terminal.Thousands(int64(a.Len())), submission.LedgerPath(output))
	return nil
}
