// Package bench has the command bench: its flags, the cases that they name, and the table. It must not know how a case is
// measured, nor any other command.
package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/bench"
)

// usual are measured where no architecture is named: small and large ones, of the report and of today.
var usual = []string{"net6", "net11", "compact-s", "compact-m"}

// Command is the command bench.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "bench", Usage: "measure how fast architectures are trained and answer", ArgsUsage: "[PATTERN...]",
		Description: "A pattern is as for «fkzoo list»; without any: " + strings.Join(usual, ", ") + ".\n" +
			"Each case, an architecture on a backend in one task and batch, runs in a process of its own.\n" +
			"Images are drawn at random, and training doesn't augment them. The first batch, for which programs are compiled, isn't counted.",
		Flags: []cli.Flag{
			&cli.StringSliceFlag{Name: "backend", EnvVars: []string{"FKZOO_BACKEND"},
				Usage: "what networks run on: " + strings.Join(backend.Names(), ", ") + "; may be repeated (default: each that works here)"},
			&cli.StringFlag{Name: "task", Usage: "train or predict (default: both)"},
			&cli.IntSliceFlag{Name: "batch", Usage: "images at once; may be repeated (default: the recipe's in training, 1 and 64 in prediction)"},
			&cli.Float64Flag{Name: "seconds", Value: 5, Usage: "time for each case"},
			&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE`: a setting of the architectures or their recipes; may be repeated"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: p.Action(measure),
	}
}

// one is a case: what a process measures.
type one struct {
	architecture, backend string
	bench.Request
}

// row is what became of a case, as «bench --json» prints it: figures, or what was asked and why there are none.
type row struct {
	*bench.Result
	failed *failure
}

// failure is a case that couldn't be measured.
type failure struct {
	Architecture string     `json:"architecture"`
	Backend      string     `json:"backend"`
	Task         bench.Task `json:"task"`
	Batch        int        `json:"batch,omitempty"` // left out where it is the recipe's
	Error        string     `json:"error"`
}

func measure(p *command.Program, c *cli.Context) error {
	backends, err := backendsOf(c)
	if err != nil {
		return err
	}
	z := p.ZooOn(c, backends[0])
	defer z.Close()
	cases, err := casesOf(p, c, z, backends)
	if err != nil {
		return err
	}
	var rows []row
	if len(cases) == 1 { // this is its process
		var r *bench.Result
		if r, err = z.Bench(c.Context, cases[0].Request); err == nil {
			rows = []row{{Result: r}}
		}
	} else {
		rows, err = each(p, c, cases)
	}
	if len(rows) == 0 {
		return err
	}
	return errors.Join(err, show(p, c.Bool("json"), rows))
}

// backendsOf are those that the flags name, or else all that work here.
func backendsOf(c *cli.Context) (names []string, err error) {
	for _, name := range c.StringSlice("backend") {
		if name != "" && !slices.Contains(backend.Names(), name) {
			return nil, command.Usagef("backend %q: %w; want one of %s", name, backend.ErrUnknown, strings.Join(backend.Names(), ", "))
		}
		if name != "" && !slices.Contains(names, name) { // an empty variable is as none
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	all, err := backend.List(c.Context)
	for _, b := range all {
		if b.State == backend.Ready {
			names = append(names, b.Name)
		}
	}
	if len(names) == 0 {
		return nil, errors.Join(errors.New("found no backend that works, want one"), err)
	}
	return names, nil
}

// casesOf are all that the flags name, each of which is found good before the first begins.
func casesOf(p *command.Program, c *cli.Context, z *zoo.Zoo, backends []string) (cases []one, err error) {
	works, err := worksOf(c)
	if err != nil {
		return nil, err
	}
	names, err := architectures(p, c, z)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		a, err := z.Describe(c.Context, zoo.DescribeRequest{Architecture: name, Settings: c.StringSlice("set")})
		if err != nil {
			return nil, err
		}
		for _, b := range backends {
			for _, w := range works {
				w.Document = a.Document
				if err := w.Check(); err != nil {
					return nil, err
				}
				cases = append(cases, one{name, b, w})
			}
		}
	}
	return cases, nil
}

// worksOf are the tasks and batches that the flags name, for any architecture.
func worksOf(c *cli.Context) (works []bench.Request, err error) {
	seconds := c.Float64("seconds")
	if !(seconds > 0 && seconds <= bench.MostDuration.Seconds()) {
		return nil, command.Usagef("seconds: found %g, want more than 0, at most %g", seconds, bench.MostDuration.Seconds())
	}
	long := max(1, time.Duration(seconds*float64(time.Second)))
	given := c.IntSlice("batch")
	for _, n := range given {
		if n < 1 || n > bench.MostBatch {
			return nil, command.Usagef("batch: found %d, want 1 to %d", n, bench.MostBatch)
		}
	}
	tasks := bench.Tasks()
	if c.IsSet("task") {
		tasks = []bench.Task{bench.Task(c.String("task"))}
	}
	for _, t := range tasks {
		batches := []int{0} // the recipe's
		switch {
		case len(given) > 0:
			batches = given
		case t == bench.Predict:
			batches = []int{1, 64}
		}
		for _, n := range batches {
			works = append(works, bench.Request{Task: t, Batch: n, Duration: long})
		}
	}
	return works, nil
}

// architectures are the names that the patterns mean, or the usual ones.
func architectures(p *command.Program, c *cli.Context, z *zoo.Zoo) (names []string, err error) {
	patterns := c.Args().Slice()
	if len(patterns) == 0 {
		patterns = usual
	}
	for _, pattern := range patterns {
		found, failed, err := z.List(c.Context, pattern)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			if strings.ContainsAny(pattern, "*?[") {
				return nil, errors.Join(append([]error{fmt.Errorf("pattern %q: no architecture has a name that matches", pattern)}, failed...)...)
			}
			names = append(names, pattern) // whose description says what is wrong, and the nearest name
		}
		for _, a := range found {
			name := a.Name
			if a.Ambiguous {
				name = a.FullName()
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		for _, err := range failed {
			p.Warn(err.Error())
		}
	}
	return names, nil
}

// show writes the rows as a table or as JSON.
func show(p *command.Program, asJSON bool, rows []row) error {
	if asJSON {
		all := []any{}
		for _, r := range rows {
			if r.failed != nil {
				all = append(all, r.failed)
			} else {
				all = append(all, r.Result)
			}
		}
		return terminal.PrintJSON(p.Stdout, all)
	}
	table := [][]string{{"ARCHITECTURE", "BACKEND", "TASK", "BATCH", "IMAGES/S", "GFLOP/S", "OF PEAK", "MEDIAN MS", "P99 MS", "ROUNDS", "MEMORY"}}
	for _, r := range rows {
		if f := r.failed; f != nil {
			table = append(table, []string{f.Architecture, f.Backend, string(f.Task), unlessZero(f.Batch, "%d", f.Batch), "failed"})
			continue
		}
		table = append(table, []string{r.Architecture, r.Backend, string(r.Task), fmt.Sprint(r.Batch), figure(r.ImagesPerSecond), figure(r.GFLOPs),
			unlessZero(r.PeakShare, "%.2f", r.PeakShare), figure(r.Milliseconds.Median), figure(r.Milliseconds.P99), fmt.Sprint(r.Rounds),
			unlessZero(r.PeakMemory, "%.0f MB", float64(r.PeakMemory)/1e6)})
	}
	return terminal.Table(p.Stdout, table)
}

// unlessZero formats a value where it is known.
func unlessZero[T comparable](known T, format string, value any) string {
	var zero T
	if known == zero {
		return "-"
	}
	return fmt.Sprintf(format, value)
}

// figure writes a number with three digits that count, or all that stand before the point.
func figure(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 1:
		return fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%.3g", v)
}
