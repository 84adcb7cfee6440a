package dense

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/internal/guard"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
	"github.com/fkzoo/fkzoo/internal/cputime"
)

const canary = 12345.678

// guarded is memory of n values, with canaries behind them that check looks at.
func guarded(t *testing.T, name string, n int, fill func() float32) []float32 {
	t.Helper()
	all := make([]float32, n+64)
	for i := range all {
		all[i] = canary
		if i < n {
			all[i] = fill()
		}
	}
	t.Cleanup(func() {
		for i, v := range all[n:] {
			if v != canary {
				t.Errorf("%s: wrote %v at %d behind %d values", name, v, i, n)
				return
			}
		}
	})
	return all[:n:n]
}

func nan() float32 { return float32(math.NaN()) }

func compare(t *testing.T, name string, got []float32, want func(i int) float64, summed int) {
	t.Helper()
	bound := 4e-6 + float64(summed)/(1<<23)
	for i, v := range got {
		if w := want(i); !(math.Abs(float64(v)-w) <= bound) {
			t.Fatalf("%s: value %d of %d: found %v, want %v within %.1g", name, i, len(got), v, w, bound)
		}
	}
}

type sizes struct{ n, in, out int }

var shapes = []sizes{{1, 1, 1}, {1, 1000, 37}, {2, 4000, 30}, {3, 100, 70}, {4, 17, 5}, {5, 33, 100}, {7, 5, 300}, {12, 1024, 64}, {64, 500, 30},
	{13, 900, 40}, {30, 2, 33}, {261, 40, 18}, {4100, 3, 4}, {3000, 20, 20}, {5, 2200, 1000}}

// run does all directions and compares them with plain loops.
func run(t *testing.T, set *kernel.Set, c *work.Caller, s sizes) [][]float32 {
	t.Helper()
	random := rand.New(rand.NewPCG(uint64(s.in), 5))
	number := func() float32 { return random.Float32()*2 - 1 }
	memory := func(name string, n int, fill func() float32) []float32 {
		if c.Threads() != 3 {
			return guarded(t, name, n, fill)
		}
		x := guard.Floats(t, n)
		for i := range x {
			x[i] = fill()
		}
		return x
	}
	l, err := New(set, c.Threads(), s.in, s.out)
	if err != nil {
		t.Fatal(err)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	x, w, dy, bias := memory("x", s.n*s.in, number), memory("w", s.in*s.out, number), memory("dy", s.n*s.out, number), memory("bias", s.out, number)
	y, relu := memory("y", s.n*s.out, nan), memory("relu", s.n*s.out, nan)
	dot := func(n int, a, b func(k int) float32) (sum float64) {
		for k := range n {
			sum += float64(a(k)) * float64(b(k))
		}
		return sum
	}
	must(l.Forward(c, s.n, x, w, nil, bias, kernel.Activation{}, y, memory("scratch", l.ForwardScratch(s.n), nan)))
	compare(t, "y", y, func(i int) float64 {
		return float64(bias[i%s.out]) + dot(s.in, func(k int) float32 { return x[i/s.out*s.in+k] }, func(k int) float32 { return w[k*s.out+i%s.out] })
	}, s.in)
	f, err := kernel.NewActivation("relu", 0)
	must(err)
	must(l.Forward(c, s.n, x, w, nil, bias, f, relu, memory("scratch", l.ForwardScratch(s.n), nan)))
	for i, v := range relu {
		if v != max(y[i], 0) {
			t.Fatalf("relu of %v: found %v", y[i], v)
		}
	}
	packed, again := memory("packed", l.PackedLen(), nan), memory("y", s.n*s.out, nan)
	must(l.Pack(c, w, packed))
	must(l.Forward(c, s.n, x, w, packed, bias, f, again, memory("scratch", l.ForwardScratch(s.n), nan)))
	if !slices.Equal(again, relu) {
		t.Fatal("packed weights: found other numbers than with those that aren't")
	}
	dx := memory("dx", s.n*s.in, nan)
	must(l.Input(c, s.n, dy, w, dx, memory("scratch", l.InputScratch(s.n), nan)))
	compare(t, "dx", dx, func(i int) float64 {
		return dot(s.out, func(k int) float32 { return dy[i/s.in*s.out+k] }, func(k int) float32 { return w[i%s.in*s.out+k] })
	}, s.out)
	dw, db := memory("dw", s.in*s.out, nan), memory("db", s.out, nan)
	for times := 1; times <= 2; times++ {
		must(l.Weights(c, s.n, x, dy, dw, db, times == 2, memory("scratch", l.WeightsScratch(s.n), nan)))
		compare(t, "dw", dw, func(i int) float64 {
			return float64(times) * dot(s.n, func(k int) float32 { return x[k*s.in+i/s.out] }, func(k int) float32 { return dy[k*s.out+i%s.out] })
		}, times*s.n)
		compare(t, "db", db, func(i int) float64 {
			return float64(times) * dot(s.n, func(int) float32 { return 1 }, func(k int) float32 { return dy[k*s.out+i] })
		}, times*s.n)
	}
	return [][]float32{y, relu, dx, dw, db}
}

// Every direction gives what plain loops give, with each set of kernels, and writes nothing else; with any number of threads the
// same bytes.
func TestPlainLoops(t *testing.T) {
	for _, set := range kernel.Sets() {
		for _, s := range shapes {
			t.Run(fmt.Sprint(set.Name, s), func(t *testing.T) {
				var first [][]float32
				for _, threads := range []int{1, 2, 3, 8} {
					pool := work.New(threads)
					got := run(t, set, pool.Caller(), s)
					pool.Close()
					if first == nil {
						first = got
					}
					for i := range got {
						if !slices.Equal(got[i], first[i]) {
							t.Errorf("result %d differs with %d threads", i, threads)
						}
					}
				}
			})
		}
	}
}

// Products of transposed matrices, scaled.
func TestMultiply(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	number := func() float32 { return random.Float32()*2 - 1 }
	for _, set := range kernel.Sets() {
		for _, s := range []sizes{{5, 7, 9}, {36, 8, 36}, {130, 400, 70}} { // m, k, n
			for turned := range 8 {
				matrix := func(name string, rows, columns, bit int, fill func() float32) Matrix {
					m := Matrix{guarded(t, name, rows*columns, fill), columns, 1}
					if turned&bit != 0 {
						m.Row, m.Column = 1, rows
					}
					return m
				}
				a, b, c := matrix("a", s.n, s.in, 1, number), matrix("b", s.in, s.out, 2, number), matrix("c", s.n, s.out, 4, nan)
				w := Multiplier{Set: set}
				w.Multiply(s.n, s.out, s.in, a, b, c, nil, 0.5, kernel.Activation{}, guarded(t, "scratch", MultiplierScratch(set, s.n, s.out), nan))
				for i := range s.n {
					for j := range s.out {
						sum := 0.0
						for k := range s.in {
							sum += float64(a.Data[i*a.Row+k*a.Column]) * float64(b.Data[k*b.Row+j*b.Column])
						}
						if got := float64(c.Data[i*c.Row+j*c.Column]); !(math.Abs(got-sum/2) <= 4e-6+float64(s.in)/(1<<23)) {
							t.Fatalf("%s %v turned %d: (%d, %d): found %v, want %v", set.Name, s, turned, i, j, got, sum/2)
						}
					}
				}
			}
		}
	}
}

func TestErrors(t *testing.T) {
	set := kernel.Sets()[0]
	if _, err := New(set, 1, 0, 3); err == nil {
		t.Error("no inputs: found no error, want one")
	}
	pool := work.New(1)
	defer pool.Close()
	l, err := New(set, 1, 4, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Pack(pool.Caller(), make([]float32, l.In*l.Out), make([]float32, l.PackedLen()-1)); err == nil {
		t.Error("too few values for packed weights: found no error, want one")
	}
	if err := l.Forward(pool.Caller(), 2, make([]float32, 7), make([]float32, 12), nil, nil, kernel.Activation{}, make([]float32, 6), nil); err == nil {
		t.Error("too few values: found no error, want one")
	}
}

func TestNoAllocation(t *testing.T) {
	pool := work.New(2)
	defer pool.Close()
	c := pool.Caller()
	l, err := New(kernel.Sets()[0], 2, 300, 100)
	if err != nil {
		t.Fatal(err)
	}
	const n = 20
	x, w, y := make([]float32, n*300), make([]float32, 300*100), make([]float32, n*100)
	scratch := make([]float32, max(l.ForwardScratch(n), l.InputScratch(n), l.WeightsScratch(n), l.ForwardScratch(1)))
	got := testing.AllocsPerRun(20, func() {
		for _, err := range []error{l.Forward(c, n, x, w, nil, nil, kernel.Activation{}, y, scratch), l.Forward(c, 1, x, w, nil, nil, kernel.Activation{}, y, scratch),
			l.Input(c, n, y, w, x, scratch), l.Weights(c, n, x, y, w, nil, false, scratch)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
	if got > 0 {
		t.Errorf("runs allocated %v times, want none", got)
	}
}

// BenchmarkLayers measures net11's and net6's first hidden layers, each direction, with one and two threads: GFLOP/s, and GB/s of the
// weights. Processor time counts, of all threads, since others may use the machine meanwhile.
func BenchmarkLayers(b *testing.B) {
	for _, set := range kernel.Sets() {
		if set.Name == "plain" {
			continue
		}
		for _, s := range []sizes{{1, 18432, 1000}, {64, 18432, 1000}, {128, 18432, 1000}, {128, 15488, 500}, {64, 1000, 1000}} {
			for _, direction := range []string{"forward", "input", "weights"} {
				for threads := 1; threads <= 2; threads++ {
					b.Run(fmt.Sprintf("%s/%dx%dx%d/%s/threads=%d", set.Name, s.n, s.in, s.out, direction, threads), func(b *testing.B) {
						benchmark(b, set, s, direction, threads)
					})
				}
			}
		}
	}
}

func benchmark(b *testing.B, set *kernel.Set, s sizes, direction string, threads int) {
	pool := work.New(threads)
	defer pool.Close()
	c := pool.Caller()
	l, err := New(set, threads, s.in, s.out)
	if err != nil {
		b.Fatal(err)
	}
	fill := func(n int) []float32 {
		x := make([]float32, n)
		for i := range x {
			x[i] = float32(i%7-3) * 0.1
		}
		return x
	}
	x, w, y := fill(s.n*s.in), fill(s.in*s.out), fill(s.n*s.out)
	scratch := fill(max(l.ForwardScratch(s.n), l.InputScratch(s.n), l.WeightsScratch(s.n)))
	best := math.Inf(1)
	for b.Loop() {
		start := cputime.Used()
		switch direction {
		case "forward":
			err = l.Forward(c, s.n, x, w, nil, nil, kernel.Activation{}, y, scratch)
		case "input":
			err = l.Input(c, s.n, y, w, x, scratch)
		default:
			err = l.Weights(c, s.n, x, y, w, nil, false, scratch)
		}
		if err != nil {
			b.Fatal(err)
		}
		best = min(best, (cputime.Used()-start).Seconds()/float64(threads))
	}
	b.ReportMetric(2*float64(s.n*s.in*s.out)/best/1e9, "GFLOP/s")
	b.ReportMetric(4*float64(s.in*s.out)/best/1e9, "GB/s")
	b.ReportMetric(best*1e3, "ms")
	b.ReportMetric(0, "ns/op")
}
