package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// im2col gathers, for each output pixel, what a filter of kh by kw sees:
// [n, ho, wo, kh*kw*c].
func im2col(x *Node, kh, kw int, strides, dilations [2]int) *Node {
	d := x.Shape().Dimensions
	see := window{size: [2]int{kh, kw}, strides: strides, dilations: dilations}
	ho, wo := see.out(0, d[1]), see.out(1, d[2])
	taps := make([]*Node, 0, kh*kw)
	for i := range kh {
		for j := range kw {
			taps = append(taps, every(x, i*dilations[0], j*dilations[1], ho, wo, strides))
		}
	}
	return Concatenate(taps, 3)
}

// every takes every strides-th pixel from (y, x) on, h by w of them.
func every(x *Node, top, left, h, w int, strides [2]int) *Node {
	d := x.Shape().Dimensions
	if top == 0 && left == 0 && h == d[1] && w == d[2] {
		return x
	}
	return Slice(x, AxisRange(),
		AxisRange(top, top+(h-1)*strides[0]+1).Stride(strides[0]),
		AxisRange(left, left+(w-1)*strides[1]+1).Stride(strides[1]), AxisRange())
}

func channels(x *Node, from, to int) *Node {
	return Slice(x, AxisRange().Spacer(), AxisRange(from, to))
}

// grouped runs f for each group on its part of the channels of x and of the
// output channels of the filter w, and joins the results along their last axis.
func grouped(groups int, x, w *Node, f func(x, w *Node) *Node) *Node {
	if groups == 1 {
		return f(x, w)
	}
	cin, cout := x.Shape().Dimensions[x.Rank()-1]/groups, w.Shape().Dimensions[w.Rank()-1]/groups
	ys := make([]*Node, groups)
	for i := range ys {
		ys[i] = f(channels(x, i*cin, (i+1)*cin), channels(w, i*cout, (i+1)*cout))
	}
	return Concatenate(ys, -1)
}

func convDot(x, w *Node, strides, dilations [2]int) *Node {
	d := w.Shape().Dimensions
	patches := im2col(x, d[0], d[1], strides, dilations)
	return Product(patches, -1, Reshape(w, -1, d[3]), 0)
}

func (p *ConvPass) padded() *Node { return padHW(p.x, p.padding, [2]int{1, 1}, zero(p.w.Graph())) }

func (p *ConvPass) forwardDot() *Node {
	return grouped(p.groups, p.padded(), p.w, func(x, w *Node) *Node { return convDot(x, w, p.strides, p.dilations) })
}

func (p *ConvPass) inputGradDot(dy *Node) *Node {
	dy = padHW(dy, p.inputGradPadding(), p.strides, zero(dy.Graph()))
	return grouped(p.groups, dy, p.turned(), func(dy, w *Node) *Node { return convDot(dy, w, [2]int{1, 1}, p.dilations) })
}

// filterGradDot is the filter gradient as a product with what the filter saw.
func (p *ConvPass) filterGradDot(dy *Node) *Node {
	d := p.w.Shape().Dimensions
	return grouped(p.groups, p.padded(), dy, func(x, dy *Node) *Node {
		patches := im2col(x, d[0], d[1], p.strides, p.dilations)
		s := patches.Shape().Dimensions
		dw := Product(Reshape(patches, -1, s[3]), 0, Reshape(dy, -1, d[3]/p.groups), 0)
		return Reshape(dw, d[0], d[1], d[2], d[3]/p.groups)
	})
}
