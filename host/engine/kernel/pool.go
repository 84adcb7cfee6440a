package kernel

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX's own convention for graph code.
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
	c    Pool2D
	k    *Kernel
	x, y *Map
}

// Forward pools x [n, h, w, c].
func (c Pool2D) Forward(x *Map) (*Map, *PoolPass) {
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
	p := &PoolPass{c: c, k: x.k, x: x}
	if p.outH() < 1 || p.outW() < 1 {
		fail("pool: a window of %v does not fit on %dx%d pixels with padding %v", c.Window, x.h, x.w, c.Padding)
	}
	var y *Node
	for i, t := range p.taps() {
		switch {
		case i == 0:
			y = t
		case c.Kind == PoolMax:
			y = Max(y, t)
		default:
			y = Add(y, t)
		}
	}
	if c.Kind == PoolAvg {
		y = Mul(y, p.weights(y))
	}
	p.y = x.k.Map(y)
	return p.y, p
}

func (p *PoolPass) outH() int {
	return outSize(p.x.h, p.c.Window[0], p.c.Strides[0], 1, p.c.Padding[0])
}

func (p *PoolPass) outW() int {
	return outSize(p.x.w, p.c.Window[1], p.c.Strides[1], 1, p.c.Padding[1])
}

// taps are the window's pixels, each for all outputs, in row-major order.
func (p *PoolPass) taps() []*Node {
	c := p.c
	fill := zero(p.x.Graph())
	if c.Kind == PoolMax {
		fill = Infinity(p.x.Graph(), dtypes.Float32, -1)
	}
	x := padHW(p.x.NHWC(), c.Padding, [2]int{1, 1}, fill)
	taps := make([]*Node, 0, c.Window[0]*c.Window[1])
	for i := range c.Window[0] {
		for j := range c.Window[1] {
			taps = append(taps, window(x, i, j, p.outH(), p.outW(), c.Strides))
		}
	}
	return taps
}

// weights are what a mean multiplies its sums with: a scalar, or [1, ho, wo, 1]
// where windows at the border count fewer pixels.
func (p *PoolPass) weights(y *Node) *Node {
	c := p.c
	if c.CountPadding || c.Padding == [2][2]int{} {
		return Scalar(y.Graph(), dtypes.Float32, 1/float64(c.Window[0]*c.Window[1]))
	}
	count := func(axis, in, out int) []float32 {
		n := make([]float32, out)
		for o := range n {
			from := o*c.Strides[axis] - c.Padding[axis][0]
			n[o] = float32(min(from+c.Window[axis], in) - max(from, 0))
		}
		return n
	}
	rows, cols := count(0, p.x.h, p.outH()), count(1, p.x.w, p.outW())
	table := make([][]float32, len(rows))
	for i, r := range rows {
		table[i] = make([]float32, len(cols))
		for j, q := range cols {
			table[i][j] = 1 / (r * q)
		}
	}
	return Reshape(Const(y.Graph(), table), 1, len(rows), len(cols), 1)
}

// Backward takes the gradient of the output and returns that of the input.
func (p *PoolPass) Backward(dy *Map) *Map {
	if !dy.sameDims(p.y) {
		fail("pool: found a gradient of %v, want %v", dims(dy), dims(p.y))
	}
	g := dy.NHWC()
	parts := make([]*Node, p.c.Window[0]*p.c.Window[1])
	if p.c.Kind == PoolAvg {
		g = Mul(g, p.weights(g))
		for i := range parts {
			parts[i] = g
		}
	} else {
		var free *Node // Windows whose maximum has not been met yet.
		none := zero(g.Graph())
		for i, t := range p.taps() {
			hit := Equal(t, p.y.NHWC())
			if free != nil {
				hit, free = LogicalAnd(hit, free), LogicalAnd(free, LogicalNot(hit))
			} else {
				free = LogicalNot(hit)
			}
			parts[i] = Where(hit, g, none)
		}
	}
	return p.k.Map(p.scatter(parts))
}

// scatter adds the parts of the gradient, one for each pixel of the window, up
// at the places they came from.
func (p *PoolPass) scatter(parts []*Node) *Node {
	c := p.c
	in, out := [2]int{p.x.h, p.x.w}, [2]int{p.outH(), p.outW()}
	var dx *Node
	for i := range c.Window[0] {
		for j := range c.Window[1] {
			at := [2]int{i, j}
			var pad [2][2]int
			for a := range 2 {
				lo := at[a] - c.Padding[a][0]
				pad[a] = [2]int{lo, in[a] - lo - (out[a]-1)*c.Strides[a] - 1}
			}
			part := padHW(parts[i*c.Window[1]+j], pad, c.Strides, zero(p.x.Graph()))
			if dx == nil {
				dx = part
			} else {
				dx = Add(dx, part)
			}
		}
	}
	return dx
}
