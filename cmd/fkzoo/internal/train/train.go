// Package train has the command train: its flags, its table of epochs and bar, logs, plot and sheet. It must not know how a
// network learns, nor any other command.
package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/command"
	"github.com/fkzoo/fkzoo/cmd/fkzoo/internal/terminal"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/trainlog"
)

// Command is the command train.
func Command(p *command.Program) *cli.Command {
	return &cli.Command{
		Name: "train", Usage: "train an architecture", ArgsUsage: "ARCH",
		Description: "Ctrl-C ends the batch under way, keeps what was learned in NAME.last.fkz, and --resume goes on from there; a second one ends at once.\n" +
			"NAME.best.fkz is the training after its best epoch so far; --resume goes on from it, too.",
		Flags: []cli.Flag{
			command.DataFlag,
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "the model file (default: ARCH.fkz)"},
			&cli.IntFlag{Name: "epochs", Usage: "epochs, in place of the recipe's"},
			&cli.IntFlag{Name: "batch", Usage: "rows in a batch, in place of the recipe's"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "of the split, the weights, the order and all else that is random"},
			&cli.StringSliceFlag{Name: "set", Usage: "`KEY=VALUE`: a setting of the architecture, or of its recipe, as in recipe.rate=0.01; may be repeated"},
			&cli.BoolFlag{Name: "find-rate", Usage: "train nothing: try rising learning rates for some batches, and suggest one; --plot draws the losses"},
			&cli.BoolFlag{Name: "json", Usage: "with --find-rate: print JSON"},
			&cli.IntFlag{Name: "folds", Usage: "cross-validation: train each member `K` times, each without another part of the rows"},
			&cli.StringFlag{Name: "start-from", Usage: "a model whose weights are taken where names and shapes agree"},
			&cli.StringFlag{Name: "resume", Usage: "a checkpoint (NAME.last.fkz or NAME.best.fkz) to go on from, with its own recipe and seed"},
			&cli.BoolFlag{Name: "allow-changes", Usage: "with --resume: go on with other data or another recipe than the checkpoint's"},
			&cli.StringFlag{Name: "checkpoint-every", Value: "5min", Usage: "keep NAME.last.fkz each `10ep, 500batch or 5min`"},
			&cli.StringFlag{Name: "plot", Usage: "draw the learning curves to a .svg or .png file"},
			&cli.StringFlag{Name: "sheet", Usage: "draw the worst and the best answers for the rows held out to a .png file"},
			&cli.StringFlag{Name: "log", Usage: "write a JSON object a line to this `FILE`: start, member, epoch, checkpoint, note, warning, end"},
			&cli.StringFlag{Name: "tensorboard", Usage: "write event files for TensorBoard to this `FOLDER`"},
			&cli.BoolFlag{Name: "force", Usage: "replace files that exist"},
			command.BackendFlag,
		},
		Action: p.Action(trainModel),
	}
}

func trainModel(p *command.Program, c *cli.Context) error {
	// A reader of the output that went away, as of a pipe, is no reason to lose the training.
	signal.Ignore(syscall.SIGPIPE)
	if c.NArg() != 1 {
		return command.Usagef("train: found %d arguments, want one architecture", c.NArg())
	}
	r, err := asked(c)
	if err != nil {
		return err
	}
	z := p.Zoo(c)
	defer z.Close()
	t, err := z.Prepare(c.Context, r)
	if twice, ok := errors.AsType[*request.TwiceError](err); ok {
		return command.Usagef("%s: found --%s %s and --set %s=%s, want one of them", twice.Field, twice.Field, twice.Value, twice.Setting, twice.Other)
	}
	if err != nil {
		return err
	}
	if c.Bool("find-rate") {
		return findRate(p, c, t)
	}
	watch, endWatch, err := watchers(p, c)
	if err != nil {
		return err
	}
	defer endWatch()
	if boxes := slices.ContainsFunc(t.Document().Members, func(m blueprint.Member) bool { return m.Boxes() }); boxes && c.String("sheet") != "" {
		return command.Usagef("sheet: found it with a network whose answer is boxes, want one that answers points")
	}
	said := sayEnding(p, c.Context)
	trained, err := t.Run(c.Context, watch)
	said()
	if err != nil {
		return err
	}
	if pooled := trained.OutOfFold; pooled != nil {
		fmt.Fprintf(p.Stdout, "out of fold: loss %.6f, %.3f pixels, on %d rows; the mean face gives %.3f\n", pooled.Loss, pooled.RMSEPixels, pooled.Rows, pooled.MeanFace)
	}
	fmt.Fprintf(p.Stdout, "model: %s\n", trained.Output())
	if path := c.String("plot"); path != "" {
		if err := figure.CurvesOf(trained.Model).Write(path, c.Bool("force")); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "curves: %s\n", path)
	}
	return sheet(p, c, trained)
}

// sayEnding tells, when Ctrl-C is pressed, what is waited for: a batch may take
// a while. done ends that.
func sayEnding(p *command.Program, ctx context.Context) (done func()) {
	said := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(said)
		fmt.Fprintln(p.Stderr, "ending after the batch under way; Ctrl-C again ends at once, without what was learned since the last checkpoint")
	})
	return func() {
		if !stop() {
			<-said
		}
	}
}

// sheet draws the worst and the best answers for the rows held out, or,
// where there are none, for all.
func sheet(p *command.Program, c *cli.Context, t *zoo.Trained) error {
	path := c.String("sheet")
	if path == "" {
		return nil
	}
	set, prediction, held, err := t.HeldOut(c.Context)
	if err != nil {
		return err
	}
	what := "of the " + terminal.Count(set.Len(), "face") + " held out"
	if !held {
		what = "of all " + terminal.Count(set.Len(), "face")
		p.Warn("no rows are known to be held out: " + path + " shows those trained on, too")
	}
	if err := figure.ExtremesSheet(what, set, prediction).Write(path, c.Bool("force")); err != nil {
		return err
	}
	fmt.Fprintf(p.Stdout, "faces: %s\n", path)
	return nil
}

// findRate sweeps the learning rate and prints what it suggests.
func findRate(p *command.Program, c *cli.Context, t *zoo.Training) error {
	sweeps, err := t.FindRate(c.Context)
	if err != nil {
		return err
	}
	if c.Bool("json") {
		err = terminal.PrintJSON(p.Stdout, sweeps)
	} else {
		rows := [][]string{{"MEMBER", "BATCHES", "STEEPEST", "LEAST LOSS AT", "SUGGESTED"}}
		for _, s := range sweeps {
			rows = append(rows, []string{s.Member, fmt.Sprint(len(s.Rates)), fmt.Sprintf("%.2g", s.Steepest), fmt.Sprintf("%.2g", s.Least), fmt.Sprintf("--set recipe.rate=%.2g", s.Suggested)})
		}
		err = terminal.Table(p.Stdout, rows)
	}
	for _, s := range sweeps {
		if !s.BrokeDown {
			p.Warn(fmt.Sprintf("%s: the loss did not break down up to the rate %.3g, as where a network has died and answers every face with the same points: look at the losses (--plot) before you trust the suggestion", s.Member, s.Rates[len(s.Rates)-1]))
		}
	}
	path := c.String("plot")
	if err != nil || path == "" {
		return err
	}
	if err := figure.RateCurves(t.Document().Name, sweeps).Write(path, c.Bool("force")); err != nil {
		return err
	}
	fmt.Fprintf(p.Stderr, "losses over rates: %s\n", terminal.Printable(path))
	return nil
}

// watchers are all that is told how the training goes on: the screen, and what
// the flags ask for. end closes their files.
func watchers(p *command.Program, c *cli.Context) (all train.Watchers, end func(), err error) {
	screen := newTrainWatch(p.Stdout, p.Stderr)
	all = train.Watchers{screen}
	var files []io.Closer
	end = func() {
		for _, f := range files {
			if err := f.Close(); err != nil {
				p.Warn(err.Error())
			}
		}
	}
	if path := c.String("log"); path != "" {
		log, err := trainlog.OpenJSON(path, c.String("resume") != "", c.Bool("force"), screen.Warn)
		if err != nil {
			return nil, end, err
		}
		all, files = append(all, log), append(files, log)
	}
	if folder := c.String("tensorboard"); folder != "" {
		board, err := trainlog.OpenTensorBoard(folder, screen.Warn)
		if err != nil {
			end()
			return nil, end, err
		}
		all, files = append(all, board), append(files, board)
	}
	return all, end, nil
}

// asked reads the flags, and refuses what can't be written before the work begins.
func asked(c *cli.Context) (r zoo.TrainRequest, err error) {
	r.Request = train.Request{
		Architecture: c.Args().First(), Settings: c.StringSlice("set"), Output: c.String("output"), Force: c.Bool("force"),
		Epochs: c.Int("epochs"), Batch: c.Int("batch"), Folds: c.Int("folds"),
		Start: c.String("start-from"), Resume: c.String("resume"), AllowChanges: c.Bool("allow-changes"),
	}
	for _, name := range []string{"epochs", "batch", "folds"} {
		if c.IsSet(name) && c.Int(name) == 0 { // which to a request is none
			return r, command.Usagef("%s: found 0, want more, or no --%s", name, name)
		}
	}
	if c.IsSet("seed") {
		seed := c.Uint64("seed")
		r.Seed = &seed
	}
	if name := c.String("data"); name != "" {
		r.Data = command.Data(name)
	}
	if err := checkTogether(c); err != nil {
		return r, err
	}
	if r.Every, err = parseEvery(c.String("checkpoint-every")); err != nil {
		return r, err
	}
	return r, checkWritten(c, r.OutputPath())
}

// checkTogether refuses flags that don't go together.
func checkTogether(c *cli.Context) error {
	if c.Bool("json") && !c.Bool("find-rate") {
		return command.Usagef("json: found no --find-rate, want both: a training's JSON is what --log writes")
	}
	if c.Bool("find-rate") {
		for _, other := range []string{"resume", "log", "tensorboard", "folds", "sheet"} {
			if c.IsSet(other) {
				return command.Usagef("find-rate: found --%s too, want one of them: nothing is trained", other)
			}
		}
	}
	return nil
}

// checkWritten refuses files that can't be written beside the model.
func checkWritten(c *cli.Context, output string) error {
	if path := c.String("plot"); path != "" {
		if err := command.CheckCurves(path, c.Bool("force")); err != nil {
			return err
		}
	}
	read := []string{c.String("data"), c.String("resume"), c.String("start-from")}
	if err := command.CheckSheet(c, append(read, c.String("plot"))...); err != nil {
		return err
	}
	path := c.String("log")
	if path == "" {
		return nil
	}
	if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil // a pipe or a device is written to as it is
	}
	return command.CheckFree(path, c.Bool("force") || c.String("resume") != "",
		append(read, output, model.BestPath(output), model.LastPath(output), c.String("plot"), c.String("sheet"))...)
}

// parseEvery reads 10ep, 500batch or 5min.
func parseEvery(s string) (train.Every, error) {
	if s == "" {
		return train.Every{}, nil
	}
	for unit, every := range map[string]func(int) train.Every{
		"ep":    func(n int) train.Every { return train.Every{Epochs: n} },
		"batch": func(n int) train.Every { return train.Every{Batches: n} },
		"min":   func(n int) train.Every { return train.Every{Time: time.Duration(n) * time.Minute} },
	} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			if n, err := strconv.Atoi(number); err == nil && n > 0 && n < 1<<27 { // minutes must fit a time.Duration
				return every(n), nil
			}
		}
	}
	return train.Every{}, command.Usagef("checkpoint-every: found %q, want a number with ep, batch or min, as in 10ep", s)
}
