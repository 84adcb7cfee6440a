package gomlx

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// network is a plan on a backend.
type network struct {
	b      Backend
	plan   *blueprint.Plan
	params []device.Param // in the order in which every program takes them
}

func newNetwork(b Backend, plan *blueprint.Plan) *network {
	return &network{b: b, plan: plan, params: device.Params(plan)}
}

// load puts weights into the backend's memory.
func (n *network) load(weights [][]float32) ([]compute.Buffer, error) {
	out := make([]compute.Buffer, 0, len(n.params))
	for i, p := range n.params {
		buf, err := upload(n.b.Compute, weights[i], p.Shape...)
		if err != nil {
			free(out...)
			return nil, fmt.Errorf("tensor %s: %w", p.Tensor, err)
		}
		out = append(out, buf)
	}
	return out, nil
}

// builder starts a graph's lowering; params are nodes in the network's order.
func (n *network) builder(g *Graph, training bool, params []*Node) *builder {
	b := &builder{
		target: n.b.Target, training: training, g: g,
		params: map[string]*Node{}, gradients: map[string]*Node{}, updates: map[string]*Node{},
	}
	for i, p := range n.params {
		b.params[p.Key] = params[i]
	}
	return b
}

// program is a compiled graph.
type program struct {
	graph *Graph
	exe   compute.Executable
}

func (p *program) close() {
	if p != nil {
		p.graph.Finalize()
	}
}

// compile builds a graph: inputs declares its parameters, in order, and build
// gives its outputs.
func compile(b Backend, name string, build func(g *Graph) []*Node) (p *program, err error) {
	err = guard("cannot build the "+name+" graph for backend "+b.Name, func() error {
		g := NewGraph(b.Compute, name)
		defer func() {
			if p == nil {
				g.Finalize()
			}
		}()
		if err := g.Compile(build(g)...); err != nil {
			return err
		}
		p = &program{g, g.Executable()}
		return nil
	})
	return p, err
}

// run executes the program. Where donate is true, an input's memory may be
// used for the outputs: the buffer is gone afterwards.
func (p *program) run(inputs []compute.Buffer, donate []bool) (out []compute.Buffer, err error) {
	err = guard("cannot run the "+p.graph.Name()+" graph", func() error {
		out, err = p.exe.Execute(inputs, donate, 0)
		return err
	})
	return out, err
}

func floats(g *Graph, name string, dims ...int) *Node {
	return Parameter(g, name, shapes.Make(dtypes.Float32, dims...))
}

// declare makes the graph's parameters for the network's weights.
func (n *network) declare(g *Graph) []*Node {
	out := make([]*Node, len(n.params))
	for i, p := range n.params {
		out[i] = floats(g, p.Tensor, p.Shape...)
	}
	return out
}
