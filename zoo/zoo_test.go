package zoo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// side is the height and width of the tests' images.
const side = 8

var (
	eyes  = []string{"left_eye_center_x", "left_eye_center_y", "right_eye_center_x", "right_eye_center_y"}
	nose  = []string{"nose_tip_x", "nose_tip_y"}
	every = slices.Concat(eyes, nose)
)

const (
	linear  = `{"name": "flat", "kind": "flatten"}, {"name": "out", "kind": "dense", "units": "columns"}`
	dropout = `{"name": "flat", "kind": "flatten"}, {"name": "hidden", "kind": "dense", "units": 5, "activation": "tanh"},
		{"name": "drop", "kind": "dropout", "rate": 0.3}, {"name": "out", "kind": "dense", "units": "columns"}`
)

// recipe is of full batches, with parts of it replaced or added.
func recipe(changes string) string {
	r := map[string]any{
		"loss": map[string]any{"kind": "mse", "rows": "filled"}, "optimizer": map[string]any{"kind": "sgd"},
		"rate": 0.05, "epochs": 4, "batch": 1000, "validation": 0.25,
	}
	var changed map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+changes+"}"), &changed); err != nil {
		panic(err)
	}
	for name, v := range changed {
		r[name] = v
	}
	text, _ := json.Marshal(r)
	return string(text)
}

// network is one member of a document.
type network struct {
	name    string
	columns []string
	layers  string
	recipe  string
	more    string // fields of the member
}

func document(t testing.TB, members ...network) *blueprint.Document {
	t.Helper()
	var list []string
	for _, m := range members {
		columns, _ := json.Marshal(m.columns)
		list = append(list, fmt.Sprintf(`{"name": %q, "columns": %s, "layers": [%s], "recipe": %s%s}`, m.name, columns, m.layers, m.recipe, m.more))
	}
	d, err := blueprint.Parse(fmt.Appendf(nil, `{"blueprint": 1, "name": "tiny", "input": {"height": %d, "width": %d, "channels": 1}, "members": [%s]}`,
		side, side, strings.Join(list, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// one is a document of one member, named net, of all columns.
func one(t testing.TB, layers, changes string) *blueprint.Document {
	t.Helper()
	return document(t, network{"net", every, layers, recipe(changes), ""})
}

// faces are random images, and points that follow from them, so that there is
// something to learn; a cell in six is empty.
func faces(n int, columns []string, seed uint64) *dataset.Set {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &dataset.Set{Columns: columns, Height: side, Width: side, Channels: 1, Source: "faces.csv"}
	for i := range n {
		var sum float64
		for range side * side {
			b := uint8(r.IntN(256))
			s.Bytes = append(s.Bytes, b)
			sum += float64(b) / (255 * side * side)
		}
		for c := range columns {
			v := float32(4 + 20*(sum-0.5) + float64(c%4)/2 + r.Float64())
			if r.IntN(6) == 0 {
				v = float32(math.NaN())
			}
			s.Points = append(s.Points, v)
		}
		s.IDs = append(s.IDs, fmt.Sprint(i+1))
	}
	s.Checksum = s.Sum()
	return s
}

// withColumns is the set with these columns alone, in this order.
func withColumns(s *dataset.Set, columns []string) *dataset.Set {
	out := *s
	out.Columns, out.Points = columns, nil
	for r := range s.Len() {
		for _, c := range columns {
			out.Points = append(out.Points, s.Row(r)[s.Column(c)])
		}
	}
	out.Checksum = out.Sum()
	return &out
}

func goBackend(t testing.TB) *backend.Backend { return backendtest.Open(t, "go") }

// watch records a training, and calls back.
type watch struct {
	notes    []string
	epochs   []EpochDone
	members  []MemberStart
	batches  int
	onBatch  func(batches int)
	onMember func(MemberStart)
	onEpoch  func(EpochDone)
	starts   []TrainStart
	kept     []CheckpointKept
	ends     []TrainEnd
}

func (w *watch) Start(s TrainStart)          { w.starts = append(w.starts, s) }
func (w *watch) Checkpoint(c CheckpointKept) { w.kept = append(w.kept, c) }
func (w *watch) Warn(text string)            { w.notes = append(w.notes, text) }
func (w *watch) End(e TrainEnd)              { w.ends = append(w.ends, e) }

func (w *watch) Note(text string) { w.notes = append(w.notes, text) }

func (w *watch) Member(m MemberStart) {
	w.members = append(w.members, m)
	if w.onMember != nil {
		w.onMember(m)
	}
}

func (w *watch) Batch(int, int) {
	w.batches++
	if w.onBatch != nil {
		w.onBatch(w.batches)
	}
}

func (w *watch) Epoch(e EpochDone) {
	w.epochs = append(w.epochs, e)
	if w.onEpoch != nil {
		w.onEpoch(e)
	}
}

func (w *watch) noted(part string) bool {
	return slices.ContainsFunc(w.notes, func(n string) bool { return strings.Contains(n, part) })
}

// options are of a training to a new file.
func options(t testing.TB, d *blueprint.Document, set *dataset.Set) TrainOptions {
	t.Helper()
	return TrainOptions{Document: d, Data: set, Backend: goBackend(t), Seed: 3, Output: filepath.Join(t.TempDir(), "m.fkz"), Version: "test", Watch: &watch{}}
}

func mustTrain(t testing.TB, o TrainOptions) *Model {
	t.Helper()
	m, err := Train(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func mustLoad(t testing.TB, path string) *Model {
	t.Helper()
	m, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// interrupt trains until so many batches are done, and gives the checkpoint's path.
func interrupt(t testing.TB, o TrainOptions, batches int) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	o.Watch = &watch{onBatch: func(n int) {
		if n == batches {
			cancel()
		}
	}}
	if _, err := Train(ctx, o); !errors.Is(err, ErrInterrupted) || !strings.Contains(err.Error(), LastPath(o.Output)) {
		t.Fatalf("after batch %d: error is %v, want an interruption that names %s", batches, err, LastPath(o.Output))
	}
	return LastPath(o.Output)
}

// wantError fails unless the error has the part; of another kind it names the sentinel too.
func wantError(t *testing.T, what string, err, kind error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) || kind != nil && !errors.Is(err, kind) {
		t.Errorf("%s: error is %v, want %q", what, err, part)
	}
}

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}
