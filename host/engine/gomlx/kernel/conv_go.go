package kernel

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// goConv is a convolution on planes.
type goConv struct {
	window
	k      *Kernel
	groups int
	x      *Map // with planes
	y      *Map
	w      *Node
	sees   [][]*Node // for each output plane, the input planes that the filter sees
}

// goForward convolves planes. The bias is the caller's affair.
func (c Conv2D) goForward(x *Map, w *Node) (*Map, *goConv) {
	g := &goConv{window: c.window(w), k: x.k, groups: c.Groups, x: x.split(c.Strides), w: w}
	if g.readsBeyond(g.x) {
		g.x = g.x.cleaned()
	}
	cout := w.Shape().Dimensions[3]
	g.y = g.output(g.x, cout)
	lhs := g.filterRows()
	for a := range g.y.p[0] {
		for b := range g.y.p[1] {
			rows := seen(g.x, g.y, a, b, g.taps(0, a, g.x.p[0]), g.taps(1, b, g.x.p[1]), false)
			g.sees = append(g.sees, rows)
			g.y.planes = append(g.y.planes, g.times(lhs, rows, cout))
		}
	}
	return g.y, g
}

// stack puts planes below each other, group by group: [rows, pixels], or
// [groups, rows/groups, pixels]. It waits for the product last, so that what it
// makes, which is large, is still in the caches when its own product starts,
// and no other is made before it is wanted.
func (g *goConv) stack(planes []*Node, last *Node) *Node {
	pixels := planes[0].Shape().Dimensions[1]
	if g.groups == 1 {
		if last != nil {
			planes = append([]*Node{after(last, 0, pixels)}, planes...)
		}
		return Concatenate(planes, 0)
	}
	var parts []*Node
	if last != nil {
		parts = append(parts, after(last, g.groups, 0, pixels))
	}
	for _, x := range planes {
		parts = append(parts, Reshape(x, g.groups, -1, pixels))
	}
	return Concatenate(parts, 1)
}

// times is lhs [rows, k] times the planes below each other [k, pixels], or, for
// each group, lhs [groups, rows/groups, k] times those.
func (g *goConv) times(lhs *Node, planes []*Node, rows int) *Node {
	return g.k.inTurn(func(last *Node) *Node {
		rhs := g.stack(planes, last)
		if g.groups == 1 {
			return Dot(lhs, rhs).General([]int{1}, nil, []int{0}, nil)
		}
		return Reshape(Dot(lhs, rhs).General([]int{2}, []int{0}, []int{1}, []int{0}), rows, -1)
	})
}

// filterRows is the filter as [cout, taps*cin], or [groups, cout/groups, taps*cin/groups].
func (g *goConv) filterRows() *Node {
	d := g.w.Shape().Dimensions
	if g.groups == 1 {
		return Transpose(Reshape(g.w, -1, d[3]), 0, 1)
	}
	return TransposeAllAxes(Reshape(g.w, d[0]*d[1]*d[2], g.groups, -1), 1, 2, 0)
}

// filterGrad is the filter's gradient, the sum over the planes of dy times what
// they saw. That is put together again: to keep it takes more time and memory.
func (g *goConv) filterGrad(dy *Map) *Node {
	d := g.w.Shape().Dimensions
	n := g.groups
	swap := n == 1 && d[0]*d[1]*d[2] < d[3] // the product pads its right side to 32 rows
	var sum *Node
	for i, planes := range g.sees {
		part := g.k.inTurn(func(last *Node) *Node {
			lhs, rhs := dy.planes[i], g.stack(planes, last)
			if n > 1 {
				return Dot(Reshape(lhs, n, d[3]/n, -1), rhs).General([]int{2}, []int{0}, []int{2}, []int{0})
			}
			if swap {
				lhs, rhs = rhs, lhs
			}
			return Dot(lhs, rhs).General([]int{1}, nil, []int{1}, nil)
		})
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	switch {
	case swap:
		return Reshape(sum, d...)
	case n == 1:
		return Reshape(Transpose(sum, 0, 1), d...)
	}
	return Reshape(TransposeAllAxes(sum, 2, 0, 1), d...)
}

// inputGrad is the input's gradient: each input plane gathers dy from the
// outputs that saw it.
func (g *goConv) inputGrad(dy *Map) *Map {
	dx := g.x.like(g.x.p, g.x.g, false)
	filters := map[string]*Node{}
	for a := range dx.p[0] {
		for b := range dx.p[1] {
			rows, cols := g.backTaps(0, a, dy.p[0]), g.backTaps(1, b, dy.p[1])
			views := seen(dy, dx, a, b, rows, cols, false)
			if len(views) == 0 { // No window reaches these pixels.
				dx.planes = append(dx.planes, BroadcastToDims(zero(g.w.Graph()), dx.c, dx.pixels(dx.n)))
				continue
			}
			key := fmt.Sprint(indices(rows), indices(cols))
			if filters[key] == nil {
				filters[key] = g.filterColumns(rows, cols)
			}
			dx.planes = append(dx.planes, g.times(filters[key], views, dx.c))
		}
	}
	return dx
}

func indices(taps []tap) []int {
	all := make([]int, len(taps))
	for i, t := range taps {
		all[i] = t.index
	}
	return all
}

// filterColumns is the filter at some taps as [cin, taps*cout], or [groups,
// cin/groups, taps*cout/groups].
func (g *goConv) filterColumns(rows, cols []tap) *Node {
	d := g.w.Shape().Dimensions
	n := g.groups
	var parts []*Node
	for _, i := range rows {
		for _, j := range cols {
			w := Slice(g.w, AxisElem(i.index), AxisElem(j.index), AxisRange(), AxisRange())
			if n == 1 {
				parts = append(parts, Reshape(w, d[2], d[3]))
			} else {
				parts = append(parts, TransposeAllAxes(Reshape(w, d[2], n, d[3]/n), 1, 0, 2))
			}
		}
	}
	return Concatenate(parts, -1)
}
