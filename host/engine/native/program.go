package native

import (
	"fmt"
	"runtime"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// instr is one of a program's instructions.
type instr struct {
	layer string
	uses  []*tensor
	// output may lie where one of over does, if nothing reads that afterwards.
	output *tensor
	over   []*tensor
	// rowwise is set where what it makes of a row depends on no other: then the instructions side by side that are so take some rows
	// at once, which stay in the cache from one to the next.
	rowwise bool
	scratch func(rows int) int // float32 that it needs to work with; nil: none
	run     func(f *frame)
}

// region is instructions that run one after the other for some rows, then for the next.
type region struct {
	first, last int // last isn't of it
	rows        int // at once, at most
	whole       bool
}

// program is a plan's instructions with their memory. It must not be used from two goroutines at once.
type program struct {
	instrs   []instr
	prepares []instr // what follows from the parameters alone
	regions  []region
	rows     int // at most
	memory   int // float32 of the tensors
	scratch  int // float32 behind them
	consts   int // float32 of what prepares makes
	answer   *tensor
	frame    frame
	slice    device.Slice // under way
}

// frame is what a program's instructions work with.
type frame struct {
	c         *work.Caller
	each      *layer.Each
	memory    []float32
	scratch   []float32
	consts    []float32
	params    [][]float32 // in the order of device.Params
	gradients [][]float32 // likewise; nil for those that aren't trained
	layer     string      // of the instruction under way

	slice      *device.Slice
	images     *device.Images // that the slice's rows are of; nil: it brings them
	labels     []float32      // of these
	loss       float64        // sum over the slice's filled cells
	cells      float64        // their number
	statistics bool           // running statistics move

	from, rows int  // the rows under way, within the slice
	added      bool // gradients are added to what is there: it isn't the step's first slice
	more       bool // likewise: these aren't the slice's first rows, or it isn't the first slice
}

// of gives a tensor's values, of the rows under way where it has rows.
func (f *frame) of(t *tensor) []float32 {
	w := &t.where
	if w.row == 0 {
		return f.memory[w.offset:][:w.fixed]
	}
	if w.local {
		return f.memory[w.offset:][:f.rows*w.row]
	}
	return f.memory[w.offset+f.from*w.row:][:f.rows*w.row]
}

// allocate gives the program its memory, and a caller of the pool's.
func (p *program) allocate(c *work.Caller, each *layer.Each) {
	all := make([]float32, p.memory+p.scratch)
	p.frame.c, p.frame.each = c, each
	p.frame.memory, p.frame.scratch = all[:p.memory:p.memory], all[p.memory:]
}

// prepare makes what follows from the parameters alone.
func (p *program) prepare() {
	f := &p.frame
	for i := range p.prepares {
		f.layer = p.prepares[i].layer
		p.prepares[i].run(f)
	}
}

// run runs all instructions for the first rows.
func (p *program) run(rows int) {
	f := &p.frame
	for i := range p.regions {
		r := &p.regions[i]
		pieces := (rows + r.rows - 1) / r.rows
		for piece := range pieces {
			f.from = piece * rows / pieces
			f.rows = (piece+1)*rows/pieces - f.from
			f.more = f.added || piece > 0
			for k := r.first; k < r.last; k++ {
				f.layer = p.instrs[k].layer
				p.instrs[k].run(f)
			}
		}
	}
}

// must passes an error on to where panics are recovered.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

// fault is the error of what was recovered from a panic: it says what was being done, and in which layer.
func fault(doing, layer string, recovered any) error {
	switch r := recovered.(type) {
	case runtime.Error:
		return fmt.Errorf("%s: layer %q: internal fault: %w", doing, layer, r)
	case error:
		return fmt.Errorf("%s: layer %q: %w", doing, layer, r)
	default:
		return fmt.Errorf("%s: layer %q: internal fault: %v", doing, layer, r)
	}
}
