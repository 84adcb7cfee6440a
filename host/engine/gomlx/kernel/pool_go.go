package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"
)

func (p *PoolPass) forwardGo() {
	p.x = p.x.split(p.strides)
	lowFill := p.c.Kind == PoolMax
	if p.readsBeyond(p.x) {
		if lowFill && !p.x.exact() {
			p.x = p.x.lowered()
		} else {
			p.x = p.x.cleaned()
		}
	}
	p.y = p.output(p.x, p.x.c)
	for a := range p.y.p[0] {
		for b := range p.y.p[1] {
			taps := seen(p.x, p.y, a, b, p.taps(0, a, p.x.p[0]), p.taps(1, b, p.x.p[1]), lowFill)
			y := taps[0]
			var larger []*Node
			for _, t := range taps[1:] {
				if p.c.Kind == PoolMax {
					larger = append(larger, GreaterThan(t, y)) // never run unless Backward is called
					y = Max(y, t)
				} else {
					y = Add(y, t)
				}
			}
			if p.c.Kind == PoolAvg {
				y = p.weigh(y, a, b)
			}
			p.larger = append(p.larger, larger)
			p.y.planes = append(p.y.planes, y)
		}
	}
}

// weigh turns the sums of output plane (a, b), or their gradient, into means.
func (p *PoolPass) weigh(y *Node, a, b int) *Node {
	if p.even() {
		return MulScalar(y, p.share())
	}
	rows, cols := p.counts(0), p.counts(1)
	table := make([]float32, p.y.g[0]*p.y.g[1])
	for u := range p.y.g[0] {
		for v := range p.y.g[1] {
			if r, c := u*p.y.p[0]+a, v*p.y.p[1]+b; r < len(rows) && c < len(cols) {
				table[u*p.y.g[1]+v] = 1 / (rows[r] * cols[c])
			}
		}
	}
	each := broadcast(Reshape(Const(y.Graph(), table), 1, -1), p.y.c*p.y.n, len(table))
	return Mul(y, Reshape(each, p.y.c, -1))
}

func (p *PoolPass) backwardGo(dy *Map) *Map {
	dy = dy.laidOut(p.y.p, p.y.g).cleaned()
	// A gradient for each tap, laid out as y.
	parts := make([]*Map, p.size[0]*p.size[1])
	for i := range parts {
		parts[i] = p.y.like(p.y.p, p.y.g, true)
	}
	for i, g := range dy.planes {
		if p.c.Kind == PoolAvg {
			g = p.weigh(g, i/p.y.p[1], i%p.y.p[1])
			for t := range parts {
				parts[t].planes = append(parts[t].planes, g)
			}
			continue
		}
		// The last tap that exceeds all before it is the first maximum.
		for t := len(parts) - 1; t > 0; t-- {
			here := p.k.Gate(p.larger[i][t-1], g)
			parts[t].planes = append(parts[t].planes, here)
			g = Sub(g, here)
		}
		parts[0].planes = append(parts[0].planes, g)
	}
	dx := p.x.like(p.x.p, p.x.g, p.aligned())
	for a := range dx.p[0] {
		for b := range dx.p[1] {
			dx.planes = append(dx.planes, p.gather(parts, dx, a, b))
		}
	}
	return dx
}

// aligned tells whether each plane of x lies in one tap's window alone, unmoved,
// so that zeros in the gradient stay where they are.
func (p *PoolPass) aligned() bool {
	return p.size == p.strides && p.padding == [2][2]int{} && p.x.g == p.y.g
}

// gather adds up what plane (a, b) of dx gets from the taps.
func (p *PoolPass) gather(parts []*Map, dx *Map, a, b int) *Node {
	var sum *Node
	for _, i := range p.backTaps(0, a, p.y.p[0]) {
		for _, j := range p.backTaps(1, b, p.y.p[1]) {
			part := seen(parts[i.index*p.size[1]+j.index], dx, a, b, []tap{i}, []tap{j}, false)[0]
			if sum == nil {
				sum = part
			} else {
				sum = Add(sum, part)
			}
		}
	}
	if sum == nil { // No window reaches these pixels.
		return BroadcastToDims(zero(p.x.Graph()), dx.c, dx.pixels(dx.n))
	}
	return sum
}
