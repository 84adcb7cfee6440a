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
	groups  int
	on      Target
	x, w    *Node
	in, out maps
}

// Forward convolves x [n, h, w, cin] with the filter w [kh, kw, cin/groups, cout].
func (c Conv2D) Forward(on Target, x, w *Node) (*Node, *ConvPass) {
	for i := range 2 {
		c.Strides[i] = max(c.Strides[i], 1)
		c.Dilations[i] = max(c.Dilations[i], 1)
	}
	c.Groups = max(c.Groups, 1)
	in := mapsOf(x)
	c.check(in, w)
	d := w.Shape().Dimensions
	p := &ConvPass{window: c.window(w), groups: c.Groups, on: on, x: x, w: w, in: in}
	p.out = p.over(in, d[3])
	if p.dilated() || p.pointwise() {
		return p.forwardDot(), p
	}
	return ConvGeneral(x, w, nhwcAxes, c.Strides[:], c.Padding[:], nil, nil, c.Groups, 1), p
}

// Backward takes the gradient dy of the output and returns those of the input
// (nil unless needInput) and of the filter.
func (p *ConvPass) Backward(dy *Node, needInput bool) (dx, dw *Node) {
	p.out.mustBe("convolution", dy)
	if needInput {
		dx = p.inputGrad(dy)
	}
	return dx, p.filterGrad(dy)
}

func (c Conv2D) window(w *Node) window {
	d := w.Shape().Dimensions
	return window{size: [2]int{d[0], d[1]}, strides: c.Strides, dilations: c.Dilations, padding: c.Padding}
}

func (c Conv2D) check(x maps, w *Node) {
	mustFloat32("convolution", w)
	if w.Rank() != 4 {
		fail("convolution: found a filter of shape %s, want [height, width, in, out]", w.Shape())
	}
	d := w.Shape().Dimensions
	switch out := c.window(w).over(x, d[3]); {
	case c.Padding[0][0] < 0 || c.Padding[0][1] < 0 || c.Padding[1][0] < 0 || c.Padding[1][1] < 0:
		fail("convolution: found padding %v, want none negative", c.Padding)
	case x.c%c.Groups != 0 || d[3]%c.Groups != 0:
		fail("convolution: found %d channels in, %d out and %d groups, want multiples of the groups", x.c, d[3], c.Groups)
	case d[2] != x.c/c.Groups:
		fail("convolution: found a filter for %d channels, want %d (%d channels in %d groups)", d[2], x.c/c.Groups, x.c, c.Groups)
	case out.h < 1 || out.w < 1:
		fail("convolution: a %dx%d filter (dilations %v) does not fit on %dx%d pixels with padding %v", d[0], d[1], c.Dilations, x.h, x.w, c.Padding)
	}
}

// Convolutions with dilations, and the filter gradient of those with groups, are
// products with gathered patches: where a filter is larger than the image, XLA's
// CPU compiler swaps them, gets the window wrong, and aborts the process.

func (p *ConvPass) dilated() bool { return p.dilations != [2]int{1, 1} }

// pointwise tells whether the convolution is a product of pixels: a 1x1 filter
// without padding. XLA's own filter gradient of those takes several times as long.
func (p *ConvPass) pointwise() bool {
	return p.size == [2]int{1, 1} && p.padding == [2][2]int{} && p.groups == 1
}

func (p *ConvPass) strided() bool { return p.strides != [2]int{1, 1} }
