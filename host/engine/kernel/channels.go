package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// AddChannels adds v [c] to every pixel.
func (k *Kernel) AddChannels(m *Map, v *Node) *Map {
	m.checkChannels(v)
	if m.planes == nil {
		return k.Map(k.AddRows(m.NHWC(), v))
	}
	whole := m.perChannel(v)
	return m.onPlanes(false, func(x *Node) *Node { return Add(x, whole) })
}

// MulChannels multiplies every pixel by v [c].
func (k *Kernel) MulChannels(m *Map, v *Node) *Map {
	m.checkChannels(v)
	if m.planes == nil {
		return k.Map(k.MulRows(m.NHWC(), v))
	}
	whole := m.perChannel(v)
	return m.onPlanes(m.clean, func(x *Node) *Node { return Mul(x, whole) })
}

// SumChannels sums over images and pixels: [c].
func (k *Kernel) SumChannels(m *Map) *Node {
	if m.planes == nil {
		return k.SumRows(m.NHWC())
	}
	// Adding planes is much faster than reducing one.
	sums := append([]*Node(nil), m.cleaned().planes...)
	for n := len(sums); n > 1; n = len(sums) {
		for i := range n / 2 {
			sums[i] = Add(sums[i], sums[n-1-i])
		}
		sums = sums[:(n+1)/2]
	}
	return ReduceSum(sums[0], 1)
}

func (m *Map) checkChannels(v *Node) {
	mustFloat32("channels", v)
	if v.Rank() != 1 || v.Shape().Dimensions[0] != m.c {
		fail("channels: found %s for a map of %v, want [%d]", v.Shape(), dims(m), m.c)
	}
}

// AddRows adds v [c] to every vector along the last axis of x [..., c].
func (k *Kernel) AddRows(x, v *Node) *Node { return k.rowwise(Add, x, v) }

// MulRows multiplies every vector along the last axis of x [..., c] by v [c].
func (k *Kernel) MulRows(x, v *Node) *Node { return k.rowwise(Mul, x, v) }

func (k *Kernel) rowwise(f func(a, b *Node) *Node, x, v *Node) *Node {
	mustFloat32("rows", x, v)
	shape := x.Shape().Dimensions
	c := shape[len(shape)-1]
	if v.Rank() != 1 || v.Shape().Dimensions[0] != c {
		fail("rows: found %s for rows of %s, want [%d]", v.Shape(), x.Shape(), c)
	}
	if k.Target != Go {
		return f(x, ExpandLeftToRank(v, x.Rank()))
	}
	// The Go backend walks broadcasts element by element; copies are cheap.
	rows := Reshape(x, -1, c)
	return Reshape(f(rows, tile(v, rows.Shape().Dimensions[0])), shape...)
}

// tile repeats v [c] to [rows, c] by doubling.
func tile(v *Node, rows int) *Node {
	whole := Reshape(v, 1, -1)
	var out []*Node
	for n := 1; ; n *= 2 {
		if rows&n != 0 {
			out = append(out, whole)
		}
		if 2*n > rows {
			break
		}
		whole = Concatenate([]*Node{whole, whole}, 0)
	}
	if len(out) == 1 {
		return out[0]
	}
	return Concatenate(out, 0)
}

// SumRows sums over all axes but the last: [c].
func (k *Kernel) SumRows(x *Node) *Node {
	mustFloat32("sum of rows", x)
	shape := x.Shape().Dimensions
	rows := Reshape(x, -1, shape[len(shape)-1])
	if k.Target == Go {
		// The Go backend's ReduceSum walks element by element: halve first.
		for n := rows.Shape().Dimensions[0]; n%2 == 0 && n > 2; n /= 2 {
			rows = Add(Slice(rows, AxisRange(0, n/2)), Slice(rows, AxisRange(n/2, n)))
		}
	}
	return ReduceSum(rows, 0)
}
