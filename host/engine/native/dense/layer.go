package dense

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Layer is products of rows x [n, in] with weights w [in, out], and their gradients.
type Layer struct {
	Set     *kernel.Set
	Threads int // of the pool that will run it, at most
	In, Out int
	workers []worker
	call
}

// call is what a run works on.
type call struct {
	n              int
	x, w, bias, y  []float32
	packed         []float32
	dy, dx, dw, db []float32
	scratch        []float32
	own            int // float32 of a thread's scratch memory
	activation     kernel.Activation
	add            bool
	step           int // columns or rows of a part
	rowParts       int
}

type worker struct {
	Multiplier
	outer kernel.Outer
}

const (
	// few is the most rows that are multiplied one by one, so that the weights pass through once, as they lie.
	few = 3
	// rowsPart is the most rows of a product that are kept at once.
	rowsPart = 1536
)

// New makes a layer.
func New(set *kernel.Set, threads, in, out int) (*Layer, error) {
	if in < 1 || out < 1 || threads < 1 {
		return nil, fmt.Errorf("dense: found %d inputs, %d outputs and %d threads, want at least 1 of each", in, out, threads)
	}
	l := &Layer{Set: set, Threads: threads, In: in, Out: out, workers: make([]worker, threads)}
	for i := range l.workers {
		l.workers[i].Set = set
	}
	return l, nil
}

// check compares lengths: what was found and what is wanted, in turn.
func (l *Layer) check(c *work.Caller, n int, lengths ...int) error {
	if c.Threads() > l.Threads {
		return errors.New("dense: found more threads in the pool than the layer was made for")
	}
	if n < 1 {
		return fmt.Errorf("dense: found %d rows, want at least 1", n)
	}
	for i := 0; i < len(lengths); i += 2 {
		if lengths[i] < lengths[i+1] {
			return fmt.Errorf("dense: found an array or scratch memory of %d values, want %d (%d rows, %d inputs, %d outputs)",
				lengths[i], lengths[i+1], n, l.In, l.Out)
		}
	}
	return nil
}

// chunkRows is how many rows of the weights are summed before sums are added: a matter of the sizes alone.
func (l *Layer) chunkRows() int {
	const bytes, most = 256 << 10, 64
	return max(6, round(bytes/(4*l.Out)+1, 6), round((l.In+most-1)/most, 6))
}

func (l *Layer) chunks() int { return (l.In + l.chunkRows() - 1) / l.chunkRows() }

// ForwardScratch is how many float32 of scratch memory Forward needs for n rows.
func (l *Layer) ForwardScratch(n int) int {
	if n <= few {
		return l.chunks() * n * l.Out
	}
	return l.Threads * MultiplierScratch(l.Set, min(n, rowsPart), min(widthOnce, l.Out))
}

// Packs tells whether Forward, for up to so many rows, is faster with packed weights.
func (l *Layer) Packs(n int) bool { return n > few }

// PackedLen is how many float32 packed weights take.
func (l *Layer) PackedLen() int { return l.In * padded(l.Set, l.Out) }

// Pack brings weights w [in, out] into the order in which Forward reads them.
func (l *Layer) Pack(c *work.Caller, w, packed []float32) error {
	if err := l.check(c, 1, len(w), l.In*l.Out, len(packed), l.PackedLen()); err != nil {
		return err
	}
	l.call = call{w: w, packed: packed}
	c.Run((l.In+l.depth()-1)/l.depth(), (*packTask)(l))
	l.call = call{}
	return nil
}

// packTask packs the weights of some inputs, as many as are summed at once.
type packTask Layer

func (l *packTask) Do(part, id int) {
	w, depth, width := &l.workers[id], (*Layer)(l).depth(), padded(l.Set, l.Out)
	first := part * depth
	d := min(depth, l.In-first)
	w.width, w.b = width, l.packed[first*width:][:d*width]
	w.packB(Matrix{l.w, l.Out, 1}, first, d, l.Out)
}

// Forward computes y [n, out] = x [n, in] times w [in, out] + bias [out], nil for none, and applies the activation. Packed is the weights
// as Pack leaves them, or nil.
func (l *Layer) Forward(c *work.Caller, n int, x, w, packed, bias []float32, f kernel.Activation, y, scratch []float32) error {
	want := 0
	if bias != nil {
		want = l.Out
	}
	if err := l.check(c, n, len(x), n*l.In, len(w), l.In*l.Out, len(bias), want, len(y), n*l.Out, len(scratch), l.ForwardScratch(n)); err != nil {
		return err
	}
	if packed != nil && len(packed) < l.PackedLen() {
		return l.check(c, n, len(packed), l.PackedLen())
	}
	l.call = call{n: n, x: x, w: w, packed: packed, bias: bias, y: y, scratch: scratch, activation: f}
	if n <= few {
		c.Run(l.chunks(), (*chunkTask)(l))
		const columns = 1024
		c.Run((l.Out+columns-1)/columns, (*joinTask)(l))
	} else {
		l.own = MultiplierScratch(l.Set, min(n, rowsPart), min(widthOnce, l.Out))
		l.rowParts = (n + rowsPart - 1) / rowsPart
		l.step = l.columnsOnce(c.Threads())
		c.Run(l.rowParts*((l.Out+l.step-1)/l.step), (*forwardTask)(l))
	}
	l.call = call{}
	for i := range l.workers {
		l.workers[i].Packed = nil
	}
	return nil
}

// fromMemory tells whether the weights are too many for the caches. Parts of the output then have many columns, so that weights are
// read in long pieces.
func (l *Layer) fromMemory() bool { return l.In*l.Out > 2<<20 }

// columnsOnce is how many columns a part of the output has.
func (l *Layer) columnsOnce(threads int) int {
	const few = 256
	if l.fromMemory() {
		return min(widthOnce, round((l.Out+threads-1)/threads, l.Set.Block))
	}
	return min(few, round((l.Out+2*threads-1)/(2*threads), l.Set.Block))
}

// depth is how many values are summed at once: a matter of the sizes alone, since sums depend on it.
func (l *Layer) depth() int {
	if l.fromMemory() {
		return min(most, panel/min(widthOnce, round(l.Out, l.Set.Block)))
	}
	return most
}

// forwardTask computes some columns of the output.
type forwardTask Layer

func (l *forwardTask) Do(part, id int) {
	w := &l.workers[id]
	row, first := part%l.rowParts*rowsPart, part/l.rowParts*l.step
	n := min(l.step, l.Out-first)
	w.Depth = (*Layer)(l).depth()
	w.Packed, w.Width, w.First = l.packed, padded(l.Set, l.Out), first
	var bias []float32
	if l.bias != nil {
		bias = l.bias[first:]
	}
	w.Multiply(min(rowsPart, l.n-row), n, l.In, Matrix{l.x[row*l.In:], l.In, 1}, Matrix{l.w[first:], l.Out, 1},
		Matrix{l.y[row*l.Out+first:], l.Out, 1}, bias, 1, l.activation, l.scratch[id*l.own:][:l.own])
}

// chunkTask sums some rows of the weights, times few rows of the input.
type chunkTask Layer

func (l *chunkTask) Do(part, id int) {
	w := &l.workers[id]
	a := &w.columns
	a.Consts = &w.consts
	rows := (*Layer)(l).chunkRows()
	first, last := part*rows, min((part+1)*rows, l.In)
	sums := l.scratch[part*l.n*l.Out:][:l.n*l.Out]
	clear(sums)
	for k := first; k < last; k += 6 {
		n := min(6, last-k)
		for img := range l.n {
			x := l.x[img*l.In+k:]
			a.Ptr[0] = unsafe.Pointer(&sums[img*l.Out])
			if n == 6 {
				copy(w.consts[:6], x)
				for i := range 6 {
					a.Ptr[1+i] = unsafe.Pointer(&l.w[(k+i)*l.Out])
				}
				l.Set.Flat(kernel.OpAddScaled6, l.Out, a)
				continue
			}
			for i := range n {
				w.consts[0] = x[i]
				a.Ptr[1] = unsafe.Pointer(&l.w[(k+i)*l.Out])
				l.Set.Flat(kernel.OpAddScaled, l.Out, a)
			}
		}
	}
}

// joinTask adds the chunks' sums in their order, and the bias, for some columns.
type joinTask Layer

func (l *joinTask) Do(part, id int) {
	const columns = 1024
	w := &l.workers[id]
	a := &w.columns
	a.Consts = &w.consts
	first := part * columns
	n := min(columns, l.Out-first)
	for img := range l.n {
		y := l.y[img*l.Out+first:][:n]
		clear(y)
		if l.bias != nil {
			copy(y, l.bias[first:])
		}
		a.Ptr[0] = unsafe.Pointer(&y[0])
		for chunk := range (*Layer)(l).chunks() {
			a.Ptr[1] = unsafe.Pointer(&l.scratch[(chunk*l.n+img)*l.Out+first])
			l.Set.Flat(kernel.OpAddTo, n, a)
		}
		if !l.activation.Linear() {
			forward, _ := l.activation.Ops()
			a.Ptr[1], w.consts[0] = a.Ptr[0], l.activation.Slope
			l.Set.Flat(forward, n, a)
		}
	}
}

// inputRows is how many inputs a part of the input's gradient computes, weightRows how many rows of the weights' one of theirs.
const (
	inputRows  = 768
	rowsAtOnce = 256 // of dy
	weightRows = 96
)

// InputScratch is how many float32 of scratch memory Input needs for n rows.
func (l *Layer) InputScratch(n int) int {
	return l.Threads * MultiplierScratch(l.Set, min(inputRows, l.In), min(n, rowsAtOnce))
}

// Input computes the input's gradient dx [n, in] = dy [n, out] times the weights' transpose. The product is turned, w times dy's
// transpose, so that the weights are read as they lie.
func (l *Layer) Input(c *work.Caller, n int, dy, w, dx, scratch []float32) error {
	if err := l.check(c, n, len(dy), n*l.Out, len(w), l.In*l.Out, len(dx), n*l.In, len(scratch), l.InputScratch(n)); err != nil {
		return err
	}
	l.call = call{n: n, dy: dy, w: w, dx: dx, scratch: scratch}
	l.own = MultiplierScratch(l.Set, min(inputRows, l.In), min(n, rowsAtOnce))
	l.step = min(inputRows, round((l.In+2*c.Threads()-1)/(2*c.Threads()), rowsOnce))
	l.rowParts = (n + rowsAtOnce - 1) / rowsAtOnce
	c.Run(l.rowParts*((l.In+l.step-1)/l.step), (*inputTask)(l))
	l.call = call{}
	return nil
}

type inputTask Layer

func (l *inputTask) Do(part, id int) {
	row, first := part%l.rowParts*rowsAtOnce, part/l.rowParts*l.step
	l.workers[id].Depth, l.workers[id].Packed = most, nil
	l.workers[id].Multiply(min(l.step, l.In-first), min(rowsAtOnce, l.n-row), l.Out, Matrix{l.w[first*l.Out:], l.Out, 1},
		Matrix{l.dy[row*l.Out:], 1, l.Out}, Matrix{l.dx[row*l.In+first:], 1, l.In}, nil, 1, kernel.Activation{}, l.scratch[id*l.own:][:l.own])
}
