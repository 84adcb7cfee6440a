//go:build unix

package backend_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
)

// BenchmarkBackend is what XLA libraries are compared by: work of a network's kind, written with GoMLX's plain
// operations. docs/backends.md says how to run it on several libraries in turn and what came out.
func BenchmarkBackend(b *testing.B) {
	const n, side, in, out = 64, 48, 32, 64
	image := [][]int{{n, side, side, in}, {3, 3, in, out}}
	conv := 2.0 * n * side * side * 9 * in * out
	cases := []struct {
		name   string
		flop   float64
		inputs [][]int
		plain  bool // also on the pure-Go backend, which has no fast convolution
		f      func(v []*graph.Node) *graph.Node
	}{
		{"matmul", 2 * 1024 * 1024 * 1024, [][]int{{1024, 1024}, {1024, 1024}}, true, func(v []*graph.Node) *graph.Node {
			return graph.MatMul(v[0], v[1])
		}},
		{"conv", conv, image, false, func(v []*graph.Node) *graph.Node {
			return graph.Convolve(v[0], v[1]).PadSame().Done()
		}},
		{"conv/input-gradient", conv, [][]int{{n, side, side, out}, {3, 3, in, out}}, false, func(v []*graph.Node) *graph.Node {
			turned := graph.Reverse(graph.Transpose(v[1], 2, 3), 0, 1)
			return graph.Convolve(v[0], turned).PadSame().Done()
		}},
		{"conv/filter-gradient", conv, [][]int{{n, side, side, in}, {n, side, side, out}}, false, filterGradient},
		{"train", 3 * (2*n*96*96*9*32 + 2*n*48*48*9*32*64 + 2*n*24*24*64*30), [][]int{
			{n, 96, 96, 1}, {n, 30}, {3, 3, 1, 32}, {3, 3, 32, 64}, {24 * 24 * 64, 30},
		}, false, step},
	}
	for _, c := range cases {
		b.Run(c.name, func(b *testing.B) {
			backendtest.EachBench(b, func(b *testing.B, on *backend.Backend) {
				if on.Kind() == backend.Go && !c.plain {
					b.Skip("no fast convolution of its own")
				}
				exec, err := graph.NewExec(on.Compute(), func(v []*graph.Node) *graph.Node {
					// One number comes back, so that no copy is measured.
					return graph.ReduceAllSum(c.f(v))
				})
				if err != nil {
					b.Fatal(err)
				}
				defer exec.Finalize()
				var args []any
				for i, dims := range c.inputs {
					t := noise(uint32(i+1), dims)
					if err := t.ToDevice(on.Compute(), 0); err != nil {
						b.Fatal(err)
					}
					args = append(args, t)
				}
				run := func() {
					r, err := exec.Call1(args...)
					if err != nil {
						b.Fatal(err)
					}
					_ = tensors.ToScalar[float32](r)
					_ = r.FinalizeAll()
				}
				run()
				before := cpuTime()
				for b.Loop() {
					run()
				}
				// On a machine that does other work too, the processor's time says more than the clock's.
				b.ReportMetric(float64(cpuTime()-before)/float64(b.N)/1e6, "cpu-ms/op")
				b.ReportMetric(c.flop*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		})
	}
}

// cpuTime is what all threads of this process have used of the processor so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// filterGradient is the gradient of a padded 3x3 convolution with respect to its filter, as the engine writes it:
// convolutions whose channels are the images, 8 at a time.
func filterGradient(v []*graph.Node) *graph.Node {
	x, dy := v[0], v[1]
	const group = 8
	var sum *graph.Node
	for i := 0; i < x.Shape().Dimensions[0]; i += group {
		images := func(a *graph.Node, to ...int) *graph.Node {
			return graph.TransposeAllAxes(graph.SliceAxis(a, 0, graph.AxisRange(i, i+group)), to...)
		}
		g := graph.Convolve(images(x, 3, 1, 2, 0), images(dy, 1, 2, 0, 3)).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
		if sum == nil {
			sum = g
		} else {
			sum = graph.Add(sum, g)
		}
	}
	return sum
}

// step is a training step of a small network with GoMLX's own gradients: x, y, three weights in; the sum of the
// weights after one step of gradient descent out.
func step(v []*graph.Node) *graph.Node {
	x, y, weights := v[0], v[1], v[2:]
	pool := func(a *graph.Node) *graph.Node {
		d := a.Shape().Dimensions
		return graph.ReduceMax(graph.Reshape(a, d[0], d[1]/2, 2, d[2]/2, 2, d[3]), 2, 4)
	}
	relu := func(a *graph.Node) *graph.Node { return graph.Max(a, graph.ZerosLike(a)) }
	h := pool(relu(graph.Convolve(x, weights[0]).PadSame().Done()))
	h = pool(relu(graph.Convolve(h, weights[1]).PadSame().Done()))
	h = graph.MatMul(graph.Reshape(h, h.Shape().Dimensions[0], -1), weights[2])
	loss := graph.ReduceAllMean(graph.Square(graph.Sub(h, y)))
	var sum *graph.Node
	for i, g := range graph.Gradient(loss, weights...) {
		s := graph.ReduceAllSum(graph.Sub(weights[i], graph.MulScalar(g, 0.01)))
		if sum == nil {
			sum = s
		} else {
			sum = graph.Add(sum, s)
		}
	}
	return sum
}

// noise is a float32 tensor of numbers in [-0.1, 0.1), the same for the same seed.
func noise(seed uint32, dims []int) *tensors.Tensor {
	size := 1
	for _, d := range dims {
		size *= d
	}
	data := make([]float32, size)
	for i := range data {
		seed = seed*1664525 + 1013904223
		data[i] = (float32(seed>>8)/(1<<24) - 0.5) / 5
	}
	return tensors.FromFlatDataAndDimensions(data, dims...)
}
