package kernel

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
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

type testBackend struct {
	name    string
	target  Target
	backend compute.Backend
}

// backends are those that this machine has, as backendtest says.
func backends(t testing.TB) []testBackend {
	t.Helper()
	var all []testBackend
	for _, b := range backendtest.AllGoMLX(t) {
		target := XLACPU
		if b.CUDA {
			target = XLACUDA
		}
		all = append(all, testBackend{b.Name, target, b.Compute})
	}
	return all
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
	for _, b := range backends(t) {
		options := []Options{{Target: b.target, Training: true}}
		for _, o := range options {
			t.Run(fmt.Sprintf("%s training=%v", b.name, o.Training), func(t *testing.T) {
				// Some cases to a graph, since to compile one takes XLA half a second.
				for i := 0; i < len(cases); i += 30 {
					checkCases(t, b.backend, o, cases[i:min(i+30, len(cases))], i)
				}
			})
		}
	}
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

// build gives the case's outcomes, taking its arguments from the front of in.
func (c refCase) build(k *Kernel, in *[]*graph.Node) []*graph.Node {
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
		p := Pool2D{Window: c.Window, Strides: c.Strides, Padding: c.Padding, CountPadding: c.CountPadding}
		if c.Op == "avg" {
			p.Kind = PoolAvg
		}
		y, pass := p.Forward(x)
		return []*graph.Node{y, pass.Backward(dy)}
	}
	y, pass := k.Conv2D(Conv2D{Strides: c.Strides, Dilations: c.Dilations, Padding: c.Padding, Groups: c.Groups}, x, w, bias)
	dx, dw, db := pass.Backward(dy, true)
	out := []*graph.Node{y, dx, dw}
	if db != nil {
		out = append(out, db)
	}
	return out
}

func checkCases(t *testing.T, b compute.Backend, o Options, cases []refCase, number int) {
	t.Helper()
	var args []any
	for _, c := range cases {
		for _, a := range []*array{c.X, c.DY, c.W, c.B} {
			if a != nil {
				args = append(args, a.tensor())
			}
		}
	}
	got, err := graph.CallOnceN(b, func(in []*graph.Node) (out []*graph.Node) {
		k := New(o)
		for i, c := range cases {
			if err := catch(func() { out = append(out, c.build(k, &in)...) }); err != nil {
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
	b := backends(t)[0].backend
	f := func(d ...int) *tensors.Tensor {
		n := 1
		for _, v := range d {
			n *= v
		}
		return tensors.FromFlatDataAndDimensions(make([]float32, n), d...)
	}
	for _, c := range []struct {
		name string
		want string
		x, w *tensors.Tensor
		run  func(k *Kernel, x, w *graph.Node)
	}{
		{"channels", "convolution: found a filter for 2 channels, want 3", f(1, 4, 4, 3), f(2, 2, 2, 5),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{}, x, w, nil) }},
		{"groups", "convolution: found 3 channels in, 4 out and 2 groups", f(1, 4, 4, 3), f(2, 2, 1, 4),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{Groups: 2}, x, w, nil) }},
		{"too large", "convolution: a 5x5 filter (dilations [2 2]) does not fit on 4x4 pixels", f(1, 4, 4, 1), f(5, 5, 1, 1),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{Dilations: [2]int{2, 2}}, x, w, nil) }},
		{"filter rank", "convolution: found a filter of shape", f(1, 4, 4, 1), f(5, 5),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{}, x, w, nil) }},
		{"padding", "convolution: found padding [[-1 0] [0 0]], want none negative", f(1, 4, 4, 1), f(1, 1, 1, 1),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{Padding: [2][2]int{{-1, 0}, {0, 0}}}, x, w, nil) }},
		{"bias", "convolution: found a bias of shape", f(1, 4, 4, 1), f(1, 1, 1, 1),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{}, x, w, w) }},
		{"window", "pool: found window [0 2] and strides", f(1, 4, 4, 1), f(1),
			func(k *Kernel, x, w *graph.Node) { Pool2D{Window: [2]int{0, 2}, Strides: [2]int{1, 1}}.Forward(x) }},
		{"pool too large", "pool: a window of [5 2] does not fit", f(1, 4, 4, 1), f(1),
			func(k *Kernel, x, w *graph.Node) { Pool2D{Window: [2]int{5, 2}}.Forward(x) }},
		{"pool padding", "pool: found padding", f(1, 4, 4, 1), f(1),
			func(k *Kernel, x, w *graph.Node) {
				Pool2D{Window: [2]int{2, 2}, Padding: [2][2]int{{2, 0}, {0, 0}}}.Forward(x)
			}},
		{"map rank", "feature map: found shape", f(4), f(1),
			func(k *Kernel, x, w *graph.Node) { k.Conv2D(Conv2D{}, w, x, nil) }},
		{"dense", "dense: found inputs of", f(1, 4, 4, 1), f(3, 3),
			func(k *Kernel, x, w *graph.Node) { k.Dense(graph.Reshape(x, 4, 4), w, nil) }},
		{"dropout", "dropout: found rate 1", f(1, 4, 4, 1), f(1),
			func(k *Kernel, x, w *graph.Node) { Dropout{Rate: 1}.Apply(w, graph.Const(w.Graph(), []uint32{1})) }},
		{"rows that count", "rows that count: found", f(2, 4, 4, 1), f(3),
			func(k *Kernel, x, w *graph.Node) { k.SumRows(x, w) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			_, _ = graph.CallOnce(b, func(x, w *graph.Node) *graph.Node {
				err = catch(func() {
					k := New(Options{})
					c.run(k, x, w)
				})
				return x
			}, c.x, c.w)
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("found error %v, want %q", err, c.want)
			}
		})
	}
}
