package winograd

import (
	"math"
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Pass computes an output, or the gradient of an input: the output's gradient is its input then, channels are exchanged and
// filters turned.
type Pass struct {
	form
	set      *kernel.Set
	threads  int // of the pool that will run it, at most
	source   source
	out      image
	blocking kernel.Blocking // of the output's channels
	backward bool
	pooled   bool // the largest of each tile of the output is all that is wanted
	grid     grid
	workers  []worker

	// Of a run:
	run          grid
	n, shares    int
	x, packed, y []float32
	scratch      []float32
	activation   kernel.Activation
	add          bool // to what is there
}

type worker struct {
	tile    kernel.Tile
	span    kernel.Span
	columns kernel.Columns
	consts  [8]float32
}

// NewForward makes a pass for the output or, pooled, for the largest of each 2x2 pixels of it.
func NewForward(set *kernel.Set, threads int, s Shape, pooled bool) *Pass {
	in, out := image{s.Height, s.Width, s.Channels}, image{s.OutHeight, s.OutWidth, s.Filters}
	p := newPass(set, threads, s.Size, in, out, [2]int{-s.Padding[0], -s.Padding[1]})
	p.pooled = pooled
	return p
}

// NewInput makes a pass for the gradient of the input, from that of the output.
func NewInput(set *kernel.Set, threads int, s Shape) *Pass {
	in, out := image{s.OutHeight, s.OutWidth, s.Filters}, image{s.Height, s.Width, s.Channels}
	p := newPass(set, threads, s.Size, in, out, [2]int{s.Padding[0] - s.Size + 1, s.Padding[1] - s.Size + 1})
	p.backward = true
	return p
}

func newPass(set *kernel.Set, threads, size int, in, out image, from [2]int) *Pass {
	p := &Pass{form: form{size}, set: set, threads: threads, out: out, blocking: set.Blocking(out.c), grid: newGrid(out), workers: make([]worker, threads)}
	p.source = source{form: p.form, in: in, from: from, grid: &p.run}
	p.run = p.grid
	for i := range p.workers {
		p.workers[i].span = kernel.Span{Count: in.c}
	}
	return p
}

// Blocks is into how many blocks filters are packed.
func (p *Pass) Blocks() int { return p.blocking.Count() }

// PackedLen is how many float32 packed filters take.
func (p *Pass) PackedLen() int { return p.planes() * p.source.in.c * p.blocking.Padded() }

// rowsOf is how many rows the matrices of so many tiles have.
func rowsOf(tiles int) int {
	return (tiles + kernel.GroupPixels - 1) / kernel.GroupPixels * kernel.GroupPixels
}

func (p *Pass) inPlane(g *grid) int { return apart(rowsOf(g.most()) * p.source.in.c) }

func (p *Pass) outPlane(g *grid) int { return apart(rowsOf(g.most()) * p.blocking.Padded()) }

// ownLen is a thread's scratch memory.
func (p *Pass) ownLen() int {
	s := p.source
	s.grid = &p.grid
	return s.bandLen() + p.planes()*(p.inPlane(&p.grid)+p.outPlane(&p.grid)) + p.edgeLen()
}

// edgeLen is a tile of the output, of which not all pixels exist.
func (p *Pass) edgeLen() int { return round(4 * p.out.c) }

func (p *Pass) biasLen() int { return round(p.blocking.Padded()) }

// Scratch is how many float32 of scratch memory Run needs.
func (p *Pass) Scratch() int { return 2*p.biasLen() + p.threads*p.ownLen() }

// Pack transforms a block of the filters w [size, size, channels, filters] to [planes, in, block].
func (p *Pass) Pack(block int, w, packed []float32) {
	cin, cout := p.source.in.c, p.out.c
	width, valid := p.blocking.Width(block), p.blocking.Valid(block)
	plane, first := cin*width, block*p.blocking.Block
	packed = packed[p.planes()*cin*first:][:p.planes()*plane]
	if valid < width {
		clear(packed)
	}
	a := kernel.Tiles{Out: unsafe.Pointer(&packed[0]), OutRow: 4 * p.tile() * plane, OutPixel: 4 * plane, OutStep: 4 * width, Count: cin}
	if !p.backward {
		a.In, a.InRow, a.InPixel, a.InStep = unsafe.Pointer(&w[first]), 4*p.size*cin*cout, 4*cin*cout, 4*cout
		p.set.Transform(p.transform(kernel.WinogradFilter), valid, &a)
		return
	}
	// The filters, turned, with channels exchanged, lie where the last of the matrices will.
	taps := p.size * p.size
	last := p.planes() - taps
	for t := range taps {
		to := packed[(last+taps-1-t)*plane:][:plane]
		for c := range valid {
			for k, v := range w[(t*cout+first+c)*cin:][:cin] {
				to[k*width+c] = v
			}
		}
	}
	a.In, a.InRow, a.InPixel, a.InStep = unsafe.Pointer(&packed[last*plane]), 4*p.size*plane, 4*plane, 4*width
	p.set.Transform(p.transform(kernel.WinogradFilter), width, &a)
}

// Run computes y of n images from x, packed filters and the bias, nil for none, and applies the activation, of a pooled pass relu or none;
// or, with add, adds what it computes to y, without bias and activation. Scratch memory holds the bias, padded to whole blocks, a bias of
// zeros, then each thread's.
func (p *Pass) Run(c *work.Caller, n int, x, packed, bias []float32, f kernel.Activation, y []float32, add bool, scratch []float32) {
	p.n, p.x, p.packed, p.y, p.scratch, p.activation, p.add = n, x, packed, y, scratch, f, add
	clear(scratch[:2*p.biasLen()])
	copy(scratch, bias[:min(p.out.c, len(bias))])
	p.run, p.shares = p.grid, 1
	if threads := c.Threads(); threads > 1 {
		for want := 4 * threads; p.run.units(n) < want && p.run.images*p.run.rows > 1 && p.run.most() > 2*kernel.GroupPixels; {
			if p.run.images > 1 {
				p.run.images = (p.run.images + 1) / 2
			} else {
				p.run.rows = (p.run.rows + 1) / 2
			}
		}
		p.shares = min(p.blocking.Count(), max(1, 2*threads/p.run.units(n)))
	}
	c.Run(p.run.units(n)*p.shares, (*passTask)(p))
	p.x, p.packed, p.y, p.scratch, p.run = nil, nil, nil, nil, p.grid
}

// passTask computes a unit, all channels or a share of them.
type passTask Pass

func (t *passTask) Do(part, id int) {
	p := (*Pass)(t)
	u := p.run.unit(part/p.shares, p.n)
	share := part % p.shares
	b0, b1 := share*p.blocking.Count()/p.shares, (share+1)*p.blocking.Count()/p.shares
	own := p.scratch[2*p.biasLen()+id*p.ownLen():][:p.ownLen()]
	band, in := own[:p.source.bandLen()], own[p.source.bandLen():]
	inPlane, outPlane := p.inPlane(&p.run), p.outPlane(&p.run)
	in, out := in[:p.planes()*inPlane], in[p.planes()*inPlane:][:p.planes()*outPlane]
	p.source.take(p.set, u, p.x, band, in, inPlane)
	w := &p.workers[id]
	for plane := range p.planes() {
		for b := b0; b < b1; b++ {
			p.product(w, u.images*u.rows*p.run.tiles[1], plane, b, in[plane*inPlane:], out[plane*outPlane:])
		}
	}
	p.finish(w, u, b0, b1, out, outPlane, own[len(own)-p.edgeLen():])
}

// product multiplies one of the matrices of the input's tiles by a block of the filters'.
func (p *Pass) product(w *worker, tiles, plane, block int, in, out []float32) {
	const pixels = kernel.GroupPixels
	set, cin, columns := p.set, p.source.in.c, p.blocking.Padded()
	first, width := block*p.blocking.Block, p.blocking.Width(block)
	t := &w.tile
	t.W = unsafe.Pointer(&p.packed[p.planes()*cin*first+plane*cin*width])
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
func (p *Pass) finish(w *worker, u unit, b0, b1 int, from []float32, plane int, edge []float32) {
	columns, o, all := p.blocking.Padded(), p.out, p.run.tiles[1]
	first := b0 * p.blocking.Block
	channels := min(b1*p.blocking.Block, o.c) - first
	for i := range u.images * u.rows {
		img, r := u.image+i/u.rows, u.first+i%u.rows
		y := p.y[img*p.outLen():][:p.outLen()]
		a := kernel.Tiles{InRow: 4 * p.tile() * plane, InPixel: 4 * plane, InStep: 4 * columns, Bias: unsafe.Pointer(&p.scratch[first]), Low: p.low()}
		whole := o.w / 2
		if 2*r+1 == o.h {
			whole = 0
		}
		if whole > 0 {
			a.In, a.Count = unsafe.Pointer(&from[i*all*columns+first]), whole
			p.whole(&a, y[first:], r, channels)
		}
		for t := whole; t < all && !p.pooled; t++ {
			a.In, a.Count = unsafe.Pointer(&from[(i*all+t)*columns+first]), 1
			p.edge(w, &a, y[first:], edge, r, t, channels)
		}
	}
	if p.activation.Linear() || p.activation.Relu() {
		return
	}
	for i := range u.images {
		at := ((u.image+i)*o.h + 2*u.first) * o.w * o.c
		for b := b0; b < b1; b++ { // which numbers are computed together must not depend on how blocks are shared
			w.activate(p.set, p.activation, p.y[at+b*p.blocking.Block:], p.blocking.Valid(b), min(2*u.rows, o.h-2*u.first)*o.w, o.c)
		}
	}
}

// outLen is an image's numbers in y.
func (p *Pass) outLen() int {
	if p.pooled {
		return p.out.h / 2 * (p.out.w / 2) * p.out.c
	}
	return p.out.size()
}

// low is what outputs are at least.
func (p *Pass) low() float32 {
	if p.activation.Relu() {
		return 0
	}
	return float32(math.Inf(-1))
}

// whole transforms the first tiles of a row of them, all of whose pixels exist.
func (p *Pass) whole(a *kernel.Tiles, y []float32, row, channels int) {
	o, t := p.out, kernel.WinogradOutput
	a.OutRow, a.OutPixel, a.OutStep = 4*o.w*o.c, 4*o.c, 8*o.c
	at := 2 * row * o.w * o.c
	switch {
	case p.add:
		t = kernel.WinogradOutputAdd
	case p.pooled:
		t, at, a.OutStep = kernel.WinogradOutputMax, row*(o.w/2)*o.c, 4*o.c
	}
	a.Out = unsafe.Pointer(&y[at])
	p.set.Transform(p.transform(t), channels, a)
}

// edge transforms a tile some of whose pixels don't exist, by way of memory of its own.
func (p *Pass) edge(w *worker, a *kernel.Tiles, y, own []float32, row, tile, channels int) {
	o := p.out
	a.Out, a.OutRow, a.OutPixel = unsafe.Pointer(&own[0]), 8*o.c, 4*o.c
	p.set.Transform(p.transform(kernel.WinogradOutput), channels, a)
	for i := range min(2, o.h-2*row) {
		for k := range min(2, o.w-2*tile) {
			to, from := y[((2*row+i)*o.w+2*tile+k)*o.c:][:channels], own[(2*i+k)*o.c:][:channels]
			if !p.add {
				copy(to, from)
				continue
			}
			c := &w.columns
			c.Ptr[0], c.Ptr[1] = unsafe.Pointer(&to[0]), unsafe.Pointer(&from[0])
			p.set.Flat(kernel.OpAddTo, channels, c)
		}
	}
}

func (w *worker) activate(set *kernel.Set, f kernel.Activation, y []float32, channels, pixels, step int) {
	forward, _ := f.Ops()
	a := &w.columns
	w.consts[0] = f.Slope
	a.Consts, a.Rows = &w.consts, pixels
	for k := range 2 {
		a.Ptr[k], a.Stride[k] = unsafe.Pointer(&y[0]), 4*step
	}
	set.Columns(forward, channels, a)
}
