package kernel

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
)

// chain is a small network with what can follow what: sizes that are no
// multiples of the strides, padding, branches, and every kind of operation on maps.
type chain struct {
	shapes [][]int // of the parameters
	build  func(k *Kernel, x *graph.Node, p []*graph.Node, key *graph.Node) (y *graph.Node, back func(dy *graph.Node) (dx *graph.Node, grads []*graph.Node))
}

var chains = map[string]chain{
	// As the report's networks: the bias after the pool, dropout, a filter without padding.
	"pools": {
		shapes: [][]int{{3, 3, 3, 4}, {4}, {2, 2, 4, 6}, {6}, {12, 5}},
		build: func(k *Kernel, x *graph.Node, p []*graph.Node, key *graph.Node) (*graph.Node, func(*graph.Node) (*graph.Node, []*graph.Node)) {
			a, conv1 := k.Conv2D(Conv2D{}, x, p[0], nil)
			b, pool1 := Pool2D{Window: [2]int{2, 2}}.Forward(a)
			c := tanh(k.AddRows(b, p[1]))
			d, mask := Dropout{Rate: 0.25, Stream: 1}.Apply(c, key)
			e, conv2 := k.Conv2D(Conv2D{}, d, p[2], p[3])
			f, pool2 := Pool2D{Window: [2]int{2, 2}}.Forward(e)
			flat := graph.Reshape(f, f.Shape().Dimensions[0], -1)
			y := k.Dense(flat, p[4], nil)
			return y, func(dy *graph.Node) (*graph.Node, []*graph.Node) {
				df, dw3, _ := k.DenseBackward(flat, p[4], dy, true)
				de := pool2.Backward(graph.ReshapeWithShape(df, f.Shape()))
				dd, dw2, db2 := conv2.Backward(de, true)
				dc := product(dd, mask)
				db := tanhGrad(c, dc)
				db1 := k.SumRows(db, nil)
				dx, dw1, _ := conv1.Backward(pool1.Backward(db), true)
				return dx, []*graph.Node{dw1, db1, dw2, db2, dw3}
			}
		},
	},
	// As a residual network: padding on every side, strides, a normalization
	// without statistics, two branches, a mean.
	"residual": {
		shapes: [][]int{{3, 3, 3, 4}, {4}, {4}, {3, 3, 4, 4}, {4}, {1, 1, 4, 6}, {3, 3, 4, 6}, {5, 3, 2, 4}},
		build: func(k *Kernel, x *graph.Node, p []*graph.Node, _ *graph.Node) (*graph.Node, func(*graph.Node) (*graph.Node, []*graph.Node)) {
			same := [2][2]int{{1, 1}, {1, 1}}
			a, conv1 := k.Conv2D(Conv2D{Padding: same}, x, p[0], nil)
			b := k.AddRows(k.MulRows(a, p[1], nil), p[2])
			c := tanh(b)
			d, conv2 := k.Conv2D(Conv2D{Padding: same}, c, p[3], p[4])
			e := sum(d, c)
			f, conv3 := k.Conv2D(Conv2D{Strides: [2]int{2, 2}}, e, p[5], nil)
			g, conv4 := k.Conv2D(Conv2D{Strides: [2]int{2, 2}, Padding: same}, e, p[6], nil)
			h := tanh(sum(f, g))
			i, pool := Pool2D{Kind: PoolAvg, Window: [2]int{3, 3}, Strides: [2]int{2, 1}, Padding: same}.Forward(h)
			j, conv5 := k.Conv2D(Conv2D{Groups: 3, Dilations: [2]int{1, 2}, Padding: [2][2]int{{2, 2}, {0, 3}}}, i, padFilter(p[7]), nil)
			y := k.SumRows(product(j, j), nil)
			return y, func(dy *graph.Node) (*graph.Node, []*graph.Node) {
				dj := k.MulRows(twice(j), dy, nil)
				di, dw5, _ := conv5.Backward(dj, true)
				dh := tanhGrad(h, pool.Backward(di))
				de1, dw3, _ := conv3.Backward(dh, true)
				de2, dw4, _ := conv4.Backward(dh, true)
				de := sum(de1, de2)
				dc2, dw2, db2 := conv2.Backward(de, true)
				db := tanhGrad(c, sum(dc2, de))
				ds, do := k.SumRows(product(db, a), nil), k.SumRows(db, nil)
				dx, dw1, _ := conv1.Backward(k.MulRows(db, p[1], nil), true)
				return dx, []*graph.Node{dw1, ds, do, dw2, db2, dw3, dw4, cutFilter(dw5)}
			}
		},
	},
}

func tanh(x ...*graph.Node) *graph.Node    { return graph.Tanh(x[0]) }
func sum(x ...*graph.Node) *graph.Node     { return graph.Add(x[0], x[1]) }
func product(x ...*graph.Node) *graph.Node { return graph.Mul(x[0], x[1]) }
func twice(x ...*graph.Node) *graph.Node   { return graph.MulScalar(x[0], 2) }

func tanhGrad(x ...*graph.Node) *graph.Node {
	return graph.Mul(x[1], graph.OneMinus(graph.Mul(x[0], x[0])))
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

func (c chain) compile(t *testing.T, b testBackend) program {
	t.Helper()
	exec, err := graph.NewExec(b.backend, func(in []*graph.Node) []*graph.Node {
		k := New(Options{Target: b.target, Training: true})
		y, back := c.build(k, in[1], in[2:], in[0])
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
		in := []any{[]uint32{3, 4}}
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

// Every backend gives the same gradients, the same bytes twice, and
// finite differences along random directions agree with them.
func TestChains(t *testing.T) {
	for name, c := range chains {
		args := c.arguments(chainImage)
		var want []array
		for _, b := range backends(t) {
			t.Run(fmt.Sprint(name, " ", b.name), func(t *testing.T) {
				run := c.compile(t, b)
				_, got := run(t, args)
				if want == nil {
					want = got
				}
				for i := range got {
					near(t, fmt.Sprint("gradient ", i), got[i].tensor(), &want[i])
				}
				checkDirections(t, run, args, got)
				_, again := run(t, args)
				for i := range got {
					if !slices.Equal(got[i].Values, again[i].Values) {
						t.Errorf("gradient %d differs between two runs", i)
					}
				}
			})
		}
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
