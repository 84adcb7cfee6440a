// Package score has the command score. It must not know how a submission is scored, nor any other command.
package score

import (
	"errors"
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/contest"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

// Command is the command score.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "score", Usage: "score a submission as Kaggle does", ArgsUsage: "FILE.csv",
		Description: "The score is the root of the mean squared error over all rows of a usage, in pixels. A solution has the\n" +
			"columns RowId, Location and, where public and private rows are told apart, Usage.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "solution", Usage: "the truth: a CSV with RowId,Location[,Usage]"}, contest.LookupFlag,
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: p.Action(score),
	}
}

func score(p *command.Program, c *cli.Context) error {
	if c.NArg() != 1 {
		return command.Usagef("score: found %d files, want one submission", c.NArg())
	}
	if c.String("solution") == "" {
		return command.Usagef("score: no --solution given, want a CSV with RowId,Location[,Usage]")
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
	if score.Leak, err = leakOf(p, s, solution, lookup); err != nil {
		return err
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, score)
	}
	return printScore(p, score)
}

// leakOf says, by the submission's ledger, how much of its score could come from
// test faces that its models have seen; nil where nothing is known.
func leakOf(p *command.Program, s *submission.Submission, solution *submission.Solution, lookup *submission.Lookup) (*submission.LeakScore, error) {
	ledger, err := submission.ReadLedger(s.Source)
	if err != nil {
		if !errors.Is(err, submission.ErrNoLedger) {
			p.Warn(err.Error())
		}
		return nil, nil
	}
	if sum, err := submission.Checksum(s.Source); err != nil || sum != ledger.File.SHA256 {
		p.Warn(s.Source + ": changed since its ledger was written")
		return nil, err
	}
	images, all := ledger.Leaked()
	leak := &submission.LeakScore{Images: len(images), All: all}
	if !all {
		p.Warn("test faces were not looked for in all the training data (submit --data): the score could come from some that are there")
	}
	if len(images) == 0 {
		return leak, nil
	}
	p.Warn(terminal.Count(len(images), "test face") + " among those trained on, or nearly the same as one: the score could come from there")
	if lookup != nil {
		leak.Others, err = solution.CompareOthers(s, lookup, images)
	}
	return leak, err
}

func printScore(p *command.Program, s *submission.Score) error {
	rows := [][]string{{"", "ROWS", "RMSE PX"}}
	for _, part := range []struct {
		name string
		rows int
		rmse *float64
	}{{"private", s.Rows.Private, s.Private}, {"public", s.Rows.Public, s.Public}, {"all", s.Rows.All, &s.All}} {
		if part.rmse != nil {
			rows = append(rows, []string{part.name, terminal.Thousands(int64(part.rows)), fmt.Sprintf("%.5f", *part.rmse)})
		}
	}
	if s.Leak != nil && s.Leak.Others != nil {
		others := s.Leak.Others
		rows = append(rows, []string{"all but known faces", terminal.Thousands(int64(others.Rows.All)), fmt.Sprintf("%.5f", others.All)})
	}
	if s.Rows.Ignored > 0 {
		rows = append(rows, []string{"ignored", terminal.Thousands(int64(s.Rows.Ignored)), "-"})
	}
	if err := terminal.Table(p.Stdout, rows); err != nil || s.Features == nil {
		return err
	}
	fmt.Fprintln(p.Stdout)
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
	return terminal.Table(p.Stdout, rows)
}

// pixels writes an error, where it is known.
func pixels(v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf("%.5f", *v)
}
