// Package estimate has the command estimate. It must not know how a score is estimated, nor any other command.
package estimate

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/contest"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/kaggle"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command estimate.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "estimate", Usage: "say what a submission is likely to score", ArgsUsage: "FILE.fkz...",
		Description: "By the rows of the training data that each member held out: all of them, where a model was trained with\n" +
			"--folds. With --lookup each point counts as often as the competition's table asks for it.",
		Flags: []cli.Flag{
			command.DataFlag, contest.LookupFlag, &cli.StringFlag{Name: "test", Usage: "the competition's test.csv, plain or zipped: its faces are looked for in the data"},
			&cli.BoolFlag{Name: "blend", Usage: "look for the models' best weights"}, command.FlipAverageFlag,
			&cli.BoolFlag{Name: "json", Usage: "print JSON"}, command.BackendFlag,
		},
		Action: p.Action(estimate),
	}
}

func estimate(p *command.Program, c *cli.Context) error {
	if c.String("data") == "" {
		return command.Usagef("estimate: no --data given, want the data that the models were trained on")
	}
	paths := c.Args().Slice()
	if c.Bool("blend") && len(paths) < 2 {
		return command.Usagef("blend: found %s, want at least 2", terminal.Count(len(paths), "model"))
	}
	models, err := model.ReadAll(paths, model.Load)
	if err != nil {
		return err
	}
	var lookup *submission.Lookup
	if path := c.String("lookup"); path != "" {
		if lookup, err = submission.ReadLookup(path); err != nil {
			return err
		}
	}
	z := p.Zoo(c)
	defer z.Close()
	set, err := z.Read(c.Context, command.Data(c.String("data")).For(models[0].Document.Input))
	if err != nil {
		return err
	}
	with, err := z.EnsembleOf(c.Context, models, command.Models(c, paths...))
	if err != nil {
		return err
	}
	defer with.Close()
	var leak *submission.Leak
	if test := c.String("test"); test != "" {
		faces, err := z.Data(c.Context, command.Data(test))
		if err != nil {
			return err
		}
		defer faces.Close()
		if leak, err = kaggle.Leaks(c.Context, set, faces, lookup); err != nil {
			return err
		}
	}
	tick, end := z.Progress("estimating")
	e, err := kaggle.EstimateScore(c.Context, with, set, lookup, c.Bool("blend"), tick)
	end()
	if err != nil {
		return err
	}
	e.Leak = leak
	if e.Alike != nil {
		p.Warn(fmt.Sprintf("%s: members have learned from the same face, or nearly the same, as %d of the %s that they answer here: the estimate is too good",
			set.Source, e.Alike.Faces, terminal.Count(e.Faces, "face")))
	}
	contest.WarnLeak(p, leak)
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, e)
	}
	return printEstimate(p, e, paths)
}

func printEstimate(p *command.Program, e *kaggle.Estimate, paths []string) error {
	fmt.Fprintf(p.Stdout, "%s that no answering member has learned from, %s\n", terminal.Count(e.Faces, "face"), terminal.Count(e.Cells, "filled cell"))
	span := func(i kaggle.Interval) []string {
		if i.RMSE == 0 && i.High == 0 {
			return []string{"-", "-"}
		}
		return []string{fmt.Sprintf("%.3f", i.RMSE), fmt.Sprintf("%.3f to %.3f", i.Low, i.High)}
	}
	rows := [][]string{{"", "FACES", "ASKED IMAGES", "RMSE PX", "95 % INTERVAL"}}
	rows = append(rows, append([]string{"all", fmt.Sprint(e.Faces), ""}, span(e.All)...))
	if a := e.Alike; a != nil {
		rows = append(rows, append([]string{"all but near-duplicates", fmt.Sprint(e.Faces - a.Faces), ""}, span(a.Others)...))
	}
	for _, k := range e.Kinds {
		rows = append(rows, append([]string{k.Name, fmt.Sprint(k.Faces), fmt.Sprint(k.Asked)}, span(k.Interval)...))
	}
	if err := terminal.Table(p.Stdout, rows); err != nil {
		return err
	}
	fmt.Fprintln(p.Stdout)
	rows = [][]string{{"FEATURE", "CELLS", "ASKED ROWS", "RMSE PX", "95 % INTERVAL"}}
	for _, f := range e.Features {
		rows = append(rows, append([]string{f.Name, fmt.Sprint(f.Cells), fmt.Sprint(f.Asked)}, span(f.Interval)...))
	}
	if err := terminal.Table(p.Stdout, rows); err != nil || e.Blend == nil {
		return err
	}
	fmt.Fprintln(p.Stdout)
	rows = [][]string{{"MODEL", "WEIGHT", "RMSE PX"}}
	for k, w := range e.Blend.Weights {
		rows = append(rows, []string{paths[k], fmt.Sprintf("%.3f", w), fmt.Sprintf("%.3f", e.Blend.Each[k])})
	}
	rows = append(rows, append([]string{"blend", "1"}, span(e.Blend.Interval)...))
	if err := terminal.Table(p.Stdout, rows); err != nil {
		return err
	}
	weights := make([]string, len(e.Blend.Weights))
	for k, w := range e.Blend.Weights {
		weights[k] = strconv.FormatFloat(w, 'g', 4, 64)
	}
	_, err := fmt.Fprintln(p.Stdout, "for submit: --weights "+strings.Join(weights, ","))
	return err
}
