package native

import (
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/program"
)

// What every layer is made of.
type (
	tensor = program.Tensor
	instr  = program.Instruction
	frame  = program.Frame
)

// built is a plan's program, and what it works on.
type built struct {
	*program.Program
	*pass
	result    *tensor    // the answer
	constants *constants // nil in training, which has its own
}

// pass is what a program's instructions read and write that isn't in its memory.
type pass struct {
	each      *layer.Each
	params    [][]float32 // in the order of device.Params
	gradients [][]float32 // likewise; nil for those that aren't trained

	slice      device.Slice   // under way
	images     *device.Images // that the slice's rows are of; nil: it brings them
	labels     []float32      // of these
	loss       float64        // sum over the slice's filled cells
	cells      float64        // their number
	statistics bool           // running statistics move
}

// accumulate sets a parameter's gradient to what a layer has found for the rows under way, or adds it.
func (p *pass) accumulate(f *frame, param int, found []float32) {
	g := p.gradients[param]
	if !f.More {
		copy(g, found)
		return
	}
	p.each.Run(f.Caller, kernel.OpAddTo, len(g), layer.Streams{g, found}, [8]float32{})
}

// labelsOf are those of a row of the slice: the columns' targets, then 1 for each that is filled, else 0.
func (p *pass) labelsOf(row, width int) []float32 {
	if p.images == nil {
		return p.slice.Labels[row*width:][:width]
	}
	return p.labels[int(p.slice.Label[row])*width:][:width]
}
