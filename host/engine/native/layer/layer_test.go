package layer

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/native/internal/guard"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

const canary = 12345.678

// bench is what a test runs on: a set of kernels, and a caller of a pool.
type bench struct {
	t       *testing.T
	set     *kernel.Set
	threads int
	c       *work.Caller
	random  *rand.Rand
	results [][]float32
}

// memory is n values that fill gives, nil for what isn't a number; what stands behind them is looked at when the test ends, and with
// three threads can't be reached.
func (b *bench) memory(n int, fill func() float32) []float32 {
	b.t.Helper()
	if b.threads == 3 {
		x := guard.Floats(b.t, n)
		for i := range x {
			x[i] = float32(math.NaN())
			if fill != nil {
				x[i] = fill()
			}
		}
		return x
	}
	all := make([]float32, n+64)
	for i := range all {
		all[i] = canary
		if i < n {
			all[i] = float32(math.NaN())
			if fill != nil {
				all[i] = fill()
			}
		}
	}
	b.t.Cleanup(func() {
		for i, v := range all[n:] {
			if v != canary {
				b.t.Errorf("wrote %v at %d behind %d values", v, i, n)
				return
			}
		}
	})
	return all[:n:n]
}

func (b *bench) number() float32 { return b.random.Float32()*2 - 1 }

// everywhere runs a test with each set of kernels and 1, 2, 3 and 8 threads, which must give the same bytes: those that it hands to
// check.
func everywhere(t *testing.T, test func(b *bench)) {
	for _, set := range kernel.Sets() {
		t.Run(set.Name, func(t *testing.T) {
			var first [][]float32
			for _, threads := range []int{1, 2, 3, 8} {
				pool := work.New(threads)
				b := &bench{t: t, set: set, threads: threads, c: pool.Caller(), random: rand.New(rand.NewPCG(1, 2))}
				test(b)
				pool.Close()
				if first == nil {
					first = b.results
				}
				for i := range first {
					if !slices.Equal(first[i], b.results[i]) {
						t.Errorf("result %d differs with %d threads", i, threads)
					}
				}
			}
		})
	}
}

// check compares with what is wanted, unless that is nil.
func (b *bench) check(name string, got []float32, want []float64, bound float64) {
	b.t.Helper()
	b.results = append(b.results, slices.Clone(got))
	if want == nil {
		return
	}
	if len(got) != len(want) {
		b.t.Fatalf("%s: found %d values, want %d", name, len(got), len(want))
	}
	for i, v := range got {
		if !(math.Abs(float64(v)-want[i]) <= bound*(1+math.Abs(want[i]))) {
			b.t.Fatalf("%s: value %d of %d: found %v, want %v", name, i, len(got), v, want[i])
		}
	}
}

func wide(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// slope is the gradient of the sum of f(x)*dy, by central differences in double precision; nil with several threads, which must give
// the same bytes as one.
func (b *bench) slope(f func(x []float64) []float64, x []float64, dy []float32) []float64 {
	if b.threads > 1 {
		return nil
	}
	const h = 1e-5
	dx := make([]float64, len(x))
	for i, v := range x {
		for _, side := range []float64{1, -1} {
			x[i] = v + side*h
			for k, y := range f(x) {
				dx[i] += side * y * float64(dy[k]) / (2 * h)
			}
		}
		x[i] = v
	}
	return dx
}

func TestActivations(t *testing.T) {
	for _, name := range []string{"linear", "relu", "gelu", "silu", "tanh", "sigmoid", "elu", "leaky_relu"} {
		f, err := kernel.NewActivation(name, 0.1)
		if err != nil {
			t.Fatal(err)
		}
		everywhere(t, func(b *bench) {
			const n = 3*chunk/2 + 3
			e := NewEach(b.set, b.threads)
			x, dy := b.memory(n, func() float32 { return 3 * b.number() }), b.memory(n, b.number)
			y, dx := b.memory(n, nil), b.memory(n, nil)
			e.Activate(b.c, f, n, x, y)
			want := wide(x)
			for i, v := range want {
				want[i] = reference(name, v)
			}
			b.check(name, y, want, 1e-6)
			known := y
			if f.FromInput() {
				known = x
			}
			e.ActivateBack(b.c, f, n, known, dy, dx)
			for i, v := range wide(x) {
				const h = 1e-6
				want[i] = float64(dy[i]) * (reference(name, v+h) - reference(name, v-h)) / (2 * h)
			}
			b.check(name+"'s gradient", dx, want, 3e-6)
		})
	}
	if _, err := kernel.NewActivation("step", 0); err == nil {
		t.Error("an unknown activation: found no error, want one")
	}
}

func reference(name string, x float64) float64 {
	switch name {
	case "relu":
		return math.Max(x, 0)
	case "gelu":
		return x * math.Erfc(-x/math.Sqrt2) / 2
	case "silu":
		return x / (1 + math.Exp(-x))
	case "tanh":
		return math.Tanh(x)
	case "sigmoid":
		return 1 / (1 + math.Exp(-x))
	case "elu":
		return math.Max(x, 0) + math.Expm1(math.Min(x, 0))
	case "leaky_relu":
		return math.Max(x, 0) + 0.1*math.Min(x, 0)
	}
	return x
}

func TestSumSquares(t *testing.T) {
	everywhere(t, func(b *bench) {
		x := b.memory(5*chunk+77, b.number)
		want := 0.0
		for _, v := range x {
			want += float64(v) * float64(v)
		}
		e := NewEach(b.set, b.threads)
		b.check("sum of squares", []float32{float32(e.SumSquares(b.c, x))}, []float64{want}, 1e-6)
	})
}

// The variance is right where all sampled pixels are unlike the others, and where values are far from 0.
func TestBatchNormFar(t *testing.T) {
	const images, pixels, c = 32, 36, 3
	everywhere(t, func(b *bench) {
		for _, far := range []float32{0, 30, 1e4} {
			for _, offset := range []float32{0, 1e3} {
				n := &BatchNorm{Channels: NewChannels(b.set, b.threads), C: c, Epsilon: 1e-3}
				rows := images * pixels
				x := b.memory(rows*c, b.number)
				for i := range x {
					if x[i] += offset; i/c%pixels == 0 { // each image's corner
						x[i] += far
					}
				}
				want := make([]float64, c)
				for k := range c {
					m := 0.0
					for r := range rows {
						m += float64(x[r*c+k]) / float64(rows)
					}
					for r := range rows {
						want[k] += (float64(x[r*c+k]) - m) * (float64(x[r*c+k]) - m) / float64(rows)
					}
				}
				one := b.memory(c, func() float32 { return 1 })
				mean, variance, scratch := make([]float32, c), make([]float32, c), b.memory(n.Scratch(rows), nil)
				n.Train(b.c, rows, x, one, make([]float32, c), mean, variance, 0, kernel.Activation{}, b.memory(rows*c, nil), b.memory(c, nil), b.memory(c, nil), scratch)
				for k := range c {
					if e := math.Abs(float64(variance[k])/want[k] - 1); !(e < 2e-5) {
						b.t.Errorf("corners of %g, offset %g: found a variance of %v, want %v", far, offset, variance[k], want[k])
					}
				}
			}
		}
	})
}

// batchNormRelu: behind max(y, 0), the gradient is what it is for one that is 0 where y isn't above 0.
func batchNormRelu(b *bench, n *BatchNorm, rows int, x, dy, scale, offset []float32) {
	c := n.C
	relu, _ := kernel.NewActivation("relu", 0)
	y, mean, inverse, scratch := b.memory(rows*c, nil), b.memory(c, nil), b.memory(c, nil), b.memory(n.Scratch(rows), nil)
	n.Train(b.c, rows, x, scale, offset, make([]float32, c), make([]float32, c), 0.9, relu, y, mean, inverse, scratch)
	masked := slices.Clone(dy)
	for i, v := range y {
		if v <= 0 {
			masked[i] = 0
		}
	}
	var back [2][3][]float32
	for i, d := range [][]float32{masked, dy} {
		r := &back[i]
		r[0], r[1], r[2] = b.memory(c, nil), b.memory(c, nil), b.memory(rows*c, nil)
		n.Back(b.c, rows, x, d, scale, offset, mean, inverse, i == 1, r[0], r[1], r[2], scratch)
	}
	for i, name := range []string{"dScale", "dOffset", "dx"} {
		if !slices.Equal(back[0][i], back[1][i]) {
			b.t.Errorf("%s with relu: found other numbers than for a gradient that is 0 there", name)
		}
	}
}

func TestBatchNorm(t *testing.T) {
	for _, size := range [][2]int{{7, 3}, {150, 40}, {3000, 48}} {
		rows, c := size[0], size[1]
		everywhere(t, func(b *bench) {
			n := &BatchNorm{Channels: NewChannels(b.set, b.threads), C: c, Epsilon: 1e-3}
			x, dy, scale, offset := b.memory(rows*c, b.number), b.memory(rows*c, b.number), b.memory(c, b.number), b.memory(c, b.number)
			runMean, runVar := b.memory(c, b.number), b.memory(c, func() float32 { return 1 })
			oldMean, oldVar := slices.Clone(runMean), slices.Clone(runVar)
			y, mean, inverse, scratch := b.memory(rows*c, nil), b.memory(c, nil), b.memory(c, nil), b.memory(n.Scratch(rows), nil)
			n.Train(b.c, rows, x, scale, offset, runMean, runVar, 0.9, kernel.Activation{}, y, mean, inverse, scratch)
			var wantMean, wantVar []float64
			f := func(k int, x []float64) []float64 { // one channel's
				m, v := 0.0, 0.0
				for r := range rows {
					m += x[r] / float64(rows)
				}
				for r := range rows {
					v += (x[r] - m) * (x[r] - m) / float64(rows)
				}
				wantMean, wantVar = append(wantMean, 0.9*float64(oldMean[k])+0.1*m), append(wantVar, 0.9*float64(oldVar[k])+0.1*v)
				out := make([]float64, rows)
				for r := range rows {
					out[r] = (x[r]-m)/math.Sqrt(v+1e-3)*float64(scale[k]) + float64(offset[k])
				}
				return out
			}
			column := func(x []float32, k int) []float64 {
				out := make([]float64, rows)
				for r := range rows {
					out[r] = float64(x[r*c+k])
				}
				return out
			}
			want := make([]float64, rows*c)
			for k := range c {
				for r, v := range f(k, column(x, k)) {
					want[r*c+k] = v
				}
			}
			b.check("y", y, want, 1e-5)
			b.check("running mean", runMean, wantMean, 1e-6)
			b.check("running variance", runVar, wantVar, 1e-6)
			relu, _ := kernel.NewActivation("relu", 0)
			predicted := b.memory(rows*c, nil)
			n.Predict(b.c, rows, x, scale, offset, oldMean, oldVar, relu, predicted, scratch)
			for i, v := range x {
				want[i] = math.Max(0, (float64(v)-float64(oldMean[i%c]))/math.Sqrt(1+1e-3)*float64(scale[i%c])+float64(offset[i%c]))
			}
			b.check("prediction", predicted, want, 1e-5)
			dScale, dOffset, dx := b.memory(c, nil), b.memory(c, nil), b.memory(rows*c, nil)
			n.Back(b.c, rows, x, dy, scale, offset, mean, inverse, false, dScale, dOffset, dx, scratch)
			batchNormRelu(b, n, rows, x, dy, scale, offset)
			wantScale, wantOffset := make([]float64, c), make([]float64, c)
			for k := range c {
				for r := range rows {
					wantOffset[k] += float64(dy[r*c+k])
					wantScale[k] += float64(dy[r*c+k]) * (float64(y[r*c+k]) - float64(offset[k])) / float64(scale[k])
				}
			}
			b.check("dScale", dScale, wantScale, 1e-4)
			b.check("dOffset", dOffset, wantOffset, 1e-5)
			if rows > 200 {
				return // differences of as many values would take long
			}
			for k := range c {
				d := make([]float32, rows)
				for r := range d {
					d[r] = dy[r*c+k]
				}
				for r, v := range b.slope(func(x []float64) []float64 { return f(k, x) }, column(x, k), d) {
					want[r*c+k] = v
				}
			}
			if b.threads > 1 {
				want = nil
			}
			b.check("dx", dx, want, 2e-5)
		})
	}
}

func TestLayerNorm(t *testing.T) {
	for _, c := range []int{5, 64, 150} {
		const rows = 9
		everywhere(t, func(b *bench) {
			n := NewLayerNorm(b.set, b.threads, c, 1e-3)
			x, dy, scale, offset := b.memory(rows*c, b.number), b.memory(rows*c, b.number), b.memory(c, b.number), b.memory(c, b.number)
			y, mean, inverse := b.memory(rows*c, nil), b.memory(rows, nil), b.memory(rows, nil)
			n.Forward(b.c, rows, x, scale, offset, y, mean, inverse)
			norm := func(x []float64) []float64 {
				m, v := 0.0, 0.0
				for _, a := range x {
					m += a / float64(c)
				}
				for _, a := range x {
					v += (a - m) * (a - m) / float64(c)
				}
				out := make([]float64, c)
				for i, a := range x {
					out[i] = (a - m) / math.Sqrt(v+1e-3)
				}
				return out
			}
			f := func(x []float64) []float64 {
				out := norm(x)
				for i := range out {
					out[i] = out[i]*float64(scale[i]) + float64(offset[i])
				}
				return out
			}
			var want, wantDx []float64
			wantScale, wantOffset := make([]float64, c), make([]float64, c)
			for r := range rows {
				row := wide(x[r*c:][:c])
				want = append(want, f(row)...)
				wantDx = append(wantDx, b.slope(f, row, dy[r*c:][:c])...)
				for i, v := range norm(row) {
					wantScale[i] += v * float64(dy[r*c+i])
					wantOffset[i] += float64(dy[r*c+i])
				}
			}
			b.check("y", y, want, 1e-5)
			dScale, dOffset := b.memory(c, nil), b.memory(c, nil)
			n.Back(b.c, rows, x, dy, scale, mean, inverse, dScale, dOffset, dy, b.memory(n.BackScratch(rows), nil))
			b.check("dx", dy, wantDx, 1e-5)
			b.check("dScale", dScale, wantScale, 1e-5)
			b.check("dOffset", dOffset, wantOffset, 1e-5)
		})
	}
}

func TestSoftmax(t *testing.T) {
	for _, n := range []int{1, 13, 200} {
		const rows = 5
		f := func(x []float64) []float64 {
			top, sum := slices.Max(x), 0.0
			out := make([]float64, len(x))
			for i, v := range x {
				out[i] = math.Exp(v - top)
				sum += out[i]
			}
			for i := range out {
				out[i] /= sum
			}
			return out
		}
		everywhere(t, func(b *bench) {
			s := NewSoftmax(b.set, b.threads)
			x, dy, y := b.memory(rows*n, func() float32 { return 20 * b.number() }), b.memory(rows*n, b.number), b.memory(rows*n, nil)
			s.Forward(b.c, rows, n, x, y)
			var want, wantDx []float64
			for r := range rows {
				want = append(want, f(wide(x[r*n:][:n]))...)
				wantDx = append(wantDx, b.slope(f, wide(x[r*n:][:n]), dy[r*n:][:n])...)
			}
			b.check("y", y, want, 3e-6)
			s.Back(b.c, rows, n, y, dy, dy)
			b.check("dx", dy, wantDx, 3e-6)
		})
	}
}

func TestSoftArgmax(t *testing.T) {
	for _, size := range [][3]int{{5, 7, 3}, {6, 9, 15}} { // of the second, pixels stand abreast, and some are left
		softArgmax(t, size[0], size[1], size[2])
	}
}

func softArgmax(t *testing.T, h, w, c int) {
	const n, temperature = 2, 0.7
	f := func(x []float64) []float64 {
		out := make([]float64, n*2*c)
		for img := range n {
			for k := range c {
				sum, sx, sy := 0.0, 0.0, 0.0
				for p := range h * w {
					e := math.Exp(x[(img*h*w+p)*c+k] / temperature)
					sum += e
					sx += e * (float64(2*(p%w)+1)/float64(w) - 1)
					sy += e * (float64(2*(p/w)+1)/float64(h) - 1)
				}
				out[(img*c+k)*2], out[(img*c+k)*2+1] = sx/sum, sy/sum
			}
		}
		return out
	}
	everywhere(t, func(b *bench) {
		s := NewSoftArgmax(b.set, b.threads, h, w, c, temperature)
		x, dy, y, dx, scratch := b.memory(n*h*w*c, func() float32 { return 3 * b.number() }), b.memory(n*2*c, b.number), b.memory(n*2*c, nil), b.memory(n*h*w*c, nil), b.memory(s.Scratch(), nil)
		kept := b.memory(n*s.Kept(), nil)
		s.Forward(b.c, n, x, y, kept, scratch)
		b.check("y", y, f(wide(x)), 2e-6)
		s.Back(b.c, n, x, y, kept, dy, dx, scratch)
		b.check("dx", dx, b.slope(f, wide(x), dy), 2e-6)
	})
}

func TestAttention(t *testing.T) {
	const n, tokens, features, heads = 2, 6, 12, 3
	f := func(q, k, v []float64) []float64 {
		out := make([]float64, n*tokens*features)
		d := features / heads
		for img := range n {
			for head := range heads {
				at := func(token, i int) int { return (img*tokens+token)*features + head*d + i }
				for r := range tokens {
					e, sum := make([]float64, tokens), 0.0
					for s := range tokens {
						for i := range d {
							e[s] += q[at(r, i)] * k[at(s, i)] / math.Sqrt(float64(d))
						}
						e[s] = math.Exp(e[s])
						sum += e[s]
					}
					for s := range tokens {
						for i := range d {
							out[at(r, i)] += e[s] / sum * v[at(s, i)]
						}
					}
				}
			}
		}
		return out
	}
	everywhere(t, func(b *bench) {
		a, err := NewAttention(b.set, b.threads, tokens, features, heads)
		if err != nil {
			t.Fatal(err)
		}
		size := n * tokens * features
		q, k, v, dy := b.memory(size, b.number), b.memory(size, b.number), b.memory(size, b.number), b.memory(size, b.number)
		weights, mixed, scratch := b.memory(a.WeightsLen(n), nil), b.memory(size, nil), b.memory(a.Scratch(), nil)
		a.Forward(b.c, n, q, k, v, weights, mixed, scratch)
		b.check("mixed", mixed, f(wide(q), wide(k), wide(v)), 2e-6)
		dq, dk, dv := b.memory(size, nil), b.memory(size, nil), b.memory(size, nil)
		a.Back(b.c, n, q, k, v, weights, dy, dq, dk, dv, scratch)
		b.check("dq", dq, b.slope(func(x []float64) []float64 { return f(x, wide(k), wide(v)) }, wide(q), dy), 3e-6)
		b.check("dk", dk, b.slope(func(x []float64) []float64 { return f(wide(q), x, wide(v)) }, wide(k), dy), 3e-6)
		b.check("dv", dv, b.slope(func(x []float64) []float64 { return f(wide(q), wide(k), x) }, wide(v), dy), 3e-6)
	})
	if _, err := NewAttention(kernel.Sets()[0], 1, 4, 5, 2); err == nil {
		t.Error("5 features in 2 heads: found no error, want one")
	}
}

// A stream that is too short is a panic before anything is written, however much memory lies behind it.
func TestShort(t *testing.T) {
	pool := work.New(1)
	defer pool.Close()
	x := make([]float32, 100)
	defer func() {
		if recover() == nil {
			t.Error("9 numbers of 10: found no panic, want one")
		}
		if x[9] != 0 {
			t.Error("wrote behind the stream")
		}
	}()
	NewEach(kernel.Sets()[0], 1).Run(pool.Caller(), kernel.OpShift, 10, Streams{x[:9], x[20:30]}, [8]float32{1, 1})
}
