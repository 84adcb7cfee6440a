package native

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// devices runs f with each set of kernels that this machine can run, on three threads.
func devices(t *testing.T, f func(t *testing.T, d *Device)) {
	t.Helper()
	for _, set := range kernel.Sets() {
		t.Run(set.Name, func(t *testing.T) {
			d := New(set, 3)
			defer d.Close()
			f(t, d)
		})
	}
}

// part is a program of a piece of a network, whose inputs and answer's gradient a test puts in.
type part struct {
	*built
	names   []string // of the inputs
	weights []device.Param
	inputs  map[string]*tensor
	back    map[string]*tensor // gradients of the inputs
	dy      *tensor
	rows    int
}

// newPart makes a part's program. What a test puts in or reads keeps its memory from the start to the end.
func newPart(t testing.TB, d *Device, c *enginetest.RefLayers, training bool) *part {
	t.Helper()
	plan := enginetest.Part(t, c.Layers, c.Inputs)
	rows := 1
	for _, x := range c.Inputs {
		rows = x.Shape[0]
	}
	b := newBuilder(d.set, d.pool.Threads(), plan, training, rows)
	b.feeds = map[int]bool{}
	p := &part{names: slices.Sorted(maps.Keys(c.Inputs)), weights: device.Params(plan), inputs: map[string]*tensor{}, back: map[string]*tensor{}}
	var kept []*tensor
	put := func(shape blueprint.Shape) *tensor {
		x := b.Rows(shape)
		b.Emit(instr{Uses: []*tensor{x}, Run: func(*frame) {}})
		kept = append(kept, x)
		return x
	}
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		if slices.Contains(p.names, n.Layer.Name) {
			b.feeds[i] = true
			b.values[i] = put(n.Out)
			p.inputs[n.Layer.Name] = b.values[i]
			p.rows = c.Inputs[n.Layer.Name].Shape[0]
		}
	}
	if training {
		p.dy = put(plan.Nodes[plan.Output].Out)
	}
	tape := b.forward()
	if training {
		for i, g := range b.backward(tape, p.dy) {
			if b.feeds[i] {
				p.back[plan.Nodes[i].Layer.Name] = g
				kept = append(kept, g)
			}
		}
	}
	p.built = b.finish(d, b.values[plan.Output], p.rows, kept...)
	for _, q := range p.weights {
		values := make([]float32, q.Shape.Size())
		if a, ok := c.Params[q.Key]; ok {
			copy(values, a.Tensor(t).Data)
		} else if !strings.HasPrefix(q.Key, enginetest.Scaffold) {
			t.Fatalf("%s: parameter %s: not in the reference", c.Name, q.Key)
		}
		p.params = append(p.params, values)
		p.gradients = append(p.gradients, make([]float32, q.Shape.Size()))
	}
	return p
}

// finish makes the program and its memory, as build and its callers do.
func (b *builder) finish(d *Device, answer *tensor, rows int, keep ...*tensor) *built {
	p := &built{Program: b.Finish(rows, append(keep, answer)...), pass: b.pass, result: answer}
	p.Allocate(d.pool.Caller(), make([]float32, p.Constants()))
	return p
}

// Every layer kind forward and backward, against PyTorch, by each set of kernels.
func TestLayersAgreeWithPyTorch(t *testing.T) {
	r := enginetest.TheReference(t)
	devices(t, func(t *testing.T, d *Device) {
		for i := range r.Layers {
			c := &r.Layers[i]
			t.Run(c.Name, func(t *testing.T) {
				compareLayers(t, d, c, true)
				compareLayers(t, d, c, false)
			})
		}
	})
}

func compareLayers(t *testing.T, d *Device, c *enginetest.RefLayers, training bool) {
	p := newPart(t, d, c, training)
	p.slice, p.statistics = device.Slice{Pixels: make([]float32, p.rows), Rows: p.rows}, true
	values := func(x *tensor) []float32 { return p.Values(x, p.rows) }
	for name, x := range p.inputs {
		copy(values(x), c.Inputs[name].Tensor(t).Data)
	}
	if training {
		copy(values(p.dy), c.DY.Tensor(t).Data)
	}
	p.Prepare()
	p.Run(p.rows, false)
	near := func(what string, got []float32, want enginetest.RefArray) {
		t.Helper()
		w := want.Tensor(t)
		if len(got) != len(w.Data) {
			t.Errorf("%s: found %d values, want %d", what, len(got), len(w.Data))
			return
		}
		enginetest.Near(t, c.Name+": "+what, enginetest.Tensor{Shape: w.Shape, Data: got}, w, 1e-5)
	}
	if !training {
		want := c.Y
		if c.Predicted != nil {
			want = *c.Predicted
		}
		near("prediction", values(p.result), want)
		return
	}
	near("value", values(p.result), c.Y)
	for name, want := range c.DX {
		if p.back[name] == nil {
			t.Errorf("no gradient of %s", name)
			continue
		}
		near("gradient of "+name, values(p.back[name]), want)
	}
	for i, q := range p.weights {
		if want, ok := c.DParams[q.Key]; ok {
			near("gradient of "+q.Key, p.gradients[i], want)
		}
		if want, ok := c.Updates[q.Key]; ok {
			near("update of "+q.Key, p.params[i], want)
		}
	}
}

func TestLossesAgreeWithPyTorch(t *testing.T) {
	for _, c := range enginetest.TheReference(t).Losses {
		text, err := json.Marshal(c.Loss)
		if err != nil {
			t.Fatal(err)
		}
		name := string(text)
		answer, target, filled := c.Answer.Tensor(t), c.Target.Tensor(t), c.Filled.Tensor(t)
		rows, columns := answer.Shape[0], answer.Shape[1]
		var names []string
		for i := range columns {
			names = append(names, fmt.Sprintf("c%d_x", i))
		}
		plan := enginetest.Plan(t, enginetest.Document(1, 1, "raw", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), names...)
		plan.Member.Recipe.Loss = c.Loss
		d := New(kernel.Sets()[0], 1)
		defer d.Close()
		b := newBuilder(d.set, 1, plan, true, rows)
		y := b.Rows(blueprint.Shape{columns})
		dy := b.loss(y)
		p := b.finish(d, y, rows, dy)
		copy(p.Values(y, rows), answer.Data)
		p.slice = device.Slice{Rows: rows, Cells: len(c.Cells.Tensor(t).Data)}
		for i := range rows {
			p.slice.Labels = append(append(p.slice.Labels, target.Data[i*columns:(i+1)*columns]...), filled.Data[i*columns:(i+1)*columns]...)
		}
		p.Run(rows, false)
		one := func(v float64) enginetest.Tensor {
			return enginetest.Tensor{Shape: []int{}, Data: []float32{float32(v)}}
		}
		enginetest.Near(t, name+": sum", one(p.loss), one(c.Sum), 1e-6)
		enginetest.Near(t, name+": cells", one(p.cells), one(float64(p.slice.Cells)), 0)
		enginetest.Near(t, name+": gradient", enginetest.Tensor{Shape: answer.Shape, Data: p.Values(dy, rows)}, c.Gradient.Tensor(t), 1e-6)
		for i, v := range p.Values(dy, rows) {
			if filled.Data[i] == 0 && v != 0 {
				t.Errorf("%s: an empty cell has the gradient %g, want 0", name, v)
			}
		}
	}
}
