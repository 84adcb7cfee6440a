package layer

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// softmax sets y to exp(x*scale) divided by its sum, n numbers; y may be x.
func (w *worker) softmax(n int, scale float32, x, y []float32) {
	top := float32(math.Inf(-1))
	for _, v := range x[:n] {
		if v > top || v != v {
			top = v
		}
	}
	w.consts[0], w.consts[1] = scale, -top*scale
	w.flat(kernel.OpShift, n, y, x)
	w.flat(kernel.OpExp, n, y, y)
	w.consts[0] = float32(1 / w.sum(kernel.OpSum, n, y, nil))
	w.flat(kernel.OpScale, n, y, y)
}

// softmaxBack sets dx to y * (dy - the sum of y*dy) * scale; dx may be dy.
func (w *worker) softmaxBack(n int, scale float32, y, dy, dx []float32) {
	along := float32(w.sum(kernel.OpDot, n, y, dy))
	w.consts[0], w.consts[1] = scale, -along*scale
	w.flat(kernel.OpShift, n, dx, dy)
	w.flat(kernel.OpMul, n, dx, dx, y)
}

// Softmax is exp(x) divided by its sum, along rows.
type Softmax struct {
	workers  []worker
	rows, n  int
	parts    int
	x, y, dy []float32
	dx       []float32
}

// NewSoftmax makes a Softmax for a pool of so many threads at most.
func NewSoftmax(set *kernel.Set, threads int) *Softmax {
	return &Softmax{workers: newWorkers(set, threads)}
}

// Forward computes y [rows, n] from x, which may be the same slice.
func (s *Softmax) Forward(c *work.Caller, rows, n int, x, y []float32) {
	s.rows, s.n, s.parts, s.x, s.y, s.dx = rows, n, parts(rows, n), x, y, nil
	c.Run(s.parts, (*softmaxTask)(s))
	s.x, s.y = nil, nil
}

// Back computes dx [rows, n] from y and dy, which may be dx.
func (s *Softmax) Back(c *work.Caller, rows, n int, y, dy, dx []float32) {
	s.rows, s.n, s.parts, s.y, s.dy, s.dx = rows, n, parts(rows, n), y, dy, dx
	c.Run(s.parts, (*softmaxTask)(s))
	s.y, s.dy, s.dx = nil, nil, nil
}

type softmaxTask Softmax

func (s *softmaxTask) Do(part, id int) {
	w := &s.workers[id]
	for r := part * s.rows / s.parts; r < (part+1)*s.rows/s.parts; r++ {
		at := r * s.n
		if s.dx != nil {
			w.softmaxBack(s.n, 1, s.y[at:], s.dy[at:], s.dx[at:])
			continue
		}
		w.softmax(s.n, 1, s.x[at:], s.y[at:])
	}
}

// SoftArgmax gives the expected position under each map's softmax (Luvizon et al. 2019): [n, h, w, c] to [n, 2c], x and y of map after
// map, of pixel centres (2i + 1)/size - 1.
type SoftArgmax struct {
	Height, Width, Channels int
	Temperature             float64
	workers                 []worker
	centres                 [2][]float32 // x and y of each pixel
	x, y, dy, dx, scratch   []float32
}

// NewSoftArgmax makes a SoftArgmax for a pool of so many threads at most.
func NewSoftArgmax(set *kernel.Set, threads, height, width, channels int, temperature float64) *SoftArgmax {
	s := &SoftArgmax{Height: height, Width: width, Channels: channels, Temperature: temperature, workers: newWorkers(set, threads)}
	for i := range height * width {
		s.centres[0] = append(s.centres[0], float32(2*(i%width)+1)/float32(width)-1)
		s.centres[1] = append(s.centres[1], float32(2*(i/width)+1)/float32(height)-1)
	}
	return s
}

// Scratch is how many float32 of scratch memory both directions need: each thread's maps, one behind the other.
func (s *SoftArgmax) Scratch() int { return len(s.workers) * s.own() }

func (s *SoftArgmax) own() int { return round(s.Height * s.Width * (s.Channels + 1)) }

// Forward computes y [n, 2c] from x [n, h, w, c].
func (s *SoftArgmax) Forward(c *work.Caller, n int, x, y, scratch []float32) {
	s.x, s.y, s.scratch = x, y, scratch
	c.Run(n, (*softArgmaxTask)(s))
	s.x, s.y, s.scratch = nil, nil, nil
}

// Back computes dx from x, y and dy. The derivative of an expected position with respect to a pixel is p * (the pixel's centre - the
// expected position) / temperature, p the softmax.
func (s *SoftArgmax) Back(c *work.Caller, n int, x, y, dy, dx, scratch []float32) {
	s.x, s.y, s.dy, s.dx, s.scratch = x, y, dy, dx, scratch
	c.Run(n, (*softArgmaxTask)(s))
	s.x, s.y, s.dy, s.dx, s.scratch = nil, nil, nil, nil, nil
}

type softArgmaxTask SoftArgmax

func (s *softArgmaxTask) Do(img, id int) {
	w := &s.workers[id]
	pixels, c := s.Height*s.Width, s.Channels
	own := s.scratch[id*(*SoftArgmax)(s).own():][:(*SoftArgmax)(s).own()]
	maps, temp := own[:pixels*c], own[pixels*c:][:pixels]
	transpose(maps, s.x[img*pixels*c:], pixels, c)
	for k := range c {
		p := maps[k*pixels:][:pixels]
		w.softmax(pixels, float32(1/s.Temperature), p, p)
		at := img*2*c + 2*k
		if s.dx == nil {
			s.y[at] = float32(w.sum(kernel.OpDot, pixels, p, s.centres[0]))
			s.y[at+1] = float32(w.sum(kernel.OpDot, pixels, p, s.centres[1]))
			continue
		}
		dx, dy := s.dy[at]/float32(s.Temperature), s.dy[at+1]/float32(s.Temperature)
		w.consts[0], w.consts[1] = dx, -dx*s.y[at]-dy*s.y[at+1]
		w.flat(kernel.OpShift, pixels, temp, s.centres[0])
		w.consts[0] = dy
		w.flat(kernel.OpAddScaled, pixels, temp, s.centres[1])
		w.flat(kernel.OpMul, pixels, p, p, temp)
	}
	if s.dx != nil {
		transpose(s.dx[img*pixels*c:], maps, c, pixels)
	}
}

// transpose sets to [columns, rows] to from [rows, columns].
func transpose(to, from []float32, rows, columns int) {
	const square = 16
	for i0 := 0; i0 < rows; i0 += square {
		for j := range columns {
			for i := i0; i < min(i0+square, rows); i++ {
				to[j*rows+i] = from[i*columns+j]
			}
		}
	}
}
