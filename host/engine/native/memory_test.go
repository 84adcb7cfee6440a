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
			const rows = 7
			var found [2][]float32
			for i := range found {
				b := newBuilder(d.set, d.pool.Threads(), plan, training)
				b.rows = rows
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
				total[i] += p.TensorBytes()
				found[i] = runOnce(p, plan, rows)
			}
			if !slices.EqualFunc(found[0], found[1], func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) }) {
				t.Errorf("seed %d, training %v: found other values where they share memory", seed, training)
			}
		}
	}
	if total[0] > total[1]*9/10 {
		t.Errorf("found %d bytes of shared memory, %d where nothing is shared", total[0], total[1])
	}
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
