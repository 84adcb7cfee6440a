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
		y := b.rows(n.Out)
		b.emit(instr{uses: []*tensor{y, x}, rowwise: true, run: func(f *frame) { p.Forward(f.c, f.rows, f.of(x), f.of(y)) }})
		return y, func(dy *tensor, need []bool) []*tensor {
			if !need[0] {
				return make([]*tensor, 1)
			}
			uses := []*tensor{dy}
			if !mean {
				dy = b.activateBack(b.waiting(n), y, dy)
				uses = []*tensor{x, y, dy}
			}
			dx := b.rows(n.In[0])
			back := instr{uses: append(uses, dx), rowwise: true, scratch: func(int) int { return p.BackScratch() }}
			if !mean && p.Covers() {
				back.output, back.over = dx, []*tensor{x}
			}
			back.run = func(f *frame) {
				if mean {
					p.Back(f.c, f.rows, nil, nil, f.of(dy), f.of(dx), f.scratch)
					return
				}
				p.Back(f.c, f.rows, f.of(x), f.of(y), f.of(dy), f.of(dx), f.scratch)
			}
			b.emit(back)
			if !mean { // each number goes to one pixel
				dx.sums = dy
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
	y := b.rows(n.Out)
	b.emit(instr{uses: []*tensor{y, x}, rowwise: true, run: func(f *frame) { g.Forward(f.c, f.rows, f.of(x), f.of(y)) }})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.rows(s)
		b.emit(instr{uses: []*tensor{dx, dy}, rowwise: true, run: func(f *frame) { g.Back(f.c, f.rows, f.of(dy), f.of(dx)) }})
		return []*tensor{dx}
	}
}

func dropout(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, rate, channels := in[0], n.Values.Float("rate"), n.Out[len(n.Out)-1]
	stream := b.stream() // given out whether used or not
	same := func(dy *tensor, _ []bool) []*tensor { return []*tensor{dy} }
	if !b.training || rate == 0 {
		return x, same
	}
	d, err := layer.NewDropout(b.set, b.threads, rate, n.Values.Bool("rescale"), stream, x.row, channels)
	must(err)
	apply := func(x *tensor) *tensor {
		y := b.rows(x.shape)
		b.emit(instr{uses: []*tensor{y, x}, output: y, over: []*tensor{x}, rowwise: true, run: func(f *frame) {
			d.Apply(f.c, f.slice.Seed, uint64(f.slice.First+f.from), f.rows, f.of(x), f.of(y))
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
	from := x.shape
	if slices.Equal(from, to) {
		return x, func(d *tensor) *tensor { return d }
	}
	r := layer.NewBroadcast(b.set, b.threads, from, to)
	y := b.rows(to)
	b.emit(instr{uses: []*tensor{y, x}, rowwise: true, run: func(f *frame) { r.Forward(f.c, f.rows, f.of(x), f.of(y)) }})
	return y, func(d *tensor) *tensor {
		dx := b.rows(from)
		b.emit(instr{uses: []*tensor{dx, d}, rowwise: true, run: func(f *frame) { r.Back(f.c, f.rows, f.of(d), f.of(dx)) }})
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
		sum = b.each(op, b.rows(n.Out), sum, v)
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
		y = b.each(kernel.OpMul, b.rows(n.Out), y, v)
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
					d = b.each(kernel.OpMul, b.rows(n.Out), d, v)
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
		widths = append(widths, s[len(s)-1])
	}
	c := layer.NewConcat(b.set, b.threads, widths)
	y := b.rows(n.Out)
	each := y.row / n.Out[len(n.Out)-1]
	b.emit(instr{uses: append([]*tensor{y}, in...), rowwise: true, run: func(f *frame) {
		for i, x := range in {
			c.Forward(f.c, f.rows*each, i, f.of(x), f.of(y))
		}
	}})
	return y, func(dy *tensor, need []bool) []*tensor {
		out := make([]*tensor, len(in))
		for i := range in {
			if !need[i] {
				continue
			}
			dx := b.rows(n.In[i])
			b.emit(instr{uses: []*tensor{dx, dy}, rowwise: true, run: func(f *frame) { c.Back(f.c, f.rows*each, i, f.of(dy), f.of(dx)) }})
			out[i] = dx
		}
		return out
	}
}

// reshape is flatten and reshape.
func reshape(b *builder, n *node, in []*tensor) (*tensor, backward) {
	return b.view(in[0], n.Out), func(dy *tensor, _ []bool) []*tensor { return []*tensor{b.view(dy, n.In[0])} }
}

func upsample(b *builder, n *node, in []*tensor) (*tensor, backward) {
	s, x := n.In[0], in[0]
	u := layer.NewUpsample(b.set, b.threads, s[0], s[1], s[2], n.Values.Pair("factor"), n.Values.Text("method") == "bilinear")
	scratch := func(int) int { return u.Scratch() }
	y := b.rows(n.Out)
	b.emit(instr{uses: []*tensor{y, x}, rowwise: true, scratch: scratch, run: func(f *frame) { u.Forward(f.c, f.rows, f.of(x), f.of(y), f.scratch) }})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.rows(s)
		b.emit(instr{uses: []*tensor{dx, dy}, rowwise: true, scratch: scratch, run: func(f *frame) { u.Back(f.c, f.rows, f.of(dy), f.of(dx), f.scratch) }})
		return []*tensor{dx}
	}
}

func softmax(b *builder, n *node, in []*tensor) (*tensor, backward) {
	x, width := in[0], n.Out[len(n.Out)-1]
	s := layer.NewSoftmax(b.set, b.threads)
	y := b.rows(n.Out)
	each := y.row / width
	b.emit(instr{uses: []*tensor{y, x}, output: y, over: []*tensor{x}, rowwise: true, run: func(f *frame) {
		s.Forward(f.c, f.rows*each, width, f.of(x), f.of(y))
	}})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.rows(n.Out)
		b.emit(instr{uses: []*tensor{dx, y, dy}, output: dx, over: []*tensor{dy}, rowwise: true, run: func(f *frame) {
			s.Back(f.c, f.rows*each, width, f.of(y), f.of(dy), f.of(dx))
		}})
		return []*tensor{dx}
	}
}

func softArgmax(b *builder, n *node, in []*tensor) (*tensor, backward) {
	s, x := n.In[0], in[0]
	a := layer.NewSoftArgmax(b.set, b.threads, s[0], s[1], s[2], n.Values.Float("temperature"))
	scratch := func(int) int { return a.Scratch() }
	y := b.rows(n.Out)
	b.emit(instr{uses: []*tensor{y, x}, rowwise: true, scratch: scratch, run: func(f *frame) { a.Forward(f.c, f.rows, f.of(x), f.of(y), f.scratch) }})
	return y, func(dy *tensor, _ []bool) []*tensor {
		dx := b.rows(s)
		b.emit(instr{uses: []*tensor{dx, x, y, dy}, rowwise: true, scratch: scratch, run: func(f *frame) {
			a.Back(f.c, f.rows, f.of(x), f.of(y), f.of(dy), f.of(dx), f.scratch)
		}})
		return []*tensor{dx}
	}
}
