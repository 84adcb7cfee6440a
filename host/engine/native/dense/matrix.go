// Package dense multiplies matrices in the native engine: a dense layer's output and gradients, and the small products that
// attention needs. Matrices are float32. It must not know layers, plans or where memory comes from.
//
// A layer is a value made once for its sizes, which says how many float32 of scratch memory it needs; running it allocates nothing.
// Such a value must not be used from two goroutines at once. Results don't depend on the number of threads.
package dense

import (
	"math"
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// Matrix is rows by columns of numbers at Data[i*Row + j*Column].
type Matrix struct {
	Data        []float32
	Row, Column int
}

const (
	most      = 384      // of what is summed at once, so that it stays in the cache
	panel     = 96 << 10 // numbers of b, likewise
	rowsOnce  = 120      // rows of a, likewise
	widthOnce = 1024     // columns of b at most
	skew      = 16       // numbers between rows, so that they don't share the cache's places
)

// Multiplier multiplies matrices on one thread.
type Multiplier struct {
	Set *kernel.Set
	// Depth is how many values are summed at once, before sums are added; 0: 384. Columns times depth are at most 98304.
	Depth int
	// Packed is b as Layer.Pack leaves it, of so many columns, the product's first being First: b is not read then; nil: it is.
	Packed       []float32
	Width, First int
	tile         kernel.Tile
	columns      kernel.Columns
	consts       [8]float32
	span         kernel.Span
	a, b, c      []float32 // scratch memory
	bias         []float32
	width        int // of c, padded
}

func round(n, to int) int { return (n + to - 1) / to * to }

// padded is how many columns the tiles of so many compute.
func padded(set *kernel.Set, columns int) int { return round(columns, set.Block/2) }

// MultiplierScratch is how many float32 of scratch memory a product of up to m by n values needs, n at most 256, or as many as Depth allows.
func MultiplierScratch(set *kernel.Set, m, n int) int {
	width := padded(set, n)
	return rowsOnce*(most+skew) + panel + round(m, kernel.GroupPixels)*width + width + 64
}

// Multiply sets c [m, n], n at most 256, or as many as Depth allows, to scale * (a [m, k] times b [k, n] + bias [n]), bias nil for none, and applies the
// activation.
func (w *Multiplier) Multiply(m, n, k int, a, b, c Matrix, bias []float32, scale float32, f kernel.Activation, scratch []float32) {
	w.width = padded(w.Set, n)
	take := func(n int) []float32 {
		part := scratch[:n]
		scratch = scratch[n:]
		return part
	}
	w.bias = take(round(w.width, 16))
	clear(w.bias)
	copy(w.bias, bias[:min(n, len(bias))])
	w.a, w.b = take(rowsOnce*(most+skew)), take(panel)
	w.c = take(round(m, kernel.GroupPixels) * w.width)
	atOnce := most
	if w.Depth > 0 {
		atOnce = w.Depth
	}
	for k0 := 0; k0 < k; k0 += atOnce {
		d := min(atOnce, k-k0)
		if w.Packed != nil {
			w.b = w.Packed[k0*w.Width+w.First*d:]
		} else {
			w.packB(b, k0, d, n)
		}
		w.span = kernel.Span{Count: d}
		for m0 := 0; m0 < m; m0 += rowsOnce {
			w.rows(a, m0, min(rowsOnce, m-m0), k0, d, k0+d == k && f.Relu() && scale == 1)
		}
	}
	w.finish(m, n, c, scale, f)
}

// packB brings rows k0.. of b into blocks of columns.
func (w *Multiplier) packB(b Matrix, k0, d, n int) {
	block := w.Set.Block
	whole := 0
	if b.Column == 1 {
		whole = n / block
		w.packRows(b, k0, d, whole)
	}
	for first := whole * block; first < w.width; first += block {
		width := min(block, w.width-first)
		valid := min(width, n-first)
		to := w.b[first*d:][:d*width]
		if valid < width {
			clear(to)
		}
		if b.Column == 1 {
			for k := range d {
				copy(to[k*width:][:valid], b.Data[(k0+k)*b.Row+first:])
			}
			continue
		}
		for j := range valid {
			from := b.Data[k0*b.Row+(first+j)*b.Column:]
			for k := range d {
				to[k*width+j] = from[k*b.Row]
			}
		}
	}
}

// packRows packs whole blocks, row by row as they lie in memory.
func (w *Multiplier) packRows(b Matrix, k0, d, blocks int) {
	if blocks == 0 {
		return
	}
	block := w.Set.Block
	a := &w.columns
	a.Stride[0], a.Stride[1] = 4*d*block, 4*block
	const ahead = 8
	for k := range d {
		if k+ahead < d { // rows lie too far apart for the processor to see what comes next
			w.Set.Prefetch(b.Data[(k0+k+ahead)*b.Row:][:blocks*block])
		}
		a.Rows = blocks
		a.Ptr[0], a.Ptr[1] = unsafe.Pointer(&w.b[k*block]), unsafe.Pointer(&b.Data[(k0+k)*b.Row])
		w.Set.Columns(kernel.OpMove, block, a)
	}
}

// rows multiplies some rows of a. They are copied unless they lie well where they are.
func (w *Multiplier) rows(a Matrix, m0, m, k0, d int, relu bool) {
	const group = kernel.GroupPixels
	whole := m
	from, stride := a.Data, a.Row
	base := m0*a.Row + k0
	if a.Column != 1 || 4*a.Row%4096 < 128 || m%group != 0 {
		whole, stride, base, from = round(m, group), d+skew, 0, w.a
		w.packA(a, m0, m, k0, d)
	}
	t := &w.tile
	t.Spans, t.NSpans = &w.span, 1
	t.InPixel, t.OutPixel = 4*stride, 4*w.width
	t.Add, t.Low = 0, float32(math.Inf(-1))
	if k0 > 0 {
		t.Add = 1
	}
	if relu {
		t.Low = 0
	}
	for first := 0; first < w.width; first += w.Set.Block {
		half := w.width-first < w.Set.Block
		t.W, t.Bias = unsafe.Pointer(&w.b[first*d]), unsafe.Pointer(&w.bias[first])
		for r := 0; r < whole; {
			groups := min(w.Set.Groups, (whole-r)/group)
			for g := range groups {
				t.In[g] = unsafe.Pointer(&from[base+(r+g*group)*stride])
				t.Out[g] = unsafe.Pointer(&w.c[(m0+r+g*group)*w.width+first])
			}
			t.Count = 1
			w.Set.Tile(groups, half, t)
			r += groups * group
		}
	}
}

func (w *Multiplier) packA(a Matrix, m0, m, k0, d int) {
	stride := d + skew
	if a.Column == 1 {
		for i := range m {
			copy(w.a[i*stride:][:d], a.Data[(m0+i)*a.Row+k0:])
		}
	} else {
		for i := range m {
			to, from := w.a[i*stride:][:d], a.Data[(m0+i)*a.Row+k0*a.Column:]
			for k := range to {
				to[k] = from[k*a.Column]
			}
		}
	}
	for i := m; i < round(m, kernel.GroupPixels); i++ {
		clear(w.a[i*stride:][:d])
	}
}

// finish brings the product to its place.
func (w *Multiplier) finish(m, n int, c Matrix, scale float32, f kernel.Activation) {
	a := &w.columns
	a.Consts = &w.consts
	if scale != 1 {
		w.consts[0] = scale
		w.inPlace(kernel.OpScale, m)
	}
	if !f.Linear() && !(f.Relu() && scale == 1) {
		forward, _ := f.Ops()
		w.consts[0] = f.Slope
		w.inPlace(forward, m)
	}
	if c.Column == 1 {
		a.Rows = m
		a.Ptr[0], a.Stride[0] = unsafe.Pointer(&c.Data[0]), 4*c.Row
		a.Ptr[1], a.Stride[1] = unsafe.Pointer(&w.c[0]), 4*w.width
		w.Set.Columns(kernel.OpMove, n, a)
		return
	}
	const square = 16
	for i0 := 0; i0 < m; i0 += square {
		for j := range n {
			to := c.Data[i0*c.Row+j*c.Column:]
			for i := range min(square, m-i0) {
				to[i*c.Row] = w.c[(i0+i)*w.width+j]
			}
		}
	}
}

func (w *Multiplier) inPlace(op kernel.Op, m int) {
	a := &w.columns
	a.Ptr[0], a.Ptr[1] = unsafe.Pointer(&w.c[0]), unsafe.Pointer(&w.c[0])
	w.Set.Flat(op, m*w.width, a)
}
