package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/submission"
)

var lookupFlag = &cli.StringFlag{Name: "lookup", Usage: "the competition's IdLookupTable.csv"}

const maxBatch = 1 << 14

func (p *program) submitCommand() *cli.Command {
	return &cli.Command{
		Name: "submit", Usage: "write a submission for Kaggle", ArgsUsage: "FILE.fkz...",
		Description: "Of several models, and of a model's members, the mean answer is given. Beside the submission lies its\n" +
			"ledger, under the same name with .json: «fkzoo submission show» prints it.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "test", Usage: "the competition's test.csv, plain or zipped"}, lookupFlag,
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the submission, a .csv file"},
			&cli.IntFlag{Name: "batch", Usage: "predict `N` images at a time (default: up to 64)"},
			flipAverageFlag, &cli.BoolFlag{Name: "json", Usage: "print JSON: the ledger"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"}, backendFlag,
		},
		Action: p.submit,
	}
}

func (p *program) submit(c *cli.Context) error {
	paths := c.Args().Slice()
	files := zoo.SubmitFiles{Output: c.String("output"), Test: c.String("test"), Lookup: c.String("lookup"), Models: paths}
	for _, f := range []struct{ flag, value, want string }{
		{"--test", files.Test, "the competition's test.zip"},
		{"--lookup", files.Lookup, "the competition's IdLookupTable.csv"},
		{"-o", files.Output, "a .csv file to write to"},
	} {
		if f.value == "" {
			return usagef("submit: no %s given, want %s", f.flag, f.want)
		}
	}
	if c.IsSet("batch") && (c.Int("batch") < 1 || c.Int("batch") > maxBatch) {
		return usagef("batch: found %d, want 1 to %d", c.Int("batch"), maxBatch)
	}
	if err := checkSubmission(files.Output, c.Bool("force"), append([]string{files.Test, files.Lookup}, paths...)...); err != nil {
		return err
	}
	lookup, err := submission.ReadLookup(files.Lookup)
	if err != nil {
		return err
	}
	models, err := loadModels(paths, zoo.Load)
	if err != nil {
		return err
	}
	b, err := p.backend(c)
	if err != nil {
		return err
	}
	defer b.Close()
	tick, end := p.tick("predicting")
	o := zoo.SubmitOptions{PredictOptions: zoo.PredictOptions{Backend: b, FlipAverage: flipAverage(c, models), Tick: tick}, Batch: c.Int("batch")}
	s, err := zoo.Submit(c.Context, models, files.Test, lookup, o)
	end()
	if err != nil {
		return err
	}
	if s.Unasked > 0 {
		p.warn(fmt.Sprintf("%s: %d of %d images aren't asked for by %s", files.Test, s.Unasked, s.Images, files.Lookup))
	}
	if s.Clipped > 0 {
		p.warn(fmt.Sprintf("%d of %d values lay outside their image and were put to its border", s.Clipped, s.Len()))
	}
	ledger, err := s.Ledger(models, files, o, version)
	if err != nil {
		return err
	}
	if err := s.WriteWith(ledger, files.Output, c.Bool("force")); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(p.stdout, ledger)
	}
	fmt.Fprintf(p.stdout, "%s: %s rows for %s images; ledger %s\n", files.Output,
		thousands(int64(s.Len())), thousands(int64(s.Images-s.Unasked)), submission.LedgerPath(files.Output))
	return nil
}

// checkSubmission is checkFree for a submission and its ledger.
func checkSubmission(path string, force bool, inputs ...string) error {
	if strings.EqualFold(filepath.Ext(path), ".json") {
		return usagef("%s: is a ledger's name, want a submission's, as submission.csv", path)
	}
	if err := checkFree(path, force, inputs...); err != nil {
		return err
	}
	return checkFree(submission.LedgerPath(path), force, inputs...)
}
