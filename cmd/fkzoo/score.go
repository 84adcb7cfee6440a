package main

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

func (p *program) scoreCommand() *cli.Command {
	return &cli.Command{
		Name: "score", Usage: "score a submission as Kaggle does", ArgsUsage: "FILE.csv",
		Description: "The score is the root of the mean squared error over all rows of a usage, in pixels. A solution has the\n" +
			"columns RowId, Location and, where public and private rows are told apart, Usage.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "solution", Usage: "the truth: a CSV with RowId,Location[,Usage]"}, lookupFlag,
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: p.score,
	}
}

func (p *program) score(c *cli.Context) error {
	if c.NArg() != 1 {
		return usagef("score: found %d files, want one submission", c.NArg())
	}
	if c.String("solution") == "" {
		return usagef("score: no --solution given, want a CSV with RowId,Location[,Usage]")
	}
	s, err := submission.Read(c.Args().First())
	if err != nil {
		return err
	}
	solution, err := submission.ReadSolution(c.String("solution"))
	if err != nil {
		return err
	}
	var lookup *submission.Lookup
	if path := c.String("lookup"); path != "" {
		if lookup, err = submission.ReadLookup(path); err != nil {
			return err
		}
	}
	score, err := solution.Compare(s, lookup)
	if err != nil {
		return err
	}
	if score.Leak, err = p.leakOf(s, solution, lookup); err != nil {
		return err
	}
	if c.Bool("json") {
		return printJSON(p.stdout, score)
	}
	return p.printScore(score)
}

// leakOf says, by the submission's ledger, how much of its score could come from
// test faces that its models have seen; nil where nothing is known.
func (p *program) leakOf(s *submission.Submission, solution *submission.Solution, lookup *submission.Lookup) (*submission.LeakScore, error) {
	ledger, err := submission.ReadLedger(s.Source)
	if err != nil {
		if !errors.Is(err, submission.ErrNoLedger) {
			p.warn(err.Error())
		}
		return nil, nil
	}
	if sum, err := submission.Checksum(s.Source); err != nil || sum != ledger.File.SHA256 {
		p.warn(s.Source + ": changed since its ledger was written")
		return nil, err
	}
	images, all := ledger.Leaked()
	leak := &submission.LeakScore{Images: len(images), All: all}
	if !all {
		p.warn("test faces were not looked for in all the training data (submit --data): the score could come from some that are there")
	}
	if len(images) == 0 {
		return leak, nil
	}
	p.warn(count(len(images), "test face") + " among those trained on, or nearly the same as one: the score could come from there")
	if lookup != nil {
		leak.Others, err = solution.CompareOthers(s, lookup, images)
	}
	return leak, err
}

func (p *program) printScore(s *submission.Score) error {
	rows := [][]string{{"", "ROWS", "RMSE PX"}}
	for _, part := range []struct {
		name string
		rows int
		rmse *float64
	}{{"private", s.Rows.Private, s.Private}, {"public", s.Rows.Public, s.Public}, {"all", s.Rows.All, &s.All}} {
		if part.rmse != nil {
			rows = append(rows, []string{part.name, thousands(int64(part.rows)), fmt.Sprintf("%.5f", *part.rmse)})
		}
	}
	if s.Leak != nil && s.Leak.Others != nil {
		others := s.Leak.Others
		rows = append(rows, []string{"all but known faces", thousands(int64(others.Rows.All)), fmt.Sprintf("%.5f", others.All)})
	}
	if s.Rows.Ignored > 0 {
		rows = append(rows, []string{"ignored", thousands(int64(s.Rows.Ignored)), "-"})
	}
	if err := table(p.stdout, rows); err != nil || s.Features == nil {
		return err
	}
	fmt.Fprintln(p.stdout)
	rows = [][]string{{"FEATURE", "ROWS", "PRIVATE PX", "PUBLIC PX", "ALL PX"}}
	if s.Private == nil && s.Public == nil {
		rows[0] = []string{"FEATURE", "ROWS", "ALL PX"}
	}
	for _, f := range s.Features {
		row := []string{f.Name, fmt.Sprint(f.Rows)}
		if len(rows[0]) > 3 {
			row = append(row, pixels(f.Private), pixels(f.Public))
		}
		rows = append(rows, append(row, pixels(&f.All)))
	}
	return table(p.stdout, rows)
}

// pixels writes an error, where it is known.
func pixels(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.5f", *v)
}
