package program

// Builder takes a program's instructions down, in their order.
type Builder struct {
	// Origin is what the next instructions are made of, by its name: what is said of where one has failed.
	Origin string

	tensors   []*Tensor
	instrs    []Instruction
	prepares  []Instruction
	regions   []region
	constants int
}

// Constant is values that don't depend on the batch.
type Constant struct{ offset, size int }

// Emit adds an instruction.
func (b *Builder) Emit(in Instruction) {
	in.origin = b.Origin
	for _, t := range in.Uses {
		t.use(len(b.instrs))
	}
	b.instrs = append(b.instrs, in)
}

// Prepare adds what makes constants: it runs when [Program.Prepare] is called, not with the instructions.
func (b *Builder) Prepare(run func(f *Frame)) {
	b.prepares = append(b.prepares, Instruction{origin: b.Origin, Run: run})
}

// Rows makes a tensor with the batch's rows, each of a shape.
func (b *Builder) Rows(shape []int) *Tensor {
	size := 1
	for _, n := range shape {
		size *= n
	}
	return b.tensor(&buffer{row: size, first: -1, last: -1}, shape)
}

// Fixed makes a tensor of n values without rows.
func (b *Builder) Fixed(n int) *Tensor {
	return b.tensor(&buffer{fixed: n, first: -1, last: -1}, []int{n})
}

// View is the same values in another shape.
func (b *Builder) View(t *Tensor, shape []int) *Tensor { return b.tensor(t.buffer, shape) }

func (b *Builder) tensor(buf *buffer, shape []int) *Tensor {
	t := &Tensor{buffer: buf, shape: shape}
	b.tensors = append(b.tensors, t)
	return t
}

// Constant makes room for n values.
func (b *Builder) Constant(n int) Constant {
	c := Constant{b.constants, n}
	b.constants += lines(n)
	return c
}

// Tensors are all there are. A program that keeps them shares no memory: what it finds is what every other must.
func (b *Builder) Tensors() []*Tensor { return b.tensors }

// Finish makes the program, for so many rows at most; without its memory. What is kept has its values to the end.
func (b *Builder) Finish(rows int, keep ...*Tensor) *Program {
	b.Origin = ""
	b.Emit(Instruction{Uses: keep, Run: func(*Frame) {}})
	b.join()
	b.divide(rows)
	p := &Program{instrs: b.instrs, prepares: b.prepares, regions: b.regions, rows: rows, constants: b.constants}
	p.memory = b.layOut(rows)
	for i := range b.regions {
		r := &b.regions[i]
		for k := r.first; k < r.last; k++ {
			if f := b.instrs[k].Scratch; f != nil {
				n := min(r.rows, rows)
				p.scratch = max(p.scratch, f(n))
				for few := 1; few < min(4, n); few++ { // some need more for few rows
					p.scratch = max(p.scratch, f(few))
				}
			}
		}
	}
	return p
}

// pieceBytes is about what the rows that a region takes at once may have of an instruction's tensors, so that one finds in the cache
// what the one before has left there; replaced in tests.
var pieceBytes = 16 << 20

// divide finds the regions.
func (b *Builder) divide(rows int) {
	for i := range b.instrs {
		in := &b.instrs[i]
		if n := len(b.regions); n == 0 || !in.Rowwise || b.regions[n-1].whole {
			b.regions = append(b.regions, region{first: i, whole: !in.Rowwise})
		}
		r := &b.regions[len(b.regions)-1]
		r.last = i + 1
	}
	for i := range b.regions {
		r := &b.regions[i]
		if r.rows = rows; r.whole {
			continue
		}
		row := 1
		for k := r.first; k < r.last; k++ {
			n := 0
			for _, t := range b.instrs[k].Uses {
				n += t.row
			}
			row = max(row, n)
		}
		r.rows = max(1, min(rows, pieceBytes/4/row))
	}
}
