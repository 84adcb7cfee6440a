package kernel

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

var nhwcAxes = ConvolveAxesConfig{
	InputBatch: 0, InputSpatial: []int{1, 2}, InputChannels: 3,
	KernelSpatial: []int{0, 1}, KernelInputChannels: 2, KernelOutputChannels: 3,
	OutputBatch: 0, OutputSpatial: []int{1, 2}, OutputChannels: 3,
}

// gradAxes read images as channels: the filter gradient as a convolution.
var gradAxes = ConvolveAxesConfig{
	InputBatch: 3, InputSpatial: []int{1, 2}, InputChannels: 0,
	KernelSpatial: []int{1, 2}, KernelInputChannels: 0, KernelOutputChannels: 3,
	OutputBatch: 2, OutputSpatial: []int{0, 1}, OutputChannels: 3,
}

func (p *ConvPass) inputGrad(dy *Node) *Node {
	switch {
	case p.dilated():
		return p.inputGradDot(dy)
	case p.pointwise():
		dx := Product(dy, -1, Reshape(p.w, p.in.c, p.out.c), 1)
		return padHW(dx, p.inputGradPadding(), p.strides, zero(dy.Graph()))
	case p.strided() && p.groups == 1 && p.on == XLACPU:
		return p.inputGradPhases(dy)
	}
	return convPadded(dy, p.turned(), p.inputGradPadding(), p.strides, p.groups)
}

// convPadded convolves x, spread by strides and with so many pixels more (or, below
// 0, fewer) at its edges, with the filter w.
func convPadded(x, w *Node, pad [2][2]int, spread [2]int, groups int) *Node {
	if spread != [2]int{1, 1} || pad[0][0] < 0 || pad[0][1] < 0 || pad[1][0] < 0 || pad[1][1] < 0 {
		x = padHW(x, pad, spread, zero(x.Graph()))
		pad = [2][2]int{}
	}
	return ConvGeneral(x, w, nhwcAxes, nil, pad[:], nil, nil, groups, 1)
}

// inputGradPhases is the input gradient of a convolution with strides: one
// convolution gives, at every pixel of dy's size, all the input pixels of a
// stride as channels. Spreading dy by the stride instead would multiply mostly
// with zeros: 4 times as much for a stride of 2, here 16/9 with a 3x3 filter.
func (p *ConvPass) inputGradPhases(dy *Node) *Node {
	s, cin, cout := p.strides, p.in.c, p.out.c
	var pad [2][2]int
	var steps [2]int // of the filter: pixels of dy that an input pixel takes from, at most
	in, out := p.in.size(), p.out.size()
	w := p.w
	for axis := range 2 {
		// Pixel s*v+a of the input takes tap t from dy's pixel u, where s*u + t = s*v + a + before.
		before, size := p.padding[axis][0], p.size[axis]
		first, last := ceilDiv(before-size+1, s[axis]), floorDiv(s[axis]-1+before, s[axis]) // u-v
		steps[axis] = last - first + 1
		pad[axis] = [2]int{-first, ceilDiv(in[axis], s[axis]) + last - out[axis]}
		var taps []int
		for u := first; u <= last; u++ {
			for a := range s[axis] {
				taps = append(taps, a+before-s[axis]*u)
			}
		}
		w = pick(w, axis, taps)
	}
	w = Reshape(w, steps[0], s[0], steps[1], s[1], cin, cout)
	w = Reshape(TransposeAllAxes(w, 0, 2, 5, 1, 3, 4), steps[0], steps[1], cout, s[0]*s[1]*cin)
	dx := convPadded(dy, w, pad, [2]int{1, 1}, 1)
	h, wide := dx.Shape().Dimensions[1], dx.Shape().Dimensions[2]
	dx = TransposeAllAxes(Reshape(dx, p.in.n, h, wide, s[0], s[1], cin), 0, 1, 3, 2, 4, 5)
	dx = Reshape(dx, p.in.n, h*s[0], wide*s[1], cin)
	return Slice(dx, AxisRange(), AxisRange(0, in[0]), AxisRange(0, in[1]), AxisRange())
}

// pick takes elements of an axis by their indices, and zeros for those outside.
func pick(x *Node, axis int, at []int) *Node {
	d := slices.Clone(x.Shape().Dimensions)
	size := d[axis]
	d[axis] = 1
	none := BroadcastToDims(zero(x.Graph()), d...)
	var parts []*Node
	for _, i := range at {
		if i < 0 || i >= size {
			parts = append(parts, none)
		} else {
			parts = append(parts, SliceAxis(x, axis, AxisElem(i)))
		}
	}
	return Concatenate(parts, axis)
}

// filterGrad is the filter's gradient as convolutions of some images at a
// time: x with its channels as images and its images as channels, and dy as
// the filter, spread by the strides. XLA's own way, all images in one, takes
// twice to ten times as long.
func (p *ConvPass) filterGrad(dy *Node) *Node {
	patch := p.size[0] * p.size[1] * p.in.c
	small, grows := patch <= smallPatch, p.out.h*p.out.w > p.in.h*p.in.w
	if p.dilated() || p.pointwise() || p.groups != 1 || !p.strided() && small || p.strided() && grows {
		return p.filterGradDot(dy)
	}
	// What made x and dy is not to be made again for each part.
	x := p.x
	at := min(p.imagesAtOnce(), p.in.n)
	if at < p.in.n {
		x, dy = OptimizationBarrier(x), OptimizationBarrier(dy)
	}
	var sum *Node
	for from := 0; from < p.in.n; from += at {
		some := AxisRange(from, min(from+at, p.in.n))
		part := ConvGeneral(Slice(x, some), Slice(dy, some), gradAxes, nil, p.padding[:], nil, p.strides[:], 1, 1)
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	// Behind them stand taps on pixels that the strides leave out.
	return Slice(sum, AxisRange(0, p.size[0]), AxisRange(0, p.size[1]))
}

// smallPatch is up to how many values under the filter a product with gathered
// patches is faster on XLA's CPU: that of a first layer on grey images.
const smallPatch = 16

// smallMap is up to how many values an image's map is small.
const smallMap = 24 * 24 * 48

// imagesAtOnce is the number of images that a convolution of the filter's
// gradient takes. On a CPU the best is around 4 of them for 3x3 filters and 2
// for 2x2; 8 where the maps are small, since each convolution has its own cost.
func (p *ConvPass) imagesAtOnce() int {
	if p.on != XLACPU {
		return p.in.n
	}
	if p.size[0]*p.size[1] < 9 {
		return 2
	}
	if p.in.h*p.in.w*p.in.c <= smallMap {
		return 8
	}
	return 4
}

// turned is the filter turned by 180 degrees with its channels swapped within
// each group: the filter of the input gradient, [kh, kw, cout/groups, cin].
func (p *ConvPass) turned() *Node {
	d := p.w.Shape().Dimensions
	g := p.groups
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
	in, out := p.in.size(), p.out.size()
	for i := range 2 {
		reach := (d[i] - 1) * p.dilations[i]
		spread := (out[i]-1)*p.strides[i] + 1
		lo := reach - p.padding[i][0]
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
