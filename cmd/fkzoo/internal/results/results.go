// Package results has the command results, which shows trainings side by side. It must not know how a result is reckoned, nor
// any other command.
package results

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Command is the command results.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "results", Usage: "show models' trainings side by side", ArgsUsage: "FILE.fkz...",
		Description: "Losses and errors are those on the rows held out, beside what always answering the mean face gives there.",
		Flags:       []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action:      p.Action(results),
	}
}

func results(p *command.Program, c *cli.Context) error {
	models, err := model.ReadAll(c.Args().Slice(), model.Describe)
	if err != nil {
		return err
	}
	all := []*measure.Result{}
	for i, m := range models {
		r, err := measure.ResultOf(m, c.Args().Get(i))
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	if c.Bool("json") {
		return terminal.PrintJSON(p.Stdout, all)
	}
	rows := [][]string{{"FILE", "NETWORK", "PARAMETERS", "FLOP", "EPOCHS", "BEST", "TRAIN LOSS", "VALID LOSS", "BEST LOSS", "RMSE PX", "BEST PX", "MEAN FACE PX", "TIME", "PROCESSOR", "BACKEND", "SEED"}}
	for _, r := range all {
		best, epochs := "-", fmt.Sprint(r.Epochs)
		if len(r.Members) == 1 && r.Members[0].BestEpoch > 0 {
			best = fmt.Sprint(r.Members[0].BestEpoch)
		}
		if !r.Finished {
			epochs += ", not done"
		}
		rows = append(rows, []string{
			r.File, r.Architecture, terminal.Thousands(r.Parameters), terminal.FLOPs(r.FLOPs), epochs, best,
			known("%.6f", r.TrainLoss), known("%.6f", r.ValidationLoss), known("%.6f", r.BestLoss),
			known("%.3f", r.RMSEPixels), known("%.3f", r.BestRMSE), known("%.3f", r.MeanFace),
			minutes(r.Minutes), minutes(r.Processor), r.Backend, fmt.Sprint(r.Seed),
		})
		for _, m := range r.Members {
			if len(r.Members) == 1 {
				break
			}
			best := "-"
			if m.BestEpoch > 0 {
				best = fmt.Sprint(m.BestEpoch)
			}
			rows = append(rows, []string{
				"  " + m.Name, "", "", "", fmt.Sprint(m.Epochs), best, known("%.6f", m.TrainLoss), known("%.6f", m.ValidationLoss), known("%.6f", m.BestLoss),
				known("%.3f", m.RMSEPixels), known("%.3f", m.BestRMSE), known("%.3f", m.MeanFace),
			})
		}
	}
	return terminal.Table(p.Stdout, rows)
}

// minutes prints a time, or a line where it isn't known, as of a merged model.
func minutes(n float64) string {
	if n == 0 {
		return "-"
	}
	return terminal.Short(time.Duration(n * float64(time.Minute)))
}

// known prints a figure, or a line where there is none.
func known(format string, v *float64) string {
	if v == nil {
		return "-"
	}
	return fmt.Sprintf(format, *v)
}
