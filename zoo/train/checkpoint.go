package train

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// ErrBusy is returned where another training is under way to the same output.
var ErrBusy = errors.New("another training is writing it now")

// CheckpointError tells that a training would replace the checkpoint of an earlier
// one, which could go on from it. It is a [atomicfile.ErrExists].
type CheckpointError struct {
	Path string
	Best bool // NAME.best.fkz, else NAME.last.fkz
}

func (e *CheckpointError) Error() string {
	what := "checkpoint"
	if e.Best {
		what = "best"
	}
	return fmt.Sprintf("%s: %v: the %s of an earlier training", e.Path, atomicfile.ErrExists, what)
}

func (e *CheckpointError) Unwrap() error { return atomicfile.ErrExists }

// ElsewhereError tells that what was learned could not be written where it
// should be, and where it is in its place.
type ElsewhereError struct {
	Path    string // where it is
	Cause   error  // why it isn't where it should be
	Partial bool   // it is a checkpoint, the training having been interrupted
}

func (e *ElsewhereError) Error() string {
	what := "finished model"
	if e.Partial {
		what = "training so far"
	}
	return fmt.Sprintf("%v; the %s is in %s", e.Cause, what, e.Path)
}

func (e *ElsewhereError) Unwrap() error { return e.Cause }

// claim takes the right to write an output and its checkpoint, by a lock on a
// hidden file beside them: two trainings would overwrite each other's
// checkpoints. The lock ends with the process, however that ends.
func claim(output string) (release func(), err error) {
	if output == "" {
		return nil, errors.New("output: found none, want a file's path")
	}
	if other, ok := model.OutputOf(output); ok {
		return nil, fmt.Errorf("output %s: the name is that of a checkpoint of a training to %s, want another", output, other)
	}
	folder, name := filepath.Split(output)
	path := filepath.Join(folder, "."+name+".lock")
	for {
		lock := flock.New(path, flock.SetPermissions(0o666))
		locked, err := lock.TryLock()
		switch {
		case errors.As(err, new(*fs.PathError)): // not even the file could be opened
			return nil, fmt.Errorf("%s: cannot write beside it: %w", output, err)
		case err != nil: // a file system without locks
			_ = os.Remove(path)
			return func() {}, nil
		case !locked:
			_ = lock.Close()
			return nil, fmt.Errorf("%s: %w", output, ErrBusy)
		}
		mine, err := lock.Stat()
		if there, serr := os.Stat(path); err == nil && serr == nil && os.SameFile(mine, there) {
			return func() { unclaim(lock, path) }, nil
		}
		_ = lock.Close() // its last owner removed the file meanwhile
	}
}

func unclaim(lock *flock.Flock, path string) {
	_ = os.Remove(path) // while it is ours, so that nobody holds a lock on a file that is gone
	_ = lock.Close()
	if runtime.GOOS == "windows" { // which removes no open file
		_ = os.Remove(path)
	}
}

// checkOutput refuses, before hours are spent, to write where something is that
// would be lost, or where nothing can be written.
func (t *training) checkOutput() error {
	checkpoints := []*CheckpointError{{model.LastPath(t.Output), false}}
	if t.Every != (Every{}) {
		checkpoints = append(checkpoints, &CheckpointError{model.BestPath(t.Output), true})
	}
	try := func(path string, force bool) error {
		f, err := atomicfile.Create(path, force)
		if err == nil {
			f.Discard()
		}
		return err
	}
	if err := try(t.Output, t.Force); err != nil {
		return err
	}
	for _, c := range checkpoints {
		if _, err := os.Lstat(c.Path); err == nil && !t.Force && !t.own(c.Path) {
			return c
		}
		if err := try(c.Path, true); err != nil {
			return err
		}
	}
	return nil
}

// own tells whether a file is a checkpoint of the training that goes on: it may
// be further on than where that does, which will get there again.
func (t *training) own(path string) bool {
	if t.Resume == nil {
		return false
	}
	if sameFile(path, t.ResumePath) {
		return true
	}
	other, err := model.Describe(path)
	return err == nil && model.SameTraining(other, t.Resume)
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	return errA == nil && errB == nil && os.SameFile(infoA, infoB)
}

// due counts epochs and batches, and tells whether a checkpoint is to be kept now.
func (t *training) due(epochs, batches int) bool {
	t.passed += epochs
	t.batches += batches
	e := t.Every
	return (e.Epochs > 0 && t.passed >= e.Epochs) || (e.Batches > 0 && t.batches >= e.Batches) || (e.Time > 0 && time.Since(t.kept) >= e.Time)
}

// checkpoint keeps the training as it stands in NAME.last.fkz. That it can't is
// no reason to lose what was learned, and no error: the training goes on. One that
// has diverged is.
func (r *memberRun) checkpoint() error {
	m, err := r.snapshot()
	if errors.Is(err, engine.ErrDiverged) {
		return err
	}
	r.keep(m, err)
	return nil
}

// memberDone keeps a checkpoint where another member follows: should that fail
// to start, this one's hours are not lost.
func (t *training) memberDone(index int) {
	if index+1 == len(t.model.Document.Members) || t.Every == (Every{}) {
		return
	}
	m := *t.model
	m.State = &model.State{Member: index + 1, Best: t.bests} // not begun: without tensors
	t.keep(&m, nil)
}

// keep writes a checkpoint, unless it couldn't be made. The best so far is on
// the disk before it.
func (t *training) keep(m *model.Model, err error) {
	t.waitBest()
	t.kept, t.passed, t.batches = time.Now(), 0, 0
	path := model.LastPath(t.Output)
	if err == nil {
		err = m.Save(path, true)
	}
	if err != nil {
		t.cannotKeep(path, err)
		return
	}
	t.newest = path
	t.tellKept(m, path, false)
}

// cannotKeep warns of a checkpoint that isn't there: once for as long as the
// reason is the same, not after each of a thousand epochs.
func (t *training) cannotKeep(path string, err error) {
	if t.unkept[path] == err.Error() {
		return
	}
	if t.unkept == nil {
		t.unkept = map[string]string{}
	}
	t.unkept[path] = err.Error()
	t.Watch.Warn(fmt.Sprintf("no checkpoint: %v; the training goes on", err))
}

func (t *training) tellKept(m *model.Model, path string, best bool) {
	if _, failed := t.unkept[path]; failed {
		delete(t.unkept, path)
		t.Watch.Note(fmt.Sprintf("%s: is kept again", path))
	}
	s := m.State
	t.Watch.Checkpoint(CheckpointKept{Path: path, Best: best, Member: m.Document.Members[s.Member].Name, Epoch: s.Epoch, Step: s.Step})
}

// snapshot is the training as it stands, as a model.
func (r *memberRun) snapshot() (*model.Model, error) {
	s, err := r.trainer.Snapshot()
	if err != nil {
		return nil, err
	}
	if math.IsNaN(s.LossSum) || math.IsInf(s.LossSum, 0) {
		return nil, fmt.Errorf("%w: the loss of epoch %d is %g", engine.ErrDiverged, s.Epoch+1, s.LossSum)
	}
	m := *r.model
	m.History = slices.Clone(m.History) // a checkpoint may be written while the training goes on
	m.Weights = maps.Clone(m.Weights)
	for name, from := range currentNames(r.plan) {
		m.Weights[name] = s.Tensors[from]
		delete(s.Tensors, from) // so that each array is kept once
	}
	m.State = &model.State{Member: r.index, Epoch: s.Epoch, Step: s.Step, LossSum: s.LossSum, Cells: s.Cells, Tensors: s.Tensors, Best: maps.Clone(r.bests)}
	maps.Copy(m.State.Best, r.bestWeights)
	return &m, nil
}

// currentNames says which of a training's tensors are the member's weights as
// they are validated and kept: the moving averages where there are some.
func currentNames(plan *blueprint.Plan) map[string]string {
	out := map[string]string{}
	for name := range model.Parameters(plan) {
		out[name] = name
		if plan.Member.Recipe.Average != nil {
			out[name] = "average/" + name
		}
	}
	return out
}

// interrupted keeps a checkpoint and says where it is.
func (r *memberRun) interrupted() error {
	if r.learned == 0 && r.Resume == nil {
		return fmt.Errorf("%w before the first batch was done", ErrInterrupted)
	}
	if r.learned == 0 && r.ResumePath != "" {
		return fmt.Errorf("%w before another batch was done; the training so far is in %s", ErrInterrupted, r.ResumePath)
	}
	epoch, step := r.trainer.Position()
	at := fmt.Errorf("%w in epoch %d, after batch %d of %d", ErrInterrupted, epoch+1, step, r.trainer.StepsPerEpoch())
	m, err := r.snapshot()
	if err != nil {
		return r.atLast(fmt.Errorf("%w: %w", at, err))
	}
	r.waitBest()
	path := model.LastPath(r.Output)
	if err := m.Save(path, true); err != nil {
		return r.elsewhere(m, path, fmt.Errorf("%w: %w", at, err))
	}
	r.newest = path
	r.tellKept(m, path, false)
	return fmt.Errorf("%w; the training so far is in %s", at, path)
}

// atLast adds to an error where what was learned before it is.
func (t *training) atLast(err error) error {
	t.waitBest()
	if t.newest == "" {
		return fmt.Errorf("%w; there is no checkpoint yet", err)
	}
	err = fmt.Errorf("%w; the training as it was at its last checkpoint is in %s", err, t.newest)
	if best := model.BestPath(t.Output); t.keptBest && t.newest != best {
		err = fmt.Errorf("%w, as it was after its best epoch in %s", err, best)
	}
	return err
}

// finish writes the model, and removes the last checkpoint, which has nothing
// that the model hasn't. That of the best epoch stays.
func (t *training) finish() (*model.Model, error) {
	t.waitBest()
	if err := t.model.Save(t.Output, t.Force); err != nil {
		return nil, t.elsewhere(t.model, t.Output, err)
	}
	if err := os.Remove(model.LastPath(t.Output)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Watch.Warn(err.Error())
	}
	return t.model, nil
}

// elsewhere writes a model that can't be written to path to another file: where
// something else has taken the name, beside it, else in the system's folder for
// temporary files. The error says where it is, or else where the last checkpoint is.
func (t *training) elsewhere(m *model.Model, path string, cause error) error {
	partial := m.State != nil
	if errors.Is(cause, atomicfile.ErrExists) {
		for n := 2; n < 10; n++ {
			other := fmt.Sprintf("%s-%d.fkz", strings.TrimSuffix(path, ".fkz"), n)
			if m.Save(other, false) == nil {
				return &ElsewhereError{other, cause, partial}
			}
		}
	}
	folder, err := os.MkdirTemp("", "fkzoo-")
	if err != nil {
		return t.atLast(fmt.Errorf("%w; nor can it be kept elsewhere: %w", cause, err))
	}
	other := filepath.Join(folder, filepath.Base(path))
	if err := m.Save(other, false); err != nil {
		_ = os.Remove(folder)
		return t.atLast(fmt.Errorf("%w; nor can it be kept elsewhere: %w", cause, err))
	}
	return &ElsewhereError{other, cause, partial}
}
