package traintest

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// Rising falls and then rises in its validation loss.
const Rising = `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 8, "batch": 6`

// SameModel compares all that the digest is made of, so that a failure says where.
func SameModel(t *testing.T, what string, got, want *model.Model) {
	t.Helper()
	if !reflect.DeepEqual(got.History, want.History) {
		t.Errorf("%s: found history %+v, want %+v", what, got.History, want.History)
	}
	if !maps.EqualFunc(got.Weights, want.Weights, func(a, b engine.Array) bool { return slices.Equal(a.Data, b.Data) }) {
		t.Errorf("%s: the weights differ", what)
	}
	if got.State != nil {
		t.Errorf("%s: found a state, want a finished model", what)
	}
	if got.Digest != want.Digest || len(got.Digest) != 64 {
		t.Errorf("%s: found digest %s, want %s", what, got.Digest, want.Digest)
	}
}

// Watch records a training, and calls back.
type Watch struct {
	Notes    []string
	epochs   []train.EpochDone
	members  []train.MemberStart
	Batches  int
	OnBatch  func(batches int)
	OnMember func(train.MemberStart)
	OnEpoch  func(train.EpochDone)
	Starts   []train.Start
	Kept     []train.CheckpointKept
	ends     []train.End
}

func (w *Watch) Start(s train.Start)               { w.Starts = append(w.Starts, s) }
func (w *Watch) Checkpoint(c train.CheckpointKept) { w.Kept = append(w.Kept, c) }
func (w *Watch) Warn(text string)                  { w.Notes = append(w.Notes, text) }
func (w *Watch) End(e train.End)                   { w.ends = append(w.ends, e) }
func (w *Watch) Note(text string)                  { w.Notes = append(w.Notes, text) }

func (w *Watch) Member(m train.MemberStart) {
	w.members = append(w.members, m)
	if w.OnMember != nil {
		w.OnMember(m)
	}
}

func (w *Watch) Batch(int, int) {
	w.Batches++
	if w.OnBatch != nil {
		w.OnBatch(w.Batches)
	}
}

func (w *Watch) Epoch(e train.EpochDone) {
	w.epochs = append(w.epochs, e)
	if w.OnEpoch != nil {
		w.OnEpoch(e)
	}
}

func (w *Watch) Noted(part string) bool {
	return slices.ContainsFunc(w.Notes, func(n string) bool { return strings.Contains(n, part) })
}

// Options are of a training to a new file.
func Options(t testing.TB, d *blueprint.Document, set *dataset.Set) train.Options {
	t.Helper()
	return train.Options{Document: d, Data: set, Backend: zootest.GoBackend(t), Seed: 3, Output: filepath.Join(t.TempDir(), "m.fkz"), Version: "test", Watch: &Watch{}}
}

func MustTrain(t testing.TB, o train.Options) *model.Model {
	t.Helper()
	m, err := train.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Interrupt trains until so many batches are done, and gives the checkpoint's path.
func Interrupt(t testing.TB, o train.Options, batches int) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Watch = &Watch{OnBatch: func(n int) {
		if n == batches {
			cancel()
		}
	}}
	if _, err := train.Run(ctx, o); !errors.Is(err, train.ErrInterrupted) || !strings.Contains(err.Error(), model.LastPath(o.Output)) {
		t.Fatalf("after batch %d: error is %v, want an interruption that names %s", batches, err, model.LastPath(o.Output))
	}
	return model.LastPath(o.Output)
}
