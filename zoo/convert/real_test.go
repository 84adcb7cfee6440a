package convert

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"testing"

	data "github.com/fkzoo/fkzoo/zoo/dataset/source"

	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// tolerance is the largest difference of a prediction from what the legacy
// software itself predicted, pixels.
const tolerance = 1e-3

// realFile gives a file made by the real legacy software.
func realFile(t *testing.T, name string) string {
	t.Helper()
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	return filepath.Join(folder, "legacy", name)
}

// expected reads what the legacy software predicted for the probe images,
// (pixel - 48) / 48, as pixels.
func expected(t *testing.T, name string) []float64 {
	t.Helper()
	data, err := os.ReadFile(realFile(t, name+".expected.npz"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := npy.NewArchive(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	x, err := a.Array("predictions")
	if err != nil {
		t.Fatal(err)
	}
	values, err := tensor.Values[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = 48*float64(v) + 48
	}
	return out
}

// predictions of the real files agree with those of the software that wrote
// them, on every backend.
func TestParity(t *testing.T) {
	tests := []struct {
		file, as string
		expected []string // one for each member
	}{
		{"net6-small.p4.pickle", "", []string{"net6-small"}},
		{"net6-small.p2.pickle", "", []string{"net6-small"}},
		{"net6-small.py27.pickle", "", []string{"net6-small"}},
		{"net11-small.p4.pickle", "", []string{"net11-small"}},
		{"specialists-small.p4.pickle", "", []string{"specialists-small.0", "specialists-small.1"}},
		{"net11-small.params.pickle", "net11", []string{"net11-small"}},
		{"net11-small.param-values.pickle", "net11", []string{"net11-small"}},
		{"net11-small.param-values.npz", "net11", []string{"net11-small"}},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			m, err := converted(context.Background(), realFile(t, tt.file), Options{As: tt.as, Host: architectures(t)})
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(t.TempDir(), "model.fkz")
			if err := m.Save(path, false); err != nil {
				t.Fatal(err)
			}
			if m, err = model.Load(path); err != nil {
				t.Fatal(err)
			}
			backendtest.Each(t, func(t *testing.T, b *backend.Backend) {
				images, err := data.Open(t.Context(), realFile(t, "probe-images.npy"), data.Options{Height: 96, Width: 96})
				if err != nil {
					t.Fatal(err)
				}
				e, err := answer.Open(t.Context(), []*model.Model{m}, answer.Options{Backend: b})
				if err != nil {
					t.Fatal(err)
				}
				defer e.Close()
				err = e.Each(t.Context(), images, nil, func(part *dataset.Set, p *answer.Prediction) error {
					compare(t, p, part.Len(), m, tt.expected)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// compare wants each member's columns as its file of expectations has them.
func compare(t *testing.T, p *answer.Prediction, rows int, m *model.Model, names []string) {
	t.Helper()
	if len(names) != len(m.Document.Members) {
		t.Fatalf("found %d members, want %d", len(m.Document.Members), len(names))
	}
	worst, from := 0.0, 0
	for i, name := range names {
		want := expected(t, name)
		n := len(m.Document.Members[i].Columns)
		if len(want) != rows*n {
			t.Fatalf("%s: found %d columns, want %d", name, n, len(want)/rows)
		}
		for r := range rows {
			for c := range n {
				d := math.Abs(float64(p.Row(r)[from+c]) - want[r*n+c])
				worst = math.Max(worst, d)
				if math.IsNaN(d) || d > tolerance {
					t.Fatalf("%s, image %d, column %s: found %g, want %g", name, r, p.Columns[from+c], p.Row(r)[from+c], want[r*n+c])
				}
			}
		}
		from += n
	}
	t.Logf("largest difference %.2g pixels", worst)
}
