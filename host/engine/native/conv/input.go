package conv

import (
	"slices"

	"github.com/fkzoo/fkzoo/host/engine/native/conv/winograd"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Input is the gradient of a convolution's input.
type Input struct {
	g        Geometry
	passes   []*pass
	bare     [][2]int // places that no tap reaches: their gradient is 0
	dx       []float32
	n        int
	depth    *depthwise     // nil: the passes do it
	winograd *winograd.Pass // the same
	ctx      Context
	packTask
}

// NewInput prepares the gradient of the input. Pixels of the input a stride apart see the same taps; for each such place, the
// gradient is a convolution of the output's gradient with these taps, turned.
func NewInput(ctx Context, g Geometry) (*Input, error) {
	g, err := g.normal()
	if err != nil {
		return nil, err
	}
	d := &Input{g: g, ctx: ctx, depth: newDepthwise(ctx, g)}
	if d.depth != nil {
		d.packTask = packTask{g: &d.g, asIs: true}
		return d, nil
	}
	if s := g.winograd(); s.Fits(ctx.Set) {
		d.winograd = winograd.NewInput(ctx.Set, ctx.Threads, s)
		d.packTask = packTask{g: &d.g, winograd: d.winograd}
		return d, nil
	}
	for y := range min(g.Stride[0], g.Height) {
		for x := range min(g.Stride[1], g.Width) {
			if p := d.place(ctx, [2]int{y, x}); p != nil {
				d.passes = append(d.passes, p)
			} else {
				d.bare = append(d.bare, [2]int{y, x})
			}
		}
	}
	d.packTask = packTask{g: &d.g, passes: d.passes}
	return d, nil
}

// axisTap is a filter's row or column, and the output's from which it sees the input.
type axisTap struct{ kernel, at int }

// axisTaps are those of a place along an axis: with i*dilation = place + padding (mod stride), the input place + stride*u is seen
// from the output u + (place + padding - i*dilation)/stride.
func (g *Geometry) axisTaps(axis, place int) []axisTap {
	var list []axisTap
	for i := range g.Kernel[axis] {
		if at := place + g.Padding[axis][0] - i*g.Dilation[axis]; at%g.Stride[axis] == 0 {
			list = append(list, axisTap{i, at / g.Stride[axis]})
		}
	}
	slices.Reverse(list) // in the order of the output
	return list
}

// place is the pass for a place, nil if no tap reaches it.
func (d *Input) place(ctx Context, place [2]int) *pass {
	g := &d.g
	rows, cols := g.axisTaps(0, place[0]), g.axisTaps(1, place[1])
	if len(rows) == 0 || len(cols) == 0 {
		return nil
	}
	h, w := g.Out()
	p := &pass{
		ctx: ctx, in: image{h, w, g.Filters}, out: image{g.Height, g.Width, g.Channels},
		from: [2]int{rows[0].at, cols[0].at}, step: [2]int{1, 1},
		count: [2]int{(g.Height-place[0]-1)/g.Stride[0] + 1, (g.Width-place[1]-1)/g.Stride[1] + 1},
		place: place, stride: g.Stride, groups: g.Groups, cin: g.Filters / g.Groups, cout: g.Channels / g.Groups, backward: true,
	}
	for _, y := range rows {
		for _, x := range cols {
			p.taps = append(p.taps, tap{[2]int{y.kernel, x.kernel}, [2]int{y.at - p.from[0], x.at - p.from[1]}})
		}
	}
	if g.pointwise() {
		p.count = rearranged(h * w)
		p.in, p.out = image{p.count[0], p.count[1], g.Filters}, image{p.count[0], p.count[1], g.Channels}
	}
	p.prepare()
	return p
}

// Scratch is how many float32 of scratch memory Run needs.
func (d *Input) Scratch() int {
	if d.winograd != nil {
		return d.winograd.Scratch()
	}
	n := 0
	for _, p := range d.passes {
		n = max(n, p.scratchLen())
	}
	return n
}

// Adds tells whether Run can add to what is in dx.
func (d *Input) Adds() bool {
	for _, p := range d.passes {
		if !p.adds() {
			return false
		}
	}
	return d.depth == nil
}

// Run computes dx [n, height, width, channels] from dy [n, out height, out width, filters] and filters packed for this direction. With
// add it adds to what is there, which [Input.Adds] must allow.
func (d *Input) Run(c *work.Caller, n int, dy, packed, dx []float32, add bool, scratch []float32) error {
	if add && !d.Adds() {
		return errAdd
	}
	if err := d.ctx.check(c); err != nil {
		return err
	}
	if err := checkSizes(n, size{"dy", len(dy), n * d.g.outSize()}, size{"packed filters", len(packed), d.PackedLen()},
		size{"dx", len(dx), n * d.g.inSize()}, size{"scratch memory", len(scratch), d.Scratch()}); err != nil {
		return err
	}
	if d.depth != nil {
		d.depth.inputGradient(c, n, dy, packed, dx)
		return nil
	}
	if d.winograd != nil {
		d.winograd.Run(c, n, dy, packed, nil, kernel.Activation{}, dx, add, scratch)
		return nil
	}
	if len(d.bare) > 0 && !add {
		d.dx, d.n = dx, n
		c.Run(n, (*bareTask)(d))
		d.dx = nil
	}
	for _, p := range d.passes {
		p.x, p.packed, p.y, p.scratch, p.add = dy, packed[:p.packedLen()], dx, scratch, add
		packed = packed[p.packedLen():]
		p.run(c, (*passTask)(p), n, nil)
		p.x, p.packed, p.y, p.scratch, p.bias = nil, nil, nil, nil, nil
	}
	return nil
}

type passTask pass

func (p *passTask) Do(part, worker int) { (*pass)(p).do(part, worker) }

// bareTask sets the places to zero that no tap reaches.
type bareTask Input

func (d *bareTask) Do(part, _ int) {
	g := &d.g
	img := d.dx[part*g.inSize():][:g.inSize()]
	for _, place := range d.bare {
		for y := place[0]; y < g.Height; y += g.Stride[0] {
			for x := place[1]; x < g.Width; x += g.Stride[1] {
				clear(img[(y*g.Width+x)*g.Channels:][:g.Channels])
			}
		}
	}
}
