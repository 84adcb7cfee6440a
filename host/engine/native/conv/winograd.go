package conv

import (
	"math"
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Winograd's convolution of 3x3 filters by tiles of 2x2 outputs, F(2x2, 3x3) of Lavin and Gray 2016: 16 multiplications for a tile in
// the place of 36. Tiles of the input and the filters are transformed, multiplied as 16 matrices [tiles, in] by [in, out], and what
// comes out is transformed back.
const (
	winogradPlanes = 16
	winogradTiles  = 48 // of a unit, about: what they are transformed to stays in the cache
	winogradLeast  = 16 // channels and filters, of fewer transforming takes as long as it saves
)

// winograd tells whether a geometry is computed so, in all directions.
func (g *Geometry) winograd(set *kernel.Set) bool {
	h, w := g.Out()
	return g.Kernel == [2]int{3, 3} && g.Stride == [2]int{1, 1} && g.Dilation == [2]int{1, 1} && g.Groups == 1 && h%2 == 0 && w%2 == 0 &&
		g.Height%2 == 0 && g.Width%2 == 0 && min(g.Channels, g.Filters) >= winogradLeast && max(g.Channels, g.Filters) <= set.Budget()
}

// grid is how tiles are divided into units: some images, or some rows of an image's tiles.
type grid struct {
	tiles  [2]int // of an image
	rows   int    // of tiles, of a unit
	images int
}

func newGrid(out image) grid {
	g := grid{tiles: [2]int{out.h / 2, out.w / 2}}
	g.rows = min(g.tiles[0], max(1, winogradTiles/g.tiles[1]))
	g.images = max(1, winogradTiles/(g.tiles[0]*g.tiles[1]))
	return g
}

func (g *grid) bands() int { return (g.tiles[0] + g.rows - 1) / g.rows }

func (g *grid) units(n int) int { return (n + g.images - 1) / g.images * g.bands() }

// most is the tiles of a unit, at most.
func (g *grid) most() int { return g.images * g.rows * g.tiles[1] }

// unit is a unit's images and rows of tiles.
type unit struct{ image, images, first, rows int }

func (g *grid) unit(i, n int) unit {
	u := unit{image: i / g.bands() * g.images, first: i % g.bands() * g.rows}
	u.images, u.rows = min(g.images, n-u.image), min(g.rows, g.tiles[0]-u.first)
	return u
}

// planes are how far apart the 16 matrices of so many numbers lie: an odd number of cache lines, so that they don't share the cache's
// places.
func planes(n int) int { return round(n) | 16 }

// source is where tiles of an input are read.
type source struct {
	in   image
	from [2]int // the pixel under the first tap at the first position; may lie outside
	grid *grid
}

// bandLen is the numbers of a row of tiles.
func (s *source) bandLen() int { return round(4 * (2*s.grid.tiles[1] + 2) * s.in.c) }

// transform brings a unit's tiles of the images x to to: 16 matrices [tiles, channels].
func (s *source) transform(set *kernel.Set, u unit, x, band, to []float32, plane int) {
	all := s.grid.tiles[1]
	a := kernel.Tiles{InStep: 8 * s.in.c, InPixel: 4 * s.in.c, OutRow: 16 * plane, OutPixel: 4 * plane, OutStep: 4 * s.in.c}
	// The tiles of a row that lie within the image.
	first := min((max(0, -s.from[1])+1)/2, all)
	last := max(first, min(all, (s.in.w-s.from[1]-2)/2))
	for i := range u.images * u.rows {
		img := x[(u.image+i/u.rows)*s.in.size():][:s.in.size()]
		y := s.from[0] + 2*(u.first+i%u.rows)
		first, last := first, last
		if y < 0 || y+4 > s.in.h {
			first, last = all, all
		}
		if first < last {
			a.In, a.InRow = unsafe.Pointer(&img[(y*s.in.w+s.from[1]+2*first)*s.in.c]), 4*s.in.w*s.in.c
			a.Out, a.Count = unsafe.Pointer(&to[(i*all+first)*s.in.c]), last-first
			set.Transform(kernel.WinogradInput, s.in.c, &a)
		}
		for _, edge := range [2][2]int{{0, first}, {last, all}} {
			if edge[0] == edge[1] {
				continue
			}
			width := 2*(edge[1]-edge[0]) + 2
			s.copy(img, y, s.from[1]+2*edge[0], width, band)
			a.In, a.InRow = unsafe.Pointer(&band[0]), 4*width*s.in.c
			a.Out, a.Count = unsafe.Pointer(&to[(i*all+edge[0])*s.in.c]), edge[1]-edge[0]
			set.Transform(kernel.WinogradInput, s.in.c, &a)
		}
	}
}

// copy copies four rows of an image from a pixel on, with zeros around it.
func (s *source) copy(img []float32, y, x, width int, band []float32) {
	c := s.in.c
	left := min(max(0, -x), width)
	right := max(left, min(width, s.in.w-x))
	for r := range 4 {
		to := band[r*width*c:][:width*c]
		if y+r < 0 || y+r >= s.in.h || left == right {
			clear(to)
			continue
		}
		clear(to[:left*c])
		copy(to[left*c:right*c], img[((y+r)*s.in.w+x+left)*c:])
		clear(to[right*c:])
	}
}

// winogradPass computes an output, or the gradient of an input: the output's gradient is its input then, channels are exchanged and
// filters turned.
type winogradPass struct {
	ctx      Context
	source   source
	out      image
	blocking blocking // of the output's channels
	backward bool
	pooled   bool // the largest of each tile of the output is all that is wanted
	grid     grid
	workers  []winogradWorker

	// Of a run:
	run          grid
	n, shares    int
	x, packed, y []float32
	scratch      []float32
	bias         []float32
	activation   kernel.Activation
	add          bool // to what is there
}

type winogradWorker struct {
	tile    kernel.Tile
	span    kernel.Span
	columns kernel.Columns
	consts  [8]float32
}

// newWinograd makes a pass for the output, or backward for the gradient of the input.
func newWinograd(ctx Context, g *Geometry, backward bool) *winogradPass {
	h, w := g.Out()
	in, out := image{g.Height, g.Width, g.Channels}, image{h, w, g.Filters}
	from := [2]int{-g.Padding[0][0], -g.Padding[1][0]}
	if backward {
		in, out = out, in
		from = [2]int{g.Padding[0][0] - 2, g.Padding[1][0] - 2}
	}
	p := &winogradPass{
		ctx: ctx, out: out, blocking: blocking{out.c, ctx.Set.Block}, backward: backward, grid: newGrid(out),
		workers: make([]winogradWorker, ctx.Threads),
	}
	p.source = source{in: in, from: from, grid: &p.run}
	p.run = p.grid
	for i := range p.workers {
		p.workers[i].span = kernel.Span{Count: in.c}
	}
	return p
}

func (p *winogradPass) packedLen() int { return winogradPlanes * p.source.in.c * p.blocking.padded() }

// rowsOf is how many rows the matrices of so many tiles have.
func rowsOf(tiles int) int {
	return (tiles + kernel.GroupPixels - 1) / kernel.GroupPixels * kernel.GroupPixels
}

func (p *winogradPass) inPlane(g *grid) int { return planes(rowsOf(g.most()) * p.source.in.c) }

func (p *winogradPass) outPlane(g *grid) int { return planes(rowsOf(g.most()) * p.blocking.padded()) }

// ownLen is a thread's scratch memory.
func (p *winogradPass) ownLen() int {
	s := p.source
	s.grid = &p.grid
	return s.bandLen() + winogradPlanes*(p.inPlane(&p.grid)+p.outPlane(&p.grid))
}

func (p *winogradPass) biasLen() int { return round(p.blocking.padded()) }

func (p *winogradPass) scratchLen() int { return 2*p.biasLen() + p.ctx.Threads*p.ownLen() }

// pack transforms a block of the filters w [3, 3, channels, filters] to [16, in, block].
func (p *winogradPass) pack(block int, w, packed []float32) {
	cin, cout := p.source.in.c, p.out.c
	width, valid := p.blocking.width(block), p.blocking.valid(block)
	plane, first := cin*width, block*p.blocking.block
	packed = packed[winogradPlanes*cin*first:][:winogradPlanes*plane]
	if valid < width {
		clear(packed)
	}
	a := kernel.Tiles{Out: unsafe.Pointer(&packed[0]), OutRow: 16 * plane, OutPixel: 4 * plane, OutStep: 4 * width, Count: cin}
	if !p.backward {
		a.In, a.InRow, a.InPixel, a.InStep = unsafe.Pointer(&w[first]), 12*cin*cout, 4*cin*cout, 4*cout
		p.ctx.Set.Transform(kernel.WinogradFilter, valid, &a)
		return
	}
	// The filters, turned, with channels exchanged, lie where the last of the matrices will.
	const last = winogradPlanes - 9
	for t := range 9 {
		to := packed[(last+8-t)*plane:][:plane]
		for c := range valid {
			for k, v := range w[(t*cout+first+c)*cin:][:cin] {
				to[k*width+c] = v
			}
		}
	}
	a.In, a.InRow, a.InPixel, a.InStep = unsafe.Pointer(&packed[last*plane]), 12*plane, 4*plane, 4*width
	p.ctx.Set.Transform(kernel.WinogradFilter, width, &a)
}

// compute does n images. Scratch memory holds the bias, padded to whole blocks, a bias of zeros, then each thread's.
func (p *winogradPass) compute(c *work.Caller, n int, x, packed, bias []float32, f kernel.Activation, y []float32, add bool, scratch []float32) {
	p.n, p.x, p.packed, p.y, p.scratch, p.activation, p.add = n, x, packed, y, scratch, f, add
	clear(scratch[:2*p.biasLen()])
	copy(scratch, bias[:min(p.out.c, len(bias))])
	p.run, p.shares = p.grid, 1
	if threads := c.Threads(); threads > 1 {
		for want := 4 * threads; p.run.units(n) < want && p.run.rows > 1 && p.run.most() > 4*kernel.GroupPixels; {
			if p.run.images > 1 {
				p.run.images = (p.run.images + 1) / 2
			} else {
				p.run.rows = (p.run.rows + 1) / 2
			}
		}
		p.shares = min(p.blocking.count(), max(1, 2*threads/p.run.units(n)))
	}
	c.Run(p.run.units(n)*p.shares, (*winogradTask)(p))
	p.x, p.packed, p.y, p.scratch, p.run = nil, nil, nil, nil, p.grid
}

// winogradTask computes a unit, all channels or a share of them.
type winogradTask winogradPass

func (t *winogradTask) Do(part, id int) {
	p := (*winogradPass)(t)
	u := p.run.unit(part/p.shares, p.n)
	share := part % p.shares
	b0, b1 := share*p.blocking.count()/p.shares, (share+1)*p.blocking.count()/p.shares
	own := p.scratch[2*p.biasLen()+id*p.ownLen():][:p.ownLen()]
	band, in := own[:p.source.bandLen()], own[p.source.bandLen():]
	inPlane, outPlane := p.inPlane(&p.run), p.outPlane(&p.run)
	in, out := in[:winogradPlanes*inPlane], in[winogradPlanes*inPlane:][:winogradPlanes*outPlane]
	p.source.transform(p.ctx.Set, u, p.x, band, in, inPlane)
	w := &p.workers[id]
	for plane := range winogradPlanes {
		for b := b0; b < b1; b++ {
			p.product(w, u.images*u.rows*p.run.tiles[1], plane, b, in[plane*inPlane:], out[plane*outPlane:])
		}
	}
	p.finish(w, u, b0, b1, out, outPlane)
}

// product multiplies one of the 16 matrices of the input's tiles by a block of the filters'.
func (p *winogradPass) product(w *winogradWorker, tiles, plane, block int, in, out []float32) {
	const pixels = kernel.GroupPixels
	set, cin, columns := p.ctx.Set, p.source.in.c, p.blocking.padded()
	first, width := block*p.blocking.block, p.blocking.width(block)
	t := &w.tile
	t.W = unsafe.Pointer(&p.packed[winogradPlanes*cin*first+plane*cin*width])
	t.Bias = unsafe.Pointer(&p.scratch[p.biasLen()])
	t.Spans, t.NSpans = &w.span, 1
	t.InPixel, t.OutPixel = 4*cin, 4*columns
	t.Add, t.Low = 0, float32(math.Inf(-1))
	atOnce := max(1, set.Budget()/cin)
	for row, rest := 0, rowsOf(tiles); rest > 0; {
		groups := min(set.Groups, rest/pixels)
		count := min(atOnce, rest/(groups*pixels))
		for g := range groups {
			t.In[g], t.Out[g] = unsafe.Pointer(&in[(row+g*pixels)*cin]), unsafe.Pointer(&out[(row+g*pixels)*columns+first])
		}
		step := groups * pixels
		t.InStep, t.OutStep, t.Count = 4*step*cin, 4*step*columns, count
		set.Tile(groups, width < set.Block, t)
		row, rest = row+count*step, rest-count*step
	}
}

// finish transforms the products of some blocks back, to the output.
func (p *winogradPass) finish(w *winogradWorker, u unit, b0, b1 int, from []float32, plane int) {
	set, columns, o := p.ctx.Set, p.blocking.padded(), p.out
	first := b0 * p.blocking.block
	channels := min(b1*p.blocking.block, o.c) - first
	transform, low := kernel.WinogradOutput, float32(math.Inf(-1))
	if p.activation.Relu() {
		low = 0
	}
	switch {
	case p.add:
		transform = kernel.WinogradOutputAdd
	case p.pooled:
		transform = kernel.WinogradOutputMax
	}
	tile := 0
	for i := range u.images {
		for r := range u.rows {
			a := kernel.Tiles{
				In: unsafe.Pointer(&from[tile*columns+first]), InRow: 16 * plane, InPixel: 4 * plane, InStep: 4 * columns,
				OutRow: 4 * o.w * o.c, OutPixel: 4 * o.c, OutStep: 8 * o.c, Count: p.run.tiles[1],
				Bias: unsafe.Pointer(&p.scratch[first]), Low: low,
			}
			if !p.pooled {
				a.Out = unsafe.Pointer(&p.y[((u.image+i)*o.h+2*(u.first+r))*o.w*o.c+first])
			} else {
				a.Out, a.OutStep = unsafe.Pointer(&p.y[(((u.image+i)*o.h/2+u.first+r)*(o.w/2))*o.c+first]), 4*o.c
			}
			set.Transform(transform, channels, &a)
			tile += p.run.tiles[1]
		}
		if p.activation.Linear() || p.activation.Relu() {
			continue
		}
		at := ((u.image+i)*o.h + 2*u.first) * o.w * o.c
		for b := b0; b < b1; b++ { // which numbers are computed together must not depend on how blocks are shared
			w.activate(set, p.activation, p.y[at+b*p.blocking.block:], p.blocking.valid(b), 2*u.rows*o.w, o.c)
		}
	}
}

func (w *winogradWorker) activate(set *kernel.Set, f kernel.Activation, y []float32, channels, pixels, step int) {
	forward, _ := f.Ops()
	a := &w.columns
	w.consts[0] = f.Slope
	a.Consts, a.Rows = &w.consts, pixels
	for k := range 2 {
		a.Ptr[k], a.Stride[k] = unsafe.Pointer(&y[0]), 4*step
	}
	set.Columns(forward, channels, a)
}
