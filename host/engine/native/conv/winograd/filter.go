package winograd

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Filter is the gradient of filters by Winograd's transforms: products [in, tiles] by [tiles, out] of the input's tiles and
// those of the output's gradient, transformed back at the end. Units are divided into parts, by the batch alone, whose sums are added
// in their order.
type Filter struct {
	form
	set      *kernel.Set
	threads  int // of the pool that will run it, at most
	source   source
	out      image
	blocking kernel.Blocking
	grid     grid
	rows     []int // of the tiles of products
	padRows  int
	workers  []filterWorker

	n, parts, splits   int
	more               bool
	x, dy, dw, db, all []float32
}

type filterWorker struct {
	outer   kernel.Outer
	columns kernel.Columns
}

// partFloats is what all parts' sums may take.
const partFloats = 4 << 20

// NewFilter makes the gradient of the filters.
func NewFilter(set *kernel.Set, threads int, s Shape) *Filter {
	f := &Filter{form: form{s.Size}, set: set, threads: threads, out: image{s.OutHeight, s.OutWidth, s.Filters}, blocking: set.Blocking(s.Filters), workers: make([]filterWorker, threads)}
	f.grid = newGrid(f.out)
	f.source = source{form: f.form, in: image{s.Height, s.Width, s.Channels}, from: [2]int{-s.Padding[0], -s.Padding[1]}, grid: &f.grid}
	f.rows, f.padRows = set.OuterTiles(s.Channels)
	return f
}

// sumPlane is a matrix of sums [in, out], sumLen all of a part's, and the bias.
func (f *Filter) sumPlane() int { return apart(f.padRows * f.blocking.Padded()) }

func (f *Filter) sumLen() int { return f.planes()*f.sumPlane() + round(f.out.c) }

// partsOf is into how many parts so many images are divided: a matter of the shape and the batch alone.
func (f *Filter) partsOf(n int) int {
	return work.Parts(min(f.grid.units(n), partFloats/f.sumLen()))
}

func (f *Filter) inPlane() int { return apart(f.grid.most() * f.source.in.c) }

func (f *Filter) outPlane() int { return apart(f.grid.most() * f.blocking.Padded()) }

// ownLen is a thread's scratch memory. Products read some numbers behind the input's tiles.
func (f *Filter) ownLen() int {
	return f.source.bandLen() + f.planes()*(f.inPlane()+f.outPlane()) + 16 + f.edgeLen()
}

// edgeLen is a tile of the output, of which not all pixels exist.
func (f *Filter) edgeLen() int { return round(4 * f.out.c) }

// Scratch is how many float32 of scratch memory Run needs for n images.
func (f *Filter) Scratch(n int) int {
	return f.partsOf(n)*f.sumLen() + f.threads*f.ownLen()
}

// Run computes dw [size, size, channels, filters] and, unless it is nil, db [filters] from x and dy, n images each; with more it adds to what
// they hold.
func (f *Filter) Run(c *work.Caller, n int, x, dy, dw, db []float32, more bool, scratch []float32) {
	f.n, f.parts, f.splits, f.more = n, f.partsOf(n), 1, more
	f.x, f.dy, f.dw, f.db, f.all = x, dy, dw, db, scratch
	if threads := c.Threads(); threads > 1 && f.parts < 2*threads {
		f.splits = min(f.blocking.Count(), (2*threads+f.parts-1)/f.parts)
	}
	c.Run(f.parts*f.splits, (*sumTask)(f))
	c.Run((f.source.in.c+addRows-1)/addRows, (*addTask)(f))
	f.x, f.dy, f.dw, f.db, f.all = nil, nil, nil, nil, nil
}

// sumTask sums a part of the units, for a share of the blocks of channels.
type sumTask Filter

func (t *sumTask) Do(part, id int) {
	f := (*Filter)(t)
	w := &f.workers[id]
	part, split := part/f.splits, part%f.splits
	b0, b1 := split*f.blocking.Count()/f.splits, (split+1)*f.blocking.Count()/f.splits
	sums := f.all[part*f.sumLen():][:f.sumLen()]
	own := f.all[f.parts*f.sumLen()+id*f.ownLen():][:f.ownLen()]
	band, in := own[:f.source.bandLen()], own[f.source.bandLen():]
	in, out := in[:f.planes()*f.inPlane()+16], in[f.planes()*f.inPlane()+16:]
	bias := sums[f.planes()*f.sumPlane():][:f.out.c]
	withBias := f.db != nil && split == 0
	if withBias {
		clear(bias)
	}
	units := f.grid.units(f.n)
	for i := part * units / f.parts; i < (part+1)*units/f.parts; i++ {
		u := f.grid.unit(i, f.n)
		f.source.take(f.set, u, f.x, band, in, f.inPlane())
		for img := range u.images {
			f.gradient(u, img, b0, b1, out, own[len(own)-f.edgeLen():])
			if withBias {
				f.set.AddRows(&w.columns, bias, f.dy[((u.image+img)*f.out.h+2*u.first)*f.out.w*f.out.c:], min(2*u.rows, f.out.h-2*u.first)*f.out.w, f.out.c)
			}
		}
		f.products(w, u.images*u.rows*f.grid.tiles[1], b0, b1, in, out, sums, i > part*units/f.parts)
	}
}

// gradient transforms the gradient of an image's output, block after block.
func (f *Filter) gradient(u unit, img, b0, b1 int, to, edge []float32) {
	o, plane, all := f.out, f.outPlane(), f.grid.tiles[1]
	tiles := u.images * u.rows * all
	dy := f.dy[(u.image+img)*o.size():][:o.size()]
	for r := range u.rows {
		row, first := 2*(u.first+r), (img*u.rows+r)*all
		whole := o.w / 2
		if row+1 == o.h {
			whole = 0
		}
		if whole > 0 {
			a := kernel.Tiles{InRow: 4 * o.w * o.c, InPixel: 4 * o.c, InStep: 8 * o.c}
			f.blocks(a, dy[row*o.w*o.c:], to, tiles, first, whole, b0, b1, plane)
		}
		for t := whole; t < all; t++ { // with zeros where there is no output
			clear(edge)
			for i := range min(2, o.h-row) {
				copy(edge[2*i*o.c:][:min(2, o.w-2*t)*o.c], dy[((row+i)*o.w+2*t)*o.c:])
			}
			f.blocks(kernel.Tiles{InRow: 8 * o.c, InPixel: 4 * o.c}, edge, to, tiles, first+t, 1, b0, b1, plane)
		}
	}
}

// blocks transforms some tiles of the output's gradient, of which a says how its pixels lie, to matrices of blocks of channels.
func (f *Filter) blocks(a kernel.Tiles, from, to []float32, tiles, tile, count, b0, b1, plane int) {
	for b := b0; b < b1; b++ {
		first, width, a := b*f.blocking.Block, f.blocking.Width(b), a
		a.In, a.Count = unsafe.Pointer(&from[first]), count
		a.Out, a.OutRow, a.OutPixel, a.OutStep = unsafe.Pointer(&to[tiles*first+tile*width]), 4*f.tile()*plane, 4*plane, 4*width
		f.set.Transform(f.transform(kernel.WinogradOutputBack), f.blocking.Valid(b), &a)
	}
}

// products adds those of a unit's tiles to the sums, or begins these.
func (f *Filter) products(w *filterWorker, tiles, b0, b1 int, in, out, sums []float32, more bool) {
	o, columns := &w.outer, f.blocking.Padded()
	o.Rows, o.APixel, o.CRow, o.Add = 1, 4*f.source.in.c, 4*columns, 0
	if more {
		o.Add = 1
	}
	for plane := range f.planes() {
		for b := b0; b < b1; b++ {
			first, width := b*f.blocking.Block, f.blocking.Width(b)
			o.BPixel = 4 * width
			row := 0
			for _, rows := range f.rows {
				o.Pixels = tiles
				o.A, o.B = unsafe.Pointer(&in[plane*f.inPlane()+row]), unsafe.Pointer(&out[plane*f.outPlane()+tiles*first])
				o.C = unsafe.Pointer(&sums[plane*f.sumPlane()+row*columns+first])
				f.set.Outer(rows, width < f.blocking.Block, o)
				row += rows
			}
		}
	}
}

// addRows is how many input channels' sums are added at once.
const addRows = 16

// addTask adds the parts of some input channels in their order, and transforms them back.
type addTask Filter

func (t *addTask) Do(part, id int) {
	f := (*Filter)(t)
	a := &f.workers[id].columns
	if part == 0 && f.db != nil {
		bias := f.planes() * f.sumPlane()
		for p := range f.parts {
			f.add(a, f.db[:f.out.c], f.all[p*f.sumLen()+bias:], p > 0 || f.more)
		}
	}
	cin, cout, columns, plane := f.source.in.c, f.out.c, f.blocking.Padded(), f.sumPlane()
	first := part * addRows
	rows := min(addRows, cin-first)
	for p := 1; p < f.parts; p++ {
		for i := range f.planes() {
			at := i*plane + first*columns
			f.add(a, f.all[at:][:rows*columns], f.all[p*f.sumLen()+at:], true)
		}
	}
	tiles := kernel.Tiles{
		In: unsafe.Pointer(&f.all[first*columns]), InRow: 4 * f.tile() * plane, InPixel: 4 * plane, InStep: 4 * columns,
		Out: unsafe.Pointer(&f.dw[first*cout]), OutRow: 4 * f.size * cin * cout, OutPixel: 4 * cin * cout, OutStep: 4 * cout, Count: rows,
	}
	if f.more { // to where it comes from, to be added
		tiles.Out, tiles.OutRow, tiles.OutPixel, tiles.OutStep = tiles.In, 4*f.size*plane, 4*plane, 4*columns
	}
	f.set.Transform(f.transform(kernel.WinogradFilterBack), cout, &tiles)
	if !f.more {
		return
	}
	for tap := range f.size * f.size {
		for k := first; k < first+rows; k++ {
			f.add(a, f.dw[(tap*cin+k)*cout:][:cout], f.all[tap*plane+k*columns:], true)
		}
	}
}

// add adds numbers to others, or sets these to them.
func (f *Filter) add(a *kernel.Columns, to, from []float32, more bool) {
	if !more {
		copy(to, from)
		return
	}
	a.Ptr[0], a.Ptr[1] = unsafe.Pointer(&to[0]), unsafe.Pointer(&from[0])
	f.set.Flat(kernel.OpAddTo, len(to), a)
}
