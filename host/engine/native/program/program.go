// Package program runs instructions one after the other in one run of memory, which it lays out beforehand: every tensor has its place,
// shared by those that live at different times, and an output may lie where an input did that nothing reads afterwards. Instructions
// that treat each row of a batch by itself take some rows at once, so that one finds in the cache what the one before has left there.
// Running a program allocates nothing.
//
// A [Builder] takes instructions down and makes a [Program] of them. The package must not know blueprints, layers, kernels, nor what an
// instruction does: that is its Run's.
package program

import "github.com/fkzoo/fkzoo/host/engine/native/work"

// Instruction is one of a program's.
type Instruction struct {
	// Uses are all tensors that it reads or writes.
	Uses []*Tensor
	// Output, one of Uses, may lie where one of Over does, if nothing reads that afterwards. What Uses has more often than Over is read
	// otherwise, too, and never written over.
	Output *Tensor
	Over   []*Tensor
	// Rowwise is set where what it makes of a row depends on no other: then the instructions side by side that are so take some rows at
	// once. A tensor without rows then has what it was given for these.
	Rowwise bool
	// Scratch is how many float32 it needs to work with for so many rows; nil: none.
	Scratch func(rows int) int
	// Run does it, for the frame's rows.
	Run func(f *Frame)

	origin string
}

// region is instructions that run one after the other for some rows, then for the next.
type region struct {
	first, last int // last isn't of it
	rows        int // at once, at most
	whole       bool
}

// Program is instructions with their memory. It must not be used from two goroutines at once.
type Program struct {
	instrs    []Instruction
	prepares  []Instruction
	regions   []region
	rows      int // at most
	memory    int // float32 of the tensors
	scratch   int // float32 behind them
	constants int // float32 of what prepares makes
	frame     Frame
	origin    string // of the instruction under way
}

// Frame is what instructions work with.
type Frame struct {
	Caller  *work.Caller
	Scratch []float32
	// From and Rows are the rows under way, within the batch.
	From, Rows int
	// More is set where what is summed over rows has a part already, of other rows.
	More bool

	memory    []float32
	constants []float32
}

// Of gives a tensor's values, of the rows under way where it has rows.
func (f *Frame) Of(t *Tensor) []float32 {
	w := &t.where
	if w.row == 0 {
		return f.memory[w.offset:][:w.fixed]
	}
	if w.local {
		return f.memory[w.offset:][:f.Rows*w.row]
	}
	return f.memory[w.offset+f.From*w.row:][:f.Rows*w.row]
}

// Constant gives a constant's values.
func (f *Frame) Constant(c Constant) []float32 { return f.constants[c.offset:][:c.size] }

// Rows is how many rows the program takes at most.
func (p *Program) Rows() int { return p.rows }

// Constants is how many float32 the program's constants are.
func (p *Program) Constants() int { return p.constants }

// TensorBytes is the memory that the tensors take.
func (p *Program) TensorBytes() uint64 { return 4 * uint64(p.memory) }

// Bytes is all the memory that the program takes.
func (p *Program) Bytes() uint64 { return 4 * uint64(p.memory+p.scratch+p.constants) }

// Allocate gives the program its memory, a caller of its own, and room for its constants, which programs that were built alike may share.
func (p *Program) Allocate(c *work.Caller, constants []float32) {
	all := make([]float32, p.memory+p.scratch)
	p.frame = Frame{Caller: c, memory: all[:p.memory:p.memory], Scratch: all[p.memory:], constants: constants}
}

// Prepare makes the constants.
func (p *Program) Prepare() {
	for i := range p.prepares {
		p.origin = p.prepares[i].origin
		p.prepares[i].Run(&p.frame)
	}
}

// Run runs all instructions for the first rows. More says that sums over rows go on from those of the run before.
func (p *Program) Run(rows int, more bool) {
	f := &p.frame
	for i := range p.regions {
		r := &p.regions[i]
		pieces := (rows + r.rows - 1) / r.rows
		for piece := range pieces {
			f.From = piece * rows / pieces
			f.Rows = (piece+1)*rows/pieces - f.From
			f.More = more || piece > 0
			for k := r.first; k < r.last; k++ {
				p.origin = p.instrs[k].origin
				p.instrs[k].Run(f)
			}
		}
	}
}

// Origin is that of the instruction under way or, after a panic, of the one that has panicked: see [Builder].
func (p *Program) Origin() string { return p.origin }

// Values gives the first rows of a tensor that was kept, before or after a run.
func (p *Program) Values(t *Tensor, rows int) []float32 {
	p.frame.From, p.frame.Rows = 0, rows
	return p.frame.Of(t)
}
