package gomlx

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// batchNorm normalizes each channel over all else: Ioffe and Szegedy 2015. The
// running variance is that of the batch as a whole (divided by n, not n-1).
type batchNorm struct {
	node *blueprint.Node
	norm *Node   // (x - mean) / deviation
	inv  *Node   // [c]: 1 / deviation
	n    float64 // values of a channel in a batch
	f    activation
}

func newBatchNorm(n *blueprint.Node) op {
	return &batchNorm{node: n, f: named(n.Values.Text("activation"))}
}

// over divides a sum by n, the number of values that a batch has for each channel
// (or its negative), or by as many as the rows that count have.
func (b *builder) over(sum *Node, n float64) *Node {
	if b.real == nil {
		return DivScalar(sum, n)
	}
	// In float64 as DivScalar has it, so that a full batch's bytes are the same.
	count := MulScalar(ConvertDType(ReduceAllSum(b.real), dtypes.Float64), n/float64(b.real.Shape().Size()))
	return Mul(sum, ConvertDType(Inverse(count), sum.DType()))
}

func (o *batchNorm) forward(b *builder, in []*Node) *Node {
	name, v := o.node.Layer.Name, o.node.Values
	scale, offset := b.param(name, "scale"), b.param(name, "offset")
	mean, variance := b.param(name, "mean"), b.param(name, "variance")
	x, epsilon := in[0], v.Float("epsilon")
	if !b.training {
		factor := Mul(scale, Rsqrt(AddScalar(variance, epsilon)))
		return o.f.forward(b, []*Node{kernel.AddRows(kernel.MulRows(x, factor, nil), Sub(offset, Mul(mean, factor)))})
	}
	shape := x.Shape()
	o.n = float64(shape.Size() / shape.Dimensions[shape.Rank()-1])
	oldMean, oldVariance := mean, variance
	mean = b.over(kernel.SumRows(x, b.real), o.n)
	centred := kernel.AddRows(x, Neg(mean))
	variance = b.over(kernel.SumRows(Mul(centred, centred), b.real), o.n)
	m := v.Float("momentum")
	b.updates[name+"/mean"] = Add(MulScalar(oldMean, m), MulScalar(mean, 1-m))
	b.updates[name+"/variance"] = Add(MulScalar(oldVariance, m), MulScalar(variance, 1-m))
	o.inv = Rsqrt(AddScalar(variance, epsilon))
	o.norm = kernel.MulRows(centred, o.inv, nil)
	return o.f.forward(b, []*Node{kernel.AddRows(kernel.MulRows(o.norm, scale, nil), offset)})
}

// backward: dx = scale/deviation * (dy - mean(dy) - norm * mean(dy * norm)). In
// rows that don't count dy is 0, and dx must be: they weren't in the statistics.
func (o *batchNorm) backward(b *builder, dy *Node, need []bool) []*Node {
	name := o.node.Layer.Name
	d := o.f.backward(b, dy, []bool{true})[0]
	dScale, dOffset := kernel.SumRows(Mul(d, o.norm), nil), kernel.SumRows(d, nil)
	b.addGradient(name, "scale", dScale)
	b.addGradient(name, "offset", dOffset)
	if !need[0] {
		return make([]*Node, 1)
	}
	dx := Sub(kernel.AddRows(d, b.over(dOffset, -o.n)), kernel.MulRows(o.norm, b.over(dScale, o.n), nil))
	return []*Node{kernel.MulRows(dx, Mul(b.param(name, "scale"), o.inv), b.real)}
}

// layerNorm: Ba, Kiros and Hinton 2016, over the last axis.
type layerNorm struct {
	node *blueprint.Node
	norm *Node // (x - mean) / deviation
	inv  *Node // 1 / deviation, [..., 1]
}

func (o *layerNorm) forward(b *builder, in []*Node) *Node {
	x, name := in[0], o.node.Layer.Name
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Mul(centred, centred), ReduceMean, -1)
	o.inv = Rsqrt(AddScalar(variance, o.node.Values.Float("epsilon")))
	o.norm = Mul(centred, o.inv)
	return kernel.AddRows(kernel.MulRows(o.norm, b.param(name, "scale"), nil), b.param(name, "offset"))
}

// backward: dx = (d - mean(d) - norm * mean(d * norm)) / deviation, d = dy * scale.
func (o *layerNorm) backward(b *builder, dy *Node, need []bool) []*Node {
	name, d := o.node.Layer.Name, dy
	b.addGradient(name, "scale", kernel.SumRows(Mul(d, o.norm), nil))
	b.addGradient(name, "offset", kernel.SumRows(d, nil))
	if !need[0] {
		return make([]*Node, 1)
	}
	d = kernel.MulRows(d, b.param(name, "scale"), nil)
	along := ReduceAndKeep(Mul(d, o.norm), ReduceMean, -1)
	d = Sub(Sub(d, ReduceAndKeep(d, ReduceMean, -1)), Mul(o.norm, along))
	return []*Node{Mul(d, o.inv)}
}
