package gomlx

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
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

// function is an activation by its name in a blueprint.
type function struct {
	// of gives y from x, and reverse the gradient of x from x, y and that of y;
	// slope is leaky_relu's.
	of      func(b *builder, x *Node, slope float64) *Node
	reverse func(b *builder, x, y, dy *Node, slope float64) *Node
}

// activations has a row for each of [blueprint.Activations]; a test compares the
// two. linear has no functions: x is y.
var activations = map[string]function{
	"linear": {},
	"relu": {
		of:      func(_ *builder, x *Node, _ float64) *Node { return MaxScalar(x, 0.0) },
		reverse: func(b *builder, _, y, dy *Node, _ float64) *Node { return b.Gate(positive(y), dy) },
	},
	"gelu": {of: gelu, reverse: geluReverse},
	"silu": {
		of: func(_ *builder, x *Node, _ float64) *Node { return Mul(x, Logistic(x)) },
		reverse: func(_ *builder, x, _, dy *Node, _ float64) *Node {
			s := Logistic(x)
			return Mul(dy, Mul(s, AddScalar(Mul(x, OneMinus(s)), 1.0)))
		},
	},
	"tanh": {
		of:      func(_ *builder, x *Node, _ float64) *Node { return Tanh(x) },
		reverse: func(_ *builder, _, y, dy *Node, _ float64) *Node { return Mul(dy, OneMinus(Mul(y, y))) },
	},
	"sigmoid": {
		of:      func(_ *builder, x *Node, _ float64) *Node { return Logistic(x) },
		reverse: func(_ *builder, _, y, dy *Node, _ float64) *Node { return Mul(dy, Mul(y, OneMinus(y))) },
	},
	"elu": { // exp of what is above 0 may overflow, and is not wanted
		of: func(_ *builder, x *Node, _ float64) *Node { return Add(MaxScalar(x, 0.0), Expm1(MinScalar(x, 0.0))) },
		reverse: func(_ *builder, x, y, dy *Node, _ float64) *Node { // the derivative below 0 is exp(x) = y + 1
			return Where(positive(x), dy, Mul(dy, AddScalar(y, 1.0)))
		},
	},
	"leaky_relu": {
		of: func(_ *builder, x *Node, slope float64) *Node {
			return Add(MaxScalar(x, 0.0), MulScalar(MinScalar(x, 0.0), slope))
		},
		reverse: func(_ *builder, x, _, dy *Node, slope float64) *Node {
			return Where(positive(x), dy, MulScalar(dy, slope))
		},
	},
}

func positive(x *Node) *Node { return GreaterThan(x, ScalarZero(x.Graph(), x.DType())) }

func gelu(b *builder, x *Node, _ float64) *Node {
	return MulScalar(Mul(x, AddScalar(b.Erf(MulScalar(x, 1/math.Sqrt2)), 1.0)), 0.5)
}

// geluReverse: the derivative is the normal distribution's function, plus x times
// its density.
func geluReverse(b *builder, x, _, dy *Node, _ float64) *Node {
	phi := MulScalar(AddScalar(b.Erf(MulScalar(x, 1/math.Sqrt2)), 1.0), 0.5)
	density := MulScalar(Exp(MulScalar(Mul(x, x), -0.5)), 1/math.Sqrt(2*math.Pi))
	return Mul(dy, Add(phi, Mul(x, density)))
}

// activation is a function of each value.
type activation struct {
	name     string
	slope    float64
	function // by the name, once it has gone forward
	x, y     value
}

// defaultSlope is leaky_relu's where a layer has no setting for it.
const defaultSlope = 0.01

// named is an activation with the slope that it has where it is not a layer of
// its own.
func named(name string) activation { return activation{name: name, slope: defaultSlope} }

func newActivation(n *blueprint.Node) op {
	return &activation{name: n.Values.Text("function"), slope: n.Values.Float("slope")}
}

func (o *activation) forward(b *builder, in []value) value {
	f, ok := activations[o.name]
	if !ok {
		panic(fmt.Errorf("activation %s: %w", o.name, device.ErrUnsupported))
	}
	o.function, o.x, o.y = f, in[0], in[0]
	if f.of != nil {
		o.y = b.each(func(x ...*Node) *Node { return f.of(b, x[0], o.slope) }, o.x)
	}
	return o.y
}

func (o *activation) backward(b *builder, dy value, _ []bool) []value {
	if o.of == nil {
		return []value{dy}
	}
	return []value{b.each(func(v ...*Node) *Node { return o.reverse(b, v[0], v[1], v[2], o.slope) }, o.x, o.y, dy)}
}
