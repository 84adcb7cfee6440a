package native

import (
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/conv"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/program"
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
	program.Builder
	pass     *pass
	set      *kernel.Set
	threads  int
	plan     *blueprint.Plan
	training bool
	rows     int // of the batch, at most

	params    map[string]int // number of a parameter by layer/parameter
	feeds     map[int]bool   // nodes whose values are put in from without: see part in the tests
	values    map[int]*tensor
	users     [][]int
	live      []bool
	gradients map[int]*tensor     // found so far, by node
	sums      map[*tensor]*tensor // of a gradient: a smaller one whose channels have the same sums
	streams   uint32              // random streams given out so far
}

func newBuilder(set *kernel.Set, threads int, plan *blueprint.Plan, training bool, rows int) *builder {
	b := &builder{
		set: set, threads: threads, plan: plan, training: training, rows: rows, pass: &pass{each: layer.NewEach(set, threads)},
		params: map[string]int{}, values: map[int]*tensor{}, sums: map[*tensor]*tensor{},
	}
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
func build(set *kernel.Set, threads int, plan *blueprint.Plan, training bool, rows int) (p *built, err error) {
	b := newBuilder(set, threads, plan, training, rows)
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fault(fmt.Sprintf("cannot prepare %s/%s", plan.Document.Name, plan.Member.Name), b.Origin, r)
		}
	}()
	tape := b.forward()
	y := b.values[plan.Output]
	if training {
		b.backward(tape, b.loss(y))
	}
	return &built{Program: b.Finish(rows, y), pass: b.pass, result: y}, nil
}

// last is the length of a shape's last axis.
func last[S ~[]int](shape S) int { return shape[len(shape)-1] }

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
		b.Origin = n.Layer.Name
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
		if y == nil { // it is one with the layer behind it, whose value is there
			if users := b.users[i]; len(users) != 1 || b.values[users[0]] == nil {
				panic(errors.New("found no value"))
			}
			continue
		}
		if y.Row() != int(n.Out.Size()) {
			panic(fmt.Errorf("found a value of %d numbers, want %v", y.Row(), n.Out))
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
	b.gradients = gradient
	learns := b.learning()
	for _, s := range slices.Backward(tape) {
		d, n := gradient[s.node], &b.plan.Nodes[s.node]
		if !learns[s.node] || d == nil {
			continue
		}
		delete(gradient, s.node)
		b.Origin = n.Layer.Name
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
				dx = b.each(kernel.OpAdd, b.Rows(dx.Shape()), sum, dx)
			}
			gradient[from] = dx
		}
	}
	return gradient
}

// take gives the gradient found so far of a node's value, nil if there is none, to a lowering's way back: the gradient that this gives for
// the node must contain it, since backward doesn't add it any more.
func (b *builder) take(node int) *tensor {
	sum := b.gradients[node]
	delete(b.gradients, node)
	return sum
}

// each emits an operation on each value: of y, which may lie where an input does, and the inputs.
func (b *builder) each(op kernel.Op, y *tensor, x ...*tensor) *tensor {
	each := b.pass.each
	b.Emit(instr{Uses: append([]*tensor{y}, x...), Output: y, Over: x, Rowwise: true, Run: func(f *frame) {
		s := layer.Streams{f.Of(y)}
		for i, t := range x {
			s[1+i] = f.Of(t)
		}
		each.Run(f.Caller, op, f.Rows*y.Row(), s, [8]float32{})
	}})
	return y
}

// activate emits y = a(x), x where that is the same.
func (b *builder) activate(a kernel.Activation, x *tensor) *tensor {
	if a.Linear() {
		return x
	}
	y, over, each := b.Rows(x.Shape()), []*tensor{x}, b.pass.each
	b.Emit(instr{Uses: []*tensor{y, x}, Output: y, Over: over, Rowwise: true, Run: func(f *frame) {
		each.Activate(f.Caller, a, f.Rows*y.Row(), f.Of(x), f.Of(y))
	}})
	return y
}

// activateBack emits the gradient of an activation's input: known is the input or the output, as the activation says.
func (b *builder) activateBack(a kernel.Activation, known, dy *tensor) *tensor {
	if a.Linear() {
		return dy
	}
	dx, each := b.Rows(dy.Shape()), b.pass.each
	b.Emit(instr{Uses: []*tensor{dx, known, dy}, Output: dx, Over: []*tensor{dy}, Rowwise: true, Run: func(f *frame) {
		each.ActivateBack(f.Caller, a, f.Rows*dx.Row(), f.Of(known), f.Of(dy), f.Of(dx))
	}})
	return dx
}
