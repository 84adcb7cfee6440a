package conv

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// winogradFilter is the gradient of filters by Winograd's transforms: 16 products [in, tiles] by [tiles, out] of the input's tiles and
// those of the output's gradient, transformed back at the end. Units are divided into parts, by the batch alone, whose sums are added
// in their order.
type winogradFilter struct {
	ctx      Context
	source   source
	out      image
	blocking blocking
	grid     grid
	rows     []int // of the tiles of products
	padRows  int
	workers  []filterWorker

	n, parts, splits   int
	more               bool
	x, dy, dw, db, all []float32
}

func newWinogradFilter(ctx Context, g *Geometry) *winogradFilter {
	h, w := g.Out()
	f := &winogradFilter{ctx: ctx, out: image{h, w, g.Filters}, blocking: blocking{g.Filters, ctx.Set.Block}, workers: make([]filterWorker, ctx.Threads)}
	f.grid = newGrid(f.out)
	f.source = source{in: image{g.Height, g.Width, g.Channels}, from: [2]int{-g.Padding[0][0], -g.Padding[1][0]}, grid: &f.grid}
	f.rows, f.padRows = outerRows(ctx.Set, g.Channels)
	return f
}

// sumPlane is a matrix of sums [in, out], sumLen all of a part's, and the bias.
func (f *winogradFilter) sumPlane() int { return planes(f.padRows * f.blocking.padded()) }

func (f *winogradFilter) sumLen() int { return winogradPlanes*f.sumPlane() + round(f.out.c) }

func (f *winogradFilter) partsOf(n int) int {
	return max(1, min(maxParts, f.grid.units(n), partFloats/f.sumLen()))
}

func (f *winogradFilter) inPlane() int { return planes(f.grid.most() * f.source.in.c) }

func (f *winogradFilter) outPlane() int { return planes(f.grid.most() * f.blocking.padded()) }

// ownLen is a thread's scratch memory. Products read some numbers behind the input's tiles.
func (f *winogradFilter) ownLen() int {
	return f.source.bandLen() + winogradPlanes*(f.inPlane()+f.outPlane()) + 16
}

func (f *winogradFilter) scratchLen(n int) int {
	return f.partsOf(n)*f.sumLen() + f.ctx.Threads*f.ownLen()
}

func (f *winogradFilter) compute(c *work.Caller, n int, x, dy, dw, db []float32, more bool, scratch []float32) {
	f.n, f.parts, f.splits, f.more = n, f.partsOf(n), 1, more
	f.x, f.dy, f.dw, f.db, f.all = x, dy, dw, db, scratch
	if threads := c.Threads(); threads > 1 && f.parts < 2*threads {
		f.splits = min(f.blocking.count(), (2*threads+f.parts-1)/f.parts)
	}
	c.Run(f.parts*f.splits, (*winogradSumTask)(f))
	c.Run((f.source.in.c+addRows-1)/addRows, (*winogradAddTask)(f))
	f.x, f.dy, f.dw, f.db, f.all = nil, nil, nil, nil, nil
}

// winogradSumTask sums a part of the units, for a share of the blocks of channels.
type winogradSumTask winogradFilter

func (t *winogradSumTask) Do(part, id int) {
	f := (*winogradFilter)(t)
	w := &f.workers[id]
	part, split := part/f.splits, part%f.splits
	b0, b1 := split*f.blocking.count()/f.splits, (split+1)*f.blocking.count()/f.splits
	sums := f.all[part*f.sumLen():][:f.sumLen()]
	own := f.all[f.parts*f.sumLen()+id*f.ownLen():][:f.ownLen()]
	band, in := own[:f.source.bandLen()], own[f.source.bandLen():]
	in, out := in[:winogradPlanes*f.inPlane()+16], in[winogradPlanes*f.inPlane()+16:]
	bias := sums[winogradPlanes*f.sumPlane():][:f.out.c]
	withBias := f.db != nil && split == 0
	if withBias {
		clear(bias)
	}
	units := f.grid.units(f.n)
	for i := part * units / f.parts; i < (part+1)*units/f.parts; i++ {
		u := f.grid.unit(i, f.n)
		f.source.transform(f.ctx.Set, u, f.x, band, in, f.inPlane())
		for img := range u.images {
			f.gradient(w, u, img, b0, b1, out)
			if withBias {
				w.sumColumns(f.ctx.Set, bias, f.dy[((u.image+img)*f.out.h+2*u.first)*f.out.w*f.out.c:], 2*u.rows*f.out.w)
			}
		}
		f.products(w, u.images*u.rows*f.grid.tiles[1], b0, b1, in, out, sums, i > part*units/f.parts)
	}
}

// gradient transforms the gradient of an image's output, block after block.
func (f *winogradFilter) gradient(w *filterWorker, u unit, img, b0, b1 int, to []float32) {
	o, plane, tiles := f.out, f.outPlane(), u.images*u.rows*f.grid.tiles[1]
	for r := range u.rows {
		at := ((u.image+img)*o.h + 2*(u.first+r)) * o.w * o.c
		tile := (img*u.rows + r) * f.grid.tiles[1]
		for b := b0; b < b1; b++ {
			first, width := b*f.blocking.block, f.blocking.width(b)
			a := kernel.Tiles{
				In: unsafe.Pointer(&f.dy[at+first]), InRow: 4 * o.w * o.c, InPixel: 4 * o.c, InStep: 8 * o.c,
				Out: unsafe.Pointer(&to[tiles*first+tile*width]), OutRow: 16 * plane, OutPixel: 4 * plane, OutStep: 4 * width, Count: f.grid.tiles[1],
			}
			f.ctx.Set.Transform(kernel.WinogradOutputBack, f.blocking.valid(b), &a)
		}
	}
}

// products adds those of a unit's tiles to the sums, or begins these.
func (f *winogradFilter) products(w *filterWorker, tiles, b0, b1 int, in, out, sums []float32, more bool) {
	o, columns := &w.outer, f.blocking.padded()
	o.Rows, o.APixel, o.CRow, o.Add = 1, 4*f.source.in.c, 4*columns, 0
	if more {
		o.Add = 1
	}
	for plane := range winogradPlanes {
		for b := b0; b < b1; b++ {
			first, width := b*f.blocking.block, f.blocking.width(b)
			o.BPixel = 4 * width
			row := 0
			for _, rows := range f.rows {
				o.Pixels = tiles
				o.A, o.B = unsafe.Pointer(&in[plane*f.inPlane()+row]), unsafe.Pointer(&out[plane*f.outPlane()+tiles*first])
				o.C = unsafe.Pointer(&sums[plane*f.sumPlane()+row*columns+first])
				f.ctx.Set.Outer(rows, width < f.blocking.block, o)
				row += rows
			}
		}
	}
}

// addRows is how many input channels' sums are added at once.
const addRows = 16

// winogradAddTask adds the parts of some input channels in their order, and transforms them back.
type winogradAddTask winogradFilter

func (t *winogradAddTask) Do(part, id int) {
	f := (*winogradFilter)(t)
	a := &f.workers[id].columns
	if part == 0 && f.db != nil {
		bias := winogradPlanes * f.sumPlane()
		for p := range f.parts {
			f.add(a, f.db[:f.out.c], f.all[p*f.sumLen()+bias:], p > 0 || f.more)
		}
	}
	cin, cout, columns, plane := f.source.in.c, f.out.c, f.blocking.padded(), f.sumPlane()
	first := part * addRows
	rows := min(addRows, cin-first)
	for p := 1; p < f.parts; p++ {
		for i := range winogradPlanes {
			at := i*plane + first*columns
			f.add(a, f.all[at:][:rows*columns], f.all[p*f.sumLen()+at:], true)
		}
	}
	tiles := kernel.Tiles{
		In: unsafe.Pointer(&f.all[first*columns]), InRow: 16 * plane, InPixel: 4 * plane, InStep: 4 * columns,
		Out: unsafe.Pointer(&f.dw[first*cout]), OutRow: 12 * cin * cout, OutPixel: 4 * cin * cout, OutStep: 4 * cout, Count: rows,
	}
	if f.more { // to where it comes from, to be added
		tiles.Out, tiles.OutRow, tiles.OutPixel, tiles.OutStep = tiles.In, 12*plane, 4*plane, 4*columns
	}
	f.ctx.Set.Transform(kernel.WinogradFilterBack, cout, &tiles)
	if !f.more {
		return
	}
	for tap := range 9 {
		for k := first; k < first+rows; k++ {
			f.add(a, f.dw[(tap*cin+k)*cout:][:cout], f.all[tap*plane+k*columns:], true)
		}
	}
}

// add adds numbers to others, or sets these to them.
func (f *winogradFilter) add(a *kernel.Columns, to, from []float32, more bool) {
	if !more {
		copy(to, from)
		return
	}
	a.Ptr[0], a.Ptr[1] = unsafe.Pointer(&to[0]), unsafe.Pointer(&from[0])
	f.ctx.Set.Flat(kernel.OpAddTo, len(to), a)
}
