package native

import (
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/conv"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// node is a layer under way: what its form needs to know.
type node struct {
	*blueprint.Node
	index int
}

// backward emits the instructions that give the loss's gradient with respect to each input whose need is true (nil elsewhere) from that
// of the value.
type backward func(dy *tensor, need []bool) []*tensor

// lowering emits the instructions that give a layer's value, and tells how to go back.
type lowering func(b *builder, n *node, x []*tensor) (y *tensor, back backward)

// builder makes a program of a plan.
type builder struct {
	set      *kernel.Set
	threads  int
	plan     *blueprint.Plan
	training bool

	params  map[string]int // number of a parameter by layer/parameter
	feeds   map[int]bool   // nodes whose values are put in from without: see part in the tests
	values  map[int]*tensor
	users   [][]int
	live    []bool
	layer   string
	streams uint32 // random streams given out so far

	tensors  []*tensor
	instrs   []instr
	prepares []instr
	regions  []region
	consts   int
}

func newBuilder(set *kernel.Set, threads int, plan *blueprint.Plan, training bool) *builder {
	b := &builder{set: set, threads: threads, plan: plan, training: training, params: map[string]int{}, values: map[int]*tensor{}}
	for i, p := range device.Params(plan) {
		b.params[p.Key] = i
	}
	return b
}

// follow finds the layers that the answer depends on, and who uses each.
func (b *builder) follow() {
	nodes := b.plan.Nodes
	b.users, b.live = make([][]int, len(nodes)), make([]bool, len(nodes))
	b.live[b.plan.Output] = true
	for i := len(nodes) - 1; i >= 0; i-- {
		if !b.live[i] || b.feeds[i] {
			continue
		}
		for _, from := range nodes[i].Inputs {
			if from >= 0 {
				b.live[from] = true
				b.users[from] = append(b.users[from], i)
			}
		}
	}
}

// build makes a plan's program, for so many rows at most; without its memory.
func build(set *kernel.Set, threads int, plan *blueprint.Plan, training bool, rows int) (p *program, err error) {
	b := newBuilder(set, threads, plan, training)
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fault(fmt.Sprintf("cannot prepare %s/%s", plan.Document.Name, plan.Member.Name), b.layer, r)
		}
	}()
	tape := b.forward()
	y := b.values[plan.Output]
	if training {
		b.backward(tape, b.loss(y))
	}
	return b.finish(y, rows), nil
}

// finish plans the program's regions and memory.
func (b *builder) finish(answer *tensor, rows int) *program {
	b.layer = ""
	b.emit(instr{uses: []*tensor{answer}, run: func(*frame) {}}) // keeps it to the end
	b.join()
	b.divide(rows)
	p := &program{instrs: b.instrs, prepares: b.prepares, regions: b.regions, rows: rows, consts: b.consts, answer: answer}
	p.memory = b.layOut(rows)
	for i := range b.regions {
		r := &b.regions[i]
		for k := r.first; k < r.last; k++ {
			if f := b.instrs[k].scratch; f != nil {
				n := min(r.rows, rows)
				p.scratch = max(p.scratch, f(n))
				for few := 1; few < min(4, n); few++ { // some need more for few rows
					p.scratch = max(p.scratch, f(few))
				}
			}
		}
	}
	return p
}

// pieceBytes is about what the rows that a region takes at once may have of an instruction's tensors, so that one finds in the cache
// what the one before has left there.
const pieceBytes = 16 << 20

// divide finds the regions.
func (b *builder) divide(rows int) {
	for i := range b.instrs {
		in := &b.instrs[i]
		if n := len(b.regions); n == 0 || !in.rowwise || b.regions[n-1].whole {
			b.regions = append(b.regions, region{first: i, whole: !in.rowwise})
		}
		r := &b.regions[len(b.regions)-1]
		r.last = i + 1
	}
	for i := range b.regions {
		r := &b.regions[i]
		if r.rows = rows; r.whole {
			continue
		}
		row := 1
		for k := r.first; k < r.last; k++ {
			n := 0
			for _, t := range b.instrs[k].uses {
				n += t.row
			}
			row = max(row, n)
		}
		r.rows = max(1, min(rows, pieceBytes/4/row))
	}
}

// emit adds an instruction of the layer under way.
func (b *builder) emit(in instr) {
	in.layer = b.layer
	for _, t := range in.uses {
		t.use(len(b.instrs))
	}
	b.instrs = append(b.instrs, in)
}

// prepare adds what is to be done whenever the parameters have changed.
func (b *builder) prepare(run func(f *frame)) {
	b.prepares = append(b.prepares, instr{layer: b.layer, run: run})
}

// rows makes a tensor with the batch's rows.
func (b *builder) rows(shape blueprint.Shape) *tensor {
	return b.tensor(&buffer{row: int(shape.Size()), first: -1, last: -1}, shape)
}

// fixed makes a tensor of n values without rows.
func (b *builder) fixed(n int) *tensor {
	return b.tensor(&buffer{fixed: n, first: -1, last: -1}, blueprint.Shape{n})
}

// view is the same values in another shape.
func (b *builder) view(t *tensor, shape blueprint.Shape) *tensor { return b.tensor(t.buffer, shape) }

func (b *builder) tensor(buf *buffer, shape blueprint.Shape) *tensor {
	t := &tensor{buffer: buf, shape: shape}
	b.tensors = append(b.tensors, t)
	return t
}

// constant is memory for n values that prepare makes; it gives their place in frame.consts.
func (b *builder) constant(n int) constant {
	c := constant{b.consts, n}
	b.consts += lines(n)
	return c
}

type constant struct{ offset, size int }

func (c constant) of(f *frame) []float32 { return f.consts[c.offset:][:c.size] }

// param is the number of the layer's parameter of that name.
func (b *builder) param(n *node, name string) int {
	i, ok := b.params[n.Layer.Name+"/"+name]
	if !ok {
		panic(fmt.Errorf("found no parameter %q", name))
	}
	return i
}

func (b *builder) context() conv.Context { return conv.Context{Set: b.set, Threads: b.threads} }

// stream is the number of a random stream of its own, as host/engine/gomlx counts them.
func (b *builder) stream() uint32 {
	b.streams++
	return b.streams
}

// activation is a function of a setting.
func (b *builder) activation(name string, slope float64) kernel.Activation {
	make, ok := activations[name]
	if !ok {
		panic(fmt.Errorf("activation %s: %w", name, device.ErrUnsupported))
	}
	a, err := make(slope)
	must(err)
	return a
}

// step is a layer that has gone forward.
type step struct {
	node int
	back backward
}

// forward emits the layers that the answer depends on.
func (b *builder) forward() []step {
	var tape []step
	b.follow()
	b.values[-1] = b.input()
	for i := range b.plan.Nodes {
		if !b.live[i] || b.values[i] != nil {
			continue
		}
		n := &node{&b.plan.Nodes[i], i}
		b.layer = n.Layer.Name
		form, ok := forms[n.Kind.Name]
		if !ok {
			panic(fmt.Errorf("kind %s: %w", n.Kind.Name, device.ErrUnsupported))
		}
		x := make([]*tensor, len(n.Inputs))
		for k, from := range n.Inputs {
			x[k] = b.values[from]
		}
		y, back := form.lower(b, n, x)
		b.values[i] = y
		if y.row != int(n.Out.Size()) {
			panic(fmt.Errorf("found a value of %d numbers, want %v", y.row, n.Out))
		}
		tape = append(tape, step{i, back})
	}
	return tape
}

// learning tells which values depend on a parameter: no gradient goes further.
func (b *builder) learning() map[int]bool {
	out := map[int]bool{}
	for i := range b.plan.Nodes {
		n := &b.plan.Nodes[i]
		out[i] = len(n.Params) > 0 || b.feeds[i]
		for _, from := range n.Inputs {
			out[i] = out[i] || out[from]
		}
	}
	return out
}

// backward goes back through the layers from the gradient of the answer. It gives the gradients of the values that come from without.
func (b *builder) backward(tape []step, dy *tensor) map[int]*tensor {
	gradient := map[int]*tensor{b.plan.Output: dy}
	learns := b.learning()
	for _, s := range slices.Backward(tape) {
		d, n := gradient[s.node], &b.plan.Nodes[s.node]
		if !learns[s.node] || d == nil {
			continue
		}
		delete(gradient, s.node)
		b.layer = n.Layer.Name
		need := make([]bool, len(n.Inputs))
		for k, from := range n.Inputs {
			need[k] = from >= 0 && learns[from]
		}
		for k, dx := range s.back(d, need) {
			if !need[k] {
				continue
			}
			from := n.Inputs[k]
			if sum := gradient[from]; sum != nil {
				dx = b.each(kernel.OpAdd, b.rows(dx.shape), sum, dx)
			}
			gradient[from] = dx
		}
	}
	return gradient
}

// each emits an operation on each value: of y, which may lie where an input does, and the inputs.
func (b *builder) each(op kernel.Op, y *tensor, x ...*tensor) *tensor {
	b.emit(instr{uses: append([]*tensor{y}, x...), output: y, over: x, rowwise: true, run: func(f *frame) {
		s := layer.Streams{f.of(y)}
		for i, t := range x {
			s[1+i] = f.of(t)
		}
		f.each.Run(f.c, op, f.rows*y.row, s, [8]float32{})
	}})
	return y
}

// activate emits y = a(x), x where that is the same.
func (b *builder) activate(a kernel.Activation, x *tensor) *tensor {
	if a.Linear() {
		return x
	}
	y := b.rows(x.shape)
	over := []*tensor{x}
	b.emit(instr{uses: []*tensor{y, x}, output: y, over: over, rowwise: true, run: func(f *frame) {
		f.each.Activate(f.c, a, f.rows*y.row, f.of(x), f.of(y))
	}})
	return y
}

// activateBack emits the gradient of an activation's input: known is the input or the output, as the activation says.
func (b *builder) activateBack(a kernel.Activation, known, dy *tensor) *tensor {
	if a.Linear() {
		return dy
	}
	dx := b.rows(dy.shape)
	b.emit(instr{uses: []*tensor{dx, known, dy}, output: dx, over: []*tensor{dy}, rowwise: true, run: func(f *frame) {
		f.each.ActivateBack(f.c, a, f.rows*dx.row, f.of(known), f.of(dy), f.of(dx))
	}})
	return dx
}

// accumulate sets a parameter's gradient to what a layer has found for the rows under way, or adds it.
func (f *frame) accumulate(param int, found []float32) {
	g := f.gradients[param]
	if !f.more {
		copy(g, found)
		return
	}
	f.each.Run(f.c, kernel.OpAddTo, len(g), layer.Streams{g, found}, [8]float32{})
}
