package engine

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// refArray is an array of testdata/reference.json.gz: whole 64ths, or values.
type refArray struct {
	Shape  []int     `json:"shape"`
	Per64  []int     `json:"per64"`
	Values []float64 `json:"values"`
}

// array checks the shape and gives float32 values.
func (a refArray) array(t testing.TB) Array {
	t.Helper()
	out := Array{Shape: a.Shape}
	for _, v := range a.Per64 {
		out.Data = append(out.Data, float32(v)/64)
	}
	for _, v := range a.Values {
		out.Data = append(out.Data, float32(v))
	}
	if n := blueprint.Shape(a.Shape).Size(); n != int64(len(out.Data)) {
		t.Fatalf("reference.json.gz: found %d values for shape %v", len(out.Data), a.Shape)
	}
	return out
}

type refLayers struct {
	Name      string              `json:"name"`
	Layers    []json.RawMessage   `json:"layers"`
	Inputs    map[string]refArray `json:"inputs"`
	Params    map[string]refArray `json:"params"`
	Y         refArray            `json:"y"`
	DY        refArray            `json:"dy"`
	DX        map[string]refArray `json:"dx"`
	DParams   map[string]refArray `json:"dparams"`
	Updates   map[string]refArray `json:"updates"`
	Predicted *refArray           `json:"predicted"`
}

type refLoss struct {
	Loss     blueprint.Loss `json:"loss"`
	Answer   refArray       `json:"answer"`
	Target   refArray       `json:"target"`
	Filled   refArray       `json:"filled"`
	Cells    refArray       `json:"cells"`
	Sum      float64        `json:"sum"`
	Gradient refArray       `json:"gradient"`
}

type refTraining struct {
	Name    string              `json:"name"`
	Scaling string              `json:"scaling"`
	Layers  []json.RawMessage   `json:"layers"`
	Recipe  json.RawMessage     `json:"recipe"`
	Images  []int               `json:"images"`
	Points  []*float64          `json:"points"`
	Batches [][]int             `json:"batches"`
	Weights map[string]refArray `json:"weights"`
	State   map[string]refArray `json:"state"`
	LossSum float64             `json:"loss_sum"`
	Cells   float64             `json:"cells"`
}

type reference struct {
	Layers    []refLayers   `json:"layers"`
	Losses    []refLoss     `json:"losses"`
	Trainings []refTraining `json:"trainings"`
}

var readReference = sync.OnceValues(func() (*reference, error) {
	f, err := os.Open("testdata/reference.json.gz")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(z)
	d.DisallowUnknownFields()
	var r reference
	if err := d.Decode(&r); err != nil {
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("reference.json.gz: found more than one document")
	}
	if len(r.Layers) < 150 || len(r.Losses) < 6 || len(r.Trainings) < 6 {
		return nil, fmt.Errorf("reference.json.gz: found %d layers, %d losses and %d trainings, want at least 150, 6 and 6", len(r.Layers), len(r.Losses), len(r.Trainings))
	}
	return &r, nil
})

func theReference(t testing.TB) *reference {
	t.Helper()
	r, err := readReference()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// near fails where a value is off by more than tolerance times the largest.
func near(t *testing.T, what string, got, want Array, tolerance float64) {
	t.Helper()
	if !slices.Equal(got.Shape, want.Shape) {
		t.Errorf("%s: found shape %v, want %v", what, got.Shape, want.Shape)
		return
	}
	largest := 0.1
	for _, v := range want.Data {
		largest = max(largest, math.Abs(float64(v)))
	}
	for i, v := range got.Data {
		if d := math.Abs(float64(v) - float64(want.Data[i])); !(d <= tolerance*largest) {
			t.Errorf("%s: value %d of %v is %g, want %g", what, i, want.Shape, v, want.Data[i])
			return
		}
	}
}

func mustPlan(t testing.TB, text string, columns ...string) *blueprint.Plan {
	t.Helper()
	doc, err := blueprint.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := blueprint.NewPlan(doc, 0, columns)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// scaffold is the name of the layers that only make a plan of the inputs' shapes.
const scaffold = "scaffold-"

// part is a piece of a network with inputs of any shapes: what the layers tests run.
type part struct {
	plan  *blueprint.Plan
	steps []step
	feeds map[string]*feed
}

// feed stands for the layer that would give an input.
type feed struct {
	x *Node
	d value // what came back
}

func (f *feed) forward(b *builder, _ []value) value { return b.value(f.x) }

func (f *feed) backward(_ *builder, dy value, _ []bool) []value {
	f.d = dy
	return nil
}

// newPart makes a plan in which each input is a layer of the wanted shape, and
// puts feeds in the place of these layers.
func newPart(t testing.TB, layers []json.RawMessage, inputs map[string]refArray) *part {
	t.Helper()
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	names := slices.Sorted(maps.Keys(inputs))
	for _, name := range names {
		shape := inputs[name].Shape[1:]
		add(`{"name": "%s%s-a", "kind": "global_avg_pool", "inputs": ["input"]}`, scaffold, name)
		add(`{"name": "%s%s-b", "kind": "dense", "units": %d}`, scaffold, name, blueprint.Shape(shape).Size())
		add(`{"name": "%s", "kind": "reshape", "shape": %s}`, name, mustJSON(shape))
	}
	for _, l := range layers {
		add("%s", l)
	}
	output := len(all) - 1
	add(`{"name": "%sc", "kind": "global_avg_pool", "inputs": ["input"]}`, scaffold)
	add(`{"name": "%sd", "kind": "dense", "units": "columns"}`, scaffold)
	p := &part{feeds: map[string]*feed{}, plan: mustPlan(t, `{"blueprint": 1, "name": "part", "input": {"height": 1, "width": 1, "channels": 1},
		"members": [{"name": "net", "columns": ["y"], "layers": [`+strings.Join(all, ", ")+`],
		"recipe": {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 1, "epochs": 1, "batch": 1, "validation": 0}}]}`)}
	p.plan.Output = output
	steps, err := steps(p.plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		switch {
		case strings.HasPrefix(s.layer, scaffold):
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
	*refLayers
	names []string
	want  []Array
}

// build adds the case to a graph: forward and backward in training, forward
// alone otherwise. declare makes a parameter of the graph.
func (r *layerCase) build(t testing.TB, on *backend.Backend, g *Graph, training bool, declare func(name string, a Array) *Node) (out []*Node) {
	t.Helper()
	p := newPart(t, r.Layers, r.Inputs)
	net := newNetwork(on, p.plan)
	net.params = slices.DeleteFunc(net.params, func(q parameter) bool { return strings.HasPrefix(q.key, scaffold) })
	if len(net.params) != len(r.Params) {
		t.Fatalf("%s: found %d parameters, want %d", r.Name, len(net.params), len(r.Params))
	}
	var params []*Node
	for _, q := range net.params {
		a := r.Params[q.key].array(t)
		if !sameShape(a.Shape, q.Shape) {
			t.Fatalf("%s: parameter %s: found shape %v, want %v", r.Name, q.key, q.Shape, a.Shape)
		}
		params = append(params, declare(q.key, a))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Inputs)) {
		p.feeds[name].x = declare(name, r.Inputs[name].array(t))
	}
	expect := func(name string, n *Node, want refArray) {
		out, r.names, r.want = append(out, n), append(r.names, name), append(r.want, want.array(t))
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
	backward(b, p.steps, declare("dy", r.DY.array(t)), p.plan.Output)
	for _, name := range slices.Sorted(maps.Keys(r.DX)) {
		expect("gradient of "+name, p.feeds[name].d.node(), r.DX[name])
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
func execute(t testing.TB, on *backend.Backend, build func(g *Graph, declare func(a Array) *Node) []*Node) []Array {
	t.Helper()
	var inputs []compute.Buffer
	p, err := compile(on, "test", func(g *Graph) []*Node {
		return build(g, func(a Array) *Node {
			buf, err := upload(on.Compute(), a.Data, a.Shape...)
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
	out := make([]Array, len(buffers))
	for i, buf := range buffers {
		if out[i], err = download(buf); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Every layer kind forward and backward, against PyTorch.
func TestLayersAgreeWithPyTorch(t *testing.T) {
	r := theReference(t)
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		// XLA takes a while for every graph, so that it gets many cases at once.
		together := 1
		if on.Kind() != backend.Go {
			together = 25
		}
		for some := range slices.Chunk(r.Layers, together) {
			cases := make([]layerCase, len(some))
			got := execute(t, on, func(g *Graph, declare func(a Array) *Node) (out []*Node) {
				for i := range cases {
					cases[i].refLayers = &some[i]
					nodes := map[string]*Node{} // used by both
					once := func(name string, a Array) *Node {
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
					near(t, c.Name+": "+name, got[0], c.want[i], 1e-5)
					got = got[1:]
				}
			}
		}
	})
}

// Each row of the blueprint's table has a lowering and cases of the reference.
func TestEveryKindIsLoweredAndCompared(t *testing.T) {
	var text strings.Builder
	for _, c := range theReference(t).Layers {
		for _, l := range c.Layers {
			text.Write(l)
		}
	}
	for i := range blueprint.Kinds {
		name := blueprint.Kinds[i].Name
		if lowerings[name] == nil {
			t.Errorf("kind %s: no lowering", name)
		}
		if !strings.Contains(text.String(), `"kind":"`+name+`"`) {
			t.Errorf("kind %s: not in reference.json.gz", name)
		}
	}
	for name := range lowerings {
		if blueprint.KindByName(name) == nil {
			t.Errorf("lowering %s: no such kind in the blueprint", name)
		}
	}
	for _, f := range blueprint.Activations.Names() {
		if !strings.Contains(text.String(), `"function":"`+f+`"`) || !strings.Contains(text.String(), `"activation":"`+f+`"`) {
			t.Errorf("activation %s: not in reference.json.gz", f)
		}
	}
}

func TestLossesAgreeWithPyTorch(t *testing.T) {
	r := theReference(t)
	for _, kind := range blueprint.Losses.Names() {
		if !slices.ContainsFunc(r.Losses, func(c refLoss) bool { return c.Loss.Kind == kind }) {
			t.Errorf("loss %s: not in reference.json.gz", kind)
		}
	}
	backendtest.Each(t, func(t *testing.T, on *backend.Backend) {
		for _, c := range r.Losses {
			name := mustJSON(c.Loss)
			filled := c.Filled.array(t)
			got := execute(t, on, func(_ *Graph, declare func(a Array) *Node) []*Node {
				sum, count, d := lossOf(c.Loss, declare(c.Answer.array(t)), declare(c.Target.array(t)), declare(filled), nil)
				return []*Node{sum, count, d}
			})
			near(t, name+": sum", got[0], Array{Shape: []int{}, Data: []float32{float32(c.Sum)}}, 1e-6)
			near(t, name+": cells", got[1], Array{Shape: []int{}, Data: []float32{float32(len(c.Cells.array(t).Data))}}, 0)
			near(t, name+": gradient", got[2], c.Gradient.array(t), 1e-6)
			for i, v := range got[2].Data {
				if filled.Data[i] == 0 && v != 0 {
					t.Errorf("%s: an empty cell has the gradient %g, want 0", name, v)
				}
			}
		}
	})
}

// The loss as the zoo computes it for validation is that of training.
func TestCellLossAgreesWithPyTorch(t *testing.T) {
	for _, c := range theReference(t).Losses {
		answer, target, cells := c.Answer.array(t).Data, c.Target.array(t).Data, c.Cells.array(t).Data
		k := 0
		for i, filled := range c.Filled.array(t).Data {
			if filled == 0 {
				continue
			}
			if got := CellLoss(c.Loss, float64(answer[i]-target[i])); math.Abs(got-float64(cells[k])) > 1e-7 {
				t.Errorf("%s: cell %d: found %g, want %g", mustJSON(c.Loss), i, got, cells[k])
			}
			k++
		}
	}
}
