package native

import (
	"github.com/fkzoo/fkzoo/host/engine/native/conv"
	"github.com/fkzoo/fkzoo/host/engine/native/dense"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/program"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func geometry(n *node) conv.Geometry {
	v, in := n.Values, n.In[0]
	stride, dilation := v.Pair("stride"), v.Pair("dilation")
	return conv.Geometry{
		Height: in[0], Width: in[1], Channels: in[2], Filters: v.Int("filters"), Kernel: v.Pair("kernel"), Stride: stride, Dilation: dilation,
		Padding: v.Padding("padding").Resolve([2]int{in[0], in[1]}, v.Pair("kernel"), stride, dilation), Groups: v.Int("groups"),
	}
}

// none stands for a parameter that there isn't.
const none = -1

// array is what a product reads: a parameter, or a constant that was made of some.
type array struct {
	param    int
	constant *program.Constant
}

func (a array) of(pass *pass, f *frame) []float32 {
	switch {
	case a.constant != nil:
		return f.Constant(*a.constant)
	case a.param == none:
		return nil
	}
	return pass.params[a.param]
}

// product is the weights and bias of a convolution or dense layer, and the function behind it.
type product struct {
	weights, bias array
	f             kernel.Activation
}

// product gives a layer's, in prediction with a normalization behind it folded into them.
func (b *builder) product(n *node) product {
	p := product{weights: array{param: b.param(n, "weights")}, bias: array{param: none}, f: b.activation(n.Values.Text("activation"), blueprint.DefaultSlope)}
	if n.Values.Text("bias") == "shared" {
		p.bias.param = b.param(n, "bias")
	}
	norm := b.normBehind(n, p.f)
	if norm == nil {
		return p
	}
	channels := last(n.Out)
	weights, bias, factor := b.Constant(int(n.Params[0].Shape.Size())), b.Constant(channels), b.Constant(channels)
	from, fold, pass := p, b.folded(norm), b.pass
	lines := layer.NewChannels(b.set, b.threads)
	b.Prepare(func(f *frame) {
		w, shift, by := f.Constant(weights), f.Constant(bias), f.Constant(factor)
		fold(by, shift)
		if old := from.bias.of(pass, f); old != nil {
			for i, v := range old {
				shift[i] += v * by[i]
			}
		}
		lines.Run(f.Caller, kernel.OpMulChannels, len(w)/channels, channels, layer.Streams{w, from.weights.of(pass, f), by}, 2)
	})
	p.weights.constant, p.bias.constant = &weights, &bias
	p.f = b.activation(norm.Values.Text("activation"), blueprint.DefaultSlope)
	return p
}

// normBehind finds the normalization that alone uses a layer without an activation, and can be folded into its weights; nil: there is
// none.
func (b *builder) normBehind(n *node, f kernel.Activation) *node {
	if b.training || !f.Linear() || n.Values.Text("bias") == "untied" || n.index == b.plan.Output || len(b.users[n.index]) != 1 {
		return nil
	}
	i := b.users[n.index][0]
	if b.plan.Nodes[i].Kind.Name != "batch_norm" {
		return nil
	}
	return &node{&b.plan.Nodes[i], i}
}

// poolBehind tells whether a max-pool alone uses a layer, whose activation may then as well come after it: a function that never falls
// commutes with the largest of a window. Its gradient is taken there, where there is a quarter of the values.
func (b *builder) poolBehind(n *node, f kernel.Activation) bool {
	return b.training && !f.Linear() && !f.FromInput() && blueprint.Activations.Row(f.Name).Rises && n.index != b.plan.Output &&
		len(b.users[n.index]) == 1 && b.plan.Nodes[b.users[n.index][0]].Kind.Name == "max_pool"
}

// before gives the gradient before a layer's activation, known being what that is computed from.
func (b *builder) before(n *node, f kernel.Activation, known, dy *tensor) *tensor {
	if b.poolBehind(n, f) {
		return dy
	}
	return b.activateBack(f, known, dy)
}

// pooledBehind finds the max-pool that alone uses a convolution, in prediction, if both can be done at once; nil: there is none.
func (b *builder) pooledBehind(n *node, p product) *node {
	if b.training || p.weights.constant != nil || !p.f.Linear() && !p.f.Relu() || n.Values.Text("bias") == "untied" || n.index == b.plan.Output ||
		len(b.users[n.index]) != 1 {
		return nil
	}
	i := b.users[n.index][0]
	pool := &node{&b.plan.Nodes[i], i}
	if pool.Kind.Name != "max_pool" || b.values[i] != nil {
		return nil
	}
	s, window, stride := pool.In[0], pool.Values.Pair("window"), blueprint.PoolStride(pool.Values)
	two := [2]int{2, 2}
	if !conv.Pools(geometry(n)) || window != two || stride != two || pool.Values.Padding("padding").Resolve([2]int{s[0], s[1]}, window, stride, [2]int{1, 1}) != [2][2]int{} {
		return nil
	}
	return pool
}

// convolve makes the convolution and its output, that of the max-pool behind it where both are done at once.
func (b *builder) convolve(n *node, p product) (*conv.Forward, *tensor, *node) {
	ctx, g := b.context(), geometry(n)
	if pool := b.pooledBehind(n, p); pool != nil {
		run, err := conv.NewPooled(ctx, g)
		must(err)
		return run, b.Rows(pool.Out), pool
	}
	run, err := conv.NewForward(ctx, g)
	must(err)
	return run, b.Rows(n.Out), nil
}

func convolution(b *builder, n *node, in []*tensor) (*tensor, backward) {
	ctx, g, x, pass := b.context(), geometry(n), in[0], b.pass
	p := b.product(n)
	run, sums, pool := b.convolve(n, p)
	f := p.f
	untied := n.Values.Text("bias") == "untied"
	apart := untied || b.training && f.FromInput() // from the product
	if apart {
		f = kernel.Activation{}
	}
	packed := b.Constant(run.PackedLen())
	b.Prepare(func(f *frame) { must(run.Pack(f.Caller, p.weights.of(pass, f), f.Constant(packed))) })
	b.Emit(instr{Uses: []*tensor{sums, x}, Rowwise: true, Scratch: func(int) int { return run.Scratch() }, Run: func(fr *frame) {
		must(run.Run(fr.Caller, fr.Rows, fr.Of(x), fr.Constant(packed), p.bias.of(pass, fr), f, fr.Of(sums), fr.Scratch))
	}})
	if pool != nil {
		b.values[pool.index] = sums
		return nil, nil
	}
	z := sums
	var addBack func(d *tensor)
	if untied {
		z, addBack = b.untied(n, z)
	}
	y := z
	if apart {
		y = b.activate(p.f, z)
	}
	known := y
	if p.f.FromInput() {
		known = z
	}
	return y, func(dy *tensor, need []bool) []*tensor {
		d := b.before(n, p.f, known, dy)
		if untied {
			addBack(d)
		}
		filter, err := conv.NewFilter(ctx, g)
		must(err)
		withBias := p.bias.param != none
		if sums := b.sums[d]; withBias && sums != nil {
			b.sumBias(p.bias.param, g.Filters, sums)
			withBias = false
		}
		b.Emit(instr{Uses: []*tensor{x, d}, Rowwise: true, Scratch: filter.Scratch, Run: func(f *frame) {
			var db []float32
			if withBias {
				db = pass.gradients[p.bias.param]
			}
			must(filter.Run(f.Caller, f.Rows, f.Of(x), f.Of(d), pass.gradients[p.weights.param], db, f.More, f.Scratch))
		}})
		if !need[0] {
			return make([]*tensor, 1)
		}
		return []*tensor{b.convolveBack(ctx, g, n, p, d)}
	}
}

// convolveBack emits the gradient of a convolution's input.
func (b *builder) convolveBack(ctx conv.Context, g conv.Geometry, n *node, p product, d *tensor) *tensor {
	input, err := conv.NewInput(ctx, g)
	must(err)
	packed, pass := b.Constant(input.PackedLen()), b.pass
	b.Prepare(func(f *frame) { must(input.Pack(f.Caller, p.weights.of(pass, f), f.Constant(packed))) })
	dx := b.Rows(n.In[0])
	in := instr{Uses: []*tensor{dx, d}, Rowwise: true, Scratch: func(int) int { return input.Scratch() }}
	var sum *tensor // what it is added to
	if input.Adds() {
		if sum = b.take(n.Inputs[0]); sum != nil {
			in.Uses, in.Output, in.Over = append(in.Uses, sum), dx, []*tensor{sum}
		}
	}
	each := pass.each
	in.Run = func(f *frame) {
		to := f.Of(dx)
		if sum != nil {
			if from := f.Of(sum); &from[0] != &to[0] {
				each.Run(f.Caller, kernel.OpMove, len(to), layer.Streams{to, from}, [8]float32{})
			}
		}
		must(input.Run(f.Caller, f.Rows, f.Of(d), f.Constant(packed), to, sum != nil, f.Scratch))
	}
	b.Emit(in)
	return dx
}

// untied emits the sum with a bias for each value, and tells how its gradient is found.
func (b *builder) untied(n *node, z *tensor) (*tensor, func(d *tensor)) {
	bias, size, pass := b.param(n, "bias"), z.Row(), b.pass
	lines := layer.NewChannels(b.set, b.threads)
	y := b.Rows(z.Shape())
	b.Emit(instr{Uses: []*tensor{y, z}, Output: y, Over: []*tensor{z}, Rowwise: true, Run: func(f *frame) {
		lines.Run(f.Caller, kernel.OpAddChannels, f.Rows, size, layer.Streams{f.Of(y), f.Of(z), pass.params[bias]}, 2)
	}})
	return y, func(d *tensor) { b.sumBias(bias, size, d) }
}

// sumBias emits the gradient of a bias of so many values, each the sum of those of d that it was added to.
func (b *builder) sumBias(bias, size int, d *tensor) {
	sum, lines := b.Fixed(size), layer.NewChannels(b.set, b.threads)
	times, pass := d.Row()/size, b.pass
	b.Emit(instr{Uses: []*tensor{d, sum}, Rowwise: true, Scratch: func(rows int) int { return layer.SumScratch(rows*times, size, 1) }, Run: func(f *frame) {
		lines.Sum(f.Caller, kernel.OpSum, f.Rows*times, size, layer.Streams{f.Of(d), f.Of(sum)}, 1, 1, f.Scratch)
		pass.accumulate(f, bias, f.Of(sum))
	}})
}

// smallWeights is how many weights of a dense layer are read again for each few rows; more are read for all rows at once.
const smallWeights = 64 << 10

func denseLayer(b *builder, n *node, in []*tensor) (*tensor, backward) {
	p := b.product(n)
	y, back := b.dense(p, in[0], n.Out)
	if !b.training || !p.f.FromInput() {
		return y, func(dy *tensor, need []bool) []*tensor { return []*tensor{back(b.before(n, p.f, y, dy), need[0])} }
	}
	return b.activate(p.f, y), func(dy *tensor, need []bool) []*tensor {
		return []*tensor{back(b.activateBack(p.f, y, dy), need[0])}
	}
}

// dense emits a product along the last axis, and tells how to go back from its gradient, before the activation, to that of x. In
// training an activation whose gradient is found from its input is left to the caller.
func (b *builder) dense(p product, x *tensor, out blueprint.Shape) (*tensor, func(d *tensor, need bool) *tensor) {
	width, pass := last(x.Shape()), b.pass
	units, each := last(out), x.Row()/width // products of each row of the batch
	run, err := dense.New(b.set, b.threads, width, units)
	must(err)
	f := p.f
	if b.training && f.FromInput() {
		f = kernel.Activation{}
	}
	rowwise := width*units <= smallWeights
	scratch := func(of func(n int) int) func(int) int { return func(rows int) int { return of(rows * each) } }
	packed := array{param: none}
	if !b.training && run.Packs(b.rows*each) {
		c := b.Constant(run.PackedLen())
		packed.constant = &c
		b.Prepare(func(f *frame) { must(run.Pack(f.Caller, p.weights.of(pass, f), f.Constant(c))) })
	}
	y := b.Rows(out)
	b.Emit(instr{Uses: []*tensor{y, x}, Rowwise: rowwise, Scratch: scratch(run.ForwardScratch), Run: func(fr *frame) {
		must(run.Forward(fr.Caller, fr.Rows*each, fr.Of(x), p.weights.of(pass, fr), packed.of(pass, fr), p.bias.of(pass, fr), f, fr.Of(y), fr.Scratch))
	}})
	return y, func(d *tensor, need bool) *tensor {
		b.Emit(instr{Uses: []*tensor{x, d}, Rowwise: rowwise, Scratch: scratch(run.WeightsScratch), Run: func(f *frame) {
			var db []float32
			if p.bias.param != none {
				db = pass.gradients[p.bias.param]
			}
			must(run.Weights(f.Caller, f.Rows*each, f.Of(x), f.Of(d), pass.gradients[p.weights.param], db, f.More, f.Scratch))
		}})
		if !need {
			return nil
		}
		dx := b.Rows(x.Shape())
		b.Emit(instr{Uses: []*tensor{dx, d}, Rowwise: rowwise, Scratch: scratch(run.InputScratch), Run: func(f *frame) {
			must(run.Input(f.Caller, f.Rows*each, f.Of(d), p.weights.of(pass, f), f.Of(dx), f.Scratch))
		}})
		return dx
	}
}

// attention is scaled dot-product attention of every position over all (Vaswani et al. 2017).
func attention(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x := in[0]
	features := last(x.Shape())
	tokens := x.Row() / features
	mid, err := layer.NewAttention(b.set, b.threads, tokens, features, n.Values.Int("heads"))
	must(err)
	var projected [3]*tensor
	var backs [3]func(d *tensor, need bool) *tensor
	project := func(name string, x *tensor) (*tensor, func(*tensor, bool) *tensor) {
		return b.dense(product{weights: array{param: b.param(n, name)}, bias: array{param: b.param(n, name+"_bias")}}, x, n.Out)
	}
	for i, name := range []string{"query", "key", "value"} {
		projected[i], backs[i] = project(name, x)
	}
	q, k, v := projected[0], projected[1], projected[2]
	weights, mixed := b.Rows(blueprint.Shape{mid.WeightsLen(1)}), b.Rows(n.Out)
	scratch := func(int) int { return mid.Scratch() }
	b.Emit(instr{Uses: []*tensor{q, k, v, weights, mixed}, Rowwise: true, Scratch: scratch, Run: func(f *frame) {
		mid.Forward(f.Caller, f.Rows, f.Of(q), f.Of(k), f.Of(v), f.Of(weights), f.Of(mixed), f.Scratch)
	}})
	y, back := project("output", mixed)
	return y, func(dy *tensor, need []bool) []*tensor {
		d := back(dy, true)
		dq, dk, dv := b.Rows(n.Out), b.Rows(n.Out), b.Rows(n.Out)
		b.Emit(instr{Uses: []*tensor{q, k, v, weights, d, dq, dk, dv}, Rowwise: true, Scratch: scratch, Run: func(f *frame) {
			mid.Back(f.Caller, f.Rows, f.Of(q), f.Of(k), f.Of(v), f.Of(weights), f.Of(d), f.Of(dq), f.Of(dk), f.Of(dv), f.Scratch)
		}})
		var sum *tensor
		for i, d := range []*tensor{dq, dk, dv} {
			dx := backs[i](d, need[0])
			if sum != nil && dx != nil {
				dx = b.each(kernel.OpAdd, b.Rows(dx.Shape()), sum, dx)
			}
			sum = dx
		}
		return []*tensor{sum}
	}
}
