package native

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// No two buffers that are needed at the same time share memory, and none reaches beyond the program's.
func TestMemoryIsSharedByNothingAtOnce(t *testing.T) {
	for seed := range uint64(60) {
		plan := enginetest.RandomPlan(t, rand.New(rand.NewPCG(seed, 1)), 3+int(seed)%10)
		for _, training := range []bool{true, false} {
			const rows = 7
			b := newBuilder(kernel.Sets()[0], 2, plan, training)
			tape := b.forward()
			y := b.values[plan.Output]
			if training {
				b.backward(tape, b.loss(y))
			}
			p := b.finish(y, rows)
			var all []*buffer
			seen := map[*buffer]bool{}
			for _, t := range b.tensors {
				if r := t.root(); r.first >= 0 && !seen[r] {
					seen[r] = true
					all = append(all, r)
				}
			}
			end := func(x *buffer) int {
				n := rows
				if x.local {
					n = min(n, b.regions[b.regionOf(x.first)].rows)
				}
				return x.offset + x.row*n + x.fixed
			}
			for i, x := range all {
				if end(x) > p.memory {
					t.Errorf("seed %d: a buffer ends at %d of %d", seed, end(x), p.memory)
				}
				for _, other := range all[:i] {
					together := x.from <= other.to && other.from <= x.to
					if together && x.offset < end(other) && other.offset < end(x) {
						t.Errorf("seed %d: two buffers share memory: %+v and %+v", seed, *x, *other)
					}
				}
			}
		}
	}
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
			t.Logf("%d MB and %d MB of scratch memory", p.memory*4>>20, p.scratch*4>>20)
			if mb := p.memory * 4 >> 20; mb > c.most {
				t.Errorf("found %d MB, want at most %d", mb, c.most)
			}
		})
	}
}
