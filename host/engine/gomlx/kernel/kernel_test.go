package kernel_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
)

type array struct {
	Shape  []int     `json:"shape"`
	Per64  []int     `json:"per64"`
	Values []float32 `json:"values"`
}

func (a array) flat() []float32 {
	if a.Per64 == nil {
		return a.Values
	}
	f := make([]float32, len(a.Per64))
	for i, v := range a.Per64 {
		f[i] = float32(v) / 64
	}
	return f
}

func (a array) tensor() *tensors.Tensor {
	return tensors.FromFlatDataAndDimensions(a.flat(), a.Shape...)
}

type refCase struct {
	Op                 string
	Strides, Dilations [2]int
	Window             [2]int
	Padding            [2][2]int
	Groups             int
	CountPadding       bool
	X, W, B            *array
	Y, DY, DX, DW, DB  *array
}

func (c refCase) name(i int) string {
	if c.Op == "conv" {
		return fmt.Sprintf("%03d conv %v on %v strides %v dilations %v padding %v groups %d", i, c.W.Shape, c.X.Shape, c.Strides, c.Dilations, c.Padding, c.Groups)
	}
	return fmt.Sprintf("%03d %s %v on %v strides %v padding %v", i, c.Op, c.Window, c.X.Shape, c.Strides, c.Padding)
}

func readReference(t testing.TB) []refCase {
	t.Helper()
	f, err := os.Open("testdata/reference.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases []refCase
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 200 {
		t.Fatalf("reference.json.gz: found %d cases, want at least 200", len(cases))
	}
	return cases
}

func near(t *testing.T, what string, got *tensors.Tensor, want *array) {
	t.Helper()
	if s := fmt.Sprint(got.Shape().Dimensions); s != fmt.Sprint(want.Shape) {
		t.Errorf("%s: found shape %v, want %v", what, s, want.Shape)
		return
	}
	g, w := tensors.MustCopyFlatData[float32](got), want.flat()
	for i := range g {
		if d := math.Abs(float64(g[i] - w[i])); !(d <= 1e-4*(1+math.Abs(float64(w[i])))) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g[i], w[i])
			return
		}
	}
}

func TestAgreesWithPyTorch(t *testing.T) {
	cases := readReference(t)
	gomlxtest.Each(t, func(t *testing.T, on kernel.Backend) {
		// Some cases to a graph, since to compile one takes XLA half a second.
		for i := 0; i < len(cases); i += 30 {
			checkCases(t, on, cases[i:min(i+30, len(cases))], i)
		}
	})
}

// catch runs f and returns the error that f panicked with, be it this
// package's or GoMLX's. Other panics go on.
func catch(f func()) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			err = r
		default:
			panic(r)
		}
	}()
	f()
	return nil
}

// outcome is what a case should give.
type outcome struct {
	what string
	want *array
}

func (c refCase) outcomes() []outcome {
	all := []outcome{{"output", c.Y}, {"input gradient", c.DX}}
	if c.W != nil {
		all = append(all, outcome{"filter gradient", c.DW})
	}
	if c.B != nil {
		all = append(all, outcome{"bias gradient", c.DB})
	}
	return all
}

// build gives the case's outcomes, taking its arguments from the front of in. A
// case's bias is added behind.
func (c refCase) build(on kernel.Target, in *[]*graph.Node) []*graph.Node {
	next := func(a *array) *graph.Node {
		if a == nil {
			return nil
		}
		x := (*in)[0]
		*in = (*in)[1:]
		return x
	}
	x, dy, w, bias := next(c.X), next(c.DY), next(c.W), next(c.B)
	if w == nil {
		p := kernel.Pool2D{Window: c.Window, Strides: c.Strides, Padding: c.Padding, CountPadding: c.CountPadding}
		if c.Op == "avg" {
			p.Kind = kernel.PoolAvg
		}
		y, pass := p.Forward(x)
		return []*graph.Node{y, pass.Backward(dy)}
	}
	y, pass := kernel.Conv2D{Strides: c.Strides, Dilations: c.Dilations, Padding: c.Padding, Groups: c.Groups}.Forward(on, x, w)
	dx, dw := pass.Backward(dy, true)
	if bias == nil {
		return []*graph.Node{y, dx, dw}
	}
	return []*graph.Node{kernel.AddRows(y, bias), dx, dw, kernel.SumRows(dy, nil)}
}

func checkCases(t *testing.T, on kernel.Backend, cases []refCase, number int) {
	t.Helper()
	var args []any
	for _, c := range cases {
		for _, a := range []*array{c.X, c.DY, c.W, c.B} {
			if a != nil {
				args = append(args, a.tensor())
			}
		}
	}
	got, err := graph.CallOnceN(on.Compute, func(in []*graph.Node) (out []*graph.Node) {
		for i, c := range cases {
			if err := catch(func() { out = append(out, c.build(on.Target, &in)...) }); err != nil {
				t.Fatalf("%s: %v", c.name(number+i), err)
			}
		}
		return out
	}, args...)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		for _, want := range c.outcomes() {
			near(t, c.name(number+i)+", "+want.what, got[0], want.want)
			got = got[1:]
		}
	}
}

func TestBadCombinationsAreNamed(t *testing.T) {
	f := func(d ...int) *tensors.Tensor {
		n := 1
		for _, v := range d {
			n *= v
		}
		return tensors.FromFlatDataAndDimensions(make([]float32, n), d...)
	}
	conv := func(c kernel.Conv2D) func(x, w *graph.Node) {
		return func(x, w *graph.Node) { c.Forward(kernel.XLACPU, x, w) }
	}
	pool := func(c kernel.Pool2D) func(x, w *graph.Node) {
		return func(x, _ *graph.Node) { c.Forward(x) }
	}
	for _, c := range []struct {
		name string
		want string
		x, w *tensors.Tensor
		run  func(x, w *graph.Node)
	}{
		{"channels", "convolution: found a filter for 2 channels, want 3", f(1, 4, 4, 3), f(2, 2, 2, 5), conv(kernel.Conv2D{})},
		{"groups", "convolution: found 3 channels in, 4 out and 2 groups", f(1, 4, 4, 3), f(2, 2, 1, 4), conv(kernel.Conv2D{Groups: 2})},
		{"too large", "convolution: a 5x5 filter (dilations [2 2]) does not fit on 4x4 pixels", f(1, 4, 4, 1), f(5, 5, 1, 1),
			conv(kernel.Conv2D{Dilations: [2]int{2, 2}})},
		{"filter rank", "convolution: found a filter of shape", f(1, 4, 4, 1), f(5, 5), conv(kernel.Conv2D{})},
		{"padding", "convolution: found padding [[-1 0] [0 0]], want none negative", f(1, 4, 4, 1), f(1, 1, 1, 1),
			conv(kernel.Conv2D{Padding: [2][2]int{{-1, 0}, {0, 0}}})},
		{"gradient", "convolution: found a gradient of {1 4 4 1}, want {1 3 3 1}", f(1, 4, 4, 1), f(2, 2, 1, 1),
			func(x, w *graph.Node) {
				_, pass := kernel.Conv2D{}.Forward(kernel.XLACPU, x, w)
				pass.Backward(x, true)
			}},
		{"window", "pool: found window [0 2] and strides", f(1, 4, 4, 1), f(1), pool(kernel.Pool2D{Window: [2]int{0, 2}, Strides: [2]int{1, 1}})},
		{"pool too large", "pool: a window of [5 2] does not fit", f(1, 4, 4, 1), f(1), pool(kernel.Pool2D{Window: [2]int{5, 2}})},
		{"pool padding", "pool: found padding", f(1, 4, 4, 1), f(1), pool(kernel.Pool2D{Window: [2]int{2, 2}, Padding: [2][2]int{{2, 0}, {0, 0}}})},
		{"map rank", "feature map: found shape", f(4), f(1), pool(kernel.Pool2D{Window: [2]int{2, 2}})},
		{"dense", "dense: found inputs of", f(4, 4), f(3, 3), func(x, w *graph.Node) { kernel.Dense(kernel.XLACPU, x, w) }},
		{"rows", "rows: found", f(2, 4, 4, 3), f(2), func(x, w *graph.Node) { kernel.AddRows(x, w) }},
		{"rows that count", "rows that count: found", f(2, 4, 4, 1), f(3), func(x, w *graph.Node) { kernel.SumRows(x, w) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			_, _ = graph.CallOnce(gomlxtest.Reference(t).Compute, func(x, w *graph.Node) *graph.Node {
				err = catch(func() { c.run(x, w) })
				return x
			}, c.x, c.w)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("found error %v, want %q", err, c.want)
			}
		})
	}
}
