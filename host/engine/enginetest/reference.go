// Package enginetest has what tests of the engine share, whichever device
// computes: small blueprints, and the values that PyTorch gives for layers, losses
// and trainings. It is for tests alone, and knows no device.
package enginetest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Tensor is float32 values in row-major order.
type Tensor struct {
	Shape []int
	Data  []float32
}

// RefArray is an array of testdata/reference.json.gz: whole 64ths, or values.
type RefArray struct {
	Shape  []int     `json:"shape"`
	Per64  []int     `json:"per64"`
	Values []float64 `json:"values"`
}

// Tensor checks the shape and gives float32 values.
func (a RefArray) Tensor(t testing.TB) Tensor {
	t.Helper()
	out := Tensor{Shape: a.Shape}
	for _, v := range a.Per64 {
		out.Data = append(out.Data, float32(v)/64)
	}
	for _, v := range a.Values {
		out.Data = append(out.Data, float32(v))
	}
	if n := blueprint.Shape(a.Shape).Size(); n != int64(len(out.Data)) {
		t.Fatalf("reference.json.gz: found %d values for shape %v", len(out.Data), a.Shape)
	}
	return out
}

// RefLayers are some layers with inputs, parameters and the gradient dy of their
// value, and what follows from these.
type RefLayers struct {
	Name      string              `json:"name"`
	Layers    []json.RawMessage   `json:"layers"`
	Inputs    map[string]RefArray `json:"inputs"`
	Params    map[string]RefArray `json:"params"`
	Y         RefArray            `json:"y"`
	DY        RefArray            `json:"dy"`
	DX        map[string]RefArray `json:"dx"`
	DParams   map[string]RefArray `json:"dparams"`
	Updates   map[string]RefArray `json:"updates"`
	Predicted *RefArray           `json:"predicted"`
}

// RefLoss is a loss of some cells.
type RefLoss struct {
	Loss     blueprint.Loss `json:"loss"`
	Answer   RefArray       `json:"answer"`
	Target   RefArray       `json:"target"`
	Filled   RefArray       `json:"filled"`
	Cells    RefArray       `json:"cells"`
	Sum      float64        `json:"sum"`
	Gradient RefArray       `json:"gradient"`
}

// RefTraining is some batches of a training, and the state behind them.
type RefTraining struct {
	Name    string              `json:"name"`
	Scaling string              `json:"scaling"`
	Layers  []json.RawMessage   `json:"layers"`
	Recipe  json.RawMessage     `json:"recipe"`
	Images  []int               `json:"images"`
	Points  []*float64          `json:"points"`
	Batches [][]int             `json:"batches"`
	Weights map[string]RefArray `json:"weights"`
	State   map[string]RefArray `json:"state"`
	LossSum float64             `json:"loss_sum"`
	Cells   float64             `json:"cells"`
}

// Reference is all of testdata/reference.json.gz, which reference.py beside it makes.
type Reference struct {
	Layers    []RefLayers   `json:"layers"`
	Losses    []RefLoss     `json:"losses"`
	Trainings []RefTraining `json:"trainings"`
}

//go:embed testdata/reference.json.gz
var referenceFile []byte

var readReference = sync.OnceValues(func() (*Reference, error) {
	z, err := gzip.NewReader(bytes.NewReader(referenceFile))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(z)
	d.DisallowUnknownFields()
	var r Reference
	if err := d.Decode(&r); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("reference.json.gz: found more than one document")
	}
	if len(r.Layers) < 150 || len(r.Losses) < 6 || len(r.Trainings) < 6 {
		return nil, fmt.Errorf("reference.json.gz: found %d layers, %d losses and %d trainings, want at least 150, 6 and 6", len(r.Layers), len(r.Losses), len(r.Trainings))
	}
	return &r, nil
})

// TheReference gives the reference.
func TheReference(t testing.TB) *Reference {
	t.Helper()
	r, err := readReference()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Near fails where a value is off by more than tolerance times the largest.
func Near(t *testing.T, what string, got, want Tensor, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Errorf("%s: found shape %v, want %v", what, got.Shape, want.Shape)
		return
	}
	largest := 0.1
	for _, v := range want.Data {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range got.Data {
		if d := math.Abs(float64(v) - float64(want.Data[i])); !(d <= tolerance*largest) {
			t.Errorf("%s: value %d of %v is %g, want %g", what, i, want.Shape, v, want.Data[i])
			return
		}
	}
}
