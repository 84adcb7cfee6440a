package gomlx

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// probe is a whole network in training whose weights and random seed are
// inputs: its outputs are the answer and each trainable parameter's gradient of
// sum(answer * dy).
type probe struct {
	net  *network
	prog *program
	keys []string // of the gradients
	dy   []float32
	rest []compute.Buffer // images, dy
}

func newProbe(t *testing.T, on Backend, plan *blueprint.Plan, batch int) *probe {
	t.Helper()
	p := &probe{net: newNetwork(on, plan)}
	all, err := steps(plan)
	if err != nil {
		t.Fatal(err)
	}
	in, columns := plan.Document.Input, len(plan.Columns)
	r := rand.New(rand.NewPCG(3, 4))
	x := make([]float32, batch*in.Height*in.Width*in.Channels)
	for i := range x {
		x[i] = float32(r.IntN(256))
	}
	for range batch * columns {
		p.dy = append(p.dy, float32(r.NormFloat64()))
	}
	for i, data := range [][]float32{x, p.dy} {
		dims := [][]int{{batch, in.Height, in.Width, in.Channels}, {batch, columns}}[i]
		buf, err := upload(on.Compute, data, dims...)
		if err != nil {
			t.Fatal(err)
		}
		p.rest = append(p.rest, buf)
	}
	p.prog, err = compile(on, "probe", func(g *Graph) []*Node {
		b := p.net.builder(g, true, p.net.declare(g))
		x := floats(g, "x", batch, in.Height, in.Width, in.Channels)
		dy := floats(g, "dy", batch, columns)
		b.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		out := []*Node{forward(b, all, formula.Scaled(x, in.Scaling), plan.Output)}
		backward(b, all, dy, plan.Output)
		for _, key := range slices.Sorted(maps.Keys(b.gradients)) {
			p.keys = append(p.keys, key)
			out = append(out, b.gradients[key])
		}
		return out
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.prog.close(); free(p.rest...) })
	return p
}

// run gives the loss, sum(answer * dy), and the gradients.
func (p *probe) run(t *testing.T, weights [][]float32, seed uint32) (float64, map[string][]float32) {
	t.Helper()
	inputs, err := p.net.load(weights)
	if err != nil {
		t.Fatal(err)
	}
	defer free(inputs...)
	key, err := upload(p.net.b.Compute, []uint32{seed, 1}, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer free(key)
	all := slices.Concat(inputs, p.rest, []compute.Buffer{key})
	out, err := p.prog.run(all, make([]bool, len(all)))
	if err != nil {
		t.Fatal(err)
	}
	defer free(out...)
	loss, gradients := 0.0, map[string][]float32{}
	for i, buf := range out {
		a, err := download(buf)
		if err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			gradients[p.keys[i-1]] = a
			continue
		}
		for k, v := range a {
			loss += float64(v) * float64(p.dy[k])
		}
	}
	return loss, gradients
}

// The gradient of every tensor of whole networks, along itself and along a
// random direction, is that of finite differences.
func TestGradientsAgreeWithDifferences(t *testing.T) {
	for _, c := range []struct {
		name string
		plan *blueprint.Plan
	}{
		{"net6", enginetest.Plan(t, enginetest.Document(22, 22, "unit", enginetest.SmallNet6("tanh"), enginetest.Plain(enginetest.SGD)), "a_x", "a_y", "b_x")},
		{"branches", enginetest.Plan(t, enginetest.Document(8, 8, "standardize", enginetest.Branches, enginetest.Plain(enginetest.SGD)), "a_x", "a_y", "b_x")},
	} {
		name, plan := c.name, c.plan
		used := map[string]bool{}
		for i := range plan.Nodes {
			used[plan.Nodes[i].Kind.Name] = true
		}
		for i := range blueprint.Kinds {
			if kind := blueprint.Kinds[i].Name; name == "branches" && !used[kind] {
				t.Errorf("branches: no layer of the kind %s", kind)
			}
		}
		gomlxtest.Each(t, func(t *testing.T, on Backend) {
			p := newProbe(t, on, plan, 5)
			weights := enginetest.Weights(plan, 5)
			r := rand.New(rand.NewPCG(5, 6))
			_, gradients := p.run(t, weights, 9)
			if want := plan.Parameters(); want < 50 {
				t.Fatalf("%s: found %d parameters, want more", name, want)
			}
			for i, q := range p.net.params {
				g := gradients[q.Key]
				if !q.Trainable {
					if g != nil {
						t.Errorf("%s: found a gradient of %s", name, q.Key)
					}
					continue
				}
				random := make([]float32, len(g))
				for i := range random {
					random[i] = float32(r.NormFloat64())
				}
				p.compare(t, name+": "+q.Key+" along itself", weights, i, g, g)
				p.compare(t, name+": "+q.Key+" along a random direction", weights, i, g, random)
			}
		})
	}
}

// compare takes the difference of the loss a small step ahead and behind. The
// loss has an error of about 1e-7 in float32, so that the step can't be smaller.
func (p *probe) compare(t *testing.T, what string, weights [][]float32, tensor int, gradient, along []float32) {
	t.Helper()
	length, want, size := 0.0, 0.0, 0.0
	for i, v := range along {
		length += float64(v) * float64(v)
		want += float64(v) * float64(gradient[i])
		size += float64(gradient[i]) * float64(gradient[i])
	}
	length, size = math.Sqrt(length), math.Sqrt(size)
	if size == 0 {
		return
	}
	const step = 5e-4
	var loss [2]float64
	for i, sign := range []float64{1, -1} {
		moved := slices.Clone(weights)
		data := slices.Clone(weights[tensor])
		for k := range data {
			data[k] += float32(sign * step * float64(along[k]) / length)
		}
		moved[tensor] = data
		loss[i], _ = p.run(t, moved, 9)
	}
	got := (loss[0] - loss[1]) / (2 * step)
	if want /= length; math.Abs(got-want) > 0.02*size+5e-4 {
		t.Errorf("%s: found a slope of %g, the gradient says %g (its length is %g)", what, got, want, size)
	}
}

const dropRate, dropBatch = 0.3, 4

// dropped is what a dropout layer makes of ones, the gradient of ones behind it, and what another layer makes of them.
type dropped struct{ y, dx, other []float32 }

func dropOut(t *testing.T, on Backend, seed uint32, shape []int, rescale bool) dropped {
	t.Helper()
	n := blueprint.Shape(shape).Size()
	ones := enginetest.Tensor{Shape: append([]int{dropBatch}, shape...), Data: slices.Repeat([]float32{1}, dropBatch*int(n))}
	layer := blueprint.Layer{Name: "d", Kind: "dropout"}
	node := &blueprint.Node{Layer: &layer, Kind: blueprint.KindByName("dropout"), Values: blueprint.Values{"rate": dropRate, "rescale": rescale}}
	key, err := upload(on.Compute, []uint32{seed, 0}, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer free(key)
	x, err := upload(on.Compute, ones.Data, ones.Shape...)
	if err != nil {
		t.Fatal(err)
	}
	defer free(x)
	prog, err := compile(on, "dropout", func(g *Graph) []*Node {
		plan := enginetest.Plan(t, enginetest.Document(1, 1, "raw", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "a_x")
		net := newNetwork(on, plan)
		net.params = nil
		b := net.builder(g, true, nil)
		b.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		x := floats(g, "x", ones.Shape...)
		first, second := &dropout{node: node}, &dropout{node: node}
		y := first.forward(b, []*Node{x})
		other := second.forward(b, []*Node{x})
		return []*Node{y, first.backward(b, x, []bool{true})[0], other}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer prog.close()
	out, err := prog.run([]compute.Buffer{key, x}, make([]bool, 2))
	if err != nil {
		t.Fatal(err)
	}
	defer free(out...)
	var got [3][]float32
	for i := range got {
		if got[i], err = download(out[i]); err != nil {
			t.Fatal(err)
		}
	}
	return dropped{got[0], got[1], got[2]}
}

// agree is the share of places that both keep or both drop.
func agree(a, b []float32) float64 {
	n := 0
	for i := range a {
		if (a[i] == 0) == (b[i] == 0) {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// The masks of dropout: the share kept, the scale, the same one for the
// gradient, others for another seed, layer or place, and the same on every backend.
func TestDropout(t *testing.T) {
	const rate = dropRate
	for _, shape := range [][]int{{300}, {10, 12, 3}} {
		var reference dropped
		gomlxtest.Each(t, func(t *testing.T, on Backend) {
			r := dropOut(t, on, 1, shape, true)
			if !slices.Equal(r.dx, r.y) { // of ones
				t.Errorf("%v: the gradient has another mask", shape)
			}
			kept := 0
			for _, v := range r.y {
				if v != 0 {
					kept++
					if math.Abs(float64(v)-1/(1-rate)) > 1e-6 {
						t.Fatalf("%v: found the value %g, want 0 or %g", shape, v, 1/(1-rate))
					}
				}
			}
			n := float64(len(r.y))
			deviation := math.Sqrt(rate * (1 - rate) / n)
			if share := float64(kept) / n; math.Abs(share-(1-rate)) > 4*deviation {
				t.Errorf("%v: found a share of %g kept, want %g", shape, share, 1-rate)
			}
			const chance = rate*rate + (1-rate)*(1-rate)
			next := dropOut(t, on, 2, shape, false)
			for what, got := range map[string]float64{
				"another seed":   agree(r.y, next.y),
				"another layer":  agree(r.y, r.other),
				"another image":  agree(r.y[:len(r.y)/2], r.y[len(r.y)/2:]),
				"the next value": agree(r.y[1:], r.y[:len(r.y)-1]),
			} {
				if math.Abs(got-chance) > 4*math.Sqrt(chance*(1-chance)/n*2) {
					t.Errorf("%v: %s agrees at a share of %g of the places, want %g", shape, what, got, chance)
				}
			}
			for _, v := range next.y {
				if v != 0 && math.Abs(float64(v)-1) > 1e-6 {
					t.Fatalf("%v: without rescaling found the value %g, want 0 or 1", shape, v)
				}
			}
			if on.Name == gomlxtest.Name {
				reference = r
			} else if !slices.Equal(r.y, reference.y) {
				t.Errorf("%v: found another mask than on the reference", shape)
			}
		})
	}
}

// A convolution whose bias and activation wait for the pool behind it is
// lowered so only where that gives the same.
func TestLateBiasOnlyWhereItIsTheSame(t *testing.T) {
	for _, c := range []struct {
		conv, rest string
		late       bool
	}{
		{`"activation": "relu"`, `{"name": "p", "kind": "max_pool"}`, true},
		{`"activation": "tanh", "bias": "none"`, `{"name": "p", "kind": "max_pool"}`, true},
		{`"activation": "gelu"`, `{"name": "p", "kind": "max_pool"}`, false}, // it falls, then rises
		{`"activation": "silu"`, `{"name": "p", "kind": "max_pool"}`, false},
		{`"bias": "untied"`, `{"name": "p", "kind": "max_pool"}`, false},
		{`"activation": "relu"`, `{"name": "p", "kind": "avg_pool"}`, false},
		{`"activation": "relu"`, `{"name": "p", "kind": "max_pool"}, {"name": "q", "kind": "max_pool", "inputs": ["c"]}, {"name": "s", "kind": "add", "inputs": ["p", "q"]}`, false},
		{`"activation": "relu"`, `{"name": "p", "kind": "max_pool"}, {"name": "q", "kind": "max_pool", "inputs": ["c"]}, {"name": "f", "kind": "flatten", "inputs": ["p"]}`, true}, // q is not used
	} {
		plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", `{"name": "c", "kind": "conv2d", "filters": 2, `+c.conv+`}, `+c.rest+`, `+strings.ReplaceAll(enginetest.OneDense, `"f"`, `"flat"`), enginetest.Plain(enginetest.SGD)), "a_x")
		all, err := steps(plan)
		if err != nil {
			t.Fatal(err)
		}
		late := false
		for _, s := range all {
			_, ok := s.op.(*biasActivation)
			late = late || ok
		}
		if late != c.late {
			t.Errorf("%s, %s: found it late %v, want %v", c.conv, c.rest, late, c.late)
		}
	}
}
