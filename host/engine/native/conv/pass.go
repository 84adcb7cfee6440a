package conv

import (
	"math"
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// image is height, width and channels.
type image struct{ h, w, c int }

func (m image) size() int { return m.h * m.w * m.c }

// tap is a filter's pixel, and where the input lies that it is multiplied with, from the first such pixel on.
type tap struct {
	kernel [2]int
	at     [2]int
}

// pass computes positions of an output, each from the input's pixels under some taps. The forward direction is one pass; the
// gradient of the input is a pass for each of stride by stride places, over the output's gradient with channels exchanged.
type pass struct {
	ctx      Context
	in, out  image
	from     [2]int // the input's pixel under the first tap at the first position; may lie outside
	step     [2]int // in the input, from position to position
	count    [2]int // positions
	place    [2]int // of the first position, in the output
	stride   [2]int // in the output
	taps     []tap
	extent   [2]int // pixels that all taps reach over
	groups   int
	cin      int // channels of a group
	cout     int
	backward bool // filters are read with channels exchanged
	pooled   bool // the largest of 2x2 positions are all that is wanted

	padded   bool            // bands of the input are copied, with zeros around them
	rowWidth int             // pixels from row to row of what is read
	k        int             // input values of an output value
	blocking kernel.Blocking // of a group's output channels
	blocks   int
	spans    []kernel.Span
	parts    []segment
	maxRows  int // of a band
	workers  []worker

	// Of a run:
	n, bandRows, bands, shares int
	x, packed, y               []float32
	bias, scratch              []float32
	activation                 kernel.Activation
	add                        bool // to what is there
}

// segment is what one call of a kernel sums over.
type segment struct{ first, spans, k, before int }

// worker is what a thread works with.
type worker struct {
	tile     kernel.Tile
	columns  kernel.Columns
	consts   [8]float32
	in, out  []float32 // what is read, and written
	firstOut int       // row of positions in out
	band     []float32
	temp     []float32
	// A block's:
	width, valid int  // its channels, and those that exist
	channel      int  // its first channel
	pixels       int  // valid ones of a group
	apart        bool // tiles aren't computed where they belong
	inStep       int  // from pixel to pixel
	outStep      int
}

// prepare derives the rest.
func (p *pass) prepare() {
	p.k = len(p.taps) * p.cin
	p.blocking = p.ctx.Set.Blocking(p.cout)
	p.blocks = p.blocking.Count()
	low, high := p.from, p.from
	for i := range 2 {
		for _, t := range p.taps {
			p.extent[i] = max(p.extent[i], t.at[i]+1)
		}
		high[i] += (p.count[i]-1)*p.step[i] + p.extent[i]
	}
	p.padded = low[0] < 0 || low[1] < 0 || high[0] > p.in.h || high[1] > p.in.w || p.count[1] < kernel.GroupPixels
	p.rowWidth = p.in.w
	if p.padded {
		p.rowWidth = (max(p.count[1], kernel.GroupPixels)-1)*p.step[1] + p.extent[1]
	}
	p.prepareSpans()
	const bandFloats = 48 << 10
	row := p.rowWidth * p.in.c * p.step[0]
	p.maxRows = min(max(1, bandFloats/row), p.count[0])
	if p.pooled {
		p.maxRows = max(2, min(p.maxRows, bandFloats/(p.out.w*p.out.c))&^1)
	}
	p.workers = make([]worker, p.ctx.Threads)
}

// adds tells whether a run may add to what is there: no pixel is computed twice.
func (p *pass) adds() bool {
	return p.count[1] < kernel.GroupPixels || p.count[1]%kernel.GroupPixels == 0
}

// prepareSpans joins taps whose inputs lie side by side, and divides what is too long for one call.
func (p *pass) prepareSpans() {
	limit := p.ctx.Set.Budget()
	for i := 0; i < len(p.taps); {
		t, n := p.taps[i], 1
		for ; p.groups == 1 && i+n < len(p.taps) && p.taps[i+n].at == [2]int{t.at[0], t.at[1] + n}; n++ {
		}
		i += n
		offset := (t.at[0]*p.rowWidth + t.at[1]) * p.in.c
		for rest := n * p.cin; rest > 0; {
			c := min(rest, limit)
			p.spans = append(p.spans, kernel.Span{Offset: 4 * offset, Count: c})
			offset += c
			rest -= c
		}
	}
	var s segment
	for i, span := range p.spans {
		if s.k > 0 && s.k+span.Count > limit {
			p.parts = append(p.parts, s)
			s = segment{first: i, before: s.before + s.k}
		}
		s.spans++
		s.k += span.Count
	}
	p.parts = append(p.parts, s)
}

// groupLen is how many numbers a group's packed filters have.
func (p *pass) groupLen() int { return p.blocking.Padded() * p.k }

func (p *pass) packedLen() int { return p.groups * p.groupLen() }

// bandLen is the most that a band of the input takes, a group's last pixels beyond it included.
func (p *pass) bandLen() int {
	if !p.padded {
		return 0
	}
	rows := (p.maxRows-1)*p.step[0] + p.extent[0]
	return round(rows*p.rowWidth*p.in.c + 64)
}

func (p *pass) tempLen() int { return p.ctx.Set.Groups * kernel.GroupPixels * p.ctx.Set.Block }

// pooledLen is the most that a band of the output takes that is pooled.
func (p *pass) pooledLen() int {
	if !p.pooled {
		return 0
	}
	return round(p.maxRows * p.out.w * p.out.c)
}

func (p *pass) ownLen() int { return p.bandLen() + p.tempLen() + p.pooledLen() }

func (p *pass) scratchLen() int {
	return round(p.groups*p.blocking.Padded()) + p.ctx.Threads*p.ownLen()
}

// round is the next multiple of a cache line's 16 numbers.
func round(n int) int { return (n + 15) &^ 15 }

// pack brings filters into the order in which tiles read them: for each group and block of output channels, tap after tap and
// input channel after input channel, a block's channels side by side. Filters have inner channels side by side.
func (p *pass) pack(part int, w []float32, kernelWidth, filters int, packed []float32) {
	g, b := part/p.blocks, part%p.blocks
	width, first := p.blocking.Width(b), b*p.ctx.Set.Block
	valid := p.blocking.Valid(b)
	packed = packed[g*p.groupLen()+first*p.k:][:p.k*width]
	if valid < width {
		clear(packed)
	}
	for i, t := range p.taps {
		to := packed[i*p.cin*width:][:p.cin*width]
		at := t.kernel[0]*kernelWidth + t.kernel[1]
		if p.backward { // [cout, cin] of the direction, cin side by side
			for c := range valid {
				from := w[(at*p.cout+first+c)*filters+g*p.cin:][:p.cin]
				for k, v := range from {
					to[k*width+c] = v
				}
			}
			continue
		}
		for k := range p.cin {
			copy(to[k*width:][:valid], w[(at*p.cin+k)*filters+g*p.cout+first:])
		}
	}
}

// run computes n images. Scratch memory holds the bias, padded to whole blocks, then each thread's.
func (p *pass) run(c *work.Caller, t work.Task, n int, bias []float32) {
	threads := c.Threads()
	p.n, p.bandRows, p.shares = n, p.maxRows, 1
	want := 1
	if threads > 1 {
		want = 4 * threads
	}
	p.bands = (p.count[0] + p.bandRows - 1) / p.bandRows
	if units := n * p.bands; units < want {
		if p.k*p.cout*p.groups > p.in.size() {
			p.shares = min(p.blocks, (want+units-1)/units)
		}
		need := (want + n*p.shares - 1) / (n * p.shares)
		p.bandRows = max(1, min(p.bandRows, (p.count[0]+need-1)/need))
		if p.count[1] <= 2*kernel.GroupPixels && p.bandRows%2 == 1 && p.ctx.Set.Groups == 2 {
			p.bandRows = min(p.bandRows+1, p.maxRows)
		}
		if p.pooled {
			p.bandRows = max(2, p.bandRows&^1)
		}
	}
	p.bands = (p.count[0] + p.bandRows - 1) / p.bandRows
	p.bias = p.scratch[:p.groups*p.blocking.Padded()]
	clear(p.bias)
	if bias != nil {
		for g := range p.groups {
			copy(p.bias[g*p.blocking.Padded():], bias[g*p.cout:][:p.cout])
		}
	}
	c.Run(n*p.bands*p.shares, t)
}

// Do computes a band of an image, all channels or a share of them.
func (p *pass) do(part, id int) {
	w := &p.workers[id]
	share := part % p.shares
	band := part / p.shares % p.bands
	img := part / p.shares / p.bands
	first, last := band*p.bandRows, min((band+1)*p.bandRows, p.count[0])
	own := p.scratch[round(p.groups*p.blocking.Padded())+id*p.ownLen():][:p.ownLen()]
	w.temp, w.band = own[:p.tempLen()], own[p.tempLen():][:p.bandLen()]
	w.in = p.x[img*p.in.size():][:p.in.size()]
	if w.firstOut = 0; p.pooled {
		w.out, w.firstOut = own[p.tempLen()+p.bandLen():], first
	} else {
		w.out = p.y[img*p.out.size():][:p.out.size()]
	}
	base := (p.from[0]+first*p.step[0])*p.in.w + p.from[1]
	if p.padded {
		p.copyBand(w, first, last)
		w.in, base = w.band, 0
	}
	b0, b1 := share*p.blocks/p.shares, (share+1)*p.blocks/p.shares
	for g := range p.groups {
		for b := b0; b < b1; b++ {
			p.block(w, g, b, base*p.in.c+g*p.cin, first, last)
		}
	}
	if p.pooled {
		p.pool(w, img, b0, b1, first, last)
	} else if !p.activation.Linear() && !p.activation.Relu() {
		p.activate(w, b0, b1, first, last)
	}
}

// pool brings the largest of each 2x2 pixels of a band of the output to its place.
func (p *pass) pool(w *worker, img, b0, b1, first, last int) {
	c, half := p.out.c, p.out.w/2
	y := p.y[img*(p.out.h/2)*half*c:]
	a := &w.columns
	for g := range p.groups {
		channel := g*p.cout + b0*p.blocking.Block
		n := min(b1*p.blocking.Block, p.cout) - b0*p.blocking.Block
		for r := first; r+1 < last; r += 2 {
			from := (r-first)*p.out.w*c + channel
			a.Rows = half
			a.Ptr[0], a.Stride[0] = unsafe.Pointer(&y[r/2*half*c+channel]), 4*c
			for i := range 4 {
				a.Ptr[1+i], a.Stride[1+i] = unsafe.Pointer(&w.out[from+(i/2*p.out.w+i%2)*c]), 8*c
			}
			p.ctx.Set.Columns(kernel.OpMax4, n, a)
		}
	}
}

// copyBand copies the input's rows under some positions, with zeros where there is no input.
func (p *pass) copyBand(w *worker, first, last int) {
	c := p.in.c
	left := min(max(0, -p.from[1]), p.rowWidth)
	right := max(left, min(p.rowWidth, p.in.w-p.from[1]))
	rows := (last-1-first)*p.step[0] + p.extent[0]
	for r := range rows {
		to := w.band[r*p.rowWidth*c:][:p.rowWidth*c]
		y := p.from[0] + first*p.step[0] + r
		if y < 0 || y >= p.in.h || left == right {
			clear(to)
			continue
		}
		clear(to[:left*c])
		copy(to[left*c:right*c], w.in[(y*p.in.w+p.from[1]+left)*c:])
		clear(to[right*c:])
	}
	clear(w.band[rows*p.rowWidth*c:][:min(64, len(w.band)-rows*p.rowWidth*c)])
}

// block computes a block of output channels at the positions of some rows. Groups of pixels that are left at a row's end are paired
// with the next row's; one that doesn't fit begins earlier, and computes some pixels a second time.
func (p *pass) block(w *worker, group, block, base, first, last int) {
	const pixels = kernel.GroupPixels
	set := p.ctx.Set
	p.begin(w, group, block)
	pending, pendingOut := -1, 0
	for r := first; r < last; r++ {
		in := base + (r-first)*p.step[0]*p.rowWidth*p.in.c
		out := ((p.place[0]+(r-w.firstOut)*p.stride[0])*p.out.w+p.place[1])*p.out.c + w.channel
		x := 0
		if whole := pixels * set.Groups; p.count[1] >= whole {
			n := p.count[1] / whole
			second := (set.Groups - 1) * pixels
			p.tiles(w, set.Groups, n, in, in+second*w.inStep, out, out+second*w.outStep)
			x = n * whole
		}
		for ; x < p.count[1]; x += pixels {
			at := max(0, min(x, p.count[1]-pixels))
			switch {
			case set.Groups == 1:
				p.tiles(w, 1, 1, in+at*w.inStep, 0, out+at*w.outStep, 0)
			case pending < 0:
				pending, pendingOut = in+at*w.inStep, out+at*w.outStep
			default:
				p.tiles(w, 2, 1, pending, in+at*w.inStep, pendingOut, out+at*w.outStep)
				pending = -1
			}
		}
	}
	if pending >= 0 {
		p.tiles(w, 1, 1, pending, 0, pendingOut, 0)
	}
}

// begin sets what all tiles of a block share.
func (p *pass) begin(w *worker, group, block int) {
	first := block * p.ctx.Set.Block
	w.width = p.blocking.Width(block)
	w.valid = p.blocking.Valid(block)
	w.channel = group*p.cout + first
	w.pixels = min(kernel.GroupPixels, p.count[1])
	w.inStep, w.outStep = p.step[1]*p.in.c, p.stride[1]*p.out.c
	t := &w.tile
	t.W = unsafe.Pointer(&p.packed[group*p.groupLen()+first*p.k])
	t.Bias = unsafe.Pointer(&p.bias[group*p.blocking.Padded()+first])
	t.InPixel = 4 * w.inStep
}

// tiles computes n tiles in a row of pixels.
func (p *pass) tiles(w *worker, groups, n, in0, in1, out0, out1 int) {
	t := &w.tile
	step := groups * kernel.GroupPixels
	if w.apart = p.apart(w); !w.apart {
		t.Skip = uint32(w.width - w.valid)
		atOnce := 1
		if len(p.parts) == 1 {
			atOnce = max(1, p.ctx.Set.Budget()/p.k)
		}
		t.OutPixel = 4 * w.outStep
		t.InStep, t.OutStep = 4*step*w.inStep, 4*step*w.outStep
		for n > 0 {
			count := min(n, atOnce)
			t.In[0], t.Out[0] = unsafe.Pointer(&w.in[in0]), unsafe.Pointer(&w.out[out0])
			if groups == 2 {
				t.In[1], t.Out[1] = unsafe.Pointer(&w.in[in1]), unsafe.Pointer(&w.out[out1])
			}
			p.call(w, groups, count)
			n -= count
			in0, in1 = in0+count*step*w.inStep, in1+count*step*w.inStep
			out0, out1 = out0+count*step*w.outStep, out1+count*step*w.outStep
		}
		return
	}
	t.OutPixel, t.Skip = 4*w.width, 0
	for i := range n {
		move := i * step
		second := kernel.GroupPixels * w.width
		t.In[0], t.Out[0] = unsafe.Pointer(&w.in[in0+move*w.inStep]), unsafe.Pointer(&w.temp[0])
		if groups == 2 {
			t.In[1], t.Out[1] = unsafe.Pointer(&w.in[in1+move*w.inStep]), unsafe.Pointer(&w.temp[second])
		}
		p.call(w, groups, 1)
		w.keep(w.temp, out0+move*w.outStep, p.add)
		if groups == 2 {
			w.keep(w.temp[second:], out1+move*w.outStep, p.add)
		}
	}
}

// apart tells whether tiles are computed in memory of their own: not all their channels or pixels exist, or what is computed twice would
// be added twice.
func (p *pass) apart(w *worker) bool {
	return w.valid < w.width && !p.ctx.Set.Masks || w.pixels < kernel.GroupPixels || len(p.parts) > 1 && !p.adds()
}

// keep copies the part of a tile that exists, or adds it to what is there.
func (w *worker) keep(tile []float32, at int, add bool) {
	for i := range w.pixels {
		if add {
			to := w.out[at+i*w.outStep:][:w.valid]
			for c, v := range tile[i*w.width:][:w.valid] {
				to[c] += v
			}
			continue
		}
		copy(w.out[at+i*w.outStep:][:w.valid], tile[i*w.width:])
	}
}

// call runs the kernel over all that is to be summed.
func (p *pass) call(w *worker, groups, count int) {
	t := &w.tile
	weights := t.W
	for i := range p.parts {
		s := &p.parts[i]
		t.Spans, t.NSpans, t.Count = &p.spans[s.first], s.spans, count
		t.W = unsafe.Add(weights, 4*s.before*w.width)
		t.Add, t.Low = 0, float32(math.Inf(-1))
		if i > 0 || p.add && !w.apart {
			t.Add = 1
		}
		if i == len(p.parts)-1 && p.activation.Relu() {
			t.Low = 0
		}
		p.ctx.Set.Tile(groups, w.width < p.ctx.Set.Block, t)
	}
	t.W = weights
}

// activate applies a function that tiles don't know to what was computed, block by block: which numbers are computed together must not
// depend on how blocks are shared.
func (p *pass) activate(w *worker, b0, b1, first, last int) {
	forward, _ := p.activation.Ops()
	a := &w.columns
	w.consts[0] = p.activation.Slope
	a.Consts = &w.consts
	for i := range p.groups * (b1 - b0) {
		c := (b0 + i%(b1-b0)) * p.ctx.Set.Block
		n := min(p.ctx.Set.Block, p.cout-c)
		for r := first; r < last; r++ {
			at := ((p.place[0]+r*p.stride[0])*p.out.w+p.place[1])*p.out.c + i/(b1-b0)*p.cout + c
			a.Rows = p.count[1]
			for k := range 2 {
				a.Ptr[k], a.Stride[k] = unsafe.Pointer(&w.out[at]), 4*p.stride[1]*p.out.c
			}
			p.ctx.Set.Columns(forward, n, a)
		}
	}
}
