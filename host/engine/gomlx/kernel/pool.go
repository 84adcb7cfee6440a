package kernel

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
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
	c       Pool2D
	x, y    *Node
	in, out maps
	first   *Node // where windows tile: which tap is the first maximum
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
	p := &PoolPass{c: c, x: x, in: mapsOf(x)}
	p.window = window{size: c.Window, strides: c.Strides, dilations: [2]int{1, 1}, padding: c.Padding}
	p.out = p.over(p.in, p.in.c)
	if p.out.h < 1 || p.out.w < 1 {
		fail("pool: a window of %v does not fit on %dx%d pixels with padding %v", c.Window, p.in.h, p.in.w, c.Padding)
	}
	taps := p.taps()
	switch p.y = taps[0]; {
	case c.Kind == PoolAvg:
		for _, t := range taps[1:] {
			p.y = Add(p.y, t)
		}
		p.y = Mul(p.y, p.weights())
	case p.tiles():
		p.y, p.first = firstMaximum(taps)
	default:
		for _, t := range taps[1:] {
			p.y = Max(p.y, t)
		}
	}
	return p.y, p
}

// taps are the window's pixels, each for all outputs, in row-major order.
func (p *PoolPass) taps() []*Node {
	fill := zero(p.x.Graph())
	if p.c.Kind == PoolMax {
		fill = Infinity(p.x.Graph(), dtypes.Float32, -1)
	}
	x := padHW(p.x, p.padding, [2]int{1, 1}, fill)
	taps := make([]*Node, 0, p.size[0]*p.size[1])
	for i := range p.size[0] {
		for j := range p.size[1] {
			taps = append(taps, every(x, i, j, p.out.h, p.out.w, p.strides))
		}
	}
	return taps
}

// weights are what a mean's sums are multiplied with: a scalar, or [1, ho, wo, 1].
func (p *PoolPass) weights() *Node {
	g := p.x.Graph()
	if p.c.CountPadding || p.padding == [2][2]int{} {
		return Scalar(g, dtypes.Float32, 1/float64(p.size[0]*p.size[1]))
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

// counts are, along an axis, how many pixels the mean of each output counts.
func (p *PoolPass) counts(axis int) []float32 {
	in := p.in.size()[axis]
	n := make([]float32, p.out.size()[axis])
	for o := range n {
		from := o*p.strides[axis] - p.padding[axis][0]
		n[o] = float32(min(from+p.size[axis], in) - max(from, 0))
	}
	return n
}

// tiles tells whether windows lie side by side, so that a pixel is in one alone.
func (p *PoolPass) tiles() bool {
	return p.size == p.strides && p.padding == [2][2]int{} && p.size[0]*p.size[1] <= 256
}

// firstMaximum is the largest tap, and which it is, as uint8.
func firstMaximum(taps []*Node) (y, first *Node) {
	y = taps[0]
	g := y.Graph()
	first = BroadcastToDims(Scalar(g, dtypes.Uint8, 0), y.Shape().Dimensions...)
	for i, t := range taps[1:] {
		first = Where(GreaterThan(t, y), Scalar(g, dtypes.Uint8, i+1), first)
		y = Max(y, t)
	}
	return y, first
}

// Backward takes the gradient dy of the output and returns that of the input.
func (p *PoolPass) Backward(dy *Node) *Node {
	p.out.mustBe("pool", dy)
	if p.first != nil {
		return p.tiled(dy)
	}
	parts := make([]*Node, p.size[0]*p.size[1])
	if p.c.Kind == PoolAvg {
		dy = Mul(dy, p.weights())
		for i := range parts {
			parts[i] = dy
		}
		return p.scatter(parts)
	}
	var free *Node // Windows whose maximum has not been met yet.
	none := zero(dy.Graph())
	for i, t := range p.taps() {
		hit := Equal(t, p.y)
		if free == nil {
			free = LogicalNot(hit)
		} else {
			hit, free = LogicalAnd(hit, free), LogicalAnd(free, LogicalNot(hit))
		}
		parts[i] = Where(hit, dy, none)
	}
	return p.scatter(parts)
}

// tiled is the input's gradient in one pass: each pixel asks whether it was its
// window's first maximum.
func (p *PoolPass) tiled(dy *Node) *Node {
	g := dy.Graph()
	d := []int{p.out.n, p.out.h, p.size[0], p.out.w, p.size[1], p.out.c}
	spread := func(x *Node) *Node {
		return BroadcastToDims(Reshape(x, d[0], d[1], 1, d[3], 1, d[5]), d...)
	}
	shape := shapes.Make(dtypes.Uint8, d...)
	tap := Add(MulScalar(Iota(g, shape, 2), p.size[1]), Iota(g, shape, 4))
	h, w := d[1]*d[2], d[3]*d[4]
	dx := Reshape(Where(Equal(spread(p.first), tap), spread(dy), zero(g)), d[0], h, w, d[5])
	return padHW(dx, [2][2]int{{0, p.in.h - h}, {0, p.in.w - w}}, [2]int{1, 1}, zero(g))
}

// scatter adds the parts of the gradient, one for each pixel of the window, up
// at the places they came from.
func (p *PoolPass) scatter(parts []*Node) *Node {
	in, out := p.in.size(), p.out.size()
	var dx *Node
	for i := range p.size[0] {
		for j := range p.size[1] {
			at := [2]int{i, j}
			var pad [2][2]int
			for a := range 2 {
				lo := at[a] - p.padding[a][0]
				pad[a] = [2]int{lo, in[a] - lo - (out[a]-1)*p.strides[a] - 1}
			}
			part := padHW(parts[i*p.size[1]+j], pad, p.strides, zero(p.x.Graph()))
			if dx == nil {
				dx = part
			} else {
				dx = Add(dx, part)
			}
		}
	}
	return dx
}
