package gomlx

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// part is a piece of a network with inputs of any shapes: what the layers tests run.
type part struct {
	plan  *blueprint.Plan
	steps []step
	feeds map[string]*feed
}

// feed stands for the layer that would give an input.
type feed struct {
	x *Node
	d *Node // what came back
}

func (f *feed) forward(_ *builder, _ []*Node) *Node { return f.x }

func (f *feed) backward(_ *builder, dy *Node, _ []bool) []*Node {
	f.d = dy
	return nil
}

// newPart puts feeds in the place of the layers that stand for the inputs.
func newPart(t testing.TB, layers []json.RawMessage, inputs map[string]enginetest.RefArray) *part {
	t.Helper()
	names := slices.Sorted(maps.Keys(inputs))
	p := &part{feeds: map[string]*feed{}, plan: enginetest.Part(t, layers, inputs)}
	steps, err := steps(p.plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		switch {
		case strings.HasPrefix(s.layer, enginetest.Scaffold):
			continue
		case slices.Contains(names, s.layer):
			p.feeds[s.layer] = &feed{}
			s.op, s.inputs, s.learns = p.feeds[s.layer], nil, true
		}
		p.steps = append(p.steps, s)
	}
	return p
}

// layerCase is a case of the reference, what its graph gives, and should give.
type layerCase struct {
	*enginetest.RefLayers
	names []string
	want  []enginetest.Tensor
}

// build adds the case to a graph: forward and backward in training, forward
// alone otherwise. declare makes a parameter of the graph.
func (r *layerCase) build(t testing.TB, on Backend, g *Graph, training bool, declare func(name string, a enginetest.Tensor) *Node) (out []*Node) {
	t.Helper()
	p := newPart(t, r.Layers, r.Inputs)
	net := newNetwork(on, p.plan)
	net.params = slices.DeleteFunc(net.params, func(q device.Param) bool { return strings.HasPrefix(q.Key, enginetest.Scaffold) })
	if len(net.params) != len(r.Params) {
		t.Fatalf("%s: found %d parameters, want %d", r.Name, len(net.params), len(r.Params))
	}
	var params []*Node
	for _, q := range net.params {
		a := r.Params[q.Key].Tensor(t)
		if !slices.Equal(a.Shape, q.Shape) {
			t.Fatalf("%s: parameter %s: found shape %v, want %v", r.Name, q.Key, q.Shape, a.Shape)
		}
		params = append(params, declare(q.Key, a))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
		p.feeds[name].x = declare(name, r.Inputs[name].Tensor(t))
	}
	expect := func(name string, n *Node, want enginetest.RefArray) {
		out, r.names, r.want = append(out, n), append(r.names, name), append(r.want, want.Tensor(t))
	}
	b := net.builder(g, training, params)
	y := forward(b, p.steps, ScalarZero(g, dtypes.Float32), p.plan.Output)
	if !training {
		want := r.Y
		if r.Predicted != nil {
			want = *r.Predicted
		}
		expect("prediction", y, want)
		return out
	}
	expect("value", y, r.Y)
	backward(b, p.steps, declare("dy", r.DY.Tensor(t)), p.plan.Output)
	for _, name := range slices.Sorted(maps.Keys(r.DX)) {
		expect("gradient of "+name, p.feeds[name].d, r.DX[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.DParams)) {
		if b.gradients[name] == nil {
			t.Errorf("%s: no gradient of %s", r.Name, name)
			continue
		}
		expect("gradient of "+name, b.gradients[name], r.DParams[name])
	}
	if len(b.gradients) != len(r.DParams) || len(b.updates) != len(r.Updates) {
		t.Errorf("%s: found %d gradients and %d updates, want %d and %d", r.Name, len(b.gradients), len(b.updates), len(r.DParams), len(r.Updates))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Updates)) {
		expect("update of "+name, b.updates[name], r.Updates[name])
	}
	return out
}

// execute builds a graph that makes its own parameters and gives its outputs' values.
func execute(t testing.TB, on Backend, build func(g *Graph, declare func(a enginetest.Tensor) *Node) []*Node) []enginetest.Tensor {
	t.Helper()
	var inputs []compute.Buffer
	p, err := compile(on, "test", func(g *Graph) []*Node {
		return build(g, func(a enginetest.Tensor) *Node {
			buf, err := upload(on.Compute, a.Data, a.Shape...)
			if err != nil {
				t.Fatal(err)
			}
			inputs = append(inputs, buf)
			return floats(g, fmt.Sprint("p", len(inputs)), a.Shape...)
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	defer free(inputs...)
	buffers, err := p.run(inputs, make([]bool, len(inputs)))
	if err != nil {
		t.Fatal(err)
	}
	defer free(buffers...)
	out := make([]enginetest.Tensor, len(buffers))
	for i, buf := range buffers {
		shape, err := buf.Shape()
		if err != nil {
			t.Fatal(err)
		}
		out[i].Shape = shape.Dimensions
		if out[i].Data, err = download(buf); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Every layer kind forward and backward, against PyTorch.
func TestLayersAgreeWithPyTorch(t *testing.T) {
	r := enginetest.TheReference(t)
	gomlxtest.Each(t, func(t *testing.T, on Backend) {
		const together = 25 // XLA takes a while for every graph
		for some := range slices.Chunk(r.Layers, together) {
			cases := make([]layerCase, len(some))
			got := execute(t, on, func(g *Graph, declare func(a enginetest.Tensor) *Node) (out []*Node) {
				for i := range cases {
					cases[i].RefLayers = &some[i]
					nodes := map[string]*Node{} // used by both
					once := func(name string, a enginetest.Tensor) *Node {
						if nodes[name] == nil {
							nodes[name] = declare(a)
						}
						return nodes[name]
					}
					within(some[i].Name, func() {
						out = append(out, cases[i].build(t, on, g, true, once)...)
						out = append(out, cases[i].build(t, on, g, false, once)...)
					})
				}
				return out
			})
			for _, c := range cases {
				for i, name := range c.names {
					enginetest.Near(t, c.Name+": "+name, got[0], c.want[i], 1e-5)
					got = got[1:]
				}
			}
		}
	})
}

func TestLossesAgreeWithPyTorch(t *testing.T) {
	r := enginetest.TheReference(t)
	gomlxtest.Each(t, func(t *testing.T, on Backend) {
		for _, c := range r.Losses {
			name := mustJSON(c.Loss)
			filled := c.Filled.Tensor(t)
			got := execute(t, on, func(_ *Graph, declare func(a enginetest.Tensor) *Node) []*Node {
				sum, count, d := formula.Loss(c.Loss, declare(c.Answer.Tensor(t)), declare(c.Target.Tensor(t)), declare(filled), nil)
				return []*Node{sum, count, d}
			})
			enginetest.Near(t, name+": sum", got[0], enginetest.Tensor{Shape: []int{}, Data: []float32{float32(c.Sum)}}, 1e-6)
			enginetest.Near(t, name+": cells", got[1], enginetest.Tensor{Shape: []int{}, Data: []float32{float32(len(c.Cells.Tensor(t).Data))}}, 0)
			enginetest.Near(t, name+": gradient", got[2], c.Gradient.Tensor(t), 1e-6)
			for i, v := range got[2].Data {
				if filled.Data[i] == 0 && v != 0 {
					t.Errorf("%s: an empty cell has the gradient %g, want 0", name, v)
				}
			}
		}
	})
}
