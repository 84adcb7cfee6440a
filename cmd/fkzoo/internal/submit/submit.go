// Package submit has the command submit. It must not know how a submission is made, nor any other command.
package submit

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/contest"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/internal/weights"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/kaggle"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command submit.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "submit", Usage: "write a submission for Kaggle", ArgsUsage: "FILE.fkz...",
		Description: "Of several models, and of a model's members, the mean answer is given, with --weights that of the\n" +
			"models by these. With --data the test faces are looked for in the training data. Beside the submission lies its\n" +
			"ledger, under the same name with .json: «fkzoo submission show» prints it.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "test", Usage: "the competition's test.csv, plain or zipped"}, contest.LookupFlag,
			&cli.StringFlag{Name: "data", Usage: "the training `SET`, in which no test face should be"}, contest.WeightsFlag,
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the submission, a .csv file"},
			&cli.IntFlag{Name: "batch", Usage: "predict `N` images at a time (default: up to 64)"},
			command.FlipAverageFlag, &cli.BoolFlag{Name: "json", Usage: "print JSON: the ledger"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, command.BackendFlag,
		},
		Action: p.Action(submit),
	}
}

func submit(p *command.Program, c *cli.Context) error {
	paths := c.Args().Slice()
	files := kaggle.SubmitFiles{Output: c.String("output"), Test: c.String("test"), Lookup: c.String("lookup"), Models: paths}
	for _, f := range []struct{ flag, value, want string }{
		{"--test", files.Test, "the competition's test.zip"},
		{"--lookup", files.Lookup, "the competition's IdLookupTable.csv"},
		{"-o", files.Output, "a .csv file to write to"},
	} {
		if f.value == "" {
			return command.Usagef("submit: no %s given, want %s", f.flag, f.want)
		}
	}
	if c.IsSet("batch") && (c.Int("batch") < 1 || c.Int("batch") > answer.MaxBatch) {
		return command.Usagef("batch: found %d, want 1 to %d", c.Int("batch"), answer.MaxBatch)
	}
	given, err := contest.Weights(c, len(paths))
	if err != nil && len(paths) > 0 {
		return err
	}
	if err := contest.CheckFree(files.Output, c.Bool("force"), append([]string{files.Test, files.Lookup, c.String("data")}, paths...)...); err != nil {
		return err
	}
	lookup, err := submission.ReadLookup(files.Lookup)
	if err != nil {
		return err
	}
	models, err := model.ReadAll(paths, model.Load)
	if err != nil {
		return err
	}
	z := p.Zoo(c)
	defer z.Close()
	r := command.Models(c, paths...)
	r.Batch, r.Weights = c.Int("batch"), given
	var training *dataset.Set
	if name := c.String("data"); name != "" {
		answering := r.Answering(models)
		if training, err = z.Read(c.Context, command.Data(name).For(answering[0].Document.Input)); err != nil {
			return err
		}
		for _, text := range kaggle.OtherData(answering, weights.Weighed(paths, given), training) {
			p.Warn(text)
		}
	}
	e, err := z.EnsembleOf(c.Context, models, r)
	if err != nil {
		return err
	}
	defer e.Close()
	test, err := z.Data(c.Context, command.Data(files.Test))
	if err != nil {
		return err
	}
	defer test.Close()
	tick, end := z.Progress("predicting")
	s, err := kaggle.Submit(c.Context, e, test, lookup, kaggle.Options{Tick: tick, Training: training})
	end()
	if err != nil {
		return err
	}
	ledger, err := s.Ledger(models, files, p.Version)
	if err != nil {
		return err
	}
	return written(p, c, s, ledger, files)
}

// written writes a submission with its ledger, and prints what it is.
func written(p *command.Program, c *cli.Context, s *kaggle.Submitted, ledger *submission.Ledger, files kaggle.SubmitFiles) error {
	if s.Unasked > 0 {
		p.Warn(fmt.Sprintf("%s: %s doesn't ask for %d of its %s", files.Test, files.Lookup, s.Unasked, terminal.Count(s.Images, "image")))
	}
	if s.Clipped > 0 {
		p.Warn(fmt.Sprintf("outside the image, and put to its border: %d of %s", s.Clipped, terminal.Count(s.Len(), "value")))
	}
	contest.WarnLeak(p, s.Leak)
	if err := s.WriteWith(ledger, files.Output, c.Bool("force")); err != nil {
		return err
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, ledger)
	}
	fmt.Fprintf(p.Stdout, "%s: %s rows for %s images; ledger %s\n", files.Output,
		terminal.Thousands(int64(s.Len())), terminal.Thousands(int64(s.Images-s.Unasked)), submission.LedgerPath(files.Output))
	return nil
}
