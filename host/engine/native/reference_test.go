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
	*program
	names     []string // of the inputs
	params    []device.Param
	inputs    map[string]*tensor
	gradients map[string]*tensor // of the inputs
	dy        *tensor
	rows      int
}

// newPart makes a part's program. Inputs, their gradients and the answer keep their memory to the end.
func newPart(t testing.TB, d *Device, c *enginetest.RefLayers, training bool) *part {
	t.Helper()
	plan := enginetest.Part(t, c.Layers, c.Inputs)
	b := newBuilder(d.set, d.pool.Threads(), plan, training)
	b.feeds = map[int]bool{}
	p := &part{names: slices.Sorted(maps.Keys(c.Inputs)), params: device.Params(plan), inputs: map[string]*tensor{}, gradients: map[string]*tensor{}}
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		if slices.Contains(p.names, n.Layer.Name) {
			b.feeds[i] = true
			b.values[i] = b.rows(n.Out)
			p.inputs[n.Layer.Name] = b.values[i]
			p.rows = c.Inputs[n.Layer.Name].Shape[0]
			b.emit(instr{uses: []*tensor{b.values[i]}, run: func(*frame) {}})
		}
	}
	tape := b.forward()
	if training {
		p.dy = b.rows(plan.Nodes[plan.Output].Out)
		p.dy.use(0)
		for i, g := range b.backward(tape, p.dy) {
			if b.feeds[i] {
				p.gradients[plan.Nodes[i].Layer.Name] = g
			}
		}
	}
	for _, g := range p.gradients {
		b.emit(instr{uses: []*tensor{g}, run: func(*frame) {}})
	}
	b.keep()
	p.program = b.finish(b.values[plan.Output], p.rows)
	p.allocate(d.caller())
	p.frame.consts = make([]float32, p.consts)
	for _, q := range p.params {
		values := make([]float32, q.Shape.Size())
		if a, ok := c.Params[q.Key]; ok {
			copy(values, a.Tensor(t).Data)
		} else if !strings.HasPrefix(q.Key, enginetest.Scaffold) {
			t.Fatalf("%s: parameter %s: not in the reference", c.Name, q.Key)
		}
		p.frame.params = append(p.frame.params, values)
		p.frame.gradients = append(p.frame.gradients, make([]float32, q.Shape.Size()))
	}
	return p
}

// keep has the tensors that a test reads or writes, all that there are, keep their memory.
func (b *builder) keep() {
	last := len(b.instrs)
	for _, t := range b.tensors {
		if t.first >= 0 {
			t.use(last)
		}
	}
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
	f := &p.frame
	f.slice, f.statistics = &device.Slice{Pixels: make([]float32, p.rows), Rows: p.rows}, true
	f.rows = p.rows
	for name, x := range p.inputs {
		copy(f.of(x), c.Inputs[name].Tensor(t).Data)
	}
	if training {
		copy(f.of(p.dy), c.DY.Tensor(t).Data)
	}
	p.prepare()
	p.run(p.rows)
	f.from, f.rows = 0, p.rows
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
		near("prediction", f.of(p.answer), want)
		return
	}
	near("value", f.of(p.answer), c.Y)
	for name, want := range c.DX {
		if p.gradients[name] == nil {
			t.Errorf("no gradient of %s", name)
			continue
		}
		near("gradient of "+name, f.of(p.gradients[name]), want)
	}
	for i, q := range p.params {
		if want, ok := c.DParams[q.Key]; ok {
			near("gradient of "+q.Key, f.gradients[i], want)
		}
		if want, ok := c.Updates[q.Key]; ok {
			near("update of "+q.Key, f.params[i], want)
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
		b := newBuilder(d.set, 1, plan, true)
		y := b.rows(blueprint.Shape{columns})
		y.use(0)
		dy := b.loss(y)
		b.keep()
		p := b.finish(y, rows)
		p.allocate(d.caller())
		f := &p.frame
		f.rows = rows
		copy(f.of(y), answer.Data)
		f.slice = &device.Slice{Rows: rows, Cells: len(c.Cells.Tensor(t).Data)}
		for i := range rows {
			f.slice.Labels = append(append(f.slice.Labels, target.Data[i*columns:(i+1)*columns]...), filled.Data[i*columns:(i+1)*columns]...)
		}
		p.run(rows)
		one := func(v float64) enginetest.Tensor {
			return enginetest.Tensor{Shape: []int{}, Data: []float32{float32(v)}}
		}
		enginetest.Near(t, name+": sum", one(f.loss), one(c.Sum), 1e-6)
		enginetest.Near(t, name+": cells", one(f.cells), one(float64(f.slice.Cells)), 0)
		enginetest.Near(t, name+": gradient", enginetest.Tensor{Shape: answer.Shape, Data: f.of(dy)}, c.Gradient.Tensor(t), 1e-6)
		for i, v := range f.of(dy) {
			if filled.Data[i] == 0 && v != 0 {
				t.Errorf("%s: an empty cell has the gradient %g, want 0", name, v)
			}
		}
	}
}
