package kernel_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
)

// chain is a small network with what can follow what: sizes that are no
// multiples of the strides, padding, branches, and every operation of the package.
type chain struct {
	shapes [][]int // of the parameters
	build  func(on kernel.Target, x *graph.Node, p []*graph.Node) (y *graph.Node, back func(dy *graph.Node) (dx *graph.Node, grads []*graph.Node))
}

var chains = map[string]chain{
	// As the report's networks: the bias after the pool, a filter without padding.
	"pools": {
		shapes: [][]int{{3, 3, 3, 4}, {4}, {2, 2, 4, 6}, {12, 5}},
		build: func(on kernel.Target, x *graph.Node, p []*graph.Node) (*graph.Node, func(*graph.Node) (*graph.Node, []*graph.Node)) {
			a, conv1 := kernel.Conv2D{}.Forward(on, x, p[0])
			b, pool1 := kernel.Pool2D{Window: [2]int{2, 2}}.Forward(a)
			c := graph.Tanh(kernel.AddRows(b, p[1]))
			d, conv2 := kernel.Conv2D{}.Forward(on, c, p[2])
			e, pool2 := kernel.Pool2D{Window: [2]int{2, 2}}.Forward(d)
			flat := graph.Reshape(e, e.Shape().Dimensions[0], -1)
			y := kernel.Dense(on, flat, p[3])
			return y, func(dy *graph.Node) (*graph.Node, []*graph.Node) {
				de, dw3 := kernel.DenseBackward(flat, p[3], dy, true)
				dc, dw2 := conv2.Backward(pool2.Backward(graph.ReshapeWithShape(de, e.Shape())), true)
				db := tanhGrad(c, dc)
				dx, dw1 := conv1.Backward(pool1.Backward(db), true)
				return dx, []*graph.Node{dw1, kernel.SumRows(db, nil), dw2, dw3}
			}
		},
	},
	// As a residual network: padding on every side, strides, a normalization
	// without statistics, two branches, a mean.
	"residual": {
		shapes: [][]int{{3, 3, 3, 4}, {4}, {4}, {3, 3, 4, 4}, {1, 1, 4, 6}, {3, 3, 4, 6}, {5, 3, 2, 4}},
		build: func(on kernel.Target, x *graph.Node, p []*graph.Node) (*graph.Node, func(*graph.Node) (*graph.Node, []*graph.Node)) {
			same := [2][2]int{{1, 1}, {1, 1}}
			a, conv1 := kernel.Conv2D{Padding: same}.Forward(on, x, p[0])
			c := graph.Tanh(kernel.AddRows(kernel.MulRows(a, p[1], nil), p[2]))
			d, conv2 := kernel.Conv2D{Padding: same}.Forward(on, c, p[3])
			e := graph.Add(d, c)
			f, conv3 := kernel.Conv2D{Strides: [2]int{2, 2}}.Forward(on, e, p[4])
			g, conv4 := kernel.Conv2D{Strides: [2]int{2, 2}, Padding: same}.Forward(on, e, p[5])
			h := graph.Tanh(graph.Add(f, g))
			i, pool := kernel.Pool2D{Kind: kernel.PoolAvg, Window: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: same}.Forward(h)
			j, conv5 := kernel.Conv2D{Groups: 3, Dilations: [2]int{1, 2}, Padding: [2][2]int{{2, 2}, {0, 3}}}.Forward(on, i, padFilter(p[6]))
			y := kernel.SumRows(graph.Mul(j, j), nil)
			return y, func(dy *graph.Node) (*graph.Node, []*graph.Node) {
				di, dw5 := conv5.Backward(kernel.MulRows(graph.MulScalar(j, 2), dy, nil), true)
				dh := tanhGrad(h, pool.Backward(di))
				de1, dw3 := conv3.Backward(dh, true)
				de2, dw4 := conv4.Backward(dh, true)
				de := graph.Add(de1, de2)
				dc, dw2 := conv2.Backward(de, true)
				db := tanhGrad(c, graph.Add(dc, de))
				ds, do := kernel.SumRows(graph.Mul(db, a), nil), kernel.SumRows(db, nil)
				dx, dw1 := conv1.Backward(kernel.MulRows(db, p[1], nil), true)
				return dx, []*graph.Node{dw1, ds, do, dw2, dw3, dw4, cutFilter(dw5)}
			}
		},
	},
}

func tanhGrad(y, dy *graph.Node) *graph.Node {
	return graph.Mul(dy, graph.OneMinus(graph.Mul(y, y)))
}

// padFilter gives a filter of 4 outputs two more, so that they make 3 groups.
func padFilter(w *graph.Node) *graph.Node {
	return graph.Concatenate([]*graph.Node{w, graph.Slice(w, graph.AxisRange().Spacer(), graph.AxisRange(0, 2))}, -1)
}

func cutFilter(dw *graph.Node) *graph.Node {
	part := func(from, to int) *graph.Node {
		return graph.Slice(dw, graph.AxisRange().Spacer(), graph.AxisRange(from, to))
	}
	return graph.Add(part(0, 4), graph.Concatenate([]*graph.Node{part(4, 6), graph.ZerosLike(part(0, 2))}, -1))
}

// program runs the chain: its loss sum(y * r), and the gradients of x and the parameters.
type program func(t *testing.T, args []array) (loss float64, grads []array)

func (c chain) compile(t *testing.T, on kernel.Backend) program {
	t.Helper()
	exec, err := graph.NewExec(on.Compute, func(in []*graph.Node) []*graph.Node {
		y, back := c.build(on.Target, in[0], in[1:])
		r := graph.Sin(graph.MulScalar(graph.Iota(y.Graph(), shapes.Make(dtypes.Float32, y.Shape().Size()), 0), 1.7))
		r = graph.Reshape(r, y.Shape().Dimensions...)
		dx, grads := back(r)
		return append([]*graph.Node{graph.ReduceAllSum(graph.Mul(y, r)), dx}, grads...)
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, args []array) (loss float64, grads []array) {
		t.Helper()
		var in []any
		for _, a := range args {
			in = append(in, a.tensor())
		}
		out, err := exec.Call(in...)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range out[1:] {
			grads = append(grads, array{Shape: g.Shape().Dimensions, Values: tensors.MustCopyFlatData[float32](g)})
		}
		return float64(tensors.ToScalar[float32](out[0])), grads
	}
}

func (c chain) arguments(image []int) []array {
	r := rand.New(rand.NewPCG(1, 1))
	var all []array
	for _, shape := range append([][]int{image}, c.shapes...) {
		size := 1
		for _, d := range shape {
			size *= d
		}
		v := make([]float32, size)
		for i := range v {
			v[i] = float32(r.Float64() - 0.5)
		}
		all = append(all, array{Shape: shape, Values: v})
	}
	return all
}

var chainImage = []int{2, 13, 10, 3}

// Every backend gives the same gradients, the same bytes twice, and finite
// differences along random directions agree with them.
func TestChains(t *testing.T) {
	for name, c := range chains {
		args := c.arguments(chainImage)
		var want []array
		gomlxtest.Each(t, func(t *testing.T, on kernel.Backend) {
			run := c.compile(t, on)
			_, got := run(t, args)
			if want == nil {
				want = got
			}
			for i := range got {
				near(t, fmt.Sprint(name, ", gradient ", i), got[i].tensor(), &want[i])
			}
			checkDirections(t, run, args, got)
			_, again := run(t, args)
			for i := range got {
				if !slices.Equal(got[i].Values, again[i].Values) {
					t.Errorf("%s: gradient %d differs between two runs", name, i)
				}
			}
		})
	}
}

func checkDirections(t *testing.T, run program, args, grads []array) {
	r := rand.New(rand.NewPCG(5, 6))
	const step = 1e-3 // of which few cross a kink of the maximum
	for i := range args {
		at, g := args[i].Values, grads[i].Values
		var plus, minus []float32
		var want float64
		for j := range at {
			d := float32(r.Float64() - 0.5)
			want += float64(d) * float64(g[j])
			plus, minus = append(plus, at[j]+step*d), append(minus, at[j]-step*d)
		}
		moved := func(v []float32) float64 {
			all := slices.Clone(args)
			all[i].Values = v
			loss, _ := run(t, all)
			return loss
		}
		got := (moved(plus) - moved(minus)) / (2 * step)
		if math.Abs(got-want) > 0.02*(0.1+math.Abs(want)) {
			t.Errorf("argument %d: the loss changes by %v along a direction, by the gradient %v", i, got, want)
		}
	}
}
