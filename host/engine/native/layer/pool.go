package layer

import (
	"fmt"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Pool takes the largest value or the mean of windows. Pairs are height and width.
type Pool struct {
	Mean                    bool
	Height, Width, Channels int // of the input
	Window, Stride          [2]int
	Padding                 [2][2]int // before and after, smaller than the window; never the largest
	CountPadding            bool      // means divide by the window's size at the borders too

	workers []worker
	ranges  [2][]windowRange
	tiles   bool // windows don't overlap
	covers  bool // and leave no pixel out

	x, y, dy, dx, scratch []float32
	bands                 int
}

// windowRange is some outputs side by side whose windows have the same part inside the image.
type windowRange struct {
	first, count int
	from, to     int // of the window
}

// bandRows is how many rows of the output a part of the forward pass computes.
const bandRows = 8

// Prepare checks the pool and derives the rest, for a pool of so many threads at most. A stride of 0 is the window's size.
func (p *Pool) Prepare(set *kernel.Set, threads int) error {
	size := [2]int{p.Height, p.Width}
	p.tiles, p.covers = true, true
	for i := range 2 {
		if p.Stride[i] == 0 {
			p.Stride[i] = p.Window[i]
		}
		pad := p.Padding[i]
		room := size[i] + pad[0] + pad[1] - p.Window[i]
		if p.Window[i] < 1 || p.Stride[i] < 1 || pad[0] < 0 || pad[1] < 0 || pad[0] >= p.Window[i] || pad[1] >= p.Window[i] || room < 0 || p.Channels < 1 {
			return fmt.Errorf("pool: found a window of %v, stride %v, padding %v on %dx%dx%d, want a window that fits and padding smaller than it",
				p.Window, p.Stride, p.Padding, p.Height, p.Width, p.Channels)
		}
		p.tiles = p.tiles && p.Stride[i] >= p.Window[i]
		p.covers = p.covers && p.Stride[i] == p.Window[i] && pad == [2]int{} && size[i]%p.Window[i] == 0
		p.ranges[i] = nil
		for o := range room/p.Stride[i] + 1 {
			at := o*p.Stride[i] - pad[0]
			r := windowRange{o, 1, max(0, -at), min(p.Window[i], size[i]-at)}
			if last := len(p.ranges[i]) - 1; last >= 0 && p.ranges[i][last].from == r.from && p.ranges[i][last].to == r.to {
				p.ranges[i][last].count++
				continue
			}
			p.ranges[i] = append(p.ranges[i], r)
		}
	}
	p.workers = newWorkers(set, threads)
	return nil
}

// Out is the output's height and width.
func (p *Pool) Out() (height, width int) { return count(p.ranges[0]), count(p.ranges[1]) }

func count(list []windowRange) int {
	last := list[len(list)-1]
	return last.first + last.count
}

// Forward computes y [n, out height, out width, channels] from x [n, height, width, channels].
func (p *Pool) Forward(c *work.Caller, n int, x, y []float32) {
	h, _ := p.Out()
	p.x, p.y = x, y
	p.bands = (h + bandRows - 1) / bandRows
	c.Run(n*p.bands, (*poolTask)(p))
	p.x, p.y = nil, nil
}

// row finds the range that a row of the output belongs to.
func (p *Pool) row(o int) windowRange {
	for _, r := range p.ranges[0] {
		if o < r.first+r.count {
			return r
		}
	}
	panic("pool: no such row")
}

// size is what a mean's sum is divided by.
func (p *Pool) size(rows, cols windowRange) float32 {
	if p.CountPadding {
		return float32(p.Window[0] * p.Window[1])
	}
	return float32((rows.to - rows.from) * (cols.to - cols.from))
}

type poolTask Pool

func (t *poolTask) Do(part, id int) {
	p := (*Pool)(t)
	w := &p.workers[id]
	h, wd := p.Out()
	img, first := part/p.bands, part%p.bands*bandRows
	x := p.x[img*p.Height*p.Width*p.Channels:]
	for o := first; o < min(first+bandRows, h); o++ {
		rows := p.row(o)
		y := p.y[(img*h+o)*wd*p.Channels:][:wd*p.Channels]
		for _, cols := range p.ranges[1] {
			p.forward(w, x, y[cols.first*p.Channels:], o, rows, cols)
		}
	}
}

// at is where the input lies that a window's pixel sees for the first output of a range.
func (p *Pool) at(o, i, j int, cols windowRange) int {
	return ((o*p.Stride[0]-p.Padding[0][0]+i)*p.Width + cols.first*p.Stride[1] - p.Padding[1][0] + j) * p.Channels
}

func (p *Pool) forward(w *worker, x, y []float32, o int, rows, cols windowRange) {
	c := p.Channels
	to, step := line{y, c}, p.Stride[1]*c
	tap := func(i, j int) line { return line{x[p.at(o, i, j, cols):], step} }
	if !p.Mean && rows.to-rows.from == 2 && cols.to-cols.from == 2 {
		i, j := rows.from, cols.from
		w.do(kernel.OpMax4, cols.count, c, to, tap(i, j), tap(i, j+1), tap(i+1, j), tap(i+1, j+1))
		return
	}
	op := kernel.OpMove
	for i := rows.from; i < rows.to; i++ {
		for j := cols.from; j < cols.to; j++ {
			w.do(op, cols.count, c, to, tap(i, j))
			if op = kernel.OpMax; p.Mean {
				op = kernel.OpAddTo
			}
		}
	}
	if p.Mean {
		w.consts[0] = 1 / p.size(rows, cols)
		w.do(kernel.OpScale, cols.count, c, to, to)
	}
}

// BackScratch is how many float32 of scratch memory Back needs.
func (p *Pool) BackScratch() int {
	_, wd := p.Out()
	return len(p.workers) * wd * p.Channels
}

// Covers tells whether each pixel is in one window: then Back may write dx over x.
func (p *Pool) Covers() bool { return p.covers }

// Back computes dx from dy and, for the largest values, from x and y. The gradient goes to the first of equal values, row by row.
func (p *Pool) Back(c *work.Caller, n int, x, y, dy, dx, scratch []float32) {
	p.x, p.y, p.dy, p.dx, p.scratch = x, y, dy, dx, scratch
	c.Run(n, (*poolBackTask)(p))
	p.x, p.y, p.dy, p.dx, p.scratch = nil, nil, nil, nil, nil
}

type poolBackTask Pool

func (t *poolBackTask) Do(img, id int) {
	p := (*Pool)(t)
	w := &p.workers[id]
	h, wd := p.Out()
	in, out := p.Height*p.Width*p.Channels, h*wd*p.Channels
	dx := p.dx[img*in:][:in]
	if !p.covers {
		clear(dx)
	}
	rest := p.scratch[id*wd*p.Channels:][:wd*p.Channels]
	for o := range h {
		rows := p.row(o)
		for _, cols := range p.ranges[1] {
			at := img*out + (o*wd+cols.first)*p.Channels
			if p.Mean {
				p.meanBack(w, dx, p.dy[at:], o, rows, cols)
				continue
			}
			p.maxBack(w, p.x[img*in:], dx, p.y[at:], p.dy[at:], rest, o, rows, cols)
		}
	}
}

func (p *Pool) meanBack(w *worker, dx, dy []float32, o int, rows, cols windowRange) {
	w.consts[0] = 1 / p.size(rows, cols)
	op := kernel.OpAddScaled
	if p.tiles {
		op = kernel.OpScale
	}
	for i := rows.from; i < rows.to; i++ {
		for j := cols.from; j < cols.to; j++ {
			w.do(op, cols.count, p.Channels, line{dx[p.at(o, i, j, cols):], p.Stride[1] * p.Channels}, line{dy, p.Channels})
		}
	}
}

func (p *Pool) maxBack(w *worker, x, dx, y, dy, rest []float32, o int, rows, cols windowRange) {
	c := p.Channels
	if p.tiles && rows.to-rows.from == 2 && cols.to-cols.from == 2 && &x[0] == &dx[0] {
		tap := func(i, j int) line { return line{x[p.at(o, i, j, cols):], p.Stride[1] * c} }
		i, j := rows.from, cols.from
		w.do(kernel.OpMaxBack4, cols.count, c, tap(i, j), tap(i, j+1), tap(i+1, j), tap(i+1, j+1), line{y, c}, line{dy, c})
		return
	}
	op := kernel.OpMaxBackFirst
	if !p.tiles {
		op = kernel.OpMaxBackAdd
		w.flat(kernel.OpMove, cols.count*c, rest, dy)
	}
	for i := rows.from; i < rows.to; i++ {
		for j := cols.from; j < cols.to; j++ {
			at := p.at(o, i, j, cols)
			to, from := line{dx[at:], p.Stride[1] * c}, line{x[at:], p.Stride[1] * c}
			if op == kernel.OpMaxBackFirst {
				w.do(op, cols.count, c, to, line{rest, c}, from, line{y, c}, line{dy, c})
				op = kernel.OpMaxBackNext
				continue
			}
			w.do(op, cols.count, c, to, line{rest, c}, from, line{y, c})
		}
	}
}

// GlobalMean is the mean of each channel: [n, pixels, c] to [n, c].
type GlobalMean struct {
	Pixels, Channels int
	workers          []worker
	x, y             []float32
}

// NewGlobalMean makes a GlobalMean for a pool of so many threads at most.
func NewGlobalMean(set *kernel.Set, threads, pixels, channels int) *GlobalMean {
	return &GlobalMean{Pixels: pixels, Channels: channels, workers: newWorkers(set, threads)}
}

// Forward computes y from x.
func (g *GlobalMean) Forward(c *work.Caller, n int, x, y []float32) {
	g.x, g.y = x, y
	c.Run(n, (*globalTask)(g))
	g.x, g.y = nil, nil
}

type globalTask GlobalMean

func (g *globalTask) Do(img, id int) {
	w := &g.workers[id]
	y := g.y[img*g.Channels:][:g.Channels]
	clear(y)
	w.do(kernel.OpSum, g.Pixels, g.Channels, line{g.x[img*g.Pixels*g.Channels:], g.Channels}, line{y, 0})
	w.consts[0] = 1 / float32(g.Pixels)
	w.flat(kernel.OpScale, g.Channels, y, y)
}

// Back computes dx from dy.
func (g *GlobalMean) Back(c *work.Caller, n int, dy, dx []float32) {
	g.x, g.y = dy, dx
	c.Run(n, (*globalBackTask)(g))
	g.x, g.y = nil, nil
}

type globalBackTask GlobalMean

func (g *globalBackTask) Do(img, id int) {
	w := &g.workers[id]
	w.consts[0] = 1 / float32(g.Pixels)
	w.do(kernel.OpScale, g.Pixels, g.Channels, line{g.y[img*g.Pixels*g.Channels:], g.Channels}, line{g.x[img*g.Channels:], 0})
}
