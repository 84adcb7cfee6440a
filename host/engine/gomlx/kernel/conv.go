package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Conv2D is a two-dimensional convolution (cross-correlation, as everywhere in
// deep learning). The zero values of Strides, Dilations and Groups mean 1.
type Conv2D struct {
	Strides, Dilations [2]int    // height, width
	Padding            [2][2]int // height, width: zeros before and after
	Groups             int       // channels in and out are cut into so many independent parts
}

// ConvPass is a convolution that went forward and can go backward.
type ConvPass struct {
	window
	c    Conv2D
	k    *Kernel
	x, w *Node
	from size // of x
	to   size // of the output
	bias bool
}

func (c Conv2D) normal() Conv2D {
	for i := range 2 {
		c.Strides[i] = max(c.Strides[i], 1)
		c.Dilations[i] = max(c.Dilations[i], 1)
	}
	c.Groups = max(c.Groups, 1)
	return c
}

func (c Conv2D) window(w *Node) window {
	d := w.Shape().Dimensions
	return window{size: [2]int{d[0], d[1]}, strides: c.Strides, dilations: c.Dilations, padding: c.Padding}
}

// Conv2D convolves x [n, h, w, cin] with the filter w [kh, kw, cin/groups,
// cout] and adds bias [cout], unless that is nil.
func (k *Kernel) Conv2D(c Conv2D, x, w, bias *Node) (*Node, *ConvPass) {
	c = c.normal()
	from := sizeOf(x)
	c.check(from, w, bias)
	p := &ConvPass{window: c.window(w), c: c, k: k, x: x, w: w, from: from, bias: bias != nil}
	y := p.forward()
	p.to = sizeOf(y)
	if bias == nil {
		return y, p
	}
	return k.AddRows(y, bias), p
}

// Backward takes the gradient dy of the output and returns those of the input
// (nil unless needInput), of the filter and of the bias (nil if there is none).
func (p *ConvPass) Backward(dy *Node, needInput bool) (dx, dw, db *Node) {
	if found := sizeOf(dy); found != p.to {
		fail("convolution: found a gradient of %v, want %v", found, p.to)
	}
	if p.bias {
		db = p.k.SumRows(dy, nil)
	}
	if needInput {
		dx = p.inputGrad(dy)
	}
	return dx, p.filterGrad(dy), db
}

func (c Conv2D) check(x size, w, bias *Node) {
	mustFloat32("convolution", w, bias)
	if w.Rank() != 4 {
		fail("convolution: found a filter of shape %s, want [height, width, in, out]", w.Shape())
	}
	d := w.Shape().Dimensions
	switch {
	case c.Padding[0][0] < 0 || c.Padding[0][1] < 0 || c.Padding[1][0] < 0 || c.Padding[1][1] < 0:
		fail("convolution: found padding %v, want none negative", c.Padding)
	case x.c%c.Groups != 0 || d[3]%c.Groups != 0:
		fail("convolution: found %d channels in, %d out and %d groups, want multiples of the groups", x.c, d[3], c.Groups)
	case d[2] != x.c/c.Groups:
		fail("convolution: found a filter for %d channels, want %d (%d channels in %d groups)", d[2], x.c/c.Groups, x.c, c.Groups)
	case c.window(w).out(0, x.h) < 1 || c.window(w).out(1, x.w) < 1:
		fail("convolution: a %dx%d filter (dilations %v) does not fit on %dx%d pixels with padding %v", d[0], d[1], c.Dilations, x.h, x.w, c.Padding)
	case bias != nil && (bias.Rank() != 1 || bias.Shape().Dimensions[0] != d[3]):
		fail("convolution: found a bias of shape %s, want [%d]", bias.Shape(), d[3])
	}
}

// turned is the filter turned by 180 degrees with its channels swapped within
// each group: the filter of the input gradient, [kh, kw, cout/groups, cin].
func (p *ConvPass) turned() *Node {
	d := p.w.Shape().Dimensions
	g := p.c.Groups
	w := Reverse(p.w, 0, 1)
	if g == 1 {
		return TransposeAllAxes(w, 0, 1, 3, 2)
	}
	w = Reshape(w, d[0], d[1], d[2], g, d[3]/g)
	return Reshape(TransposeAllAxes(w, 0, 1, 4, 3, 2), d[0], d[1], d[3]/g, g*d[2])
}

// inputGradPadding is what must be put around the gradient, spread by the
// stride, so that the turned filter gives every input pixel. It may be negative.
func (p *ConvPass) inputGradPadding() (pad [2][2]int) {
	d := p.w.Shape().Dimensions
	in, out := [2]int{p.from.h, p.from.w}, [2]int{p.to.h, p.to.w}
	for i := range 2 {
		reach := (d[i] - 1) * p.c.Dilations[i]
		spread := (out[i]-1)*p.c.Strides[i] + 1
		lo := reach - p.c.Padding[i][0]
		pad[i] = [2]int{lo, in[i] - spread - lo + reach}
	}
	return pad
}

// padHW puts zeros, or where negative cuts, at the borders of an NHWC node and
// spread-1 zeros between its pixels.
func padHW(x *Node, pad [2][2]int, spread [2]int, fill *Node) *Node {
	var axes [2]PadAxis
	var cut [2][2]int
	for i := range 2 {
		for j := range 2 {
			cut[i][j] = max(0, -pad[i][j])
		}
		axes[i] = PadAxis{Start: max(0, pad[i][0]), End: max(0, pad[i][1]), Interior: spread[i] - 1}
	}
	if axes != [2]PadAxis{} {
		x = Pad(x, fill, PadAxis{}, axes[0], axes[1], PadAxis{})
	}
	if cut != [2][2]int{} {
		d := x.Shape().Dimensions
		x = Slice(x, AxisRange(), AxisRange(cut[0][0], d[1]-cut[0][1]), AxisRange(cut[1][0], d[2]-cut[1][1]), AxisRange())
	}
	return x
}
