package gomlx

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// op is one operation of a lowered network. It is made anew for each graph,
// and keeps from its forward pass what its backward pass needs. Values are batch
// first, feature maps NHWC.
type op interface {
	// forward gives the value from those of the inputs.
	forward(b *builder, x []*Node) *Node
	// backward gives the loss's gradient with respect to each input whose need
	// is true (nil elsewhere) from that of the value, and hands the gradients of
	// the op's parameters to b.addGradient.
	backward(b *builder, dy *Node, need []bool) []*Node
}

// step is an op in its place: which values it reads, and which it makes.
// Values are numbered as the plan's nodes; -1 is the image.
type step struct {
	op     op
	layer  string
	inputs []int
	output int
	learns bool // the op has parameters
}

// builder is what ops share while one graph is built.
type builder struct {
	target    kernel.Target
	training  bool
	g         *Graph
	params    map[string]*Node // by layer/parameter
	gradients map[string]*Node // likewise
	updates   map[string]*Node // running statistics after this step, likewise
	seed      *Node            // [2] uint32, new for each step; nil outside training
	real      *Node            // [rows] float32: 1 for the rows that count, in front, 0 for those that only fill up; nil: all count
	first     *Node            // uint64: the place in the batch of the slice's first row; nil: the batch is whole
	streams   uint32           // random streams given out so far
}

func (b *builder) param(layer, name string) *Node {
	p, ok := b.params[layer+"/"+name]
	if !ok {
		panic(fmt.Errorf("layer %q: no parameter %q", layer, name))
	}
	return p
}

func (b *builder) addGradient(layer, name string, g *Node) { b.gradients[layer+"/"+name] = g }

// stream is the number of a random stream of its own.
func (b *builder) stream() uint32 {
	b.streams++
	return b.streams
}

// lowering makes a layer's op; each layer kind of the blueprint's table has one.
type lowering func(n *blueprint.Node) op

// steps lowers a plan: one step for each layer that the output depends on.
func steps(plan *blueprint.Plan) ([]step, error) {
	users := make([][]int, len(plan.Nodes))
	live := make([]bool, len(plan.Nodes))
	live[plan.Output] = true
	for i := len(plan.Nodes) - 1; i >= 0; i-- {
		if !live[i] {
			continue
		}
		for _, from := range plan.Nodes[i].Inputs {
			if from >= 0 {
				live[from] = true
				users[from] = append(users[from], i)
			}
		}
	}
	var out []step
	late := map[int]op{} // by pool: the bias and activation that wait for it
	for i := range plan.Nodes {
		if !live[i] {
			continue
		}
		n := &plan.Nodes[i]
		f, ok := forms[n.Kind.Name]
		if !ok {
			return nil, fmt.Errorf("layer %q: kind %s: %w", n.Layer.Name, n.Kind.Name, device.ErrUnsupported)
		}
		s := step{op: f.lower(n), layer: n.Layer.Name, inputs: n.Inputs, output: i, learns: len(n.Params) > 0}
		if n.Kind.Name == "conv2d" {
			if pool := poolBehind(plan, i, users[i]); pool >= 0 {
				late[pool] = newBiasActivation(n)
				s.op = &convolution{node: n}
			}
		}
		out = append(out, s)
		if wait, ok := late[i]; ok {
			out = append(out, step{op: wait, layer: n.Layer.Name, inputs: []int{i}, output: i, learns: true})
		}
	}
	return out, nil
}

// poolBehind finds the max-pool that alone uses a convolution whose bias and
// activation may come after it: a shared bias and a function that never falls
// commute with the largest of a window, where there is a quarter of the values.
func poolBehind(plan *blueprint.Plan, i int, users []int) int {
	v := plan.Nodes[i].Values
	if i == plan.Output || len(users) != 1 || plan.Nodes[users[0]].Kind.Name != "max_pool" ||
		v.Text("bias") == "untied" || !blueprint.Activations.Row(v.Text("activation")).Rises {
		return -1
	}
	return users[0]
}

// forward builds the network on the scaled image x [batch, h, w, c], and gives
// its answer y [batch, columns].
func forward(b *builder, all []step, x *Node, output int) (y *Node) {
	values := map[int]*Node{-1: x}
	for _, s := range all {
		inputs := make([]*Node, len(s.inputs))
		for k, from := range s.inputs {
			inputs[k] = values[from]
		}
		within(s.layer, func() { values[s.output] = s.op.forward(b, inputs) })
	}
	return values[output]
}

// backward goes back through the steps from the gradient of the answer, and
// leaves each parameter's gradient in b.gradients.
func backward(b *builder, all []step, dy *Node, output int) {
	gradient := map[int]*Node{output: dy}
	learns := learning(all)
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		d := gradient[s.output]
		delete(gradient, s.output) // a late step writes its input's number again
		if !learns[s.output] {
			continue
		}
		need := make([]bool, len(s.inputs))
		for k, from := range s.inputs {
			need[k] = from >= 0 && learns[from]
		}
		within(s.layer, func() {
			for k, dx := range s.op.backward(b, d, need) {
				if !need[k] {
					continue
				}
				from := s.inputs[k]
				if sum := gradient[from]; sum != nil {
					dx = Add(sum, dx)
				}
				gradient[from] = dx
			}
		})
	}
}

// learning tells which values depend on a parameter: no gradient goes further.
func learning(all []step) map[int]bool {
	out := map[int]bool{}
	for _, s := range all {
		out[s.output] = out[s.output] || s.learns
		for _, from := range s.inputs {
			out[s.output] = out[s.output] || out[from]
		}
	}
	return out
}

// within names the layer in which building failed.
func within(layer string, f func()) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case error:
			panic(fmt.Errorf("layer %q: %w", layer, r))
		default:
			panic(fmt.Errorf("layer %q: %v", layer, r))
		}
	}()
	f()
}
