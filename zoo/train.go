package zoo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// ErrInterrupted is returned when a training was asked to end. What was
// learned until then is in the last checkpoint.
var ErrInterrupted = errors.New("interrupted")

// TrainOptions say what is trained on what, and how.
type TrainOptions struct {
	Document *blueprint.Document // for the data's columns
	Plugin   host.PluginInfo     // where it came from
	Data     *dataset.Set
	Backend  *backend.Backend
	Seed     uint64
	Output   string // the model's path, NAME.fkz; NAME.last.fkz is its checkpoint
	Force    bool   // replace an existing Output

	Start  *Model // weights to start from, where names and shapes agree; nil: drawn
	Resume *Model // a checkpoint to go on from; nil: from the start. Its document and seed stand.
	// ResumePath is Resume's file: it may be replaced by the next checkpoint.
	ResumePath string

	Every   Every // how often to keep a checkpoint
	Version string
	Options []string // the user's settings, for the record
	Run     Run      // machine and command, for the record
	Watch   Watcher
}

// Every says how often a checkpoint is kept; the zero value is never.
type Every struct {
	Epochs  int
	Batches int
	Time    time.Duration
}

// Watcher is told how a training goes on.
type Watcher interface {
	// Member begins: its number of rows, and where it starts from.
	Member(MemberStart)
	// Batch is done, of so many in the epoch.
	Batch(done, total int)
	// Epoch is done.
	Epoch(EpochDone)
	// Note is a line for people.
	Note(text string)
}

// MemberStart tells of a member that begins or goes on.
type MemberStart struct {
	Name                 string
	Index, Members       int
	Columns              int
	TrainRows, ValidRows int
	Epochs, Done         int // in all, and done already
	Batch                int
	Parameters           int64
}

// EpochDone is a finished epoch's figures. Validation figures are NaN where no
// rows are held out.
type EpochDone struct {
	Member         string
	Epoch, Epochs  int // from 1
	TrainLoss      float64
	ValidationLoss float64
	RMSEPixels     float64
	Rate           float64
	Best           bool // the least validation loss so far
	Time           time.Duration
}

// Prepare gives a document as it is to be trained: with the user's changes to
// the recipe (epochs and batch 0: as they are) and the data's columns.
func Prepare(d *blueprint.Document, columns []string, settings map[string]string, epochs, batch int) (*blueprint.Document, error) {
	_, changes := splitSettings(settings)
	if epochs > 0 {
		changes["epochs"] = fmt.Sprint(epochs)
	}
	if batch > 0 {
		changes["batch"] = fmt.Sprint(batch)
	}
	d, err := changeRecipes(d, changes)
	if err != nil {
		return nil, err
	}
	return d.Resolve(columns)
}

// PluginSettings are those of the user's settings that go to the plugin.
func PluginSettings(all map[string]string) map[string]string {
	plugin, _ := splitSettings(all)
	return plugin
}

// Train trains every member in turn and writes the model to Output. When ctx
// ends, it stops after the batch under way, keeps a checkpoint, and returns an
// error that wraps ErrInterrupted and names the file.
func Train(ctx context.Context, o TrainOptions) (*Model, error) {
	t := &training{TrainOptions: o, kept: time.Now()}
	if err := t.checkOutput(); err != nil {
		return nil, err
	}
	if err := t.begin(); err != nil {
		return nil, err
	}
	resident, err := engine.Upload(o.Backend, engine.Examples{Images: imagesOf(o.Data), Columns: o.Data.Columns, Points: o.Data.Points})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Data.Source, err)
	}
	defer resident.Close()
	from := 0
	if o.Resume != nil {
		from = o.Resume.State.Member
	}
	for i := from; i < len(t.model.Document.Members); i++ {
		if err := t.member(ctx, resident, i); err != nil {
			return nil, err
		}
	}
	t.model.State = nil
	if err := t.model.Save(o.Output, o.Force); err != nil {
		return nil, err
	}
	// The finished model has all that the checkpoint had.
	if err := os.Remove(LastPath(o.Output)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Watch.Note(err.Error())
	}
	return t.model, nil
}

// checkOutput refuses, before hours are spent, to write where something is that
// would be lost, or where nothing can be written.
func (t *training) checkOutput() error {
	if info, err := os.Stat(filepath.Dir(t.Output)); err != nil {
		return fmt.Errorf("%s: its folder: %w", t.Output, err)
	} else if !info.IsDir() {
		return fmt.Errorf("%s: %s is not a folder", t.Output, filepath.Dir(t.Output))
	}
	if t.Force {
		return nil
	}
	if _, err := os.Stat(t.Output); err == nil {
		return fmt.Errorf("%s: %w", t.Output, format.ErrExists)
	}
	last := LastPath(t.Output)
	if _, err := os.Stat(last); err == nil && !sameFile(last, t.ResumePath) {
		return fmt.Errorf("%s: %w: the checkpoint of an earlier training, from which --resume goes on", last, format.ErrExists)
	}
	return nil
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// training is a training under way.
type training struct {
	TrainOptions
	model   *Model
	kept    time.Time // when the last checkpoint was kept
	batches int       // since then
	passed  int       // epochs since then
}

// begin checks what can be checked before hours are spent, and makes the model
// that the training fills.
func (t *training) begin() error {
	if t.Resume != nil {
		return t.beginResumed()
	}
	if t.Document.Columns(nil)[0] == blueprint.AllColumns {
		return errors.New("the blueprint's columns are not resolved")
	}
	m := &Model{Document: t.Document, Weights: engine.Arrays{}, Run: t.Run}
	m.Provenance = Provenance{
		Fkzoo: t.Version, Plugin: PluginFrom{t.Plugin.Name, t.Plugin.SHA256}, Seed: t.Seed, Backend: t.TrainOptions.Backend.Name(), Options: t.Options,
		Data: DataFrom{t.Data.Source, t.Data.Checksum, t.Data.Len(), t.Data.Columns, columnMeans(t.Data)},
	}
	if t.Start != nil {
		m.Provenance.Start = t.Start.Digest
	}
	for i := range m.Document.Members {
		plan, err := blueprint.NewPlan(m.Document, i, t.Data.Columns)
		if err != nil {
			return err
		}
		member := plan.Member
		if train, _, err := rowsOf(member, t.Data, t.Seed); err != nil {
			return err
		} else if len(train) == 0 {
			return fmt.Errorf("%s: member %s: found no row with its columns filled, want at least one to train on", t.Data.Source, member.Name)
		}
		weights, err := t.firstWeights(plan)
		if err != nil {
			return err
		}
		maps.Copy(m.Weights, weights)
		m.History = append(m.History, MemberHistory{Member: member.Name})
	}
	t.model = m
	return nil
}

// beginResumed goes on with the checkpoint's own document and seed, on the same data.
func (t *training) beginResumed() error {
	m := t.Resume
	if m.State == nil {
		return fmt.Errorf("the model is finished: --start-from begins a new training with its weights")
	}
	if len(m.History) != len(m.Document.Members) {
		return fmt.Errorf("%w: found the history of %d members, want %d", ErrNotModel, len(m.History), len(m.Document.Members))
	}
	if found, want := t.Data.Checksum, m.Provenance.Data.Checksum; found != want {
		return fmt.Errorf("%s: found data with checksum %.12s…, want %.12s… (%s): a training goes on with its own data", t.Data.Source, found, want, m.Provenance.Data.Source)
	}
	t.Document, t.Seed = m.Document, m.Provenance.Seed
	m.Run.Resumed++
	t.model = m
	return nil
}

// firstWeights are drawn, or taken from the model to start from where name and
// shape agree.
func (t *training) firstWeights(plan *blueprint.Plan) (engine.Arrays, error) {
	weights := engine.InitialWeights(plan, t.Seed)
	if t.Start == nil {
		if from := plan.Member.Recipe.StartFrom; from != "" {
			t.Watch.Note(fmt.Sprintf("%s: the recipe starts from %s's weights; without --start-from %s.fkz they are drawn", plan.Member.Name, from, from))
		}
		return weights, nil
	}
	taken := 0
	for _, name := range slices.Sorted(maps.Keys(weights)) {
		source, a := t.startTensor(name)
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
	if taken == 0 {
		return nil, fmt.Errorf("member %s: no tensor of the model to start from (%s) has a name and shape that fit", plan.Member.Name, t.Start.Document.Name)
	}
	return weights, nil
}

// startTensor finds a tensor by its full name, or, where the other model has
// one member alone, by layer and parameter.
func (t *training) startTensor(name string) (string, engine.Array) {
	if a, ok := t.Start.Weights[name]; ok {
		return name, a
	}
	if len(t.Start.Document.Members) == 1 {
		_, rest, _ := strings.Cut(name, "/")
		other := t.Start.Document.Members[0].Name + "/" + rest
		if a, ok := t.Start.Weights[other]; ok {
			return other, a
		}
	}
	return "", engine.Array{}
}

// member trains one member.
func (t *training) member(ctx context.Context, data *engine.Resident, index int) error {
	plan, err := blueprint.NewPlan(t.model.Document, index, nil)
	if err != nil {
		return err
	}
	train, validation, err := rowsOf(plan.Member, t.Data, t.Seed)
	if err != nil {
		return err
	}
	config := engine.Config{
		Plan: plan, Rows: train, Epochs: plan.Member.Recipe.EpochsFor(len(train) + len(validation)), Seed: t.Seed, Weights: t.model.Weights,
	}
	run := &memberRun{training: t, index: index, plan: plan, validation: validation, epochs: config.Epochs, best: math.Inf(1)}
	if s := t.model.State; s != nil && s.Member == index {
		config.State = t.engineState(s, plan)
		run.restore(s)
	}
	if run.trainer, err = engine.NewTrainer(data, config); err != nil {
		return fmt.Errorf("member %s: %w", plan.Member.Name, err)
	}
	defer run.trainer.Close()
	done, _ := run.trainer.Position()
	t.Watch.Member(MemberStart{
		Name: plan.Member.Name, Index: index, Members: len(t.model.Document.Members), Columns: len(plan.Columns),
		TrainRows: len(train), ValidRows: len(validation), Epochs: config.Epochs, Done: done,
		Batch: plan.Member.Recipe.Batch, Parameters: plan.Parameters(),
	})
	if err := run.epochsLeft(ctx, done); err != nil {
		return fmt.Errorf("member %s: %w", plan.Member.Name, err)
	}
	return nil
}

// engineState puts a checkpoint's parts together again: where no average is
// kept, the weights are the training state's own.
func (t *training) engineState(s *State, plan *blueprint.Plan) *engine.State {
	tensors := maps.Clone(s.tensors)
	for i := range plan.Nodes {
		for _, p := range plan.Nodes[i].Params {
			name := plan.TensorName(&plan.Nodes[i], p.Name)
			if _, ok := tensors[name]; !ok {
				tensors[name] = t.model.Weights[name]
			}
		}
	}
	return &engine.State{Epoch: s.Epoch, Step: s.Step, LossSum: s.LossSum, Cells: s.Cells, Tensors: tensors}
}

// memberRun is a member's training under way.
type memberRun struct {
	*training
	index      int
	plan       *blueprint.Plan
	trainer    *engine.Trainer
	validation []int
	epochs     int
	best       float64       // least validation loss so far
	bestParts  engine.Arrays // its weights; nil where nothing will put them back
}

func (r *memberRun) history() *MemberHistory { return &r.model.History[r.index] }

func (r *memberRun) restore(s *State) {
	if len(s.best) > 0 {
		r.bestParts = s.best
	}
	for _, v := range r.history().ValidationLoss {
		r.best = min(r.best, v)
	}
}

func (r *memberRun) epochsLeft(ctx context.Context, done int) error {
	for e := done; e < r.epochs; e++ {
		stop, err := r.epoch(ctx)
		if err != nil {
			return err
		}
		if stop {
			break
		}
		if e+1 < r.epochs && r.due(1, 0) {
			if err := r.checkpoint(); err != nil {
				return err
			}
		}
	}
	return r.keepWeights()
}

// keepWeights puts the member's weights, as they stay, into the model.
func (r *memberRun) keepWeights() error {
	weights := r.bestParts
	if r.plan.Member.Recipe.Stop == nil || weights == nil {
		var err error
		if weights, err = r.trainer.Current(); err != nil {
			return err
		}
	}
	maps.Copy(r.model.Weights, weights)
	r.model.State = nil
	return nil
}

// epoch trains and validates one epoch; stop tells that patience is at its end.
func (r *memberRun) epoch(ctx context.Context) (stop bool, err error) {
	start := time.Now()
	epoch, _ := r.trainer.Position()
	rate := r.plan.Member.Recipe.Rate.At(blueprint.Progress{
		Epoch: epoch, Epochs: r.epochs, Step: epoch * r.trainer.StepsPerEpoch(), StepsPerEpoch: r.trainer.StepsPerEpoch(),
	})
	var failed error
	loss, err := r.trainer.Epoch(ctx, func(done, total int) {
		r.Watch.Batch(done, total)
		if failed == nil && done < total && r.due(0, 1) {
			failed = r.checkpoint()
		}
	})
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return false, r.interrupted()
	}
	if err = errors.Join(err, failed); err != nil {
		return false, err
	}
	done := EpochDone{
		Member: r.plan.Member.Name, Epoch: epoch + 1, Epochs: r.epochs, TrainLoss: loss.Loss, Rate: rate,
		ValidationLoss: math.NaN(), RMSEPixels: math.NaN(),
	}
	h := r.history()
	h.TrainLoss, h.Rate = append(h.TrainLoss, loss.Loss), append(h.Rate, rate)
	if len(r.validation) > 0 {
		// Ctrl-C waits for the validation: it is short, and the epoch then is whole.
		if err := r.validate(context.WithoutCancel(ctx), &done); err != nil {
			return false, err
		}
		h.ValidationLoss, h.RMSEPixels = append(h.ValidationLoss, done.ValidationLoss), append(h.RMSEPixels, done.RMSEPixels)
		if done.Best {
			h.BestEpoch = epoch + 1
		}
	}
	done.Time = time.Since(start)
	r.model.Run.Seconds = append(r.model.Run.Seconds, done.Time.Seconds())
	r.Watch.Epoch(done)
	if s := r.plan.Member.Recipe.Stop; s != nil && h.BestEpoch > 0 && epoch+1-h.BestEpoch >= s.Patience && epoch+1 < r.epochs {
		h.Stopped = true
		r.Watch.Note(fmt.Sprintf("%s: stopped after epoch %d: %d epochs without a better validation loss; the weights of epoch %d are put back", done.Member, epoch+1, s.Patience, h.BestEpoch))
		return true, nil
	}
	return false, nil
}

// validate answers the held-out rows with the weights as they are now.
func (r *memberRun) validate(ctx context.Context, done *EpochDone) error {
	points, err := r.trainer.Predict(ctx, imagesOf(r.Data), r.validation)
	if err != nil {
		return err
	}
	scale, _ := r.plan.Member.Affine(r.plan.Document.Input)
	columns := r.plan.Columns
	var loss, squares float64
	cells := 0
	for c, name := range columns {
		at := r.Data.Column(name)
		for i, row := range r.validation {
			truth := r.Data.Row(row)[at]
			if isNaN(truth) {
				continue
			}
			d := float64(points[i*len(columns)+c]) - float64(truth)
			squares += d * d
			loss += engine.CellLoss(r.plan.Member.Recipe.Loss, d/scale)
			cells++
		}
	}
	done.ValidationLoss, done.RMSEPixels = loss/float64(max(cells, 1)), root(squares, cells)
	if math.IsNaN(done.ValidationLoss) || math.IsInf(done.ValidationLoss, 0) {
		return fmt.Errorf("%w: the validation loss of epoch %d is %g: a smaller learning rate may help", engine.ErrDiverged, done.Epoch, done.ValidationLoss)
	}
	if done.ValidationLoss < r.best {
		r.best, done.Best = done.ValidationLoss, true
		if r.plan.Member.Recipe.Stop != nil {
			r.bestParts, err = r.trainer.Current()
		}
	}
	return err
}

// due tells whether a checkpoint is to be kept now.
func (t *training) due(epochs, batches int) bool {
	t.passed += epochs
	t.batches += batches
	e := t.Every
	return (e.Epochs > 0 && t.passed >= e.Epochs) || (e.Batches > 0 && t.batches >= e.Batches) || (e.Time > 0 && time.Since(t.kept) >= e.Time)
}

// LastPath is where a training to this model keeps its checkpoint.
func LastPath(output string) string { return strings.TrimSuffix(output, ".fkz") + ".last.fkz" }

// checkpoint writes the training as it stands to NAME.last.fkz.
func (r *memberRun) checkpoint() error {
	s, err := r.trainer.Snapshot()
	if err != nil {
		return err
	}
	current, err := r.trainer.Current()
	if err != nil {
		return err
	}
	averaged := r.plan.Member.Recipe.Average != nil
	for name := range current {
		if !averaged {
			delete(s.Tensors, name) // it stands among the model's weights
		}
	}
	m := *r.model
	m.Weights = maps.Clone(m.Weights)
	maps.Copy(m.Weights, current)
	m.State = &State{Member: r.index, Epoch: s.Epoch, Step: s.Step, LossSum: s.LossSum, Cells: s.Cells, tensors: s.Tensors, best: r.bestParts}
	r.kept, r.passed, r.batches = time.Now(), 0, 0
	return m.Save(LastPath(r.Output), true)
}

// interrupted keeps a checkpoint and says where it is.
func (r *memberRun) interrupted() error {
	if err := r.checkpoint(); err != nil {
		return errors.Join(ErrInterrupted, err)
	}
	epoch, step := r.trainer.Position()
	return fmt.Errorf("%w in epoch %d, after batch %d of %d; the training so far is in %s", ErrInterrupted, epoch+1, step, r.trainer.StepsPerEpoch(), LastPath(r.Output))
}
