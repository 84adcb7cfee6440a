package kernel

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
)

// goConv is a convolution on planes.
type goConv struct {
	window
	k       *Kernel
	groups  int
	x       *Map // with planes
	y       *Map
	w       *Node
	patches []*Node // for each output plane, what the filter sees: [taps*cin, pixels]
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
			patches := g.stack(rows, g.x.c)
			g.patches = append(g.patches, patches)
			g.y.planes = append(g.y.planes, g.product(lhs, patches, cout))
		}
	}
	return g.y, g
}

// stack puts planes of c channels below each other, group by group.
func (g *goConv) stack(rows []*Node, c int) *Node {
	if g.groups == 1 {
		return Concatenate(rows, 0)
	}
	parts := make([]*Node, len(rows))
	for i, r := range rows {
		parts[i] = Reshape(r, g.groups, c/g.groups, -1)
	}
	return Concatenate(parts, 1)
}

// product is lhs [rows, k] times rhs [k, pixels], or, for each group, lhs
// [groups, rows/groups, k] times rhs [groups, k, pixels].
func (g *goConv) product(lhs, rhs *Node, rows int) *Node {
	if g.groups == 1 {
		return g.k.Dot(lhs, 1, rhs, 0)
	}
	return Reshape(g.k.dot(lhs, []int{2}, []int{0}, rhs, []int{1}, []int{0}), rows, -1)
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
// they saw.
func (g *goConv) filterGrad(dy *Map) *Node {
	d := g.w.Shape().Dimensions
	n := g.groups
	var sum *Node
	for i, patches := range g.patches {
		lhs := dy.planes[i]
		var part *Node
		if n == 1 {
			part = g.k.Dot(lhs, 1, patches, 1)
		} else {
			part = g.k.dot(Reshape(lhs, n, d[3]/n, -1), []int{2}, []int{0}, patches, []int{2}, []int{0})
		}
		if sum == nil {
			sum = part
		} else {
			sum = Add(sum, part)
		}
	}
	if n == 1 {
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
			dx.planes = append(dx.planes, g.product(filters[key], g.stack(views, dy.c), dx.c))
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
