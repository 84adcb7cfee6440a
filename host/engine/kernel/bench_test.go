package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// The benchmarks train and run the report's net6 and net11, built by hand from
// this package's kernels and from GoMLX's own layers and gradients. What is
// compared alternates within one benchmark, since machines differ by the hour:
// read the ratios.

// benchNet is a network on 96x96 grey images with 30 outputs.
type benchNet struct {
	name    string
	batch   int
	convs   []int // of each block: how many
	size    int   // of a filter
	padding int
	drop    []float64 // after each block's pool
	hidden  int
}

var (
	net6  = benchNet{"net6", 128, []int{1, 1, 1}, 2, 0, []float64{0.1, 0.2, 0.3}, 500}
	net11 = benchNet{"net11", 64, []int{3, 3, 3}, 3, 1, []float64{0.1, 0.2, 0.3}, 1000}
)

const benchDropHidden = 0.5

// layers calls back in order, and sums up the forward FLOPs.
func (n benchNet) layers(conv func(cin, cout, size int), pool func(drop float64), dense func(in, out int, last bool)) (flops, first float64) {
	c, side := 1, 96
	for b, convs := range n.convs {
		for i := range convs {
			out, size := 32<<b, n.size
			if b == 0 && i == 0 {
				size = 3
			}
			conv(c, out, size)
			side += 2*n.padding - size + 1
			f := 2 * float64(side*side*out*c*size*size)
			flops += f
			if b == 0 && i == 0 {
				first = f
			}
			c = out
		}
		pool(n.drop[b])
		side /= 2
	}
	in := side * side * c
	for i, out := range []int{n.hidden, n.hidden, 30} {
		dense(in, out, i == 2)
		flops += 2 * float64(in*out)
		in = out
	}
	return flops, first
}

// trainFLOPs are an image's: forward, and both gradients, but for the first
// layer, which needs none of its input.
func (n benchNet) trainFLOPs() float64 {
	f, first := n.layers(func(int, int, int) {}, func(float64) {}, func(int, int, bool) {})
	return 3*f - first
}

// params are weights and biases by layer.
func (n benchNet) params() []*tensors.Tensor {
	r := rand.New(rand.NewPCG(1, 2))
	var all []*tensors.Tensor
	add := func(fan int, dims ...int) {
		size := 1
		for _, d := range dims {
			size *= d
		}
		v := make([]float32, size)
		limit := math.Sqrt(6 / float64(fan))
		for i := range v {
			v[i] = float32((2*r.Float64() - 1) * limit)
		}
		all = append(all, tensors.FromFlatDataAndDimensions(v, dims...))
		out := dims[len(dims)-1]
		all = append(all, tensors.FromFlatDataAndDimensions(make([]float32, out), out))
	}
	n.layers(func(cin, cout, size int) { add(size*size*(cin+cout), size, size, cin, cout) }, func(float64) {},
		func(in, out int, _ bool) { add(in+out, in, out) })
	return all
}

// kernels builds the network and returns its answer and a function that goes
// back from the answer's gradient to those of the parameters.
func (n benchNet) kernels(o Options, params []*Node, x, key *Node) (*Node, func(dy *Node) []*Node) {
	o.Shrink = 8
	k := New(o)
	m := k.Map(x)
	var v *Node // the value once it is flat
	var back []func(dm *Map, dv *Node) (*Map, *Node)
	grads := make([]*Node, len(params))
	stream := uint32(0)
	p := 0
	var lateBias func()
	n.layers(func(_, _, size int) {
		i := p
		p += 2
		relu := func() {
			m = k.Each(func(xs ...*Node) *Node { return MaxScalar(xs[0], 0.0) }, k.AddChannels(m, params[i+1]))
			y := m
			back = append(back, func(dm *Map, _ *Node) (*Map, *Node) {
				dm = k.Each(func(xs ...*Node) *Node { return k.Gate(GreaterThan(xs[0], zero(x.Graph())), xs[1]) }, y, dm)
				grads[i+1] = k.SumChannels(dm)
				return dm, nil
			})
		}
		if lateBias != nil {
			lateBias()
		}
		lateBias = relu
		var pass *ConvPass
		pad := [2]int{n.padding, n.padding}
		m, pass = Conv2D{Padding: [2][2]int{pad, pad}}.Forward(m, params[i], nil)
		back = append(back, func(dm *Map, _ *Node) (*Map, *Node) {
			dx, dw, _ := pass.Backward(dm, i > 0)
			grads[i] = dw
			return dx, nil
		})
	}, func(drop float64) {
		var pass *PoolPass
		m, pass = Pool2D{Window: [2]int{2, 2}}.Forward(m)
		back = append(back, func(dm *Map, _ *Node) (*Map, *Node) { return pass.Backward(dm), nil })
		lateBias() // after the pool: the same, on a quarter of the values
		lateBias = nil
		if o.Training && drop > 0 {
			stream++
			var mask *Map
			m, mask = Dropout{Rate: drop, Stream: stream}.ApplyMap(m, key)
			back = append(back, func(dm *Map, _ *Node) (*Map, *Node) {
				return k.Each(func(xs ...*Node) *Node { return Mul(xs[0], xs[1]) }, dm, mask), nil
			})
		}
	}, func(in, out int, last bool) {
		i := p
		p += 2
		if v == nil {
			y := m.NHWC()
			v = Reshape(y, -1, in)
			back = append(back, func(_ *Map, dv *Node) (*Map, *Node) {
				return k.Map(Reshape(dv, y.Shape().Dimensions...)), nil
			})
		}
		from := v
		v = k.AddRows(k.Dense(v, params[i], nil), params[i+1])
		back = append(back, func(_ *Map, dv *Node) (*Map, *Node) {
			dx, dw, _ := k.DenseBackward(from, params[i], dv, true)
			grads[i], grads[i+1] = dw, k.SumRows(dv)
			return nil, dx
		})
		if last {
			return
		}
		v = MaxScalar(v, 0.0)
		y := v
		back = append(back, func(_ *Map, dv *Node) (*Map, *Node) {
			return nil, k.Gate(GreaterThan(y, zero(x.Graph())), dv)
		})
		if o.Training && out == n.hidden && i == len(params)-6 {
			stream++
			var mask *Node
			v, mask = Dropout{Rate: benchDropHidden, Stream: stream}.Apply(v, key)
			back = append(back, func(_ *Map, dv *Node) (*Map, *Node) { return nil, Mul(dv, mask) })
		}
	})
	return v, func(dy *Node) []*Node {
		var dm *Map
		for i := len(back) - 1; i >= 0; i-- {
			dm, dy = back[i](dm, dy)
		}
		return grads
	}
}

// plain builds the network from GoMLX's own layers.
func (n benchNet) plain(training bool, params []*Node, x, rng *Node) (y, newRNG *Node) {
	drop := func(x *Node, rate float64) *Node {
		if !training {
			return x
		}
		var r *Node
		rng, r = RandomUniform(rng, x.Shape())
		dropped := LessOrEqual(r, BroadcastToDims(Scalar(x.Graph(), dtypes.Float32, rate), x.Shape().Dimensions...))
		return DivScalar(Where(dropped, ZerosLike(x), x), 1-rate)
	}
	relu := func(x *Node) *Node { return MaxScalar(x, 0.0) }
	v, p := x, 0
	n.layers(func(_, _, _ int) {
		pad := [2]int{n.padding, n.padding}
		v = Convolve(v, params[p]).PaddingPerDim([][2]int{pad, pad}).Done()
		v = relu(Add(v, ExpandLeftToRank(params[p+1], 4)))
		p += 2
	}, func(rate float64) {
		v = drop(MaxPool(v).Window(2).NoPadding().Done(), rate)
	}, func(in, _ int, last bool) {
		v = Add(Dot(Reshape(v, -1, in), params[p]).Product(), ExpandLeftToRank(params[p+1], 2))
		p += 2
		if !last {
			v = relu(v)
			if p == len(params)-4 {
				v = drop(v, benchDropHidden)
			}
		}
	})
	return v, rng
}

// trainer makes one SGD step with Nesterov momentum at each call.
type trainer struct {
	exec  *Exec
	b     compute.Backend
	state []*tensors.Tensor // parameters, velocities, random state
	x, y  *tensors.Tensor
	batch int
}

func benchData(batch int) (x, y *tensors.Tensor) {
	r := rand.New(rand.NewPCG(3, 4))
	pixels, points := make([]float32, batch*96*96), make([]float32, batch*30)
	for i := range pixels {
		pixels[i] = r.Float32()
	}
	for i := range points {
		points[i] = r.Float32() - 0.5
	}
	return tensors.FromFlatDataAndDimensions(pixels, batch, 96, 96, 1), tensors.FromFlatDataAndDimensions(points, batch, 30)
}

func newTrainer(b *testing.B, backend compute.Backend, n benchNet, batch int, o *Options) *trainer {
	t := &trainer{b: backend, batch: batch}
	t.x, t.y = benchData(batch)
	t.state = n.params()
	count := len(t.state)
	for _, p := range t.state[:count] {
		t.state = append(t.state, tensors.FromShape(p.Shape()))
	}
	if o != nil {
		t.state = append(t.state, tensors.FromFlatDataAndDimensions([]uint32{1, 2}, 2))
	} else {
		rng, err := RNGStateFromSeed(1)
		if err != nil {
			b.Fatal(err)
		}
		t.state = append(t.state, rng)
	}
	var err error
	t.exec, err = NewExec(backend, func(in []*Node) []*Node {
		params, speeds, rng := in[:count], in[count:2*count], in[2*count]
		x, want := in[2*count+1], in[2*count+2]
		var y *Node
		var grads []*Node
		if o != nil {
			var back func(*Node) []*Node
			y, back = n.kernels(*o, params, x, rng)
			d := Sub(y, want)
			grads = back(MulScalar(d, 2/float64(batch*30)))
			rng = AddScalar(rng, uint32(1))
			y = ReduceAllMean(Mul(d, d))
		} else {
			y, rng = n.plain(true, params, x, rng)
			d := Sub(y, want)
			y = ReduceAllMean(Mul(d, d))
			grads = Gradient(y, params...)
		}
		const rate, momentum = 0.01, 0.9
		out := make([]*Node, 2*count, 2*count+2)
		for i, g := range grads {
			step := MulScalar(g, rate)
			v := Sub(MulScalar(speeds[i], momentum), step)
			out[i], out[count+i] = Add(params[i], Sub(MulScalar(v, momentum), step)), v
		}
		return append(out, rng, y)
	})
	if err != nil {
		b.Fatal(err)
	}
	return t
}

func (t *trainer) step(b *testing.B) float64 {
	args := make([]any, 0, len(t.state)+2)
	for _, s := range t.state {
		d, err := DonateTensorBuffer(s, t.b, 0)
		if err != nil {
			b.Fatal(err)
		}
		args = append(args, d)
	}
	out, err := t.exec.Call(append(args, t.x, t.y)...)
	if err != nil {
		b.Fatal(err)
	}
	t.state = out[:len(out)-1]
	return float64(tensors.ToScalar[float32](out[len(out)-1]))
}

// alternate runs each of several things in turn, b.N rounds after one that does
// not count, and returns each one's fastest round.
func alternate(b *testing.B, fs ...func()) []time.Duration {
	cpu := make([]time.Duration, len(fs))
	defer func() {
		for i := range fs {
			b.ReportMetric(float64((cpu[i]/time.Duration(b.N)).Microseconds())/1000, fmt.Sprintf("cpu-ms-%d", i))
		}
	}()
	best := make([]time.Duration, len(fs))
	for round := range b.N + 1 {
		for i, f := range fs {
			start := time.Now()
			c := cpuTime()
			f()
			if round > 0 {
				cpu[i] += cpuTime() - c
			}
			if d := time.Since(start); round == 1 || round > 1 && d < best[i] {
				best[i] = d
			}
		}
		if round == 0 {
			b.ResetTimer()
		}
	}
	return best
}

// product1024 multiplies two 1024x1024 matrices ten times.
func product1024(b *testing.B, backend compute.Backend) func() {
	e, err := NewExec(backend, func(x, y *Node) *Node {
		for range 10 {
			x = Dot(x, y).Product()
		}
		return ReduceAllMax(Slice(x, AxisRange(0, 1)))
	})
	if err != nil {
		b.Fatal(err)
	}
	args := make([]any, 2)
	for i := range args {
		args[i] = tensors.FromShape(shapes.Make(dtypes.Float32, 1024, 1024))
	}
	return func() {
		if _, err := e.Call(args...); err != nil {
			b.Fatal(err)
		}
	}
}

const productFLOPs = 10 * 2 * 1024 * 1024 * 1024

func openGo(b *testing.B) compute.Backend {
	backend, err := compute.NewWithConfig("go")
	if err != nil {
		b.Fatal(err)
	}
	return backend
}

func benchTrainGo(b *testing.B, n benchNet) {
	backend := openGo(b)
	t := newTrainer(b, backend, n, n.batch, &Options{Target: Go, Training: true})
	best := alternate(b, product1024(b, backend), func() { t.step(b) })
	b.ReportMetric(float64(n.batch)/best[1].Seconds(), "images/s")
	rate, peak := float64(n.batch)*n.trainFLOPs()/best[1].Seconds(), productFLOPs/best[0].Seconds()
	b.ReportMetric(peak/1e9, "product-GFLOP/s")
	b.ReportMetric(rate/1e9, "GFLOP/s")
	b.ReportMetric(rate/peak, "of-product")
}

func BenchmarkTrainGo(b *testing.B) {
	for _, n := range []benchNet{net6, net11} {
		b.Run(n.name, func(b *testing.B) { benchTrainGo(b, n) })
	}
}

func BenchmarkTrainXLA(b *testing.B) {
	backend := openXLA(b)
	if backend == nil {
		b.Skip("no XLA plugin for the CPU")
	}
	for _, n := range []benchNet{net6, net11} {
		b.Run(n.name, func(b *testing.B) {
			ours := newTrainer(b, backend, n, n.batch, &Options{Target: XLACPU, Training: true})
			plain := newTrainer(b, backend, n, n.batch, nil)
			best := alternate(b, func() { ours.step(b) }, func() { plain.step(b) })
			b.ReportMetric(float64(n.batch)/best[0].Seconds(), "images/s")
			b.ReportMetric(float64(n.batch)/best[1].Seconds(), "plain-images/s")
			b.ReportMetric(best[1].Seconds()/best[0].Seconds(), "times-plain")
		})
	}
}

func BenchmarkPredict(b *testing.B) {
	all := []testBackend{{"go", Go, openGo(b)}}
	if x := openXLA(b); x != nil {
		all = append(all, testBackend{"cpu", XLACPU, x})
	}
	for _, backend := range all {
		for _, n := range []benchNet{net6, net11} {
			for _, batch := range []int{1, 64} {
				b.Run(fmt.Sprintf("%s/%s/%d", backend.name, n.name, batch), func(b *testing.B) {
					e, err := NewExec(backend.backend, func(in []*Node) *Node {
						y, _ := n.kernels(Options{Target: backend.target}, in[1:], in[0], nil)
						return y
					})
					if err != nil {
						b.Fatal(err)
					}
					x, _ := benchData(batch)
					args := []any{x}
					for _, p := range n.params() {
						args = append(args, p)
					}
					best := alternate(b, func() {
						y, err := e.Call1(args...)
						if err != nil {
							b.Fatal(err)
						}
						tensors.MustCopyFlatData[float32](y)
					})
					b.ReportMetric(float64(best[0].Microseconds())/1000, "ms")
					b.ReportMetric(float64(batch)/best[0].Seconds(), "images/s")
				})
			}
		}
	}
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
