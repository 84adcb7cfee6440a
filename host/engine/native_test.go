package engine

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/native"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// arraysOf are weights in the order of a plan's parameters by name.
func arraysOf(plan *blueprint.Plan, weights [][]float32) Arrays {
	out := Arrays{}
	for i, p := range device.Params(plan) {
		out[p.Tensor] = Array{Shape: p.Shape, Data: weights[i]}
	}
	return out
}

// outcome is what a device makes of a plan: answers before, some steps, the state and answers after.
type outcome struct {
	before, after []float32
	state         *State
}

// outcomeOn trains a plan for an epoch, in slices of so many rows.
func outcomeOn(t testing.TB, on device.Device, plan *blueprint.Plan, e Examples, weights Arrays, atOnce int) outcome {
	t.Helper()
	p, err := newPredictor(on, plan, weights)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	var o outcome
	if o.before, err = p.Predict(context.Background(), e.Images, nil, nil); err != nil {
		t.Fatal(err)
	}
	tr := mustTrain(t, mustUpload(t, on, e), Config{Plan: plan, Rows: upTo(e.Count), Epochs: 1, Seed: 5, Weights: weights}, atOnce)
	rows := order(tr.Rows, tr.Seed, plan.Member.Name, 0)
	for size := tr.batchSize(); tr.step < tr.StepsPerEpoch(); tr.step++ {
		if err := tr.train(rows[tr.step*size : min((tr.step+1)*size, len(rows))]); err != nil {
			t.Fatal(err)
		}
	}
	o.state = mustSnapshot(t, tr)
	if o.after, err = tr.Predict(context.Background(), e.Images, nil); err != nil {
		t.Fatal(err)
	}
	return o
}

// apart is how far values are from each other, as a share of the largest, or of least.
func apart(got, want []float32, least float64) float64 {
	far, largest := 0.0, least
	for i, v := range want {
		d := math.Abs(float64(got[i]) - float64(v))
		if math.IsNaN(d) {
			return math.Inf(1)
		}
		far, largest = max(far, d), max(largest, math.Abs(float64(v)))
	}
	return far / largest
}

// moved are the differences of a tensor from what it was.
func moved(s *State, from Arrays, name string) []float32 {
	out := slices.Clone(s.Tensors[name].Data)
	if a, ok := from[name]; ok {
		for i, v := range a.Data {
			out[i] -= v
		}
	}
	return out
}

// compareOutcomes compares answers, loss, and how each tensor of the state has moved.
func compareOutcomes(t testing.TB, got, want outcome, weights Arrays, bound float64) {
	t.Helper()
	if d := apart(got.before, want.before, 1); d > bound {
		t.Errorf("answers are apart by %.2g, want at most %.2g", d, bound)
	}
	if d := math.Abs(got.state.LossSum-want.state.LossSum) / max(1e-3, want.state.LossSum); !(d <= bound) || got.state.Cells != want.state.Cells {
		t.Errorf("found a loss of %g over %g cells, want %g over %g", got.state.LossSum, got.state.Cells, want.state.LossSum, want.state.Cells)
	}
	largest := 0.0 // of all gradients: beside it, one that is nothing but rounding counts for nothing
	for name, a := range want.state.Tensors {
		for _, v := range a.Data {
			if strings.HasPrefix(name, "optimizer/") {
				largest = max(largest, math.Abs(float64(v)))
			}
		}
	}
	for name := range want.state.Tensors {
		w, least := moved(want.state, weights, name), 1e-3 // of a movement: a weight itself is rounded
		if strings.HasPrefix(name, "optimizer/") {
			least = max(1e-4, 0.01*largest)
		}
		if d := apart(moved(got.state, weights, name), w, least); d > bound {
			t.Errorf("tensor %s: moved otherwise by %.2g of the largest movement, want at most %.2g", name, d, bound)
		}
	}
	if d := apart(got.after, want.after, 1); d > bound {
		t.Errorf("answers after training are apart by %.2g, want at most %.2g", d, bound)
	}
}

// keptPlan is a plan of a document in testdata/bench, for images of so many pixels a side, in batches of 4.
func keptPlan(t testing.TB, name string, member, side int) *blueprint.Plan {
	t.Helper()
	text, err := os.ReadFile("testdata/bench/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	d, err := blueprint.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	d.Input.Height, d.Input.Width = side, side
	// Adam makes as much of a gradient that is nothing but rounding as of any other.
	if r := &d.Members[member].Recipe; r.Optimizer.Kind != "sgd" {
		r.Optimizer = blueprint.Optimizer{Kind: "sgd"}
	}
	d.Members[member].Recipe.Batch = 4
	plan, err := blueprint.NewPlan(d, member, blueprint.KaggleColumns)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// Whole networks answer and train as on GoMLX's pure-Go backend: two batches, the second of them smaller.
func TestPlansAgreeWithGoMLX(t *testing.T) {
	for _, c := range []struct {
		name         string
		member, side int
		bound        float64
	}{{"net6", 0, 48, 1e-4}, {"net11", 0, 32, 1e-4}, {"compact-s", 0, 48, 2e-3}, {"specialists", 0, 48, 1e-4}, {"specialists", 1, 48, 1e-4}} {
		t.Run(fmt.Sprint(c.name, c.member), func(t *testing.T) {
			plan := keptPlan(t, c.name, c.member, c.side)
			e := faces(7, c.side, c.side, blueprint.KaggleColumns)
			weights := InitialWeights(plan, 3)
			atOnce := openNative(t).SliceRows(plan)
			want := outcomeOn(t, openReference(t), plan, e, weights, atOnce)
			compareOutcomes(t, outcomeOn(t, openNative(t), plan, e, weights, atOnce), want, weights, c.bound)
		})
	}
}

// compareRandom compares a random plan on the native device and another.
func compareRandom(t *testing.T, other device.Device, seed uint64, layers int) {
	r := rand.New(rand.NewPCG(seed, uint64(layers)))
	plan := enginetest.RandomPlan(t, r, layers)
	in := plan.Document.Input
	e := faces(8, in.Height, in.Width, enginetest.Columns)
	e.Channels = in.Channels
	for len(e.Bytes) < 8*e.Pixels() {
		e.Bytes = append(e.Bytes, uint8(r.IntN(256)))
	}
	atOnce := 4
	for i := range plan.Nodes {
		if plan.Nodes[i].Kind.Name == "batch_norm" {
			atOnce = 8
		}
	}
	weights := arraysOf(plan, enginetest.Weights(plan, seed))
	for name, a := range weights { // a variance is never negative
		for i, v := range a.Data {
			if len(name) > 9 && name[len(name)-9:] == "/variance" {
				a.Data[i] = float32(math.Abs(float64(v)) + 0.1)
			}
		}
	}
	compareOutcomes(t, outcomeOn(t, openNative(t), plan, e, weights, atOnce), outcomeOn(t, other, plan, e, weights, atOnce), weights, 2e-3)
	if t.Failed() {
		for i := range plan.Nodes {
			n := &plan.Nodes[i]
			t.Logf("%s %s %v of %v: %v -> %v", n.Layer.Name, n.Kind.Name, n.Layer.Settings, n.Layer.Inputs, n.In, n.Out)
		}
		t.Logf("%+v %+v", plan.Member.Recipe.Loss, plan.Member.Recipe.Optimizer.Kind)
	}
}

// Networks of random layers answer and train as on GoMLX's pure-Go backend.
func TestRandomPlansAgreeWithGoMLX(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { compareRandom(t, openReference(t), seed, 2+int(seed)%9) })
	}
}

// And as on XLA, where it is installed: fewer, since each takes a second to compile.
func TestRandomPlansAgreeWithXLA(t *testing.T) {
	if raced {
		t.Skip("XLA isn't built for the race detector")
	}
	on := deviceOf(backendtest.Open(t, "cpu"))
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { compareRandom(t, on, 2000+seed, 2+int(seed)%9) })
	}
}

func FuzzPlansAgreeWithGoMLX(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(1000+seed, uint8(seed))
	}
	f.Fuzz(func(t *testing.T, seed uint64, layers uint8) {
		compareRandom(t, openReference(t), seed, 1+int(layers)%12)
	})
}

// A training gives the same bytes with any number of threads.
func TestThreadsGiveTheSame(t *testing.T) {
	for _, name := range []string{"net6", "compact-s"} {
		plan := keptPlan(t, name, 0, 48)
		e := faces(7, 48, 48, blueprint.KaggleColumns)
		weights := InitialWeights(plan, 3)
		for _, set := range kernel.Sets() {
			if set.Name == "plain" && name != "net6" {
				continue // slow, and its kernels know no threads
			}
			var first *outcome
			for _, threads := range []int{1, 2, 3, 8} {
				d := native.New(set, threads)
				got := outcomeOn(t, d, plan, e, weights, d.SliceRows(plan))
				if first == nil {
					first = &got
				}
				sameState(t, fmt.Sprint(name, ", ", set.Name, ", ", threads, " threads"), got.state, first.state)
				if !slices.Equal(got.before, first.before) || !slices.Equal(got.after, first.after) {
					t.Errorf("%s, %s, %d threads: found other answers", name, set.Name, threads)
				}
			}
		}
	}
}
