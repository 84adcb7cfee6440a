package conv

import (
	"fmt"

	"github.com/fkzoo/fkzoo/host/engine/native/conv/winograd"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Forward is a convolution's output.
type Forward struct {
	g        Geometry
	pooled   bool
	pass     pass
	depth    *depthwise     // nil: the pass does it
	winograd *winograd.Pass // the same
	packTask
}

// NewForward prepares the forward direction.
func NewForward(ctx Context, g Geometry) (*Forward, error) { return newForward(ctx, g, false) }

// NewPooled prepares the forward direction with a max-pool behind it, of windows of 2x2 without padding, whose output is the result.
// The output must be of 2x2 pixels at least, and no group of one channel.
func NewPooled(ctx Context, g Geometry) (*Forward, error) {
	if h, w := g.Out(); !Pools(g) {
		return nil, fmt.Errorf("convolution: found an output of %dx%d and %d groups, want one that can be pooled", h, w, g.Groups)
	}
	return newForward(ctx, g, true)
}

// Pools tells whether [NewPooled] can be made for a geometry.
func Pools(g Geometry) bool {
	h, w := g.Out()
	return h > 1 && w > 1 && !g.depthwise()
}

func newForward(ctx Context, g Geometry, pooled bool) (*Forward, error) {
	g, err := g.normal()
	if err != nil {
		return nil, err
	}
	h, w := g.Out()
	f := &Forward{g: g, pooled: pooled, depth: newDepthwise(ctx, g)}
	p := &f.pass
	if s := g.winograd(); s.Fits(ctx.Set) {
		p.ctx = ctx
		f.winograd = winograd.NewForward(ctx.Set, ctx.Threads, s, pooled)
		f.packTask = packTask{g: &f.g, winograd: f.winograd}
		return f, nil
	}
	*p = pass{
		ctx: ctx, in: image{g.Height, g.Width, g.Channels}, out: image{h, w, g.Filters},
		from: [2]int{-g.Padding[0][0], -g.Padding[1][0]}, step: g.Stride, count: [2]int{h, w}, stride: [2]int{1, 1},
		groups: g.Groups, cin: g.Channels / g.Groups, cout: g.Filters / g.Groups,
	}
	p.pooled = pooled
	if g.pointwise() && !pooled {
		p.count = rearranged(h * w)
		p.in, p.out = image{p.count[0], p.count[1], g.Channels}, image{p.count[0], p.count[1], g.Filters}
	}
	for y := range g.Kernel[0] {
		for x := range g.Kernel[1] {
			p.taps = append(p.taps, tap{[2]int{y, x}, [2]int{y * g.Dilation[0], x * g.Dilation[1]}})
		}
	}
	p.prepare()
	f.packTask = packTask{g: &f.g, passes: []*pass{p}, asIs: f.depth != nil}
	return f, nil
}

// pointwise tells whether pixels are rows of a matrix, so that they may stand in rows of any length.
func (g *Geometry) pointwise() bool {
	return g.Kernel == [2]int{1, 1} && g.Stride == [2]int{1, 1} && g.Padding == [2][2]int{}
}

// rearranged gives pixels the rows that waste the least of their last groups, as many of them as there can be of some length.
func rearranged(pixels int) [2]int {
	const long = 8 * kernel.GroupPixels
	best, most := [2]int{1, pixels}, 0.0
	for rows := 1; rows <= max(1, pixels/long); rows++ {
		if pixels%rows != 0 {
			continue
		}
		width := pixels / rows
		groups := (width + kernel.GroupPixels - 1) / kernel.GroupPixels
		if useful := float64(width) / float64(groups*kernel.GroupPixels); useful >= most {
			best, most = [2]int{rows, width}, useful
		}
	}
	return best
}

// Scratch is how many float32 of scratch memory Run needs.
func (f *Forward) Scratch() int {
	switch {
	case f.depth != nil:
		return 0
	case f.winograd != nil:
		return f.winograd.Scratch()
	}
	return f.pass.scratchLen()
}

// outSize is an image's numbers in y.
func (f *Forward) outSize() int {
	if h, w := f.g.Out(); f.pooled {
		return h / 2 * (w / 2) * f.g.Filters
	}
	return f.g.outSize()
}

// Run computes y [n, out height, out width, filters], or what is pooled of it, from x [n, height, width, channels], packed filters and the bias [filters],
// nil for none; then applies the activation.
func (f *Forward) Run(c *work.Caller, n int, x, packed, bias []float32, a kernel.Activation, y, scratch []float32) error {
	p := &f.pass
	if err := p.ctx.check(c); err != nil {
		return err
	}
	if err := checkSizes(n, size{"x", len(x), n * f.g.inSize()}, size{"packed filters", len(packed), f.PackedLen()},
		size{"y", len(y), n * f.outSize()}, size{"scratch memory", len(scratch), f.Scratch()}); err != nil {
		return err
	}
	if f.pooled && !a.Linear() && !a.Relu() {
		return fmt.Errorf("convolution: found the activation %s before a pool, want none or relu", a.Name)
	}
	if bias != nil && len(bias) < f.g.Filters {
		return checkSizes(n, size{"bias", len(bias), f.g.Filters})
	}
	if f.depth != nil {
		f.depth.forward(c, n, x, packed, bias, a, y)
		return nil
	}
	if f.winograd != nil {
		f.winograd.Run(c, n, x, packed, bias, a, y, false, scratch)
		return nil
	}
	p.x, p.packed, p.y, p.scratch, p.activation = x, packed, y, scratch, a
	p.run(c, (*forwardTask)(f), n, bias)
	p.x, p.packed, p.y, p.scratch, p.bias = nil, nil, nil, nil, nil
	return nil
}

type forwardTask Forward

func (f *forwardTask) Do(part, worker int) { f.pass.do(part, worker) }

// packTask packs filters for some passes.
type packTask struct {
	g         *Geometry
	passes    []*pass
	winograd  *winograd.Pass // in their place
	asIs      bool           // filters stay as they are
	w, packed []float32
}

// PackedLen is how many float32 packed filters take.
func (t *packTask) PackedLen() int {
	if t.asIs {
		return t.g.filterSize()
	}
	if t.winograd != nil {
		return t.winograd.PackedLen()
	}
	n := 0
	for _, p := range t.passes {
		n += p.packedLen()
	}
	return n
}

// Pack brings filters w [kernel height, kernel width, in/groups, filters] into the order that Run reads. It is needed once for each
// change of the filters.
func (t *packTask) Pack(c *work.Caller, w, packed []float32) error {
	if err := checkSizes(1, size{"filters", len(w), t.g.filterSize()}, size{"packed filters", len(packed), t.PackedLen()}); err != nil {
		return err
	}
	if t.asIs {
		copy(packed, w[:t.g.filterSize()])
		return nil
	}
	t.w, t.packed = w, packed
	parts := 0
	if t.winograd != nil {
		parts = t.winograd.Blocks()
	}
	for _, p := range t.passes {
		parts += p.groups * p.blocks
	}
	c.Run(parts, t)
	t.w, t.packed = nil, nil
	return nil
}

// Do packs a block.
func (t *packTask) Do(part, _ int) {
	if t.winograd != nil {
		t.winograd.Pack(part, t.w, t.packed)
		return
	}
	to := t.packed
	for _, p := range t.passes {
		if parts := p.groups * p.blocks; part >= parts {
			part -= parts
			to = to[p.packedLen():]
			continue
		}
		p.pack(part, t.w, t.g.Kernel[1], t.g.Filters, to[:p.packedLen()])
		return
	}
}
