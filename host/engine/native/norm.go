package native

import (
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// batchStatistics tells whether a plan's training takes statistics over a batch.
func batchStatistics(plan *blueprint.Plan) bool {
	for i := range plan.Nodes {
		if forms[plan.Nodes[i].Kind.Name].overBatch {
			return true
		}
	}
	return false
}

func (b *builder) norm(n *node) *layer.BatchNorm {
	return &layer.BatchNorm{Channels: layer.NewChannels(b.set, b.threads), C: last(n.Out), Epsilon: n.Values.Float("epsilon")}
}

// folded gives what a normalization's running statistics make of it: y = x*factor + shift.
func (b *builder) folded(n *node) func(factor, shift []float32) {
	norm, pass := b.norm(n), b.pass
	scale, offset, mean, variance := b.param(n, "scale"), b.param(n, "offset"), b.param(n, "mean"), b.param(n, "variance")
	return func(factor, shift []float32) {
		norm.Fold(pass.params[scale], pass.params[offset], pass.params[mean], pass.params[variance], factor, shift)
	}
}

func batchNorm(b *builder, n *node, in []*tensor) (*tensor, backward) {
	if !b.training {
		return b.normalize(n, in[0]), nil
	}
	norm, x, pass := b.norm(n), in[0], b.pass
	c := norm.C
	each := x.Row() / c
	f, momentum := b.activation(n.Values.Text("activation"), blueprint.DefaultSlope), n.Values.Float("momentum")
	scale, offset, average, variance := b.param(n, "scale"), b.param(n, "offset"), b.param(n, "mean"), b.param(n, "variance")
	mean, inverse, z := b.Fixed(c), b.Fixed(c), b.Rows(n.Out)
	fused := f
	if f.FromInput() {
		fused = kernel.Activation{}
	}
	scratch := func(rows int) int { return norm.Scratch(rows * each) }
	b.Emit(instr{Uses: []*tensor{z, x, mean, inverse}, Scratch: scratch, Run: func(fr *frame) {
		kept := momentum
		if !pass.statistics {
			kept = 1
		}
		norm.Train(fr.Caller, fr.Rows*each, fr.Of(x), pass.params[scale], pass.params[offset], pass.params[average], pass.params[variance], kept,
			fused, fr.Of(z), fr.Of(mean), fr.Of(inverse), fr.Scratch)
	}})
	y := z
	if f.FromInput() {
		y = b.activate(f, z)
	}
	return y, func(dy *tensor, need []bool) []*tensor {
		d, relu := dy, f.Relu() && !b.poolBehind(n, f)
		if !relu {
			d = b.before(n, f, z, dy)
		}
		dScale, dOffset := b.Fixed(c), b.Fixed(c)
		in := instr{Uses: []*tensor{x, d, mean, inverse, dScale, dOffset}, Scratch: scratch}
		var dx *tensor
		if need[0] {
			dx = b.Rows(n.In[0])
			in.Uses, in.Output, in.Over = append(in.Uses, dx), dx, []*tensor{d}
		}
		in.Run = func(f *frame) {
			var to []float32
			if dx != nil {
				to = f.Of(dx)
			}
			norm.Back(f.Caller, f.Rows*each, f.Of(x), f.Of(d), pass.params[scale], pass.params[offset], f.Of(mean), f.Of(inverse), relu, f.Of(dScale), f.Of(dOffset), to, f.Scratch)
			pass.accumulate(f, scale, f.Of(dScale))
			pass.accumulate(f, offset, f.Of(dOffset))
		}
		b.Emit(in)
		return []*tensor{dx}
	}
}

// normalize emits a normalization by running statistics, unless it has been folded into the weights before it.
func (b *builder) normalize(n *node, x *tensor) *tensor {
	if from := n.Inputs[0]; from >= 0 {
		before := &node{&b.plan.Nodes[from], from}
		if forms[before.Kind.Name].folds && b.normBehind(before, b.activation(before.Values.Text("activation"), blueprint.DefaultSlope)) != nil {
			return x
		}
	}
	lines, fold := layer.NewChannels(b.set, b.threads), b.folded(n)
	c := last(n.Out)
	factor, shift := b.Constant(c), b.Constant(c)
	b.Prepare(func(f *frame) { fold(f.Constant(factor), f.Constant(shift)) })
	f := b.activation(n.Values.Text("activation"), blueprint.DefaultSlope)
	op := kernel.OpAffine
	if f.Relu() {
		op, f = kernel.OpAffineRelu, kernel.Activation{}
	}
	y := b.Rows(n.Out)
	each := y.Row() / c
	b.Emit(instr{Uses: []*tensor{y, x}, Output: y, Over: []*tensor{x}, Rowwise: true, Run: func(fr *frame) {
		lines.Run(fr.Caller, op, fr.Rows*each, c, layer.Streams{fr.Of(y), fr.Of(x), fr.Constant(factor), fr.Constant(shift)}, 2)
	}})
	return b.activate(f, y)
}

func layerNorm(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, c, pass := in[0], last(n.Out), b.pass
	norm := layer.NewLayerNorm(b.set, b.threads, c, n.Values.Float("epsilon"))
	each := x.Row() / c
	scale, offset := b.param(n, "scale"), b.param(n, "offset")
	mean, inverse := b.Rows(blueprint.Shape{each}), b.Rows(blueprint.Shape{each})
	y := b.Rows(n.Out)
	b.Emit(instr{Uses: []*tensor{y, x, mean, inverse}, Rowwise: true, Run: func(f *frame) {
		norm.Forward(f.Caller, f.Rows*each, f.Of(x), pass.params[scale], pass.params[offset], f.Of(y), f.Of(mean), f.Of(inverse))
	}})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx, dScale, dOffset := b.Rows(n.Out), b.Fixed(c), b.Fixed(c)
		b.Emit(instr{Uses: []*tensor{x, dy, mean, inverse, dScale, dOffset, dx}, Output: dx, Over: []*tensor{dy}, Rowwise: true,
			Scratch: func(rows int) int { return norm.BackScratch(rows * each) },
			Run: func(f *frame) {
				norm.Back(f.Caller, f.Rows*each, f.Of(x), f.Of(dy), pass.params[scale], f.Of(mean), f.Of(inverse), f.Of(dScale), f.Of(dOffset), f.Of(dx), f.Scratch)
				pass.accumulate(f, scale, f.Of(dScale))
				pass.accumulate(f, offset, f.Of(dOffset))
			}})
		return []*tensor{dx}
	}
}
