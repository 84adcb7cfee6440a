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
	w.consts[0], w.consts[1] = 1, -top // first: a product that is rounded could be above what is subtracted
	w.flat(kernel.OpShift, n, y, x)
	if w.consts[0] = scale; scale != 1 {
		w.flat(kernel.OpScale, n, y, y)
	}
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
