package gomlx

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// biasActivation is y = f(x + bias), with a bias for each channel or for each value.
type biasActivation struct {
	layer string
	bias  string // "shared", "untied" or "none"
	f     activation
}

func newBiasActivation(n *blueprint.Node) op {
	return &biasActivation{layer: n.Layer.Name, bias: n.Values.Text("bias"), f: named(n.Values.Text("activation"))}
}

func (o *biasActivation) forward(b *builder, x []*Node) *Node {
	y := x[0]
	switch o.bias {
	case "shared":
		y = kernel.AddRows(y, b.param(o.layer, "bias"))
	case "untied":
		y = Add(y, ExpandLeftToRank(b.param(o.layer, "bias"), y.Rank()))
	}
	return o.f.forward(b, []*Node{y})
}

func (o *biasActivation) backward(b *builder, dy *Node, _ []bool) []*Node {
	d := o.f.backward(b, dy, []bool{true})[0]
	switch o.bias {
	case "shared":
		b.addGradient(o.layer, "bias", kernel.SumRows(d, nil))
	case "untied":
		b.addGradient(o.layer, "bias", ReduceSum(d, 0))
	}
	return []*Node{d}
}

// activation is a function of each value.
type activation struct {
	name               string
	slope              float64
	formula.Activation // by the name, once it has gone forward
	x, y               *Node
}

// named is an activation with the slope that it has where it is not a layer of
// its own.
func named(name string) activation { return activation{name: name, slope: blueprint.DefaultSlope} }

func newActivation(n *blueprint.Node) op {
	return &activation{name: n.Values.Text("function"), slope: n.Values.Float("slope")}
}

func (o *activation) forward(_ *builder, in []*Node) *Node {
	f, ok := formula.Activations[o.name]
	if !ok {
		panic(fmt.Errorf("activation %s: %w", o.name, device.ErrUnsupported))
	}
	o.Activation, o.x, o.y = f, in[0], in[0]
	if f.Of != nil {
		o.y = f.Of(o.x, o.slope)
	}
	return o.y
}

func (o *activation) backward(_ *builder, dy *Node, _ []bool) []*Node {
	if o.Of == nil {
		return []*Node{dy}
	}
	return []*Node{o.Reverse(o.x, o.y, dy, o.slope)}
}
