package training

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/figure"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
	"github.com/fkzoo/fkzoo/zoo/train/trainlog"
)

// Train is the command train.
func Train(p *command.Program) *cli.Command {
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
	o, err := trainOptions(p, c)
	if err != nil {
		return err
	}
	name := c.Args().First()
	data, err := trainData(p, c, o.Resume)
	if err != nil {
		return err
	}
	defer data.Close()
	if o.Data, err = data.Read(c.Context); err != nil {
		return err
	}
	if o.Resume == nil {
		if o.Document, o.Plugin, err = document(p, c, name, o); err != nil {
			return err
		}
	} else if found := o.Resume.Document.Name; found != baseName(name) {
		return command.Usagef("resume %s: found a training of %s, want %s", o.ResumePath, found, baseName(name))
	}
	if err := fitData(c.Context, data, &o); err != nil {
		return err
	}
	b, err := p.Backend(c)
	if err != nil {
		return err
	}
	defer b.Close()
	o.Backend = b
	if c.Bool("find-rate") {
		return findRate(p, c, o)
	}
	watch, endWatch, err := watchers(p, c)
	if err != nil {
		return err
	}
	defer endWatch()
	o.Watch = watch
	said := sayEnding(p, c.Context)
	m, err := train.Run(c.Context, o)
	said()
	if err != nil {
		return err
	}
	if pooled, ok := m.OutOfFold(); ok {
		fmt.Fprintf(p.Stdout, "out of fold: loss %.6f, %.3f pixels, on %d rows; the mean face gives %.3f\n", pooled.Loss, pooled.RMSEPixels, pooled.Rows, pooled.MeanFace)
	}
	fmt.Fprintf(p.Stdout, "model: %s\n", o.Output)
	if path := c.String("plot"); path != "" {
		if err := figure.CurvesOf(m).Write(path, c.Bool("force")); err != nil {
			return err
		}
		fmt.Fprintf(p.Stdout, "curves: %s\n", path)
	}
	return trainSheet(p, c, m, o)
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

// trainSheet draws the worst and the best answers for the rows held out, or,
// where there are none, for all.
func trainSheet(p *command.Program, c *cli.Context, m *model.Model, o train.Options) error {
	path := c.String("sheet")
	if path == "" {
		return nil
	}
	models := []*model.Model{m}
	with, err := answer.Open(c.Context, models, answer.Options{Backend: o.Backend, FlipAverage: p.FlipAverage(c, models)})
	if err != nil {
		return err
	}
	defer with.Close()
	set, prediction, held, err := measure.HeldOutAnswers(c.Context, with, o.Data, nil)
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
func findRate(p *command.Program, c *cli.Context, o train.Options) error {
	tick, end := terminal.Tick(p.Stderr, "trying rates")
	sweeps, err := train.FindRate(c.Context, o, tick)
	end()
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
	if err := figure.RateCurves(o.Document.Name, sweeps).Write(path, c.Bool("force")); err != nil {
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

// baseName is an architecture's name without its plugin's.
func baseName(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// trainOptions reads the flags.
func trainOptions(p *command.Program, c *cli.Context) (train.Options, error) {
	settings, err := trainSettings(c)
	if err != nil {
		return train.Options{}, err
	}
	o := train.Options{
		Settings: settings, Seed: c.Uint64("seed"), Output: c.String("output"), Force: c.Bool("force"), Version: p.Version,
		Options: slices.Clone(c.StringSlice("set")),
		Run:     model.Run{Started: time.Now().UTC().Format(time.RFC3339), Machine: command.Machine(), Command: os.Args},
	}
	if o.Output == "" {
		o.Output = baseName(c.Args().First()) + ".fkz"
		if output, ok := model.OutputOf(c.String("resume")); ok {
			o.Output = output // that of the training that goes on
		}
	}
	if !strings.HasSuffix(o.Output, ".fkz") {
		return o, command.Usagef("output %s: want a name that ends in .fkz", o.Output)
	}
	if other, ok := model.OutputOf(o.Output); ok {
		return o, command.Usagef("output %s: the name is that of a checkpoint of a training to %s, want another", o.Output, other)
	}
	if c.IsSet("seed") && o.Seed == 0 {
		return o, command.Usagef("seed: found 0, want at least 1")
	}
	for _, name := range []string{"epochs", "batch"} {
		if c.IsSet(name) && c.Int(name) < 1 {
			return o, command.Usagef("%s: found %d, want at least 1", name, c.Int(name))
		}
		if c.IsSet(name) {
			o.Options = append(o.Options, fmt.Sprintf("recipe.%s=%d", name, c.Int(name)))
		}
	}
	if c.IsSet("folds") {
		if c.Int("folds") < 2 {
			return o, command.Usagef("folds: found %d, want at least 2", c.Int("folds"))
		}
		o.Options = append(o.Options, fmt.Sprintf("folds=%d", c.Int("folds")))
	}
	if o.Every, err = parseEvery(c.String("checkpoint-every")); err != nil {
		return o, err
	}
	if path := c.String("plot"); path != "" {
		if err := command.CheckCurves(path, c.Bool("force")); err != nil {
			return o, err
		}
	}
	if err := command.CheckSheet(c, c.String("data"), c.String("resume"), c.String("start-from"), c.String("plot")); err != nil {
		return o, err
	}
	if path := c.String("log"); path != "" {
		if info, err := os.Stat(path); err != nil || info.IsDir() || info.Mode().IsRegular() {
			if err := command.CheckFree(path, c.Bool("force") || c.String("resume") != "", c.String("data"), c.String("resume"), c.String("start-from"),
				o.Output, model.BestPath(o.Output), model.LastPath(o.Output), c.String("plot"), c.String("sheet")); err != nil {
				return o, err
			}
		}
	}
	if c.Bool("json") && !c.Bool("find-rate") {
		return o, command.Usagef("json: found no --find-rate, want both: a training's JSON is what --log writes")
	}
	if c.Bool("find-rate") {
		for _, other := range []string{"resume", "log", "tensorboard", "folds", "sheet"} {
			if c.IsSet(other) {
				return o, command.Usagef("find-rate: found --%s too, want one of them: nothing is trained", other)
			}
		}
	}
	if c.Bool("allow-changes") && c.String("resume") == "" {
		return o, command.Usagef("allow-changes: found no --resume, want both: a new training has nothing to differ from")
	}
	if path := c.String("resume"); path != "" {
		if c.IsSet("start-from") {
			return o, command.Usagef("resume: found --start-from too, want one of them: a training goes on with its own weights")
		}
		o.ResumePath, o.AllowChanges = path, c.Bool("allow-changes")
		if o.Resume, err = model.Load(path); err != nil {
			return o, err
		}
		if o.Resume.State == nil {
			return o, finished(path)
		}
	} else if _, ok := settings["recipe.seed"]; ok && !c.IsSet("seed") {
		return o, command.Usagef("set recipe.seed: want --seed, which stands over the recipe's")
	}
	if path := c.String("start-from"); path != "" {
		if o.Start, err = model.Load(path); err != nil {
			return o, err
		}
	}
	return o, nil
}

// finished is what a model is as a checkpoint, with what it can be instead.
func finished(path string) error {
	best := ""
	if m, err := model.Describe(model.BestPath(path)); err == nil && m.State != nil {
		best = fmt.Sprintf("%s goes on from epoch %d, with --epochs to more of them; ", model.BestPath(path), m.State.Epoch+1)
	}
	return fmt.Errorf("%s: the training is finished, want a checkpoint: %s--start-from begins a new one with its weights", path, best)
}

// trainSettings are all that flags set, as --set would. What two of them set is refused.
func trainSettings(c *cli.Context) (map[string]string, error) {
	settings, err := command.ParseSettings(c.StringSlice("set"))
	if err != nil {
		return nil, err
	}
	for _, f := range [][2]string{{"epochs", "recipe.epochs"}, {"batch", "recipe.batch"}, {"seed", "recipe.seed"}, {"folds", "folds"}} {
		flag, key := f[0], f[1]
		if !c.IsSet(flag) {
			continue
		}
		if other, twice := settings[key]; twice {
			return nil, command.Usagef("%s: found --%s %v and --set %s=%s, want one of them", flag, flag, c.Value(flag), key, other)
		}
		settings[key] = fmt.Sprint(c.Value(flag))
	}
	return settings, nil
}

// trainData opens the data given, or else that of the training that goes on.
func trainData(p *command.Program, c *cli.Context, resume *model.Model) (*dataset.Source, error) {
	name, say := c.String("data"), p.Stdout
	if c.Bool("json") {
		say = p.Stderr // the output is JSON
	}
	if name == "" && resume != nil {
		name = resume.Provenance.Data.Source
		fmt.Fprintf(say, "no --data given: going on with %s\n", name)
	}
	if name == "" {
		name = "demo"
		fmt.Fprintf(say, "no --data given: training on the demo faces, %d faces drawn by fkzoo itself\n", demo.DefaultFaces)
	}
	data, err := p.OpenData(c.Context, 0, 0, name)
	if err != nil {
		return nil, err
	}
	if len(data.Columns) == 0 {
		return nil, errors.Join(fmt.Errorf("%s: found no columns with coordinates, want training data", name), data.Close())
	}
	return data, nil
}

// fitData gives the data the size that the networks take. Before they were asked
// for, it couldn't be known.
func fitData(ctx context.Context, data *dataset.Source, o *train.Options) (err error) {
	document := o.Document
	if o.Resume != nil {
		document = o.Resume.Document
	}
	o.Data, err = data.Refit(ctx, o.Data, document.Input.Height, document.Input.Width)
	return err
}

// document asks a plugin for the blueprint, and applies the user's settings.
func document(p *command.Program, c *cli.Context, name string, o train.Options) (d *blueprint.Document, from host.PluginInfo, err error) {
	settings := maps.Clone(o.Settings)
	delete(settings, "recipe.seed") // o.Seed stands over it
	if c.IsSet("folds") {
		delete(settings, "folds")
	}
	h, err := p.Host()
	if err != nil {
		return nil, from, err
	}
	defer h.Close()
	summary, err := host.Summarize(o.Data.Columns, o.Data.Points)
	if err != nil {
		return nil, from, err
	}
	answer, err := h.Blueprint(c.Context, name, host.Request{Settings: recipe.PluginSettings(settings), Data: summary})
	if err != nil {
		return nil, from, err
	}
	for _, field := range answer.Document.UnknownFields() {
		p.Warn(fmt.Sprintf("plugin %s: architecture %s: field %s is unknown: it is kept, but has no effect", answer.Plugin.Name, name, field))
	}
	d, err = recipe.Prepare(answer.Document, o.Data.Columns, settings)
	if k := c.Int("folds"); err == nil && k > 0 {
		d, err = recipe.Folded(d, k)
	}
	return d, answer.Plugin, err
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
