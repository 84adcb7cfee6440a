package engine

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

type initialCase struct {
	init                string
	bound, spread, mean float64 // bound 0: none
}

// initialCases are for fans of 300 and 100.
var initialCases = []initialCase{
	{init: "glorot_uniform", bound: math.Sqrt(6.0 / 400), spread: math.Sqrt(2.0 / 400)},
	{init: "glorot_normal", spread: math.Sqrt(2.0 / 400)},
	{init: "he_uniform", bound: math.Sqrt(6.0 / 300), spread: math.Sqrt(2.0 / 300)},
	{init: "he_normal", spread: math.Sqrt(2.0 / 300)},
	{init: "zeros"},
	{init: "ones", mean: 1},
}

// Bounds, mean and standard deviation of each initializer.
func TestInitialValues(t *testing.T) {
	const in, out = 300, 100
	for _, c := range initialCases {
		values := make([]float32, in*out)
		initialize(values, blueprint.Param{Init: c.init, FanIn: in, FanOut: out}, stream(5, c.init))
		var sum, squares, largest float64
		for _, v := range values {
			sum += float64(v)
			largest = max(largest, math.Abs(float64(v)))
		}
		mean := sum / in / out
		for _, v := range values {
			squares += (float64(v) - mean) * (float64(v) - mean)
		}
		spread := math.Sqrt(squares / in / out)
		if math.Abs(mean-c.mean) > 5*c.spread/math.Sqrt(in*out) {
			t.Errorf("%s: found a mean of %g, want %g", c.init, mean, c.mean)
		}
		if math.Abs(spread-c.spread) > 0.03*c.spread {
			t.Errorf("%s: found a standard deviation of %g, want %g", c.init, spread, c.spread)
		}
		if c.bound > 0 && (largest > c.bound || largest < 0.99*c.bound) {
			t.Errorf("%s: found values up to %g, want them up to %g", c.init, largest, c.bound)
		}
	}
	for _, name := range blueprint.Initializers.Names() {
		if !slices.ContainsFunc(initialCases, func(c initialCase) bool { return c.init == name }) {
			t.Errorf("initializer %s: not in initialCases", name)
		}
		values := []float32{7}
		initialize(values, blueprint.Param{Init: name, FanIn: 1, FanOut: 1}, stream(5, name))
		if values[0] == 7 {
			t.Errorf("%s: found values left as they were", name)
		}
	}
}

// A seed means the same weights for ever, on every backend and machine.
func TestInitialWeightsAreTheSameForEver(t *testing.T) {
	layers := `{"name": "c", "kind": "conv2d", "filters": 2, "kernel": 2}, {"name": "n", "kind": "batch_norm"}, {"name": "f", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns", "initializer": "he_normal"}`
	plan := enginetest.Plan(t, enginetest.Document(3, 3, "unit", layers, enginetest.Plain(enginetest.SGD)), "a_x")
	got := InitialWeights(plan, 42)
	want := Arrays{
		"net/c/weights":  {Shape: []int{2, 2, 1, 2}, Data: []float32{0.66429275, 0.17557225, 0.30169258, 0.49089542, 0.13252296, -0.44919452, -0.32544062, 0.45961484}},
		"net/c/bias":     {Shape: []int{2}, Data: []float32{0, 0}},
		"net/n/scale":    {Shape: []int{2}, Data: []float32{1, 1}},
		"net/n/offset":   {Shape: []int{2}, Data: []float32{0, 0}},
		"net/n/mean":     {Shape: []int{2}, Data: []float32{0, 0}},
		"net/n/variance": {Shape: []int{2}, Data: []float32{1, 1}},
		"net/y/weights":  {Shape: []int{8, 1}, Data: []float32{0.048648167, 0.9255223, -0.40786803, -0.048357416, -1.1790382, -0.05011922, -0.3668281, 0.20954454}},
		"net/y/bias":     {Shape: []int{1}, Data: []float32{0}},
	}
	if len(got) != len(want) {
		t.Errorf("found %d tensors, want %d", len(got), len(want))
	}
	for name, w := range want {
		if g := got[name]; !slices.Equal(g.Shape, w.Shape) || !slices.Equal(g.Data, w.Data) {
			t.Errorf("tensor %s: found %v %v, want %v %v", name, g.Shape, g.Data, w.Shape, w.Data)
		}
	}
	again, other := InitialWeights(plan, 42), InitialWeights(plan, 43)
	for name, g := range got {
		if !slices.Equal(g.Data, again[name].Data) {
			t.Errorf("tensor %s: found other values for the same seed", name)
		}
		if drawn := strings.HasSuffix(name, "/weights"); drawn == slices.Equal(g.Data, other[name].Data) {
			t.Errorf("tensor %s: another seed, drawn %v: found the values %v", name, drawn, other[name].Data)
		}
	}
}
