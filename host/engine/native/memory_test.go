package native

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A program finds the same when its values share no memory: no instruction reads or writes what it doesn't say it uses, and none finds
// there what another has put over it.
func TestSharedMemoryMakesNoDifference(t *testing.T) {
	d := New(kernel.Sets()[0], 2)
	defer d.Close()
	var total [2]uint64
	for seed := range uint64(60) {
		plan := enginetest.RandomPlan(t, rand.New(rand.NewPCG(seed, 1)), 3+int(seed)%10)
		for _, training := range []bool{true, false} {
			bytes := sharedAndNot(t, d, fmt.Sprintf("seed %d, training %v", seed, training), plan, training)
			total[0], total[1] = total[0]+bytes[0], total[1]+bytes[1]
		}
	}
	if total[0] > total[1]*9/10 {
		t.Errorf("found %d bytes of shared memory, %d where nothing is shared", total[0], total[1])
	}
}

// A gradient is not added to itself where a convolution still reads it: that of a sum goes to both of its inputs as it is.
func TestGradientOfResidual(t *testing.T) {
	for _, set := range kernel.Sets() {
		for _, threads := range []int{1, 3} {
			d := New(set, threads)
			for _, size := range []int{1, 2, 3, 5} {
				for _, filters := range []int{8, 32} {
					layers := fmt.Sprintf(`{"name": "a", "kind": "conv2d", "filters": %d, "kernel": 3, "padding": "same", "activation": "tanh"},
						{"name": "b", "kind": "conv2d", "filters": %[1]d, "kernel": %d, "padding": "same"}, {"name": "s", "kind": "add", "inputs": ["b", "a"]}, %s`, filters, size, enginetest.OneDense)
					plan := enginetest.Plan(t, enginetest.Document(24, 24, "unit", layers, enginetest.Plain(enginetest.SGD)), "c_x", "c_y")
					sharedAndNot(t, d, fmt.Sprintf("%s, %d threads, %d filters of %d", set.Name, threads, filters, size), plan, true)
				}
			}
			d.Close()
		}
	}
}

// sharedAndNot compares a program's findings with those of one whose values share no memory. It gives the memory that each takes.
func sharedAndNot(t *testing.T, d *Device, name string, plan *blueprint.Plan, training bool) (bytes [2]uint64) {
	t.Helper()
	const rows = 7
	var found [2][]float32
	for i := range found {
		b := newBuilder(d.set, d.pool.Threads(), plan, training, rows)
		tape := b.forward()
		y := b.values[plan.Output]
		if training {
			b.backward(tape, b.loss(y))
		}
		var keep []*tensor
		if i == 1 {
			keep = b.Tensors()
		}
		p := b.finish(d, y, rows, keep...)
		bytes[i] = p.TensorBytes()
		found[i] = runOnce(p, plan, rows)
	}
	if !slices.EqualFunc(found[0], found[1], func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
		t.Errorf("%s: found other values where they share memory", name)
	}
	return bytes
}

// Convolutions that are done at once with the max-pool behind them, in answers, give what they give one after the other, in training.
func TestPooledAnswers(t *testing.T) {
	const rows = 5
	for _, set := range kernel.Sets() {
		d := New(set, 2)
		for _, c := range []struct {
			size   [2]int
			layers string
			fused  int
		}{
			{[2]int{24, 24}, `{"name": "a", "kind": "conv2d", "filters": 16, "kernel": 3, "padding": "same", "activation": "relu"}, {"name": "p", "kind": "max_pool", "window": 2},
				{"name": "b", "kind": "conv2d", "filters": 32, "kernel": 3, "activation": "relu"}, {"name": "q", "kind": "max_pool", "window": 2},
				{"name": "c", "kind": "conv2d", "filters": 24, "kernel": 2}, {"name": "r", "kind": "max_pool", "window": 2}`, 3},
			{[2]int{47, 51}, `{"name": "a", "kind": "conv2d", "filters": 20, "kernel": 3, "activation": "relu"}, {"name": "p", "kind": "max_pool", "window": 2},
				{"name": "b", "kind": "conv2d", "filters": 40, "kernel": 2, "stride": [2, 1], "padding": "same"}, {"name": "q", "kind": "max_pool", "window": 2, "stride": 2}`, 2},
			{[2]int{12, 9}, `{"name": "a", "kind": "conv2d", "filters": 8, "kernel": 3, "activation": "gelu"}, {"name": "p", "kind": "max_pool", "window": 2}`, 0},
			{[2]int{12, 9}, `{"name": "a", "kind": "conv2d", "filters": 8, "kernel": 3, "activation": "relu"}, {"name": "p", "kind": "max_pool", "window": 2, "padding": "same"}`, 0},
			{[2]int{12, 12}, `{"name": "a", "kind": "conv2d", "filters": 8, "kernel": 3, "padding": "same"}, {"name": "p", "kind": "max_pool", "window": 2},
				{"name": "q", "kind": "max_pool", "window": 2, "inputs": ["a"]}, {"name": "s", "kind": "add", "inputs": ["p", "q"]}`, 0},
		} {
			plan := enginetest.Plan(t, enginetest.Document(c.size[0], c.size[1], "unit", c.layers+", "+enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "c_x", "c_y")
			var found [2][]float32
			fused := 0
			for i, training := range []bool{true, false} {
				b := newBuilder(d.set, d.pool.Threads(), plan, training, rows)
				b.forward()
				for k := range plan.Nodes {
					if b.values[k] == nil {
						fused++
					}
				}
				y := b.values[plan.Output]
				p := b.finish(d, y, rows)
				all := runOnce(p, plan, rows)
				found[i] = all[len(all)-rows*len(plan.Columns):]
			}
			if fused != c.fused || !near(found[0], found[1]) {
				t.Errorf("%s, %s: found %d convolutions done with their pool and %v, want %d and %v", set.Name, c.layers, fused, found[1], c.fused, found[0])
			}
		}
		d.Close()
	}
}

// near: a dense layer's sums may be in another order.
func near(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Abs(float64(x-y)) <= 1e-5*(1+math.Abs(float64(y))) })
}

// runOnce runs a program on made-up images and weights. It gives the answers and all gradients.
func runOnce(p *built, plan *blueprint.Plan, rows int) []float32 {
	in, columns := plan.Document.Input, len(plan.Columns)
	p.slice = device.Slice{Seed: [2]uint32{9, 1}, Rows: rows, Cells: rows * columns}
	for i := range rows * in.Height * in.Width * in.Channels {
		p.slice.Pixels = append(p.slice.Pixels, float32(i*i%251))
	}
	for range rows {
		p.slice.Labels = append(append(p.slice.Labels, make([]float32, columns)...), slices.Repeat([]float32{1}, columns)...)
	}
	p.params = enginetest.Weights(plan, 5)
	for _, w := range p.params {
		p.gradients = append(p.gradients, make([]float32, len(w)))
	}
	p.Prepare()
	p.Run(rows, false)
	return slices.Concat(append(p.gradients, p.Values(p.result, rows))...)
}

// Which batches are sliced, and how much memory a slice's values take.
func TestSliceRows(t *testing.T) {
	d := New(kernel.Sets()[0], 2)
	defer d.Close()
	for _, c := range []struct {
		name        string
		batch, want int
		most        int // megabytes
	}{
		{"net6", 128, 128, 400}, {"net6", 256, 128, 400}, {"net11", 64, 64, 640}, {"net11", 128, 64, 640},
		{"compact-s", 32, 32, 200}, {"compact-s", 2048, 2048, 3000}, // has batch_norm
	} {
		t.Run(fmt.Sprint(c.name, c.batch), func(t *testing.T) {
			text, err := os.ReadFile("../testdata/bench/" + c.name + ".json")
			if err != nil {
				t.Fatal(err)
			}
			doc, err := blueprint.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			plan, err := blueprint.NewPlan(doc, 0, blueprint.KaggleColumns)
			if err != nil {
				t.Fatal(err)
			}
			plan.Member.Recipe.Batch = c.batch
			rows := d.SliceRows(plan)
			if rows != c.want {
				t.Errorf("found %d rows at once, want %d", rows, c.want)
			}
			p, err := build(d.set, 2, plan, true, rows)
			if err != nil {
				t.Fatal(err)
			}
			mb := int(p.TensorBytes() >> 20)
			t.Logf("%d MB of %d MB are tensors", mb, p.Bytes()>>20)
			if mb > c.most {
				t.Errorf("found %d MB, want at most %d", mb, c.most)
			}
		})
	}
}
