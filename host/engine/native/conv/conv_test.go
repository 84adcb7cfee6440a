package conv

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// canary stands behind every buffer.
const canary = 12345.678

// buffer is n values with canaries behind them, misaligned by some.
type buffer struct {
	all  []float32
	data []float32
}

func newBuffer(n, misaligned int, fill func(i int) float32) *buffer {
	all := make([]float32, n+misaligned+64)
	for i := range all {
		all[i] = canary
	}
	b := &buffer{all: all, data: all[misaligned : misaligned+n : misaligned+n]}
	for i := range b.data {
		b.data[i] = fill(i)
	}
	return b
}

func (b *buffer) check(t *testing.T, name string) {
	t.Helper()
	for i := range b.all {
		at := i - (len(b.all) - 64 - len(b.data))
		if (at < 0 || at >= len(b.data)) && b.all[i] != canary {
			t.Fatalf("%s: wrote %v at %d of %d values", name, b.all[i], at, len(b.data))
		}
	}
}

func nan(int) float32 { return float32(math.NaN()) }

// reference is all directions in plain loops.
type reference struct{ y, dx, dw, db []float64 }

func refer(g Geometry, n int, x, w, bias, dy []float32) *reference {
	h, wd := g.Out()
	cin, cout := g.Channels/g.Groups, g.Filters/g.Groups
	r := &reference{y: make([]float64, n*h*wd*g.Filters), dx: make([]float64, len(x)), dw: make([]float64, len(w)), db: make([]float64, g.Filters)}
	for p := range n * h * wd {
		img, oy, ox := p/(h*wd), p/wd%h, p%wd
		for f := range g.Filters {
			d := float64(dy[p*g.Filters+f])
			r.db[f] += d
			sum := 0.0
			if bias != nil {
				sum = float64(bias[f])
			}
			for t := range g.Kernel[0] * g.Kernel[1] {
				iy := oy*g.Stride[0] + t/g.Kernel[1]*g.Dilation[0] - g.Padding[0][0]
				ix := ox*g.Stride[1] + t%g.Kernel[1]*g.Dilation[1] - g.Padding[1][0]
				if iy < 0 || iy >= g.Height || ix < 0 || ix >= g.Width {
					continue
				}
				for c := range cin {
					xi := ((img*g.Height+iy)*g.Width+ix)*g.Channels + f/cout*cin + c
					wi := (t*cin+c)*g.Filters + f
					sum += float64(x[xi]) * float64(w[wi])
					r.dx[xi] += d * float64(w[wi])
					r.dw[wi] += d * float64(x[xi])
				}
			}
			r.y[p*g.Filters+f] = sum
		}
	}
	return r
}

// compare allows a rounding error of 2^-23 for each of the values summed, which are at most 1 in size.
func compare(t *testing.T, name string, got []float32, want []float64, summed int) {
	t.Helper()
	bound := 4e-6 + float64(summed)/(1<<23)
	for i, v := range want {
		if d := math.Abs(float64(got[i]) - v); !(d <= bound) {
			t.Fatalf("%s: value %d of %d: found %v, want %v within %.1g", name, i, len(want), got[i], v, bound)
		}
	}
}

// check runs all directions of a geometry and compares them with plain loops.
func check(t *testing.T, set *kernel.Set, caller *work.Caller, g Geometry, n int, seed uint64) (results [][]float32) {
	t.Helper()
	ctx := Context{Set: set, Threads: caller.Threads()}
	f, err := NewForward(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	g = f.g
	random := rand.New(rand.NewPCG(seed, 7))
	number := func(int) float32 { return random.Float32()*2 - 1 }
	off := random.IntN(5)
	x, w, dy := newBuffer(n*g.inSize(), off, number), newBuffer(g.filterSize(), off, number), newBuffer(n*g.outSize(), off, number)
	var bias []float32
	if random.IntN(4) > 0 {
		bias = newBuffer(g.Filters, off, number).data
	}
	want := refer(g, n, x.data, w.data, bias, dy.data)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}

	y, packed, scratch := newBuffer(n*g.outSize(), off, nan), newBuffer(f.PackedLen(), 0, nan), newBuffer(f.Scratch(), 0, nan)
	must(f.Pack(caller, w.data, packed.data))
	must(f.Run(caller, n, x.data, packed.data, bias, kernel.Activation{}, y.data, scratch.data))
	compare(t, "y", y.data, want.y, g.Channels/g.Groups*g.Kernel[0]*g.Kernel[1])
	relu, _ := kernel.NewActivation("relu", 0)
	positive := newBuffer(n*g.outSize(), off, nan)
	must(f.Run(caller, n, x.data, packed.data, bias, relu, positive.data, scratch.data))
	for i, v := range positive.data {
		if v != max(y.data[i], 0) {
			t.Fatalf("relu of value %d: found %v, want that of %v", i, v, y.data[i])
		}
	}

	silu, _ := kernel.NewActivation("silu", 0)
	bent := newBuffer(n*g.outSize(), off, nan)
	must(f.Run(caller, n, x.data, packed.data, bias, silu, bent.data, scratch.data))
	for i, v := range bent.data {
		if want := float64(y.data[i]) / (1 + math.Exp(-float64(y.data[i]))); !(math.Abs(float64(v)-want) <= 1e-6*(1+math.Abs(want))) {
			t.Fatalf("silu of value %d: found %v, want %v", i, v, want)
		}
	}

	if h, w := g.Out(); f.depth == nil && h > 1 && w > 1 {
		checkPooled(t, ctx, caller, g, n, x.data, packed.data, bias, positive.data)
	}

	back := checkInput(t, ctx, caller, g, n, dy.data, w.data, want.dx, off)

	e, err := NewFilter(ctx, g)
	must(err)
	dw, db, scratchFilter := newBuffer(g.filterSize(), off, nan), newBuffer(g.Filters, off, nan), newBuffer(e.Scratch(n), 0, nan)
	must(e.Run(caller, n, x.data, dy.data, dw.data, db.data, false, scratchFilter.data))
	h, wd := g.Out()
	compare(t, "dw", dw.data, want.dw, n*h*wd)
	compare(t, "db", db.data, want.db, n*h*wd)
	once := [][]float32{slices.Clone(dw.data), slices.Clone(db.data)}
	must(e.Run(caller, n, x.data, dy.data, dw.data, db.data, true, scratchFilter.data))
	for _, sums := range [][]float64{want.dw, want.db} {
		for i := range sums {
			sums[i] *= 2
		}
	}
	compare(t, "dw added", dw.data, want.dw, 2*n*h*wd)
	compare(t, "db added", db.data, want.db, 2*n*h*wd)

	for name, b := range map[string]*buffer{"x": x, "w": w, "dy": dy, "y": y, "packed": packed, "scratch": scratch, "relu": positive, "silu": bent, "dw": dw, "db": db, "scratch of dw": scratchFilter} {
		b.check(t, name)
	}
	for name, b := range back {
		b.check(t, name)
	}
	return append(once, y.data, positive.data, bent.data, back["dx"].data, dw.data, db.data)
}

// checkInput compares the input's gradient, and its sum with what is there, with plain loops'. It gives the buffers.
func checkInput(t *testing.T, ctx Context, caller *work.Caller, g Geometry, n int, dy, w []float32, want []float64, off int) map[string]*buffer {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	d, err := NewInput(ctx, g)
	must(err)
	dx, packedBack, scratchBack := newBuffer(n*g.inSize(), off, nan), newBuffer(d.PackedLen(), 0, nan), newBuffer(d.Scratch(), 0, nan)
	must(d.Pack(caller, w, packedBack.data))
	must(d.Run(caller, n, dy, packedBack.data, dx.data, false, scratchBack.data))
	compare(t, "dx", dx.data, want, g.Filters/g.Groups*g.Kernel[0]*g.Kernel[1])

	if d.Adds() {
		once := slices.Clone(dx.data)
		must(d.Run(caller, n, dy, packedBack.data, dx.data, true, scratchBack.data))
		twice := slices.Clone(want)
		for i := range twice {
			twice[i] *= 2
		}
		compare(t, "dx added", dx.data, twice, 2*g.Filters/g.Groups*g.Kernel[0]*g.Kernel[1])
		copy(dx.data, once)
	} else if d.Run(caller, n, dy, packedBack.data, dx.data, true, scratchBack.data) != errAdd {
		t.Fatal("found no error of a gradient that can't be added")
	}
	return map[string]*buffer{"dx": dx, "packed for dx": packedBack, "scratch of dx": scratchBack}
}

// checkPooled compares what is pooled at once with the largest of what was computed.
func checkPooled(t *testing.T, ctx Context, caller *work.Caller, g Geometry, n int, x, packed, bias, y []float32) {
	t.Helper()
	f, err := NewPooled(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	relu, _ := kernel.NewActivation("relu", 0)
	got, scratch := newBuffer(n*f.outSize(), 3, nan), newBuffer(f.Scratch(), 0, nan)
	if err := f.Run(caller, n, x, packed, bias, relu, got.data, scratch.data); err != nil {
		t.Fatal(err)
	}
	h, w := g.Out()
	for i, v := range got.data {
		c, p := i%g.Filters, i/g.Filters
		img, py, px := p/(h/2*(w/2)), p/(w/2)%(h/2), p%(w/2)
		at := ((img*h+2*py)*w+2*px)*g.Filters + c
		if want := max(y[at], y[at+g.Filters], y[at+w*g.Filters], y[at+(w+1)*g.Filters]); v != want {
			t.Fatalf("pooled, value %d of %d: found %v, want %v", i, len(got.data), v, want)
		}
	}
	got.check(t, "pooled")
	scratch.check(t, "scratch of pooled")
}

func same(n int) [2]int      { return [2]int{n, n} }
func around(n int) [2][2]int { return [2][2]int{{n, n}, {n, n}} }
func shape(h, w, c, f, k int) Geometry {
	return Geometry{Height: h, Width: w, Channels: c, Filters: f, Kernel: same(k)}
}

func (g Geometry) padded(p [2][2]int) Geometry { g.Padding = p; return g }
func (g Geometry) strided(s [2]int) Geometry   { g.Stride = s; return g }
func (g Geometry) dilated(d [2]int) Geometry   { g.Dilation = d; return g }
func (g Geometry) grouped(n int) Geometry      { g.Groups = n; return g }

// geometries have tails of every kind: of pixels, channels, filters and rows.
var geometries = []Geometry{
	shape(5, 5, 3, 4, 3), shape(12, 12, 1, 32, 3).padded(around(1)), shape(9, 24, 5, 33, 3).padded(around(1)), shape(7, 22, 16, 64, 2),
	shape(1, 1, 7, 9, 1), shape(6, 6, 40, 48, 3).padded(around(1)), shape(13, 11, 3, 17, 1), shape(8, 48, 2, 50, 3).padded(around(1)),
	shape(10, 3, 4, 15, 3).padded(around(1)), shape(3, 40, 12, 40, 3).padded([2][2]int{{0, 2}, {2, 0}}),
	shape(17, 16, 6, 20, 3).padded([2][2]int{{0, 1}, {0, 1}}).strided(same(2)), shape(12, 13, 8, 32, 3).padded(around(1)).strided([2]int{2, 3}),
	shape(9, 9, 3, 8, 1).strided(same(2)), shape(11, 14, 4, 6, 2).strided(same(3)), shape(20, 20, 2, 5, 5).padded(around(2)).dilated([2]int{1, 2}),
	shape(15, 19, 3, 36, 4).padded(around(3)).dilated([2]int{2, 1}).strided([2]int{1, 2}), shape(10, 12, 12, 24, 3).padded(around(1)).grouped(3),
	shape(8, 9, 6, 6, 3).padded(around(1)).grouped(6), shape(8, 12, 64, 96, 1).grouped(2), shape(7, 7, 4, 12, 3).padded(around(2)).strided(same(2)).grouped(2).dilated(same(2)),
	shape(4, 4, 2, 3, 7).padded(around(5)), shape(30, 7, 700, 18, 3).padded(around(1)), shape(5, 7, 700, 32, 3).padded(around(1)), shape(2, 4500, 1, 2, 1), shape(2, 2, 5000, 40, 1),
	shape(9, 20, 37, 37, 3).padded(around(1)).grouped(37), shape(12, 11, 16, 16, 5).padded([2][2]int{{2, 3}, {0, 1}}).strided([2]int{2, 1}).dilated(same(2)).grouped(16),
	shape(3, 2, 8, 8, 3).padded(around(2)).strided(same(3)).grouped(8), shape(6, 6, 192, 192, 3).padded(around(1)), shape(7, 9, 64, 5, 3), shape(7, 9, 128, 40, 2).strided(same(2)).padded(around(1)),
	// By Winograd's transforms, and some that just can't be:
	shape(24, 24, 24, 24, 3).padded(around(1)), shape(4, 6, 16, 24, 3), shape(2, 2, 32, 72, 3).padded(around(1)), shape(10, 4, 24, 40, 3).padded(around(2)),
	shape(6, 8, 40, 16, 3).padded([2][2]int{{3, 1}, {0, 2}}), shape(4, 110, 16, 40, 3).padded(around(1)), shape(130, 4, 16, 16, 3).padded(around(1)),
	shape(2, 2, 4000, 24, 3).padded(around(1)), shape(9, 13, 24, 24, 3).padded(around(1)), shape(11, 9, 40, 32, 2).padded(around(1)), shape(13, 47, 32, 40, 2),
	shape(23, 23, 32, 72, 2), shape(9, 8, 56, 32, 2).padded([2][2]int{{0, 1}, {2, 0}}), shape(7, 101, 16, 24, 3).padded([2][2]int{{0, 2}, {2, 1}}),
	shape(10, 4, 20, 47, 3).padded(around(2)), shape(9, 13, 20, 23, 3).padded(around(1)), shape(11, 9, 17, 33, 2).padded(around(1)),
}

// Every direction gives what plain loops give, with each set of kernels, and writes nothing else.
func TestPlainLoops(t *testing.T) {
	pool := work.New(2)
	defer pool.Close()
	for _, set := range kernel.Sets() {
		for i, g := range geometries {
			t.Run(fmt.Sprintf("%s/%v", set.Name, g), func(t *testing.T) {
				n := 1 + i%3
				if g.Height*g.Width*g.Channels*g.Filters > 1<<19 {
					n = 1
				}
				check(t, set, pool.Caller(), g, n, uint64(i))
			})
		}
	}
}

// The same bytes come out with any number of threads.
func TestThreads(t *testing.T) {
	for _, set := range kernel.Sets() {
		for i, g := range []Geometry{geometries[1], geometries[5], geometries[10], geometries[16], shape(24, 24, 16, 70, 3).padded(around(1)),
			shape(6, 6, 200, 45, 3).padded(around(1))} {
			var first [][]float32
			for _, threads := range []int{1, 2, 3, 8} {
				pool := work.New(threads)
				got := check(t, set, pool.Caller(), g, 1+4*(i%2), uint64(i))
				pool.Close()
				if first == nil {
					first = got
				}
				for k := range got {
					if !slices.Equal(got[k], first[k]) {
						t.Errorf("%s, %v: result %d differs with %d threads", set.Name, g, k, threads)
					}
				}
			}
		}
	}
}

// Nothing is allocated by a run.
func TestNoAllocation(t *testing.T) {
	pool := work.New(2)
	defer pool.Close()
	caller, set, g, n := pool.Caller(), kernel.Sets()[0], shape(12, 12, 8, 40, 3).padded(around(1)), 4
	f, err := NewForward(Context{set, 2}, g)
	if err != nil {
		t.Fatal(err)
	}
	d, _ := NewInput(Context{set, 2}, g)
	e, _ := NewFilter(Context{set, 2}, g)
	g = f.g
	x, w, dy := make([]float32, n*g.inSize()), make([]float32, g.filterSize()), make([]float32, n*g.outSize())
	packed, packedBack, scratch := make([]float32, f.PackedLen()), make([]float32, d.PackedLen()), make([]float32, max(f.Scratch(), d.Scratch(), e.Scratch(n)))
	got := testing.AllocsPerRun(20, func() {
		for _, err := range []error{f.Pack(caller, w, packed), d.Pack(caller, w, packedBack), f.Run(caller, n, x, packed, nil, kernel.Activation{}, dy, scratch),
			d.Run(caller, n, dy, packedBack, x, false, scratch), e.Run(caller, n, x, dy, w, nil, false, scratch)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if got > 0 {
		t.Errorf("runs allocated %v times, want none", got)
	}
}

// What can't be is an error.
func TestErrors(t *testing.T) {
	ctx := Context{kernel.Sets()[0], 1}
	for _, g := range []Geometry{shape(2, 2, 1, 1, 3), shape(4, 4, 3, 4, 3).grouped(2), shape(4, 4, 0, 4, 3), shape(4, 4, 1, 1, 0),
		shape(4, 4, 1, 1, 1).strided(same(-1)), shape(4, 4, 1, 1, 1).padded(around(-1))} {
		if _, err := NewForward(ctx, g); err == nil {
			t.Errorf("%v: found no error, want one", g)
		}
	}
	f, err := NewForward(ctx, shape(4, 4, 1, 1, 3))
	if err != nil {
		t.Fatal(err)
	}
	pool := work.New(2)
	defer pool.Close()
	if err := f.Run(pool.Caller(), 1, nil, nil, nil, kernel.Activation{}, nil, nil); err != errThreads {
		t.Errorf("too many threads: found %v, want an error", err)
	}
	one := work.New(1)
	defer one.Close()
	if err := f.Run(one.Caller(), 1, make([]float32, 15), nil, nil, kernel.Activation{}, nil, nil); err == nil {
		t.Error("too few values: found no error, want one")
	}
}

// Callers that share a pool get what they would alone.
func TestCallers(t *testing.T) {
	pool := work.New(3)
	defer pool.Close()
	var wait sync.WaitGroup
	for i := range 4 {
		wait.Go(func() {
			caller := pool.Caller()
			for k, set := range kernel.Sets() {
				first := check(t, set, caller, geometries[2], 2, uint64(i))
				again := check(t, set, caller, geometries[2], 2, uint64(i))
				for r := range first {
					if !slices.Equal(first[r], again[r]) {
						t.Errorf("caller %d, set %d: result %d differs from one run to the next", i, k, r)
					}
				}
			}
		})
	}
	wait.Wait()
}
