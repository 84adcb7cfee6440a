package train

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// ErrInterrupted is returned when a training was asked to end. What was
// learned until then is in the file that the error names.
var ErrInterrupted = errors.New("interrupted")

// Options say what is trained on what, and how.
type Options struct {
	Document *blueprint.Document // for the data's columns
	Plugin   host.PluginInfo     // where it came from
	Data     *dataset.Set
	Backend  *backend.Backend
	Seed     uint64 // stands over the recipes'; 0: theirs, or else 1
	Output   string // the model's path, NAME.fkz; NAME.last.fkz and NAME.best.fkz are its checkpoints
	Force    bool   // replace files that exist

	Start  *model.Model // weights to start from, where names and shapes agree; nil: drawn
	Resume *model.Model // a checkpoint to go on from; nil: from the start. Its document and seed stand.
	// ResumePath is Resume's file: it may be replaced by the next checkpoint.
	ResumePath string
	// Settings are what the user gave beside Resume, as for [recipe.Prepare]; what
	// differs from the checkpoint's own is refused with a [ChangedError], as other
	// data is, unless AllowChanges is set. A length in epochs or examples may
	// always differ: it is that of the whole training, what is done included.
	Settings     map[string]string
	AllowChanges bool

	Every   Every // how often to keep NAME.last.fkz; never: no checkpoint of the best either
	Version string
	Options []string  // the user's settings, for the record
	Run     model.Run // machine and command, for the record
	Watch   Watcher   // may be nil
}

// Blueprint is the document that is trained: that of the checkpoint, where a training goes on.
func (o *Options) Blueprint() *blueprint.Document {
	if o.Resume != nil {
		return o.Resume.Document
	}
	return o.Document
}

// Every says how often a checkpoint is kept; the zero value is never.
type Every struct {
	Epochs  int
	Batches int
	Time    time.Duration
}

// Run trains every member in turn and writes the model to Output. A model
// given as Resume is changed, and becomes the result.
//
// When ctx ends, Run stops after the batch under way, keeps a checkpoint, and
// returns an error that wraps ErrInterrupted and names the file. A checkpoint
// that can't be written is a note to Watch, and training goes on. Should the
// model itself not be writable to Output at the end, it is written elsewhere,
// and the error is an [ElsewhereError]. Another training to the same Output at
// the same time is refused with ErrBusy.
func Run(ctx context.Context, o Options) (m *model.Model, err error) {
	if o.Watch == nil {
		o.Watch = silent{}
	}
	release, err := claim(o.Output)
	if err != nil {
		return nil, err
	}
	defer release()
	t := &training{Options: o, kept: time.Now(), newest: o.ResumePath, bests: engine.Arrays{}}
	if err := t.checkOutput(); err != nil {
		return nil, err
	}
	if err := t.begin(); err != nil {
		return nil, err
	}
	start := time.Now()
	o.Watch.Start(Start{
		Document: t.model.Document, Output: o.Output, Resumed: o.ResumePath, Provenance: t.model.Provenance, Run: t.model.Run, Done: t.model.Epochs(),
	})
	m, err = t.run(ctx)
	end := End{Model: m, Path: t.newest, Err: err, Time: time.Since(start)}
	if err == nil {
		end.Path = o.Output
	}
	o.Watch.End(end)
	return m, err
}

// run trains the members that are left.
func (t *training) run(ctx context.Context) (*model.Model, error) {
	resident, err := engine.Upload(t.Options.Backend, engine.Examples{Images: answer.ImagesOf(t.Data), Columns: t.Data.Columns, Points: t.Data.Points})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t.Data.Source, err)
	}
	defer resident.Close()
	defer t.waitBest()
	from := 0
	if t.Resume != nil {
		from = t.Resume.State.Member
	}
	for i := from; i < len(t.model.Document.Members); i++ {
		if err := t.member(ctx, resident, i); err != nil {
			if !errors.Is(err, ErrInterrupted) { // which says itself where it is
				err = t.atLast(err)
			}
			return nil, err
		}
		t.memberDone(i)
	}
	t.calibrate(context.WithoutCancel(ctx)) // Ctrl-C waits for it: less than an epoch takes
	return t.finish()
}

// training is a training under way.
type training struct {
	Options
	model    *model.Model
	learned  int       // batches done in this run
	kept     time.Time // when the last checkpoint was tried
	batches  int       // since then
	passed   int       // epochs since then
	newest   string    // the newest checkpoint, of this run or that it goes on from; "": none
	best     bestFile
	bests    engine.Arrays     // weights of the best epochs of members that are done, where they ended with others
	keptBest bool              // this run has written NAME.best.fkz
	unkept   map[string]string // by the path of a checkpoint that can't be written: why not, as was told
}

// begin checks what can be checked before hours are spent, and makes the model
// that the training fills.
func (t *training) begin() error {
	if t.Resume != nil {
		return t.beginResumed()
	}
	document, axis := recipe.WithAxis(seeded(t.Document, t.Seed), t.Data)
	if axis != "" {
		t.Watch.Note(axis)
	}
	m := &model.Model{Document: document, Weights: engine.Arrays{}, Run: t.Run}
	m.Provenance = model.Provenance{
		Fkzoo: t.Version, Plugin: model.PluginFrom{Name: t.Plugin.Name, SHA256: t.Plugin.SHA256}, Seed: m.Document.Members[0].Recipe.Seed,
		Backend: t.Options.Backend.Name(), Kernels: t.Options.Backend.Kernels(), Options: t.Options.Options,
		Data: model.DataOf(t.Data),
	}
	if t.Start != nil {
		m.Provenance.Start = t.Start.Digest
		m.Provenance.StartData = t.Start.Provenance.Seen()
	}
	taken := 0
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, nil) // without columns, as a file's
		if err != nil {
			return err
		}
		if err := t.check(plan); err != nil {
			return err
		}
		if err := t.checkRows(plan.Member); err != nil {
			return err
		}
		weights, n := t.firstWeights(plan)
		taken += n
		maps.Copy(m.Weights, weights)
		m.History = append(m.History, model.MemberHistory{Member: plan.Member.Name})
	}
	if t.Start != nil && taken == 0 {
		return fmt.Errorf("no tensor of the model to start from (%s) has a name and shape that fit", t.Start.Document.Name)
	}
	t.model = m
	return nil
}

// check refuses a member that the engine can't train.
func (t *training) check(plan *blueprint.Plan) error {
	if err := engine.Check(t.Options.Backend, plan); err != nil {
		return fmt.Errorf("member %s: %w", plan.Member.Name, err)
	}
	return nil
}

// checkRows refuses data that a member can't learn from.
func (t *training) checkRows(m *blueprint.Member) error {
	rows, err := model.UsableRows(m, t.Data)
	if err == nil {
		err = t.Data.CheckTrainable(m.ColumnsOf(t.Data.Columns), rows)
	}
	if err == nil && m.Boxes() {
		err = t.checkBoxes(m, rows)
	}
	if err == nil && m.Recipe.Subset != nil {
		var part []int
		if part, _, err = model.SplitRows(m, t.Data); err == nil {
			if err = t.Data.CheckTrainable(m.ColumnsOf(t.Data.Columns), part); err != nil {
				err = fmt.Errorf("recipe.subset: %w", err)
			}
		}
	}
	if f := m.Recipe.Fold; err == nil && f != nil && len(rows) < f.Of {
		err = fmt.Errorf("%s: found %d rows with its columns filled, want at least %d for as many folds", t.Data.Source, len(rows), f.Of)
	}
	if err != nil {
		return fmt.Errorf("member %s: %w", m.Name, err)
	}
	t.warnColumns(m, rows)
	return nil
}

// checkBoxes refuses rows with what is no box.
func (t *training) checkBoxes(m *blueprint.Member, rows []int) error {
	columns := m.ColumnsOf(t.Data.Columns)
	if err := blueprint.CheckBoxColumns(columns); err != nil {
		return err
	}
	cells := make([]float32, len(columns))
	for _, r := range rows {
		for k, name := range columns {
			cells[k] = t.Data.Row(r)[t.Data.Column(name)]
		}
		if err := blueprint.CheckBoxes(cells); err != nil {
			return fmt.Errorf("%s, row %s: %w", t.Data.Source, t.Data.IDs[r], err)
		}
	}
	return nil
}

// warnColumns tells of columns whose answers will mean little.
func (t *training) warnColumns(m *blueprint.Member, rows []int) {
	if m.Boxes() { // rows have fewer than there is room for
		return
	}
	var empty, still []string
	for _, name := range m.ColumnsOf(t.Data.Columns) {
		at := t.Data.Column(name)
		if !slices.ContainsFunc(rows, func(r int) bool { return !math.IsNaN(float64(t.Data.Row(r)[at])) }) {
			empty = append(empty, name)
		}
		if m.Recipe.Augment != nil && blueprint.Partner(name) == "" {
			still = append(still, name)
		}
	}
	if len(empty) > 0 {
		t.Watch.Warn(fmt.Sprintf("%s: no cell of %s is filled: nothing is learned there, and the answers mean nothing", m.Name, strings.Join(empty, ", ")))
	}
	if len(still) > 0 {
		t.Watch.Warn(fmt.Sprintf("%s: the names of %s end in neither _x nor _y: their values stay as they are where the recipe mirrors or moves images", m.Name, strings.Join(still, ", ")))
	}
}

// seeded is the document with the seed that each member is trained with in its recipe.
func seeded(d *blueprint.Document, seed uint64) *blueprint.Document {
	d = d.Clone()
	for i := range d.Members {
		r := &d.Members[i].Recipe
		r.Seed = cmp.Or(seed, r.Seed, 1)
	}
	return d
}

// firstWeights are drawn, or taken from the model to start from where name and
// shape agree; it counts the tensors taken.
func (t *training) firstWeights(plan *blueprint.Plan) (weights engine.Arrays, taken int) {
	weights = engine.InitialWeights(plan, plan.Member.Recipe.Seed)
	if t.Start == nil {
		if from := plan.Member.Recipe.StartFrom; from != "" {
			t.Watch.Warn(fmt.Sprintf("%s: the recipe starts from %s's weights; no model to start from is given: they are drawn", plan.Member.Name, from))
		}
		return weights, 0
	}
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		source, a := t.startTensor(name, &plan.Member.Recipe)
		switch {
		case source == "":
			t.Watch.Note(fmt.Sprintf("%s: drawn: the other model has none", name))
		case !slices.Equal(a.Shape, weights[name].Shape):
			t.Watch.Note(fmt.Sprintf("%s: drawn: shape %v, the other model's %s has %v", name, weights[name].Shape, source, a.Shape))
		default:
			weights[name] = a
			taken++
			t.Watch.Note(fmt.Sprintf("%s: taken from %s", name, source))
		}
	}
	return weights, taken
}

// startTensor finds a tensor by its full name, of a fold also by the name of the
// member that it is one of, or, where the other model has one member alone, by
// layer and parameter.
func (t *training) startTensor(name string, r *blueprint.Recipe) (string, engine.Array) {
	member, rest, _ := strings.Cut(name, "/")
	for _, name := range []string{name, strings.TrimSuffix(member, recipe.FoldSuffix(r)) + "/" + rest} {
		if a, ok := t.Start.Weights[name]; ok {
			return name, a
		}
	}
	if len(t.Start.Document.Members) == 1 {
		other := t.Start.Document.Members[0].Name + "/" + rest
		if a, ok := t.Start.Weights[other]; ok {
			return other, a
		}
	}
	return "", engine.Array{}
}
