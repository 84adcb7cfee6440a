package native

import (
	"slices"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func pool(mean bool) lowering {
	return func(b *builder, n *node, in []*tensor) (*tensor, backward) {
		v, s, x := n.Values, n.In[0], in[0]
		window, stride := v.Pair("window"), blueprint.PoolStride(v)
		p := &layer.Pool{
			Mean: mean, Height: s[0], Width: s[1], Channels: s[2], Window: window, Stride: stride,
			Padding: v.Padding("padding").Resolve([2]int{s[0], s[1]}, window, stride, [2]int{1, 1}),
		}
		if mean {
			p.CountPadding = v.Bool("count_padding")
		}
		must(p.Prepare(b.set, b.threads))
		y := b.Rows(n.Out)
		b.Emit(instr{Uses: []*tensor{y, x}, Rowwise: true, Run: func(f *frame) { p.Forward(f.Caller, f.Rows, f.Of(x), f.Of(y)) }})
		return y, func(dy *tensor, need []bool) []*tensor {
			if !need[0] {
				return make([]*tensor, 1)
			}
			uses := []*tensor{dy}
			if !mean {
				dy = b.activateBack(b.waiting(n), y, dy)
				uses = []*tensor{x, y, dy}
			}
			dx := b.Rows(n.In[0])
			back := instr{Uses: append(uses, dx), Rowwise: true, Scratch: func(int) int { return p.BackScratch() }}
			if !mean && p.Covers() {
				back.Output, back.Over = dx, []*tensor{x}
			}
			back.Run = func(f *frame) {
				if mean {
					p.Back(f.Caller, f.Rows, nil, nil, f.Of(dy), f.Of(dx), f.Scratch)
					return
				}
				p.Back(f.Caller, f.Rows, f.Of(x), f.Of(y), f.Of(dy), f.Of(dx), f.Scratch)
			}
			b.Emit(back)
			if !mean { // each number goes to one pixel
				b.sums[dx] = dy
			}
			return []*tensor{dx}
		}
	}
}

// waiting is the activation before a max-pool whose gradient is taken behind it; linear: none is.
func (b *builder) waiting(pool *node) kernel.Activation {
	from := pool.Inputs[0]
	if from < 0 {
		return kernel.Activation{}
	}
	n := &node{&b.plan.Nodes[from], from}
	if !forms[n.Kind.Name].waits {
		return kernel.Activation{}
	}
	if f := b.activation(n.Values.Text("activation"), blueprint.DefaultSlope); b.poolBehind(n, f) {
		return f
	}
	return kernel.Activation{}
}

func globalPool(b *builder, n *node, in []*tensor) (*tensor, backward) {
	s, x := n.In[0], in[0]
	g := layer.NewGlobalMean(b.set, b.threads, s[0]*s[1], s[2])
	y := b.Rows(n.Out)
	b.Emit(instr{Uses: []*tensor{y, x}, Rowwise: true, Run: func(f *frame) { g.Forward(f.Caller, f.Rows, f.Of(x), f.Of(y)) }})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.Rows(s)
		b.Emit(instr{Uses: []*tensor{dx, dy}, Rowwise: true, Run: func(f *frame) { g.Back(f.Caller, f.Rows, f.Of(dy), f.Of(dx)) }})
		return []*tensor{dx}
	}
}

func dropout(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, rate, channels := in[0], n.Values.Float("rate"), last(n.Out)
	stream, pass := b.stream(), b.pass // given out whether used or not
	same := func(dy *tensor, _ []bool) []*tensor { return []*tensor{dy} }
	if !b.training || rate == 0 {
		return x, same
	}
	d, err := layer.NewDropout(b.set, b.threads, rate, n.Values.Bool("rescale"), stream, x.Row(), channels)
	must(err)
	apply := func(x *tensor) *tensor {
		y := b.Rows(x.Shape())
		b.Emit(instr{Uses: []*tensor{y, x}, Output: y, Over: []*tensor{x}, Rowwise: true, Run: func(f *frame) {
			d.Apply(f.Caller, pass.slice.Seed, uint64(pass.slice.First+f.From), f.Rows, f.Of(x), f.Of(y))
		}})
		return y
	}
	return apply(x), func(dy *tensor, _ []bool) []*tensor { return []*tensor{apply(dy)} }
}

func activationLayer(b *builder, n *node, in []*tensor) (*tensor, backward) {
	f := b.activation(n.Values.Text("function"), n.Values.Float("slope"))
	y := b.activate(f, in[0])
	known := y
	if f.FromInput() {
		known = in[0]
	}
	return y, func(dy *tensor, _ []bool) []*tensor { return []*tensor{b.activateBack(f, known, dy)} }
}

// spread repeats a value along the axes where it has length 1, and tells how to go back.
func (b *builder) spread(x *tensor, to blueprint.Shape) (*tensor, func(d *tensor) *tensor) {
	from := x.Shape()
	if slices.Equal(from, to) {
		return x, func(d *tensor) *tensor { return d }
	}
	r := layer.NewBroadcast(b.set, b.threads, from, to)
	y := b.Rows(to)
	b.Emit(instr{Uses: []*tensor{y, x}, Rowwise: true, Run: func(f *frame) { r.Forward(f.Caller, f.Rows, f.Of(x), f.Of(y)) }})
	return y, func(d *tensor) *tensor {
		dx := b.Rows(from)
		b.Emit(instr{Uses: []*tensor{dx, d}, Rowwise: true, Run: func(f *frame) { r.Back(f.Caller, f.Rows, f.Of(d), f.Of(dx)) }})
		return dx
	}
}

// spreadAll repeats all inputs to one shape.
func (b *builder) spreadAll(in []*tensor, to blueprint.Shape) (wide []*tensor, backs []func(d *tensor) *tensor) {
	for _, x := range in {
		y, back := b.spread(x, to)
		wide, backs = append(wide, y), append(backs, back)
	}
	return wide, backs
}

func add(b *builder, n *node, in []*tensor) (*tensor, backward) {
	f := b.activation(n.Values.Text("activation"), blueprint.DefaultSlope)
	x, backs := b.spreadAll(in, n.Out)
	sum := x[0]
	for i, v := range x[1:] {
		op := kernel.OpAdd
		if f.Relu() && i == len(x)-2 {
			op = kernel.OpAddRelu
		}
		sum = b.each(op, b.Rows(n.Out), sum, v)
	}
	y := sum
	if !f.Relu() {
		y = b.activate(f, sum)
	}
	known := y
	if f.FromInput() {
		known = sum
	}
	return y, func(dy *tensor, need []bool) []*tensor {
		d := b.before(n, f, known, dy)
		out := make([]*tensor, len(in))
		for i := range in {
			if need[i] {
				out[i] = backs[i](d)
			}
		}
		return out
	}
}

func multiply(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, backs := b.spreadAll(in, n.Out)
	y := x[0]
	for _, v := range x[1:] {
		y = b.each(kernel.OpMul, b.Rows(n.Out), y, v)
	}
	return y, func(dy *tensor, need []bool) []*tensor {
		out := make([]*tensor, len(in))
		for i := range in {
			if !need[i] {
				continue
			}
			d := dy
			for k, v := range x {
				if k != i {
					d = b.each(kernel.OpMul, b.Rows(n.Out), d, v)
				}
			}
			out[i] = backs[i](d)
		}
		return out
	}
}

func concat(b *builder, n *node, in []*tensor) (*tensor, backward) {
	var widths []int
	for _, s := range n.In {
		widths = append(widths, last(s))
	}
	c := layer.NewConcat(b.set, b.threads, widths)
	y := b.Rows(n.Out)
	each := y.Row() / last(n.Out)
	b.Emit(instr{Uses: append([]*tensor{y}, in...), Rowwise: true, Run: func(f *frame) {
		for i, x := range in {
			c.Forward(f.Caller, f.Rows*each, i, f.Of(x), f.Of(y))
		}
	}})
	return y, func(dy *tensor, need []bool) []*tensor {
		out := make([]*tensor, len(in))
		for i := range in {
			if !need[i] {
				continue
			}
			dx := b.Rows(n.In[i])
			b.Emit(instr{Uses: []*tensor{dx, dy}, Rowwise: true, Run: func(f *frame) { c.Back(f.Caller, f.Rows*each, i, f.Of(dy), f.Of(dx)) }})
			out[i] = dx
		}
		return out
	}
}

// reshape is flatten and reshape.
func reshape(b *builder, n *node, in []*tensor) (*tensor, backward) {
	return b.View(in[0], n.Out), func(dy *tensor, _ []bool) []*tensor { return []*tensor{b.View(dy, n.In[0])} }
}

func upsample(b *builder, n *node, in []*tensor) (*tensor, backward) {
	s, x := n.In[0], in[0]
	u := layer.NewUpsample(b.set, b.threads, s[0], s[1], s[2], n.Values.Pair("factor"), n.Values.Text("method") == "bilinear")
	scratch := func(int) int { return u.Scratch() }
	y := b.Rows(n.Out)
	b.Emit(instr{Uses: []*tensor{y, x}, Rowwise: true, Scratch: scratch, Run: func(f *frame) { u.Forward(f.Caller, f.Rows, f.Of(x), f.Of(y), f.Scratch) }})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.Rows(s)
		b.Emit(instr{Uses: []*tensor{dx, dy}, Rowwise: true, Scratch: scratch, Run: func(f *frame) { u.Back(f.Caller, f.Rows, f.Of(dy), f.Of(dx), f.Scratch) }})
		return []*tensor{dx}
	}
}

func softmax(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, width := in[0], last(n.Out)
	s := layer.NewSoftmax(b.set, b.threads)
	y := b.Rows(n.Out)
	each := y.Row() / width
	b.Emit(instr{Uses: []*tensor{y, x}, Output: y, Over: []*tensor{x}, Rowwise: true, Run: func(f *frame) {
		s.Forward(f.Caller, f.Rows*each, width, f.Of(x), f.Of(y))
	}})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.Rows(n.Out)
		b.Emit(instr{Uses: []*tensor{dx, y, dy}, Output: dx, Over: []*tensor{dy}, Rowwise: true, Run: func(f *frame) {
			s.Back(f.Caller, f.Rows*each, width, f.Of(y), f.Of(dy), f.Of(dx))
		}})
		return []*tensor{dx}
	}
}

func softArgmax(b *builder, n *node, in []*tensor) (*tensor, backward) {
	s, x := n.In[0], in[0]
	a := layer.NewSoftArgmax(b.set, b.threads, s[0], s[1], s[2], n.Values.Float("temperature"))
	scratch := func(int) int { return a.Scratch() }
	y, kept := b.Rows(n.Out), b.Rows(blueprint.Shape{a.Kept()})
	b.Emit(instr{Uses: []*tensor{y, x, kept}, Rowwise: true, Scratch: scratch, Run: func(f *frame) {
		a.Forward(f.Caller, f.Rows, f.Of(x), f.Of(y), f.Of(kept), f.Scratch)
	}})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.Rows(s)
		b.Emit(instr{Uses: []*tensor{dx, x, y, kept, dy}, Rowwise: true, Scratch: scratch, Run: func(f *frame) {
			a.Back(f.Caller, f.Rows, f.Of(x), f.Of(y), f.Of(kept), f.Of(dy), f.Of(dx), f.Scratch)
		}})
		return []*tensor{dx}
	}
}
