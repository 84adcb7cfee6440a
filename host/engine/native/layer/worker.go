// Package layer does what is neither a convolution nor a dense product in the native engine: functions of each value,
// normalizations, pools, softmax and soft-argmax, upsampling, dropout, sums along channels, and attention's small products; forward
// and backward. Values are float32, maps [n, height, width, channels]. It must not know plans, optimizers or where memory comes
// from.
//
// An operation is a value made once, which runs without allocating; it must not be used from two goroutines at once. Lengths are the
// caller's to get right: an operation panics on slices that are too short before it writes beyond them. Results don't depend on the
// number of threads: work is divided by the sizes alone, and sums are added in their order.
package layer

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// line is where a stream of an operation along channels lies: the first row, and how many numbers there are from row to row.
type line struct {
	data   []float32
	stride int
}

// worker is what a thread works with.
type worker struct {
	set     *kernel.Set
	columns kernel.Columns
	consts  [8]float32
	dropout kernel.Dropout
	sums    [lanes]float32
}

func newWorkers(set *kernel.Set, threads int) []worker {
	list := make([]worker, threads)
	for i := range list {
		list[i].set = set
	}
	return list
}

// do does an operation for some rows of channels; numbers that it wants are in consts.
func (w *worker) do(op kernel.Op, rows, channels int, lines ...line) {
	if rows == 0 || channels == 0 {
		return
	}
	a := &w.columns
	a.Rows, a.Consts = rows, &w.consts
	for i, l := range lines {
		_ = l.data[(rows-1)*l.stride+channels-1]
		a.Ptr[i], a.Stride[i] = unsafe.Pointer(&l.data[0]), 4*l.stride
	}
	w.set.Columns(op, channels, a)
}

// flat does an operation for n numbers that lie side by side.
func (w *worker) flat(op kernel.Op, n int, streams ...[]float32) {
	if n == 0 {
		return
	}
	a := &w.columns
	a.Consts = &w.consts
	for i, s := range streams {
		_ = s[n-1]
		a.Ptr[i] = unsafe.Pointer(&s[0])
	}
	w.set.Flat(op, n, a)
}

// lanes is how many sums are kept side by side of a row of numbers.
const lanes = 64

// sum is that of an operation with one sum, over n numbers that lie side by side; up to two streams.
func (w *worker) sum(op kernel.Op, n int, a, b []float32) float64 {
	w.sums = [lanes]float32{}
	sums := &w.sums
	rows := n / lanes
	streams := func(from, rows, columns int) {
		if b == nil {
			w.do(op, rows, columns, line{a[from:], lanes}, line{sums[:], 0})
		} else {
			w.do(op, rows, columns, line{a[from:], lanes}, line{b[from:], lanes}, line{sums[:], 0})
		}
	}
	streams(0, rows, lanes)
	if rest := n % lanes; rest > 0 {
		streams(rows*lanes, 1, rest)
	}
	total := 0.0
	for _, s := range sums {
		total += float64(s)
	}
	return total
}

// chunk is how many numbers a part of an operation on each has.
const chunk = 16 << 10

// Streams are an operation's, in its order.
type Streams [8][]float32

// Each does operations on each of many numbers.
type Each struct {
	workers []worker
	op      kernel.Op
	n       int
	streams Streams
	count   int
	consts  [8]float32
	sums    []float64
}

// NewEach makes an Each for a pool of so many threads at most.
func NewEach(set *kernel.Set, threads int) *Each { return &Each{workers: newWorkers(set, threads)} }

// Run does an operation without streams of channels on n numbers. Streams may be the same slice where the operation says the same of
// both, or writes one and reads the other.
func (e *Each) Run(c *work.Caller, op kernel.Op, n int, s Streams, consts [8]float32) {
	e.op, e.n, e.streams, e.consts, e.count = op, n, s, consts, 0
	for e.count < len(s) && s[e.count] != nil {
		e.count++
	}
	c.Run((n+chunk-1)/chunk, (*eachTask)(e))
	e.streams = Streams{}
}

type eachTask Each

func (e *eachTask) Do(part, id int) {
	w := &e.workers[id]
	w.consts = e.consts
	from := part * chunk
	n := min(chunk, e.n-from)
	var s Streams
	for i := range e.count {
		s[i] = e.streams[i][from:]
	}
	w.flat(e.op, n, s[:e.count]...)
}

// SumSquares is the sum of the squares of x.
func (e *Each) SumSquares(c *work.Caller, x []float32) float64 {
	parts := (len(x) + chunk - 1) / chunk
	if len(e.sums) < parts {
		e.sums = make([]float64, parts) // once for each network's largest array
	}
	e.streams[0], e.n = x, len(x)
	c.Run(parts, (*squaresTask)(e))
	e.streams = Streams{}
	total := 0.0
	for _, s := range e.sums[:parts] {
		total += s
	}
	return total
}

type squaresTask Each

func (e *squaresTask) Do(part, id int) {
	x := e.streams[0][part*chunk : min((part+1)*chunk, e.n)]
	e.sums[part] = e.workers[id].sum(kernel.OpDot, len(x), x, x)
}

// Activate applies a function to n numbers: y = f(x), which may be the same slice.
func (e *Each) Activate(c *work.Caller, f kernel.Activation, n int, x, y []float32) {
	if f.Linear() {
		if n > 0 && &x[0] != &y[0] {
			e.Run(c, kernel.OpMove, n, Streams{y, x}, [8]float32{})
		}
		return
	}
	op, _ := f.Ops()
	e.Run(c, op, n, Streams{y, x}, [8]float32{f.Slope})
}

// ActivateBack gives dx from dy, which may be the same slice, and known: the function's input x or its output y, as
// [kernel.Activation.FromInput] says.
func (e *Each) ActivateBack(c *work.Caller, f kernel.Activation, n int, known, dy, dx []float32) {
	if f.Linear() {
		e.Activate(c, f, n, dy, dx)
		return
	}
	_, op := f.Ops()
	e.Run(c, op, n, Streams{dx, known, dy}, [8]float32{f.Slope})
}
