// Package pytorch reads what PyTorch made of convolutions and pools, which host/engine/kernel keeps with the script beside it, for
// tests. It knows nothing of how they are computed here.
package pytorch

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"
)

// Array is numbers and their shape.
type Array struct {
	Shape  []int     `json:"shape"`
	Per64  []int     `json:"per64"`
	Values []float32 `json:"values"`
}

// Floats are the numbers; nil of nil.
func (a *Array) Floats() []float32 {
	if a == nil {
		return nil
	}
	if a.Per64 == nil {
		return a.Values
	}
	f := make([]float32, len(a.Per64))
	for i, v := range a.Per64 {
		f[i] = float32(v) / 64
	}
	return f
}

// Case is one operation: conv, max or avg.
type Case struct {
	Op                 string
	Strides, Dilations [2]int
	Window             [2]int
	Padding            [2][2]int
	Groups             int
	CountPadding       bool
	X, W, B            *Array
	Y, DY, DX, DW, DB  *Array
}

// Name says which case it is.
func (c *Case) Name(i int) string {
	return fmt.Sprintf("%03d %s %v on %v strides %v dilations %v padding %v groups %d", i, c.Op, c.Window, c.X.Shape, c.Strides, c.Dilations, c.Padding, c.Groups)
}

// Read gives all cases. A test's folder is two below host/engine.
func Read(t testing.TB) []Case {
	t.Helper()
	const path = "../../gomlx/kernel/testdata/reference.json.gz"
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases []Case
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 200 {
		t.Fatalf("%s: found %d cases, want at least 200", path, len(cases))
	}
	return cases
}

// Near compares with what is wanted; nil for nothing.
func Near(t *testing.T, what string, got []float32, want *Array) {
	t.Helper()
	w := want.Floats()
	if w != nil && len(w) != len(got) {
		t.Errorf("%s: found %d values, want %v", what, len(got), want.Shape)
		return
	}
	for i := range w {
		if d := math.Abs(float64(got[i] - w[i])); !(d <= 1e-4*(1+math.Abs(float64(w[i])))) {
			t.Errorf("%s: value %d is %v, want %v", what, i, got[i], w[i])
			return
		}
	}
}
