package layer

import (
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Concat puts inputs side by side along the last axis, and takes them apart again.
type Concat struct {
	Widths  []int // of the inputs
	workers []worker
	total   int
	rows    int
	wide    []float32
	narrow  []float32
	width   int
	at      int
	back    bool
	parts   int
}

// NewConcat makes a Concat for a pool of so many threads at most.
func NewConcat(set *kernel.Set, threads int, widths []int) *Concat {
	c := &Concat{Widths: widths, workers: newWorkers(set, threads)}
	for _, w := range widths {
		c.total += w
	}
	return c
}

// Forward puts input number i, [rows, its width], in its place in y [rows, all widths].
func (o *Concat) Forward(c *work.Caller, rows, i int, x, y []float32) {
	o.move(c, rows, i, x, y, false)
}

// Back gives input number i's part of dy, [rows, its width].
func (o *Concat) Back(c *work.Caller, rows, i int, dy, dx []float32) {
	o.move(c, rows, i, dx, dy, true)
}

func (o *Concat) move(c *work.Caller, rows, i int, narrow, wide []float32, back bool) {
	o.rows, o.narrow, o.wide, o.width, o.at, o.back = rows, narrow, wide, o.Widths[i], 0, back
	for _, w := range o.Widths[:i] {
		o.at += w
	}
	o.parts = parts(rows, o.width)
	c.Run(o.parts, (*concatTask)(o))
	o.narrow, o.wide = nil, nil
}

type concatTask Concat

func (o *concatTask) Do(part, id int) {
	first, last := part*o.rows/o.parts, (part+1)*o.rows/o.parts
	wide, narrow := line{o.wide[first*o.total+o.at:], o.total}, line{o.narrow[first*o.width:], o.width}
	if o.back {
		o.workers[id].do(kernel.OpMove, last-first, o.width, narrow, wide)
		return
	}
	o.workers[id].do(kernel.OpMove, last-first, o.width, wide, narrow)
}

// Broadcast repeats a value [n, ...] along the axes where it has length 1, and sums over them for the gradient. Shapes are without the
// batch, and of equal rank.
type Broadcast struct {
	from, to [4]int
	workers  []worker
	x, y     []float32
	back     bool
}

// NewBroadcast makes a Broadcast of at most four axes, for a pool of so many threads at most.
func NewBroadcast(set *kernel.Set, threads int, from, to []int) *Broadcast {
	b := &Broadcast{from: [4]int{1, 1, 1, 1}, to: [4]int{1, 1, 1, 1}, workers: newWorkers(set, threads)}
	copy(b.from[4-len(from):], from)
	copy(b.to[4-len(to):], to)
	return b
}

func product(s [4]int) int { return s[0] * s[1] * s[2] * s[3] }

// Forward sets y [n, to...] to x [n, from...], repeated.
func (b *Broadcast) Forward(c *work.Caller, n int, x, y []float32) {
	b.x, b.y, b.back = x, y, false
	c.Run(n, (*broadcastTask)(b))
	b.x, b.y = nil, nil
}

// Back sets dx [n, from...] to dy's sums over the axes that are repeated.
func (b *Broadcast) Back(c *work.Caller, n int, dy, dx []float32) {
	b.x, b.y, b.back = dx, dy, true
	c.Run(n, (*broadcastTask)(b))
	b.x, b.y = nil, nil
}

type broadcastTask Broadcast

func (b *broadcastTask) Do(img, id int) {
	w := &b.workers[id]
	x, y := b.x[img*product(b.from):][:product(b.from)], b.y[img*product(b.to):][:product(b.to)]
	if b.back {
		clear(x)
	}
	width := b.to[3]
	for row := range product(b.to) / width {
		at, size, rest := 0, b.from[3], row // of the row's place in x
		for axis := 2; axis >= 0; axis-- {
			if i := rest % b.to[axis]; b.from[axis] > 1 {
				at += i * size
			}
			rest /= b.to[axis]
			size *= b.from[axis]
		}
		long := y[row*width:][:width]
		short := x[at:][:b.from[3]]
		switch {
		case b.back && len(short) == width:
			w.flat(kernel.OpAddTo, width, short, long)
		case b.back:
			short[0] += float32(w.sum(kernel.OpSum, width, long, nil))
		case len(short) == width:
			copy(long, short)
		default:
			for i := range long {
				long[i] = short[0]
			}
		}
	}
}

// Upsample enlarges maps by whole factors: repeats values, or interpolates between pixel centres.
type Upsample struct {
	Height, Width, Channels int // of the input
	Factor                  [2]int
	Bilinear                bool
	workers                 []worker
	x, y, scratch           []float32
	back                    bool
}

// NewUpsample makes an Upsample for a pool of so many threads at most.
func NewUpsample(set *kernel.Set, threads, height, width, channels int, factor [2]int, bilinear bool) *Upsample {
	return &Upsample{Height: height, Width: width, Channels: channels, Factor: factor, Bilinear: bilinear, workers: newWorkers(set, threads)}
}

// Scratch is how many float32 of scratch memory both directions need.
func (u *Upsample) Scratch() int { return len(u.workers) * u.Width * u.Channels }

// Forward computes y [n, height*factor, width*factor, c] from x.
func (u *Upsample) Forward(c *work.Caller, n int, x, y, scratch []float32) {
	u.x, u.y, u.scratch, u.back = x, y, scratch, false
	c.Run(n, (*upsampleTask)(u))
	u.x, u.y, u.scratch = nil, nil, nil
}

// Back computes dx from dy.
func (u *Upsample) Back(c *work.Caller, n int, dy, dx, scratch []float32) {
	u.x, u.y, u.scratch, u.back = dx, dy, scratch, true
	c.Run(n, (*upsampleTask)(u))
	u.x, u.y, u.scratch = nil, nil, nil
}

// beside tells how value i of those that take a pixel's place is made: so much of the neighbour before (-1) or behind (1), the rest of
// the pixel. It lies at (i + 1/2)/factor - 1/2 from the pixel's centre.
func (u *Upsample) beside(i, factor int) (neighbour int, share float32) {
	if !u.Bilinear {
		return 0, 0
	}
	at := (float64(i)+0.5)/float64(factor) - 0.5
	switch {
	case at < 0:
		return -1, float32(-at)
	case at > 0:
		return 1, float32(at)
	}
	return 0, 0
}

type upsampleTask Upsample

func (t *upsampleTask) Do(img, id int) {
	u := (*Upsample)(t)
	w := &u.workers[id]
	row := u.Width * u.Channels
	in, out := u.Height*row, u.Height*row*u.Factor[0]*u.Factor[1]
	x, y := u.x[img*in:][:in], u.y[img*out:][:out]
	temp := u.scratch[id*row:][:row]
	if u.back {
		clear(x)
	}
	for o := range u.Height * u.Factor[0] {
		pixel := o / u.Factor[0]
		side, share := u.beside(o%u.Factor[0], u.Factor[0])
		other := min(max(pixel+side, 0), u.Height-1)
		a, b, line := x[pixel*row:][:row], x[other*row:][:row], y[o*row*u.Factor[1]:][:row*u.Factor[1]]
		if u.back {
			clear(temp)
			u.columns(w, temp, line)
			u.addScaled(w, a, temp, 1-share)
			u.addScaled(w, b, temp, share)
			continue
		}
		clear(temp)
		u.addScaled(w, temp, a, 1-share)
		u.addScaled(w, temp, b, share)
		u.columns(w, temp, line)
	}
}

func (u *Upsample) addScaled(w *worker, to, from []float32, share float32) {
	if share != 0 {
		w.consts[0] = share
		w.flat(kernel.OpAddScaled, len(to), to, from)
	}
}

// columns enlarges a row, or sums a large one's parts into a row.
func (u *Upsample) columns(w *worker, row, wide []float32) {
	c, f := u.Channels, u.Factor[1]
	for j := range f {
		side, share := u.beside(j, f)
		w.consts[0] = 1 - share
		if u.back {
			w.do(kernel.OpAddScaled, u.Width, c, line{row, c}, line{wide[j*c:], f * c})
		} else {
			w.do(kernel.OpScale, u.Width, c, line{wide[j*c:], f * c}, line{row, c})
		}
		if share == 0 {
			continue
		}
		// Pixels with a neighbour, then the one at the border, which is its own.
		w.consts[0] = share
		first, border := 0, u.Width-1
		if side < 0 {
			first, border = 1, 0
		}
		u.neighbours(w, row[(first+side)*c*min(1, u.Width-1):], wide[(first*f*min(1, u.Width-1)+j)*c:], u.Width-1)
		u.neighbours(w, row[border*c:], wide[(border*f+j)*c:], 1)
	}
}

func (u *Upsample) neighbours(w *worker, row, wide []float32, n int) {
	c, f := u.Channels, u.Factor[1]
	if u.back {
		w.do(kernel.OpAddScaled, n, c, line{row, c}, line{wide, f * c})
		return
	}
	w.do(kernel.OpAddScaled, n, c, line{wide, f * c}, line{row, c})
}
