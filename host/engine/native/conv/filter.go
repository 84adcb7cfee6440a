package conv

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/conv/winograd"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Filter is the gradient of a convolution's filters and bias. Images are divided into parts, by the batch alone, whose sums are
// added in their order at the end.
type Filter struct {
	ctx      Context
	g        Geometry
	depth    *depthwise       // nil: products do it
	winograd *winograd.Filter // the same
	out      image
	cin      int // of a group
	cout     int
	runs     []filterRun
	rows     []int           // of the tiles of a run
	padRows  int             // their sum
	blocking kernel.Blocking // of a group's channels
	padCols  int             // that its blocks compute
	blocks   int
	padded   bool // bands of the input are copied
	copyDy   bool // those of the output's gradient too, block after block; else the last alone, if products read behind it
	width    int  // pixels from row to row of what is read of the input
	maxRows  int  // rows of a band
	bands    int
	workers  []filterWorker

	n, parts, splits       int
	more                   bool // added to what is there
	x, dy, dw, db, scratch []float32
}

// filterRun is input values side by side at each of the output's pixels: of a kernel's row, or of one tap.
type filterRun struct {
	tap    [2]int // the first
	count  int    // input values
	filter int    // the first row of the filters
}

type filterWorker struct {
	outer   kernel.Outer
	columns kernel.Columns
	x, dy   []float32
	copied  bool // dy is, block after block
}

const (
	partPositions = 1024    // that a part has at least: adding it must not cost much
	partFloats    = 4 << 20 // that all parts' sums may take
)

// NewFilter prepares the gradient of the filters.
func NewFilter(ctx Context, g Geometry) (*Filter, error) {
	g, err := g.normal()
	if err != nil {
		return nil, err
	}
	h, w := g.Out()
	f := &Filter{ctx: ctx, g: g, depth: newDepthwise(ctx, g), out: image{h, w, g.Filters}, cin: g.Channels / g.Groups, cout: g.Filters / g.Groups}
	if s := g.winograd(); s.Fits(ctx.Set) {
		f.winograd = winograd.NewFilter(ctx.Set, ctx.Threads, s)
		return f, nil
	}
	f.prepareRuns()
	f.blocking = ctx.Set.Blocking(f.cout)
	f.blocks, f.padCols = f.blocking.Count(), f.blocking.Padded()
	f.copyDy = f.blocks > 1 || g.Groups > 1
	high := [2]int{}
	size := [2]int{g.Height, g.Width}
	for i, n := range [2]int{h, w} {
		high[i] = (n-1)*g.Stride[i] + (g.Kernel[i]-1)*g.Dilation[i] + 1
		f.padded = f.padded || g.Padding[i][0] > 0 || high[i]-g.Padding[i][0] > size[i]
	}
	f.padded = f.padded || f.padRows != f.runs[0].count
	f.width = g.Width
	if f.padded {
		f.width = high[1]
	}
	const positions = 256
	f.maxRows = min(max(1, positions/w), h)
	f.bands = (h + f.maxRows - 1) / f.maxRows
	f.workers = make([]filterWorker, ctx.Threads)
	return f, nil
}

// prepareRuns joins a kernel row's taps, whose inputs lie side by side, and divides a run's rows into tiles.
func (f *Filter) prepareRuns() {
	g := &f.g
	for y := range g.Kernel[0] {
		row := y * g.Kernel[1] * f.cin
		if g.Groups == 1 && g.Dilation[1] == 1 {
			f.runs = append(f.runs, filterRun{[2]int{y, 0}, g.Kernel[1] * f.cin, row})
			continue
		}
		for x := range g.Kernel[1] {
			f.runs = append(f.runs, filterRun{[2]int{y, x}, f.cin, row + x*f.cin})
		}
	}
	f.rows, f.padRows = f.ctx.Set.OuterTiles(f.runs[0].count)
}

// sumLen is how many float32 the sums of a part take: [groups, runs, rows, columns] and the bias.
func (f *Filter) sumLen() int {
	return round(f.g.Groups*len(f.runs)*f.padRows*f.padCols) + round(f.g.Filters)
}

func (f *Filter) bandLen() int {
	if !f.padded {
		return 0
	}
	rows := (f.maxRows-1)*f.g.Stride[0] + (f.g.Kernel[0]-1)*f.g.Dilation[0] + 1
	return round(rows*f.width*f.g.Channels + 16)
}

func (f *Filter) dyLen() int {
	if !f.copyDy && f.padCols == f.cout {
		return 0
	}
	return round(f.maxRows * f.out.w * f.g.Groups * f.padCols)
}

// partsOf is into how many parts so many images are divided: a matter of the geometry and the batch alone.
func (f *Filter) partsOf(n int) int {
	positions := n * f.out.h * f.out.w
	return work.Parts(min(positions/partPositions, partFloats/f.sumLen(), n*f.bands))
}

// Scratch is how many float32 of scratch memory Run needs for n images.
func (f *Filter) Scratch(n int) int {
	if f.depth != nil {
		return f.depth.filterParts(n) * f.depth.filterLen()
	}
	if f.winograd != nil {
		return f.winograd.Scratch(n)
	}
	return f.partsOf(n)*f.sumLen() + f.ctx.Threads*(f.bandLen()+f.dyLen())
}

// Run computes dw [kernel height, kernel width, in/groups, filters] and, unless it is nil, db [filters] from x [n, height, width,
// channels] and dy [n, out height, out width, filters]; with add it adds to what they hold.
func (f *Filter) Run(c *work.Caller, n int, x, dy, dw, db []float32, add bool, scratch []float32) error {
	if err := f.ctx.check(c); err != nil {
		return err
	}
	if err := checkSizes(n, size{"x", len(x), n * f.g.inSize()}, size{"dy", len(dy), n * f.g.outSize()},
		size{"dw", len(dw), f.g.filterSize()}, size{"scratch memory", len(scratch), f.Scratch(n)}); err != nil {
		return err
	}
	if db != nil && len(db) < f.g.Filters {
		return checkSizes(n, size{"db", len(db), f.g.Filters})
	}
	if f.depth != nil {
		f.depth.filterGradient(c, n, x, dy, dw, db, add, scratch)
		return nil
	}
	if f.winograd != nil {
		f.winograd.Run(c, n, x, dy, dw, db, add, scratch)
		return nil
	}
	f.n, f.parts, f.splits, f.more = n, f.partsOf(n), 1, add
	f.x, f.dy, f.dw, f.db, f.scratch = x, dy, dw, db, scratch
	if threads := c.Threads(); threads > 1 && f.parts < 4*threads {
		f.splits = min(f.blocks, (4*threads+f.parts-1)/f.parts)
	}
	c.Run(f.parts*f.splits, (*sumTask)(f))
	c.Run(f.g.Kernel[0]*f.g.Kernel[1], (*addTask)(f))
	f.x, f.dy, f.dw, f.db, f.scratch = nil, nil, nil, nil, nil
	return nil
}

// sumTask sums a part of the images, for a share of the blocks of channels.
type sumTask Filter

func (t *sumTask) Do(part, id int) {
	f := (*Filter)(t)
	w := &f.workers[id]
	part, split := part/f.splits, part%f.splits
	b0, b1 := split*f.blocks/f.splits, (split+1)*f.blocks/f.splits
	sums := f.scratch[part*f.sumLen():][:f.sumLen()]
	own := f.scratch[f.parts*f.sumLen()+id*(f.bandLen()+f.dyLen()):]
	band, dyBand := own[:f.bandLen()], own[f.bandLen():][:f.dyLen()]
	clear(dyBand) // columns that don't exist stay so
	units := f.n * f.bands
	bias := sums[round(f.g.Groups*len(f.runs)*f.padRows*f.padCols):]
	if f.db != nil && split == 0 {
		clear(bias)
	}
	for unit := part * units / f.parts; unit < (part+1)*units/f.parts; unit++ {
		img, first := unit/f.bands, unit%f.bands*f.maxRows
		last := min(first+f.maxRows, f.out.h)
		w.x = f.x[img*f.g.inSize():][:f.g.inSize()]
		w.dy = f.dy[img*f.g.outSize()+first*f.out.w*f.g.Filters:][:(last-first)*f.out.w*f.g.Filters]
		if f.db != nil && split == 0 {
			f.ctx.Set.AddRows(&w.columns, bias[:f.g.Filters], w.dy, (last-first)*f.out.w, f.g.Filters)
		}
		w.copied = f.copyDy || f.padCols != f.cout && img == f.n-1 && last == f.out.h
		f.copyBands(w, band, dyBand, first, last, b0, b1)
		f.products(w, sums, first, last, b0, b1, unit > part*units/f.parts)
	}
}

// copyBands copies what is read several times: the input's rows with zeros around them, the output's gradient block after block.
func (f *Filter) copyBands(w *filterWorker, band, dyBand []float32, first, last, b0, b1 int) {
	g := &f.g
	if f.padded {
		rows := (last-1-first)*g.Stride[0] + (g.Kernel[0]-1)*g.Dilation[0] + 1
		c := g.Channels
		left := min(g.Padding[1][0], f.width)
		right := max(left, min(f.width, g.Width+left))
		for r := range rows {
			to := band[r*f.width*c:][:f.width*c]
			y := first*g.Stride[0] + r - g.Padding[0][0]
			if y < 0 || y >= g.Height {
				clear(to)
				continue
			}
			clear(to[:left*c])
			copy(to[left*c:right*c], w.x[y*g.Width*c:])
			clear(to[right*c:])
		}
		clear(band[rows*f.width*c:][:min(16, len(band)-rows*f.width*c)])
		w.x = band
	}
	if !w.copied {
		return
	}
	positions := (last - first) * f.out.w
	for group := range g.Groups {
		for b := b0; b < b1; b++ {
			width := f.blocking.Width(b)
			to := f.dyBlock(dyBand, group, b)
			a := &w.columns
			a.Rows = positions
			a.Ptr[0], a.Stride[0] = unsafe.Pointer(&to[0]), 4*width
			a.Ptr[1], a.Stride[1] = unsafe.Pointer(&w.dy[group*f.cout+b*f.ctx.Set.Block]), 4*g.Filters
			f.ctx.Set.Columns(kernel.OpMove, f.blocking.Valid(b), a)
		}
	}
	w.dy = dyBand
}

func (f *Filter) dyBlock(dyBand []float32, group, block int) []float32 {
	return dyBand[f.maxRows*f.out.w*(group*f.padCols+block*f.ctx.Set.Block):]
}

// products adds the products of a band to the sums, or begins these.
func (f *Filter) products(w *filterWorker, sums []float32, first, last, b0, b1 int, add bool) {
	g := &f.g
	o := &w.outer
	o.Rows, o.Add = last-first, 0
	if add {
		o.Add = 1
	}
	o.APixel, o.ARow = 4*g.Stride[1]*g.Channels, 4*g.Stride[0]*f.width*g.Channels
	o.CRow = 4 * f.padCols
	top := 0
	if !f.padded {
		top = first * g.Stride[0]
	}
	for group := range g.Groups {
		for b := b0; b < b1; b++ {
			dy, dyPixel := w.dy, g.Filters
			width := f.blocking.Width(b)
			if w.copied {
				dy, dyPixel = f.dyBlock(w.dy, group, b), width
			}
			o.BPixel, o.BRow = 4*dyPixel, 4*dyPixel*f.out.w
			for i := range f.runs {
				r := &f.runs[i]
				x := w.x[((top+r.tap[0]*g.Dilation[0])*f.width+r.tap[1]*g.Dilation[1])*g.Channels+group*f.cin:]
				c := sums[(group*len(f.runs)+i)*f.padRows*f.padCols+b*f.ctx.Set.Block:]
				f.tiles(o, x, dy, c, width < f.ctx.Set.Block)
			}
		}
	}
}

// tiles computes the tiles of a run and a block. Rows longer than one call may sum over are divided.
func (f *Filter) tiles(o *kernel.Outer, x, dy, c []float32, half bool) {
	limit := f.ctx.Set.Budget()
	row := 0
	for _, rows := range f.rows {
		add := o.Add
		for at := 0; at < f.out.w; at += limit {
			o.Pixels = min(limit, f.out.w-at)
			o.A = unsafe.Pointer(&x[at*o.APixel/4+row])
			o.B = unsafe.Pointer(&dy[at*o.BPixel/4])
			o.C = unsafe.Pointer(&c[row*f.padCols])
			f.ctx.Set.Outer(rows, half, o)
			o.Add = 1
		}
		o.Add = add
		row += rows
	}
}

// addTask adds the parts of one of the filters' taps in their order, and brings them into the filters' own.
type addTask Filter

func (t *addTask) Do(part, id int) {
	f := (*Filter)(t)
	g := &f.g
	a := &f.workers[id].columns
	if part == 0 && f.db != nil {
		f.add(a, f.db[:g.Filters], round(g.Groups*len(f.runs)*f.padRows*f.padCols))
	}
	first := part * f.cin
	whole := g.Groups == 1 && f.padCols == f.cout
	for i := range f.runs {
		r := &f.runs[i]
		if first < r.filter || first >= r.filter+r.count {
			continue
		}
		at := (i*f.padRows + first - r.filter) * f.padCols
		if whole {
			f.add(a, f.dw[first*g.Filters:][:f.cin*g.Filters], at)
			return
		}
		for group := range g.Groups {
			for k := range f.cin {
				f.add(a, f.dw[(first+k)*g.Filters+group*f.cout:][:f.cout], at+(group*len(f.runs)*f.padRows+k)*f.padCols)
			}
		}
	}
}

// add sets numbers to the sum of the parts', which lie at a certain place of each part.
func (f *Filter) add(a *kernel.Columns, to []float32, at int) {
	const atOnce = 4096
	for len(to) > 0 {
		n := min(len(to), atOnce)
		from := 0
		if !f.more {
			copy(to[:n], f.scratch[at:])
			from = 1
		}
		for p := from; p < f.parts; p++ {
			a.Ptr[0], a.Ptr[1] = unsafe.Pointer(&to[0]), unsafe.Pointer(&f.scratch[p*f.sumLen()+at])
			f.ctx.Set.Flat(kernel.OpAddTo, n, a)
		}
		to, at = to[n:], at+n
	}
}
