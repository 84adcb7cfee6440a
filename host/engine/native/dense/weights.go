package dense

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// WeightsScratch is how many float32 of scratch memory Weights needs for n rows: the output's gradient in blocks of columns, and for
// each thread some columns of x and a tile.
func (l *Layer) WeightsScratch(n int) int {
	return round(n*padded(l.Set, l.Out), 16) + l.Threads*(n*(weightRows+skew)+l.tileLen())
}

func (l *Layer) tileLen() int { return l.Set.OuterRows[0] * l.Set.Block }

// Weights computes the gradients of the weights dw [in, out] and, unless it is nil, of the bias db [out] from x [n, in] and dy
// [n, out]; with add it adds to what they hold.
func (l *Layer) Weights(c *work.Caller, n int, x, dy, dw, db []float32, add bool, scratch []float32) error {
	want := 0
	if db != nil {
		want = l.Out
	}
	if err := l.check(c, n, len(x), n*l.In, len(dy), n*l.Out, len(dw), l.In*l.Out, len(db), want, len(scratch), l.WeightsScratch(n)); err != nil {
		return err
	}
	l.call = call{n: n, x: x, dy: dy, dw: dw, db: db, scratch: scratch, add: add}
	c.Run((l.Out+l.Set.Block-1)/l.Set.Block, (*blockTask)(l))
	c.Run((l.In+weightRows-1)/weightRows, (*weightsTask)(l))
	l.call = call{}
	return nil
}

// blockTask copies a block of the output's gradient, and sums it for the bias.
type blockTask Layer

func (l *blockTask) Do(part, id int) {
	a := &l.workers[id].columns
	first := part * l.Set.Block
	width := min(l.Set.Block, padded(l.Set, l.Out)-first)
	valid := min(width, l.Out-first)
	to := l.scratch[first*l.n:][:l.n*width]
	if valid < width {
		clear(to)
	}
	a.Rows = l.n
	a.Ptr[0], a.Stride[0] = unsafe.Pointer(&to[0]), 4*width
	a.Ptr[1], a.Stride[1] = unsafe.Pointer(&l.dy[first]), 4*l.Out
	l.Set.Columns(kernel.OpMove, valid, a)
	if l.db == nil {
		return
	}
	if !l.add {
		clear(l.db[first:][:valid])
	}
	l.Set.AddRows(a, l.db[first:][:valid], l.dy[first:], l.n, l.Out)
}

// weightsTask computes some rows of the weights' gradient.
type weightsTask Layer

func (l *weightsTask) Do(part, id int) {
	w := &l.workers[id]
	own := l.scratch[round(l.n*padded(l.Set, l.Out), 16)+id*(l.n*(weightRows+skew)+(*Layer)(l).tileLen()):]
	x, tile := own[:l.n*(weightRows+skew)], own[l.n*(weightRows+skew):][:(*Layer)(l).tileLen()]
	first := part * weightRows
	rows := min(weightRows, l.In-first)
	const stride = weightRows + skew
	for i := range l.n {
		to := x[i*stride:][:stride]
		copy(to[:rows], l.x[i*l.In+first:])
		clear(to[rows:])
	}
	width := padded(l.Set, l.Out)
	for r := 0; r < rows; {
		tileRows := l.Set.OuterRows[0]
		for _, s := range l.Set.OuterRows {
			if s >= rows-r {
				tileRows = s
			}
		}
		for c := 0; c < width; c += l.Set.Block { // along the rows, as they lie in memory
			l.tile(w, x[r:], l.scratch[c*l.n:], tile, first+r, c, min(tileRows, rows-r), tileRows, min(l.Set.Block, width-c))
		}
		r += tileRows
	}
}

// tile computes a tile, by way of memory of its own if not all of it exists.
func (l *weightsTask) tile(w *worker, x, dy, own []float32, row, column, rows, tileRows, block int) {
	o := &w.outer
	valid := min(block, l.Out-column)
	to := l.dw[row*l.Out+column:]
	direct := rows == tileRows && valid == block
	o.C, o.CRow, o.Add = unsafe.Pointer(&to[0]), 4*l.Out, 0
	if !direct {
		o.C, o.CRow = unsafe.Pointer(&own[0]), 4*block
	} else if l.add {
		o.Add = 1
	}
	const stride = weightRows + skew
	o.Rows, o.APixel, o.BPixel = 1, 4*stride, 4*block
	limit := l.Set.Budget()
	for at := 0; at < l.n; at += limit {
		o.Pixels = min(limit, l.n-at)
		o.A, o.B = unsafe.Pointer(&x[at*stride]), unsafe.Pointer(&dy[at*block])
		l.Set.Outer(tileRows, block < l.Set.Block, o)
		o.Add = 1
	}
	if direct {
		return
	}
	for i := range rows {
		from, to := own[i*block:][:valid], to[i*l.Out:][:valid]
		if !l.add {
			copy(to, from)
			continue
		}
		for k, v := range from {
			to[k] += v
		}
	}
}
