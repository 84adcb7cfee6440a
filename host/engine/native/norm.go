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
	return &layer.BatchNorm{Channels: layer.NewChannels(b.set, b.threads), C: n.Out[len(n.Out)-1], Epsilon: n.Values.Float("epsilon")}
}

// folded gives what a normalization's running statistics make of it: y = x*factor + shift.
func (b *builder) folded(n *node) func(f *frame, factor, shift []float32) {
	norm := b.norm(n)
	scale, offset, mean, variance := b.param(n, "scale"), b.param(n, "offset"), b.param(n, "mean"), b.param(n, "variance")
	return func(f *frame, factor, shift []float32) {
		norm.Fold(f.params[scale], f.params[offset], f.params[mean], f.params[variance], factor, shift)
	}
}

func batchNorm(b *builder, n *node, in []*tensor) (*tensor, backward) {
	if !b.training {
		return b.normalize(n, in[0]), nil
	}
	norm, x := b.norm(n), in[0]
	c := norm.C
	each := x.row / c
	f, momentum := b.activation(n.Values.Text("activation"), blueprint.DefaultSlope), n.Values.Float("momentum")
	scale, offset, average, variance := b.param(n, "scale"), b.param(n, "offset"), b.param(n, "mean"), b.param(n, "variance")
	mean, inverse, z := b.fixed(c), b.fixed(c), b.rows(n.Out)
	fused := f
	if f.FromInput() {
		fused = kernel.Activation{}
	}
	scratch := func(rows int) int { return norm.Scratch(rows * each) }
	b.emit(instr{uses: []*tensor{z, x, mean, inverse}, scratch: scratch, run: func(fr *frame) {
		kept := momentum
		if !fr.statistics {
			kept = 1
		}
		norm.Train(fr.c, fr.rows*each, fr.of(x), fr.params[scale], fr.params[offset], fr.params[average], fr.params[variance], kept,
			fused, fr.of(z), fr.of(mean), fr.of(inverse), fr.scratch)
	}})
	y := z
	if f.FromInput() {
		y = b.activate(f, z)
	}
	return y, func(dy *tensor, need []bool) []*tensor {
		d := b.before(n, f, z, dy)
		dScale, dOffset := b.fixed(c), b.fixed(c)
		in := instr{uses: []*tensor{x, d, mean, inverse, dScale, dOffset}, scratch: scratch}
		var dx *tensor
		if need[0] {
			dx = b.rows(n.In[0])
			in.uses, in.output, in.over = append(in.uses, dx), dx, []*tensor{d}
		}
		in.run = func(f *frame) {
			var to []float32
			if dx != nil {
				to = f.of(dx)
			}
			norm.Back(f.c, f.rows*each, f.of(x), f.of(d), f.params[scale], f.of(mean), f.of(inverse), f.of(dScale), f.of(dOffset), to, f.scratch)
			f.accumulate(scale, f.of(dScale))
			f.accumulate(offset, f.of(dOffset))
		}
		b.emit(in)
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
	c := n.Out[len(n.Out)-1]
	factor, shift := b.constant(c), b.constant(c)
	b.prepare(func(f *frame) { fold(f, factor.of(f), shift.of(f)) })
	f := b.activation(n.Values.Text("activation"), blueprint.DefaultSlope)
	op := kernel.OpAffine
	if f.Relu() {
		op, f = kernel.OpAffineRelu, kernel.Activation{}
	}
	y := b.rows(n.Out)
	each := y.row / c
	b.emit(instr{uses: []*tensor{y, x}, output: y, over: []*tensor{x}, rowwise: true, run: func(fr *frame) {
		lines.Run(fr.c, op, fr.rows*each, c, layer.Streams{fr.of(y), fr.of(x), factor.of(fr), shift.of(fr)}, 2)
	}})
	return b.activate(f, y)
}

func layerNorm(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, c := in[0], n.Out[len(n.Out)-1]
	norm := layer.NewLayerNorm(b.set, b.threads, c, n.Values.Float("epsilon"))
	each := x.row / c
	scale, offset := b.param(n, "scale"), b.param(n, "offset")
	mean, inverse := b.rows(blueprint.Shape{each}), b.rows(blueprint.Shape{each})
	y := b.rows(n.Out)
	b.emit(instr{uses: []*tensor{y, x, mean, inverse}, rowwise: true, run: func(f *frame) {
		norm.Forward(f.c, f.rows*each, f.of(x), f.params[scale], f.params[offset], f.of(y), f.of(mean), f.of(inverse))
	}})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx, dScale, dOffset := b.rows(n.Out), b.fixed(c), b.fixed(c)
		b.emit(instr{uses: []*tensor{x, dy, mean, inverse, dScale, dOffset, dx}, output: dx, over: []*tensor{dy}, rowwise: true,
			scratch: func(rows int) int { return norm.BackScratch(rows * each) },
			run: func(f *frame) {
				norm.Back(f.c, f.rows*each, f.of(x), f.of(dy), f.params[scale], f.of(mean), f.of(inverse), f.of(dScale), f.of(dOffset), f.of(dx), f.scratch)
				f.accumulate(scale, f.of(dScale))
				f.accumulate(offset, f.of(dOffset))
			}})
		return []*tensor{dx}
	}
}
