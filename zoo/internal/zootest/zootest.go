package zootest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Side is the height and width of the tests' images.
const Side = 8

var (
	Eyes  = []string{"left_eye_center_x", "left_eye_center_y", "right_eye_center_x", "right_eye_center_y"}
	Nose  = []string{"nose_tip_x", "nose_tip_y"}
	Every = slices.Concat(Eyes, Nose)
)

const (
	Linear  = `{"name": "flat", "kind": "flatten"}, {"name": "out", "kind": "dense", "units": "columns"}`
	Dropout = `{"name": "flat", "kind": "flatten"}, {"name": "hidden", "kind": "dense", "units": 5, "activation": "tanh"},
		{"name": "drop", "kind": "dropout", "rate": 0.3}, {"name": "out", "kind": "dense", "units": "columns"}`
)

// Recipe is of full batches, with parts of it replaced or added.
func Recipe(changes string) string {
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

// Network is one member of a document.
type Network struct {
	Name    string
	columns []string
	layers  string
	recipe  string
	more    string // fields of the member
}

// Net is a network of these columns, layers and recipe, in JSON; more are further fields of the member.
func Net(name string, columns []string, layers, recipe, more string) Network {
	return Network{name, columns, layers, recipe, more}
}

// Document is a blueprint of these networks, for images of [Side].
func Document(t testing.TB, members ...Network) *blueprint.Document {
	t.Helper()
	var list []string
	for _, m := range members {
		columns, _ := json.Marshal(m.columns)
		list = append(list, fmt.Sprintf(`{"name": %q, "columns": %s, "layers": [%s], "recipe": %s%s}`, m.Name, columns, m.layers, m.recipe, m.more))
	}
	d, err := blueprint.Parse(fmt.Appendf(nil, `{"blueprint": 1, "name": "tiny", "input": {"height": %d, "width": %d, "channels": 1}, "members": [%s]}`,
		Side, Side, strings.Join(list, ",")))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// One is a document of one member, named net, of all columns.
func One(t testing.TB, layers, changes string) *blueprint.Document {
	t.Helper()
	return Document(t, Net("net", Every, layers, Recipe(changes), ""))
}

// Faces are random images, and points that follow from them, so that there is
// something to learn; a cell in six is empty.
func Faces(n int, columns []string, seed uint64) *dataset.Set {
	r := rand.New(rand.NewPCG(seed, 1))
	s := &dataset.Set{Columns: columns, Height: Side, Width: Side, Channels: 1, Source: "faces.csv"}
	for i := range n {
		var sum float64
		for range Side * Side {
			b := uint8(r.IntN(256))
			s.Bytes = append(s.Bytes, b)
			sum += float64(b) / (255 * Side * Side)
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

// WithColumns is the set with these columns alone, in this order.
func WithColumns(s *dataset.Set, columns []string) *dataset.Set {
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

func GoBackend(t testing.TB) *backend.Backend { return backendtest.Open(t, "go") }

// WantError fails unless the error has the part; of another kind it names the sentinel too.
func WantError(t *testing.T, what string, err, kind error, part string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), part) || kind != nil && !errors.Is(err, kind) {
		t.Errorf("%s: error is %v, want %q", what, err, part)
	}
}

func Near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*max(1, math.Abs(a), math.Abs(b))
}
