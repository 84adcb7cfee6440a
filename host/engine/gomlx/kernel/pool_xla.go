package kernel

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

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
			taps = append(taps, every(x, i, j, p.out(0, p.from.h), p.out(1, p.from.w), p.strides))
		}
	}
	return taps
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

// tiled is the input's gradient in one pass: each pixel asks whether it was its
// window's first maximum.
func (p *PoolPass) tiled(dy *Node) *Node {
	g := dy.Graph()
	d := []int{p.to.n, p.to.h, p.size[0], p.to.w, p.size[1], p.to.c}
	spread := func(x *Node) *Node {
		return BroadcastToDims(Reshape(x, d[0], d[1], 1, d[3], 1, d[5]), d...)
	}
	shape := shapes.Make(dtypes.Uint8, d...)
	tap := Add(MulScalar(Iota(g, shape, 2), p.size[1]), Iota(g, shape, 4))
	dx := Where(Equal(spread(p.first), tap), spread(dy), zero(g))
	dx = Reshape(dx, p.to.n, p.to.h*p.size[0], p.to.w*p.size[1], p.to.c)
	return padHW(dx, [2][2]int{{0, p.from.h - p.to.h*p.size[0]}, {0, p.from.w - p.to.w*p.size[1]}}, [2]int{1, 1}, zero(g))
}

func (p *PoolPass) backward(g *Node) *Node {
	if p.first != nil {
		return p.tiled(g)
	}
	parts := make([]*Node, p.size[0]*p.size[1])
	if p.c.Kind == PoolAvg {
		g = Mul(g, p.weights(g.Graph()))
		for i := range parts {
			parts[i] = g
		}
		return p.scatter(parts)
	}
	var free *Node // Windows whose maximum has not been met yet.
	none := zero(g.Graph())
	for i, t := range p.taps() {
		hit := Equal(t, p.y)
		if free == nil {
			free = LogicalNot(hit)
		} else {
			hit, free = LogicalAnd(hit, free), LogicalAnd(free, LogicalNot(hit))
		}
		parts[i] = Where(hit, g, none)
	}
	return p.scatter(parts)
}

// scatter adds the parts of the gradient, one for each pixel of the window, up
// at the places they came from.
func (p *PoolPass) scatter(parts []*Node) *Node {
	in, out := [2]int{p.from.h, p.from.w}, [2]int{p.to.h, p.to.w}
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
