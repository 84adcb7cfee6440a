package gomlx

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func globalAvgPool(_ *blueprint.Node, x []*Node) *Node { return ReduceMean(x[0], 1, 2) }

// upsample repeats values, or interpolates between pixel centres, along one axis
// after the other.
func upsample(n *blueprint.Node, in []*Node) *Node {
	x, f, s := in[0], n.Values.Pair("factor"), n.In[0]
	batch := x.Shape().Dimensions[0]
	if n.Values.Text("method") == "nearest" {
		// Copies side by side: a broadcast's gradient is summed in another order.
		x = Concatenate(slices.Repeat([]*Node{Reshape(x, batch, s[0], s[1], 1, s[2])}, f[1]), 3)
		x = Concatenate(slices.Repeat([]*Node{Reshape(x, batch, s[0], 1, s[1]*f[1], s[2])}, f[0]), 2)
		return Reshape(x, batch, s[0]*f[0], s[1]*f[1], s[2])
	}
	return interpolate(interpolate(x, 1, f[0]), 2, f[1])
}

// interpolate enlarges an axis. Of the factor values that take a pixel's place,
// number i lies at (i + 1/2)/factor - 1/2 from its centre: between it and the
// neighbour on that side, or, at the border, at its own value.
func interpolate(x *Node, axis, factor int) *Node {
	if factor == 1 {
		return x
	}
	dims := slices.Clone(x.Shape().Dimensions)
	n := dims[axis]
	before, after := x, x
	if n > 1 {
		part := func(from, to int) *Node { return SliceAxis(x, axis, AxisRange(from, to)) }
		before = Concatenate([]*Node{part(0, 1), part(0, n-1)}, axis)
		after = Concatenate([]*Node{part(1, n), part(n-1, n)}, axis)
	}
	wide := slices.Insert(slices.Clone(dims), axis+1, 1)
	values := make([]*Node, factor)
	for i := range values {
		at := (float64(i)+0.5)/float64(factor) - 0.5
		neighbour := after
		if at < 0 {
			at, neighbour = -at, before
		}
		values[i] = Reshape(Add(MulScalar(x, 1-at), MulScalar(neighbour, at)), wide...)
	}
	dims[axis] *= factor
	return Reshape(Concatenate(values, axis+1), dims...)
}

// softArgmax gives the expected position under each map's softmax (Luvizon et
// al. 2019): (sum e*x) / (sum e) and the same for y, e = exp(map - its maximum).
// Sums over a map, and numbers spread over one, are products with a matrix of
// ones and the pixels' centres.
type softArgmax struct {
	node    *blueprint.Node
	centres *Node // [pixels, 3]: 1, x and y of each pixel's centre
	e       *Node // [rows, pixels], a row for each image and map
	sum     *Node // [rows, 1]: of e
	xy      *Node // [rows, 2]
}

func (o *softArgmax) forward(b *builder, in []*Node) *Node {
	s := o.node.In[0]
	pixels := s[0] * s[1]
	table := make([][]float32, pixels)
	for i := range table {
		table[i] = []float32{1, float32(2*(i%s[1])+1)/float32(s[1]) - 1, float32(2*(i/s[1])+1)/float32(s[0]) - 1}
	}
	o.centres = Const(b.g, table)
	maps := TransposeAllAxes(Reshape(in[0], -1, pixels, s[2]), 0, 2, 1)
	x := DivScalar(Reshape(maps, -1, pixels), o.node.Values.Float("temperature"))
	top := ReduceAndKeep(x, ReduceMax, 1)
	nothing := ZerosLike(top)
	o.e = Exp(Sub(x, kernel.Product(Concatenate([]*Node{top, nothing, nothing}, 1), 1, o.centres, 1)))
	sums := kernel.Product(o.e, 1, o.centres, 0) // [rows, 3]
	o.sum = Slice(sums, AxisRange(), AxisRange(0, 1))
	o.xy = Div(Slice(sums, AxisRange(), AxisRange(1, 3)), o.sum)
	return Reshape(o.xy, -1, 2*s[2])
}

// backward: the derivative of an expected position with respect to a pixel is
// p * (the pixel's centre - the expected position), p = e / sum.
func (o *softArgmax) backward(b *builder, dy *Node, need []bool) []*Node {
	if !need[0] {
		return make([]*Node, 1)
	}
	s := o.node.In[0]
	slope := Div(Reshape(dy, o.xy.Shape().Dimensions...), MulScalar(o.sum, o.node.Values.Float("temperature")))
	constant := Neg(ReduceAndKeep(Mul(slope, o.xy), ReduceSum, 1))
	d := Mul(o.e, kernel.Product(Concatenate([]*Node{constant, slope}, 1), 1, o.centres, 1))
	d = TransposeAllAxes(Reshape(d, -1, s[2], s[0]*s[1]), 0, 2, 1)
	return []*Node{Reshape(d, -1, s[0], s[1], s[2])}
}
