// Package contest is what the commands about Kaggle's competition share: flags, the files of a submission, and a warning of
// test faces that were trained on. It must not know how a submission is made or scored.
package contest

import (
	"path/filepath"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/internal/weights"
	"github.com/fkzoo/fkzoo/zoo/kaggle/submission"
)

// LookupFlag names the table of the rows that a submission must have.
var LookupFlag = &cli.StringFlag{Name: "lookup", Usage: "the competition's IdLookupTable.csv"}

// WeightsFlag gives several files' answers weights.
var WeightsFlag = &cli.StringFlag{Name: "weights", Usage: "a weight for each file, as `2,1`"}

// Weights reads "2,1"; nil where no weights are given.
func Weights(c *cli.Context, files int) ([]float64, error) {
	if !c.IsSet("weights") {
		return nil, nil
	}
	var out []float64
	for _, field := range strings.Split(c.String("weights"), ",") {
		w, err := strconv.ParseFloat(strings.TrimSpace(field), 64)
		if err != nil {
			return nil, command.Usagef("weights: found %q, want numbers with commas between, as 2,1", field)
		}
		out = append(out, w)
	}
	if err := weights.Check(out, files); err != nil {
		return nil, command.UsageError(err)
	}
	return out, nil
}

// WarnLeak says how many test faces the training data has.
func WarnLeak(p *command.Program, l *submission.Leak) {
	if l != nil && len(l.Images) > 0 {
		p.Warn(l.String() + ": a score could come from them")
	}
}

// CheckFree is [command.CheckFree] for a submission and its ledger.
func CheckFree(path string, force bool, inputs ...string) error {
	if strings.EqualFold(filepath.Ext(path), ".json") {
		return command.Usagef("%s: is a ledger's name, want a submission's, as submission.csv", path)
	}
	if err := command.CheckFree(path, force, inputs...); err != nil {
		return err
	}
	return command.CheckFree(submission.LedgerPath(path), force, inputs...)
}
