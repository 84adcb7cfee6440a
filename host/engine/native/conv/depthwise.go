package conv

import (
	"unsafe"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// depthwise is a convolution whose groups have one channel and one filter each: there is nothing to sum over but the taps, so channels
// lie side by side in vectors, and each tap is a pass over a row.
type depthwise struct {
	g       Geometry
	set     *kernel.Set
	out     image
	workers []depthwiseWorker
	cols    []tapRange // the part of a row that sees the image under each of the kernel's columns

	n, parts                    int
	x, w, bias, y, dy, dx, sums []float32
	f                           kernel.Activation
}

type depthwiseWorker struct {
	columns kernel.Columns
	consts  [8]float32
}

// tapRange is the positions from first to before last whose tap lies inside the image.
type tapRange struct{ first, last int }

// depthwise tells whether each channel has a filter of its own.
func (g Geometry) depthwise() bool {
	return g.Groups > 1 && g.Groups == g.Channels && g.Groups == g.Filters
}

// newDepthwise gives nil for other geometries.
func newDepthwise(ctx Context, g Geometry) *depthwise {
	if !g.depthwise() {
		return nil
	}
	h, w := g.Out()
	d := &depthwise{g: g, set: ctx.Set, out: image{h, w, g.Filters}, workers: make([]depthwiseWorker, ctx.Threads)}
	for j := range g.Kernel[1] {
		r := tapRange{0, w}
		for r.first < w && d.input(1, r.first, j) < 0 {
			r.first++
		}
		for r.last > r.first && d.input(1, r.last-1, j) >= g.Width {
			r.last--
		}
		d.cols = append(d.cols, r)
	}
	return d
}

// input is the input's row or column under a tap.
func (d *depthwise) input(axis, position, tap int) int {
	return position*d.g.Stride[axis] + tap*d.g.Dilation[axis] - d.g.Padding[axis][0]
}

// do is an operation over the positions of a row that see the input under a tap: of some numbers of the input's, of the output's, and
// of a tap's channels. With turned the output's come first.
func (d *depthwise) do(id int, op kernel.Op, in, out, channels []float32, turned bool, tap int, r tapRange) {
	c := d.g.Channels
	w := &d.workers[id]
	a := &w.columns
	a.Consts, a.Rows = &w.consts, r.last-r.first
	i, o := 0, 1
	if turned {
		i, o = 1, 0
	}
	a.Ptr[i], a.Stride[i] = unsafe.Pointer(&in[d.input(1, r.first, tap)*c]), 4*d.g.Stride[1]*c
	a.Ptr[o], a.Stride[o] = unsafe.Pointer(&out[r.first*c]), 4*c
	a.Ptr[2] = unsafe.Pointer(&channels[0])
	d.set.Columns(op, c, a)
}

// row does an operation for all taps that see the input from a row of the output.
func (d *depthwise) row(id int, op kernel.Op, row int, in, out, taps []float32, turned bool) {
	c := d.g.Channels
	for i := range d.g.Kernel[0] {
		y := d.input(0, row, i)
		if y < 0 || y >= d.g.Height {
			continue
		}
		for j, r := range d.cols {
			if r.first < r.last {
				d.do(id, op, in[y*d.g.Width*c:], out, taps[(i*d.g.Kernel[1]+j)*c:], turned, j, r)
			}
		}
	}
}

// flat does an operation with channels of its own on a row of the output.
func (d *depthwise) flat(id int, op kernel.Op, streams int, row, channels []float32) {
	w := &d.workers[id]
	a := &w.columns
	a.Consts, a.Rows = &w.consts, d.out.w
	for i := range streams {
		a.Ptr[i], a.Stride[i] = unsafe.Pointer(&row[0]), 4*d.out.c
	}
	if channels != nil {
		a.Ptr[streams] = unsafe.Pointer(&channels[0])
	}
	d.set.Columns(op, d.out.c, a)
}

func (d *depthwise) forward(c *work.Caller, n int, x, w, bias []float32, f kernel.Activation, y []float32) {
	d.n, d.x, d.w, d.bias, d.f, d.y = n, x, w, bias, f, y
	c.Run(n*d.out.h, (*depthwiseForward)(d))
	d.x, d.w, d.bias, d.y = nil, nil, nil, nil
}

// depthwiseForward computes a row of an image.
type depthwiseForward depthwise

func (t *depthwiseForward) Do(part, id int) {
	d := (*depthwise)(t)
	size := d.out.w * d.out.c
	y := d.y[part*size:][:size]
	clear(y)
	if d.bias != nil {
		d.flat(id, kernel.OpAddChannels, 2, y, d.bias)
	}
	d.row(id, kernel.OpAddWeighted, part%d.out.h, d.x[part/d.out.h*d.g.inSize():][:d.g.inSize()], y, d.w, true)
	if !d.f.Linear() {
		op, _ := d.f.Ops()
		d.workers[id].consts[0] = d.f.Slope
		d.flat(id, op, 2, y, nil)
	}
}

func (d *depthwise) inputGradient(c *work.Caller, n int, dy, w, dx []float32) {
	d.n, d.dy, d.w, d.dx = n, dy, w, dx
	c.Run(n, (*depthwiseInput)(d))
	d.dy, d.w, d.dx = nil, nil, nil
}

// depthwiseInput computes the gradient of an image.
type depthwiseInput depthwise

func (t *depthwiseInput) Do(img, id int) {
	d := (*depthwise)(t)
	dx := d.dx[img*d.g.inSize():][:d.g.inSize()]
	clear(dx)
	size := d.out.w * d.out.c
	for row := range d.out.h {
		d.row(id, kernel.OpAddWeighted, row, dx, d.dy[(img*d.out.h+row)*size:][:size], d.w, false)
	}
}

// filterLen is how many float32 the sums of a part of n images take, filterParts how many parts there are.
func (d *depthwise) filterLen() int { return round(d.g.filterSize()) + round(d.g.Filters) }

func (d *depthwise) filterParts(n int) int { return min(n, work.MostParts) }

func (d *depthwise) filterGradient(c *work.Caller, n int, x, dy, dw, db []float32, add bool, scratch []float32) {
	d.n, d.parts, d.x, d.dy, d.sums = n, d.filterParts(n), x, dy, scratch
	c.Run(d.parts, (*depthwiseFilter)(d))
	d.join(dw[:d.g.filterSize()], 0, add)
	if db != nil {
		d.join(db[:d.g.Filters], round(d.g.filterSize()), add)
	}
	d.x, d.dy, d.sums = nil, nil, nil
}

// join adds the parts' sums in their order.
func (d *depthwise) join(to []float32, at int, add bool) {
	if !add {
		clear(to)
	}
	a := &d.workers[0].columns
	for p := range d.parts {
		a.Ptr[0], a.Ptr[1] = unsafe.Pointer(&to[0]), unsafe.Pointer(&d.sums[p*d.filterLen()+at])
		d.set.Flat(kernel.OpAddTo, len(to), a)
	}
}

// depthwiseFilter sums a part of the images.
type depthwiseFilter depthwise

func (t *depthwiseFilter) Do(part, id int) {
	d := (*depthwise)(t)
	sums := d.sums[part*d.filterLen():][:d.filterLen()]
	clear(sums)
	size := d.out.w * d.out.c
	for img := part * d.n / d.parts; img < (part+1)*d.n/d.parts; img++ {
		for row := range d.out.h {
			dy := d.dy[(img*d.out.h+row)*size:][:size]
			d.row(id, kernel.OpDot, row, d.x[img*d.g.inSize():][:d.g.inSize()], dy, sums, false)
			d.flat(id, kernel.OpSum, 1, dy, sums[round(d.g.filterSize()):])
		}
	}
}
