package kernel

import (
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX's own convention for graph code.
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

func (p *ConvPass) forwardXLA() *Node {
	c := p.c
	if p.dilated() {
		return p.forwardDot()
	}
	return ConvGeneral(p.x.NHWC(), p.w, nhwcAxes, c.Strides[:], c.Padding[:], nil, nil, c.Groups, 1)
}

func (p *ConvPass) inputGradXLA(dy *Node) *Node {
	if p.dilated() {
		return p.inputGradDot(dy)
	}
	pad := p.inputGradPadding()
	if p.c.Strides != [2]int{1, 1} || pad[0][0] < 0 || pad[0][1] < 0 || pad[1][0] < 0 || pad[1][1] < 0 {
		dy = padHW(dy, pad, p.c.Strides, zero(dy.Graph()))
		pad = [2][2]int{}
	}
	return ConvGeneral(dy, p.turned(), nhwcAxes, nil, pad[:], nil, nil, p.c.Groups, 1)
}

func (p *ConvPass) filterGradXLA(dy *Node) *Node {
	if p.dilated() || p.c.Strides != [2]int{1, 1} || p.c.Groups != 1 {
		return p.filterGradDot(dy)
	}
	return ConvGeneral(p.x.NHWC(), dy, gradAxes, nil, p.c.Padding[:], nil, nil, 1, 1)
}
