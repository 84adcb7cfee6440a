package kernel

import (
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX's own convention for graph code.
)

// tapsXLA are the window's pixels, each for all outputs, in row-major order.
func (p *PoolPass) tapsXLA() []*Node {
	fill := zero(p.x.Graph())
	if p.c.Kind == PoolMax {
		fill = Infinity(p.x.Graph(), dtypes.Float32, -1)
	}
	x := padHW(p.x.NHWC(), p.padding, [2]int{1, 1}, fill)
	taps := make([]*Node, 0, p.size[0]*p.size[1])
	for i := range p.size[0] {
		for j := range p.size[1] {
			taps = append(taps, every(x, i, j, p.out(0, p.x.h), p.out(1, p.x.w), p.strides))
		}
	}
	return taps
}

func (p *PoolPass) backwardXLA(g *Node) *Node {
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
	for i, t := range p.tapsXLA() {
		hit := Equal(t, p.y.NHWC())
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
	in, out := [2]int{p.x.h, p.x.w}, [2]int{p.y.h, p.y.w}
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
