package kernel

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// PoolKind is what a pool makes of a window.
type PoolKind int

const (
	// PoolMax takes the largest value. Its gradient goes to the first maximum
	// in row-major order, as in PyTorch.
	PoolMax PoolKind = iota
	// PoolAvg takes the mean.
	PoolAvg
)

// Pool2D takes the maximum or mean of windows. Windows that do not fit are
// dropped. Strides of 0 mean the window's size.
type Pool2D struct {
	Kind            PoolKind
	Window, Strides [2]int    // height, width
	Padding         [2][2]int // height, width: before and after; smaller than the window
	// CountPadding has a mean divide by the window's size at the borders too.
	CountPadding bool
}

// PoolPass is a pool that went forward and can go backward.
type PoolPass struct {
	window
	c        Pool2D
	x, y     *Node
	from, to size  // theirs
	first    *Node // where windows tile: which tap is the first maximum
}

// Forward pools x [n, h, w, c].
func (c Pool2D) Forward(x *Node) (*Node, *PoolPass) {
	for i := range 2 {
		if c.Strides[i] == 0 {
			c.Strides[i] = c.Window[i]
		}
		if c.Window[i] < 1 || c.Strides[i] < 1 {
			fail("pool: found window %v and strides %v, want positive ones", c.Window, c.Strides)
		}
		for _, p := range c.Padding[i] {
			if p < 0 || p >= c.Window[i] {
				fail("pool: found padding %v, want it not negative and smaller than the window %v", c.Padding, c.Window)
			}
		}
	}
	p := &PoolPass{c: c, x: x, from: sizeOf(x)}
	p.window = window{size: c.Window, strides: c.Strides, dilations: [2]int{1, 1}, padding: c.Padding}
	if p.out(0, p.from.h) < 1 || p.out(1, p.from.w) < 1 {
		fail("pool: a window of %v does not fit on %dx%d pixels with padding %v", c.Window, p.from.h, p.from.w, c.Padding)
	}
	taps := p.taps()
	y := taps[0]
	if c.Kind == PoolMax && p.tiles() {
		y, p.first = firstMaximum(taps)
		taps = nil
	}
	for _, t := range taps[min(1, len(taps)):] {
		if c.Kind == PoolMax {
			y = Max(y, t)
		} else {
			y = Add(y, t)
		}
	}
	if c.Kind == PoolAvg {
		y = Mul(y, p.weights(y.Graph()))
	}
	p.y, p.to = y, sizeOf(y)
	return p.y, p
}

// Backward takes the gradient of the output and returns that of the input.
func (p *PoolPass) Backward(dy *Node) *Node {
	if found := sizeOf(dy); found != p.to {
		fail("pool: found a gradient of %v, want %v", found, p.to)
	}
	return p.backward(dy)
}

// counts are, along an axis, how many pixels the mean of each output counts.
func (p *PoolPass) counts(axis int) []float32 {
	in := [2]int{p.from.h, p.from.w}[axis]
	n := make([]float32, p.out(axis, in))
	for o := range n {
		from := o*p.strides[axis] - p.padding[axis][0]
		n[o] = float32(min(from+p.size[axis], in) - max(from, 0))
	}
	return n
}

// even tells whether all means count the whole window.
func (p *PoolPass) even() bool { return p.c.CountPadding || p.padding == [2][2]int{} }

// share is what a mean's sum is multiplied with if even.
func (p *PoolPass) share() float64 { return 1 / float64(p.size[0]*p.size[1]) }

// weights are what a mean's sums are multiplied with: a scalar, or [1, ho, wo, 1].
func (p *PoolPass) weights(g *Graph) *Node {
	if p.even() {
		return Scalar(g, dtypes.Float32, p.share())
	}
	rows, cols := p.counts(0), p.counts(1)
	table := make([][]float32, len(rows))
	for i, r := range rows {
		table[i] = make([]float32, len(cols))
		for j, q := range cols {
			table[i][j] = 1 / (r * q)
		}
	}
	return Reshape(Const(g, table), 1, len(rows), len(cols), 1)
}
