package gomlx

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
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

func (o *biasActivation) forward(b *builder, x []value) value {
	y := x[0]
	switch {
	case o.bias == "shared" && y.maps != nil:
		y.maps = b.AddChannels(y.maps, b.param(o.layer, "bias"))
	case o.bias == "shared":
		y.flat = b.AddRows(y.flat, b.param(o.layer, "bias"))
	case o.bias == "untied":
		y = b.value(Add(y.node(), ExpandLeftToRank(b.param(o.layer, "bias"), y.node().Rank())))
	}
	return o.f.forward(b, []value{y})
}

func (o *biasActivation) backward(b *builder, dy value, _ []bool) []value {
	d := o.f.backward(b, dy, []bool{true})[0]
	switch {
	case o.bias == "shared" && d.maps != nil:
		b.addGradient(o.layer, "bias", b.SumChannels(d.maps, nil))
	case o.bias == "shared":
		b.addGradient(o.layer, "bias", b.SumRows(d.flat, nil))
	case o.bias == "untied":
		b.addGradient(o.layer, "bias", ReduceSum(d.node(), 0))
	}
	return []value{d}
}

// activation is a function of each value.
type activation struct {
	name               string
	slope              float64
	formula.Activation // by the name, once it has gone forward
	x, y               value
}

// named is an activation with the slope that it has where it is not a layer of
// its own.
func named(name string) activation { return activation{name: name, slope: blueprint.DefaultSlope} }

func newActivation(n *blueprint.Node) op {
	return &activation{name: n.Values.Text("function"), slope: n.Values.Float("slope")}
}

func (o *activation) forward(b *builder, in []value) value {
	f, ok := formula.Activations[o.name]
	if !ok {
		panic(fmt.Errorf("activation %s: %w", o.name, device.ErrUnsupported))
	}
	o.Activation, o.x, o.y = f, in[0], in[0]
	if f.Of != nil {
		o.y = b.each(func(x ...*Node) *Node { return f.Of(b.Kernel, x[0], o.slope) }, o.x)
	}
	return o.y
}

func (o *activation) backward(b *builder, dy value, _ []bool) []value {
	if o.Of == nil {
		return []value{dy}
	}
	return []value{b.each(func(v ...*Node) *Node { return o.Reverse(b.Kernel, v[0], v[1], v[2], o.slope) }, o.x, o.y, dy)}
}
