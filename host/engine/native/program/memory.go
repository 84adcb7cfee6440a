package program

import (
	"cmp"
	"slices"
)

// buffer is a run of a program's memory.
type buffer struct {
	into        *buffer // another that it has become one with; nil: none
	row, fixed  int     // float32 of each row of the batch, or however many rows there are
	first, last int     // the instructions that use it, -1: none so far
	local       bool    // one region alone uses it: there are as many rows as that takes at once
	from, to    int     // while instructions of these numbers run it may share its memory with no other
	offset      int
}

// Tensor is values [rows, shape...], or [shape...], in a program's memory. Several may be of the same values.
type Tensor struct {
	*buffer
	shape []int
	where place
}

// Shape is that of a row, or of all where there are no rows. It is not to be changed.
func (t *Tensor) Shape() []int { return t.shape }

// Row is how many values a row has; 0: there are no rows.
func (t *Tensor) Row() int { return t.row }

// place is where a program's memory holds a tensor: what running it needs.
type place struct {
	offset, row, fixed int
	local              bool
}

// root is the buffer that b has become one with.
func (b *buffer) root() *buffer {
	for b.into != nil {
		b = b.into
	}
	return b
}

// use notes that an instruction uses the buffer.
func (b *buffer) use(instr int) {
	if b.first < 0 {
		b.first = instr
	}
	b.last = max(b.last, instr)
}

// lines rounds up to whole cache lines of 16 float32.
func lines(n int) int { return (n + 15) &^ 15 }

// join makes one buffer of two where an instruction may write its output over its input: nothing reads that afterwards, it doesn't itself
// read it as something else, and nothing was in the output before.
func (b *Builder) join() {
	for i := range b.instrs {
		in := &b.instrs[i]
		if in.Output == nil {
			continue
		}
		for _, over := range in.Over {
			x, y := over.root(), in.Output.root()
			if x == y || x.last != i || y.first != i || x.row != y.row || x.fixed != y.fixed || count(in.Uses, x) > count(in.Over, x) {
				continue
			}
			y.into = x
			x.last = y.last
			break
		}
	}
}

// count is how many of the tensors are in a buffer.
func count(list []*Tensor, b *buffer) (n int) {
	for _, t := range list {
		if t.root() == b {
			n++
		}
	}
	return n
}

// layOut gives each buffer its place, for so many rows, and each tensor what it needs to be found. It returns the memory's size. Buffers
// that live at different times share memory; large ones are placed first, each where it leaves the least behind it.
func (b *Builder) layOut(rows int) int {
	var all []*buffer
	seen := map[*buffer]bool{}
	for _, t := range b.tensors {
		if r := t.root(); r.first >= 0 && !seen[r] {
			seen[r] = true
			all = append(all, r)
		}
	}
	for _, x := range all {
		b.span(x)
	}
	size := func(x *buffer) int {
		n := rows
		if x.local {
			n = min(rows, b.regions[b.regionOf(x.first)].rows)
		}
		return lines(x.row*n + x.fixed)
	}
	slices.SortStableFunc(all, func(x, y *buffer) int { return cmp.Compare(size(y), size(x)) })
	total := 0
	var placed []*buffer // in the order of their offsets
	for _, x := range all {
		at := 0
		for _, y := range placed {
			if x.to < y.from || y.to < x.from {
				continue
			}
			if at+size(x) <= y.offset {
				break
			}
			at = max(at, y.offset+size(y))
		}
		x.offset = at
		total = max(total, at+size(x))
		where, _ := slices.BinarySearchFunc(placed, x, func(a, b *buffer) int { return cmp.Compare(a.offset, b.offset) })
		placed = slices.Insert(placed, where, x)
	}
	for _, t := range b.tensors {
		r := t.root()
		t.where = place{r.offset, r.row, r.fixed, r.local}
	}
	return total
}

// span works out when a buffer's memory is its own. A region that goes over a batch's rows piece by piece begins again with its first
// instruction: what others use as well is needed in all of it.
func (b *Builder) span(x *buffer) {
	first, last := b.regionOf(x.first), b.regionOf(x.last)
	x.local, x.from, x.to = first == last, x.first, x.last
	if !x.local {
		x.from, x.to = b.regions[first].first, b.regions[last].last-1
	}
}

// regionOf is the number of the region that an instruction is in.
func (b *Builder) regionOf(instr int) int {
	i, found := slices.BinarySearchFunc(b.regions, instr, func(r region, i int) int { return cmp.Compare(r.first, i) })
	if found {
		return i
	}
	return i - 1
}
