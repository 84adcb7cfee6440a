package program

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// random writes instructions down at random, and what each should find: tensors' values are whole numbers below base, so that
// sums are exact.
type random struct {
	Builder
	r       *rand.Rand
	rows    int
	tensors []*Tensor
	values  [][]float32 // of each, as computed without a program
	sums    [][]float32 // over rows, by instructions
	want    [][]float32 // likewise
}

const base = 1021

func mix(x, y float32, k int) float32 { return float32((3*int(x) + 5*int(y) + k) % base) }

// add emits a rowwise function of two tensors that may lie where one of them does.
func (g *random) add(first bool) {
	width := 1 + g.r.IntN(3)*16
	k := g.r.IntN(base)
	var over, others []*Tensor
	var of [2][]float32
	if !first {
		a, b := g.pick(), g.pick()
		over, of = []*Tensor{g.tensors[a]}, [2][]float32{g.values[a], g.values[b]}
		if width = over[0].Row(); g.tensors[b].Row() == width {
			over = append(over, g.tensors[b])
		} else {
			of[1] = of[0]
		}
		others = []*Tensor{g.tensors[g.pick()]} // of any width
	}
	y := g.Rows([]int{width})
	want := make([]float32, g.rows*width)
	for i := range want {
		if first {
			want[i] = float32((i*i + k) % base)
		} else {
			want[i] = mix(of[0][i], of[1][i], k)
		}
	}
	scratch := g.scratch()
	in := Instruction{Uses: slices.Concat([]*Tensor{y}, over, others), Output: y, Over: append(others, over...), Rowwise: g.r.IntN(6) > 0, Scratch: scratch}
	in.Run = func(f *Frame) {
		out := f.Of(y)
		for i := range out {
			if first {
				at := f.From*width + i
				out[i] = float32((at*at + k) % base)
			} else {
				out[i] = mix(f.Of(over[0])[i], f.Of(over[len(over)-1])[i], k)
			}
		}
		spoil(f.Scratch[:scratch(f.Rows)])
	}
	g.Emit(in)
	g.tensors, g.values = append(g.tensors, y), append(g.values, want)
}

// pick is one of the last tensors, or any.
func (g *random) pick() int {
	n := len(g.tensors)
	if g.r.IntN(3) > 0 {
		return n - 1 - g.r.IntN(min(n, 3))
	}
	return g.r.IntN(n)
}

// turn emits what needs all rows at once: their order is reversed.
func (g *random) turn() {
	a := g.pick()
	x := g.tensors[a]
	w := x.Row()
	y := g.Rows(x.Shape())
	want := make([]float32, g.rows*w)
	turn := func(to, from []float32) {
		for row := range g.rows {
			copy(to[row*w:][:w], from[(g.rows-1-row)*w:][:w])
		}
	}
	turn(want, g.values[a])
	g.Emit(Instruction{Uses: []*Tensor{y, x}, Run: func(f *Frame) { turn(f.Of(y), f.Of(x)) }})
	g.tensors, g.values = append(g.tensors, y), append(g.values, want)
}

// sum emits sums over rows, of which each piece has a part, in a tensor without rows.
func (g *random) sum() {
	a := g.pick()
	x := g.View(g.tensors[a], g.tensors[a].Shape())
	w := x.Row()
	part, total, want, scratch := g.Fixed(w), make([]float32, w), make([]float32, w), g.scratch()
	for i, v := range g.values[a] {
		want[i%w] += v
	}
	g.Emit(Instruction{Uses: []*Tensor{x, part}, Rowwise: true, Scratch: scratch, Run: func(f *Frame) {
		p := f.Of(part)
		clear(p)
		for i, v := range f.Of(x) {
			p[i%w] += v
		}
		spoil(f.Scratch[:scratch(f.Rows)])
		for i, v := range p {
			if !f.More {
				total[i] = 0
			}
			total[i] += v
		}
	}})
	g.sums, g.want = append(g.sums, total), append(g.want, want)
}

// scratch is what an instruction needs to work with, and spoils.
func (g *random) scratch() func(rows int) int {
	n := g.r.IntN(40)
	few := g.r.IntN(5) // more for few rows
	return func(rows int) int { return n * max(rows, few-rows) }
}

func spoil(x []float32) {
	for i := range x {
		x[i] = -1
	}
}

// Programs of instructions at random find what these find one by one, each with memory of its own; in one run or in two.
func TestRandomPrograms(t *testing.T) {
	was := pieceBytes
	defer func() { pieceBytes = was }()
	pieceBytes = 1000 // a few rows
	pool := work.New(1)
	defer pool.Close()
	shared := 0
	for seed := range uint64(400) {
		g := &random{r: rand.New(rand.NewPCG(seed, 2)), rows: 1 + int(seed)%7}
		for i := range 4 + int(seed)%30 {
			switch n := g.r.IntN(10); {
			case i == 0 || n == 0:
				g.add(true)
			case n == 1:
				g.turn()
			case n < 4:
				g.sum()
			default:
				g.add(false)
			}
		}
		last := len(g.tensors) - 1
		keep := []int{last, g.r.IntN(last + 1)}
		p := g.Finish(g.rows, g.tensors[keep[0]], g.tensors[keep[1]])
		if err := g.overlap(g.rows, p.memory); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		all := 0
		for _, v := range g.values {
			all += len(v)
		}
		if p.memory < all {
			shared++
		}
		p.Allocate(pool.Caller(), nil)
		for run := range 3 {
			p.Run(g.rows, run == 2)
			for _, k := range keep {
				if got := p.Values(g.tensors[k], g.rows); !slices.Equal(got, g.values[k]) {
					t.Errorf("seed %d, run %d, tensor %d: found %v, want %v", seed, run, k, got, g.values[k])
				}
			}
			for i, got := range g.sums {
				want := slices.Clone(g.want[i])
				if run == 2 { // it goes on from run 1
					for k := range want {
						want[k] *= 2
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("seed %d, run %d, sum %d: found %v, want %v", seed, run, i, got, want)
				}
			}
		}
	}
	if shared < 200 {
		t.Errorf("found %d programs that share memory, want most", shared)
	}
}

// overlap tells of two buffers that are needed at the same time and share memory, or of one that reaches beyond the program's.
func (b *Builder) overlap(rows, memory int) error {
	var all []*buffer
	for _, t := range b.tensors {
		if r := t.root(); r.first >= 0 && !slices.Contains(all, r) {
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
		if end(x) > memory {
			return fmt.Errorf("a buffer ends at %d of %d", end(x), memory)
		}
		for _, other := range all[:i] {
			together := x.from <= other.to && other.from <= x.to
			if together && x.offset < end(other) && other.offset < end(x) {
				return fmt.Errorf("two buffers share memory: %+v and %+v", *x, *other)
			}
		}
	}
	return nil
}

// Large rows are taken a few at once, and what one region alone uses has memory for these alone.
func TestPieces(t *testing.T) {
	const rows = 7
	width := pieceBytes / 4 / 5 // two tensors: two rows at once
	pool := work.New(1)
	defer pool.Close()
	var b Builder
	x, y, between := b.Rows([]int{width}), b.Rows([]int{width}), b.Rows([]int{width})
	var pieces []int
	once := b.Constant(1)
	b.Prepare(func(f *Frame) { f.Constant(once)[0] = 3 })
	b.Emit(Instruction{Uses: []*Tensor{between, x}, Rowwise: true, Run: func(f *Frame) {
		pieces = append(pieces, f.Rows)
		if more := len(pieces) > 1; f.More != more {
			t.Errorf("piece %d: More is %v", len(pieces), f.More)
		}
		to, from := f.Of(between), f.Of(x)
		for i, v := range from {
			to[i] = v + f.Constant(once)[0]
		}
	}})
	b.Emit(Instruction{Uses: []*Tensor{y, between}, Rowwise: true, Run: func(f *Frame) { copy(f.Of(y), f.Of(between)) }})
	p := b.Finish(rows, x, y)
	if want := uint64(4*(2*rows+2)) * uint64(width); p.TensorBytes() < want || p.TensorBytes() > want+1000 {
		t.Errorf("found %d bytes, want %d", p.TensorBytes(), want)
	}
	p.Allocate(pool.Caller(), make([]float32, p.Constants()))
	p.Prepare()
	in := p.Values(x, rows)
	for i := range in {
		in[i] = float32(i % 1000)
	}
	p.Run(rows, false)
	for i, v := range p.Values(y, rows) {
		if want := float32(i%1000 + 3); v != want {
			t.Fatalf("value %d: found %g, want %g", i, v, want)
		}
	}
	if want := []int{1, 2, 2, 2}; !slices.Equal(pieces, want) {
		t.Errorf("found pieces of %v rows, want %v", pieces, want)
	}
}

// After a panic the program tells what the instruction was made of.
func TestOrigin(t *testing.T) {
	pool := work.New(1)
	defer pool.Close()
	var b Builder
	b.Origin = "first"
	b.Prepare(func(*Frame) { panic("in preparing") })
	x := b.Rows([]int{1})
	b.Emit(Instruction{Uses: []*Tensor{x}, Rowwise: true, Run: func(*Frame) {}})
	b.Origin = "second"
	b.Emit(Instruction{Uses: []*Tensor{x}, Rowwise: true, Run: func(*Frame) { panic("in running") }})
	p := b.Finish(2, x)
	p.Allocate(pool.Caller(), nil)
	for _, c := range []struct {
		want string
		run  func()
	}{{"first", p.Prepare}, {"second", func() { p.Run(2, false) }}} {
		func() {
			defer func() {
				if recover() == nil || p.Origin() != c.want {
					t.Errorf("found origin %q, want a panic in %q", p.Origin(), c.want)
				}
			}()
			c.run()
		}()
	}
}
