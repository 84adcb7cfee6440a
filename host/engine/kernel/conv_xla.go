package kernel

import (
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

// Convolutions with dilations, and the filter gradient of those with strides or
// groups, are products with gathered patches on XLA too: its CPU compiler
// aborts the process on some of them (it swaps input and filter and gets the
// window wrong).

func (p *ConvPass) dilated() bool { return p.c.Dilations != [2]int{1, 1} }

// pointwise tells whether the convolution is a product of pixels: a 1x1 filter
// without padding. XLA's own filter gradient of those takes several times as long.
func (p *ConvPass) pointwise() bool {
	return p.window.size == [2]int{1, 1} && p.c.Padding == [2][2]int{} && p.c.Groups == 1
}

func (p *ConvPass) forwardXLA() *Node {
	c := p.c
	if p.dilated() || p.pointwise() {
		return p.forwardDot()
	}
	return ConvGeneral(p.x.NHWC(), p.w, nhwcAxes, c.Strides[:], c.Padding[:], nil, nil, c.Groups, 1)
}

func (p *ConvPass) inputGradXLA(dy *Node) *Node {
	if p.dilated() || p.pointwise() && p.c.Strides == [2]int{1, 1} {
		return p.inputGradDot(dy)
	}
	pad := p.inputGradPadding()
	if p.c.Strides != [2]int{1, 1} || pad[0][0] < 0 || pad[0][1] < 0 || pad[1][0] < 0 || pad[1][1] < 0 {
		dy = padHW(dy, pad, p.c.Strides, zero(dy.Graph()))
		pad = [2][2]int{}
	}
	return ConvGeneral(dy, p.turned(), nhwcAxes, nil, pad[:], nil, nil, p.c.Groups, 1)
}

// filterGradXLA is the filter's gradient as convolutions of some images at a
// time: x with its channels as images and its images as channels, and dy as
// the filter. XLA's own way, all images in one, takes twice to ten times as long.
func (p *ConvPass) filterGradXLA(dy *Node) *Node {
	size := p.window.size
	patch := size[0] * size[1] * p.x.c
	if p.dilated() || p.pointwise() || p.c.Strides != [2]int{1, 1} || p.c.Groups != 1 || patch <= smallPatch {
		return p.filterGradDot(dy)
	}
	at := p.imagesAtOnce()
	if at >= p.x.n {
		return ConvGeneral(p.x.NHWC(), dy, gradAxes, nil, p.c.Padding[:], nil, nil, 1, 1)
	}
	// What made x and dy is not to be made again for each part.
	x := OptimizationBarrier(p.x.NHWC())
	dy = OptimizationBarrier(dy)
	var sum *Node
	for from := 0; from < p.x.n; from += at {
		some := AxisRange(from, min(from+at, p.x.n))
		part := ConvGeneral(Slice(x, some), Slice(dy, some), gradAxes, nil, p.c.Padding[:], nil, nil, 1, 1)
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	return sum
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
	if p.k.Target != XLACPU {
		return p.x.n
	}
	if p.window.size[0]*p.window.size[1] < 9 {
		return 2
	}
	if p.x.h*p.x.w*p.x.c <= smallMap {
		return 8
	}
	return 4
}
