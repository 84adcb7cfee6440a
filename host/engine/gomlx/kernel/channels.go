package kernel

import (
	"slices"

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

// MulChannels multiplies every pixel by v [c]. Where rows [n] isn't nil it is 1 for
// the images that count, and 0 for others, whose products are 0.
func (k *Kernel) MulChannels(m *Map, v, rows *Node) *Map {
	m.checkChannels(v)
	if m.planes == nil {
		return k.Map(k.MulRows(m.NHWC(), v, rows))
	}
	whole := m.perChannel(v)
	if rows != nil {
		whole = Mul(whole, m.perImage(rows))
	}
	return m.onPlanes(m.clean, func(x *Node) *Node { return Mul(x, whole) })
}

// SumChannels sums over pixels and images, those that count by rows as in
// MulChannels: [c].
func (k *Kernel) SumChannels(m *Map, rows *Node) *Node {
	if m.planes == nil {
		return k.SumRows(m.NHWC(), rows)
	}
	// Adding planes is much faster than reducing one.
	sums := append([]*Node(nil), m.cleaned().planes...)
	for n := len(sums); n > 1; n = len(sums) {
		for i := range n / 2 {
			sums[i] = Add(sums[i], sums[n-1-i])
		}
		sums = sums[:(n+1)/2]
	}
	if rows != nil {
		sums[0] = Mul(sums[0], m.perImage(rows))
	}
	return ReduceSum(sums[0], 1)
}

// perImage makes rows [n] as large as the map's planes.
func (m *Map) perImage(rows *Node) *Node {
	pixels := spread(Reshape(rows, m.n, 1), m.g[0]*m.g[1])
	return tile(Reshape(pixels, -1), m.c)
}

func (m *Map) checkChannels(v *Node) {
	mustFloat32("channels", v)
	if v.Rank() != 1 || v.Shape().Dimensions[0] != m.c {
		fail("channels: found %s for a map of %v, want [%d]", v.Shape(), dims(m), m.c)
	}
}

// AddRows adds v [c] to every vector along the last axis of x [..., c].
func (k *Kernel) AddRows(x, v *Node) *Node { return k.rowwise(Add, x, v) }

// MulRows multiplies every vector along the last axis of x [n, ..., c] by v [c],
// and by rows as in MulChannels.
func (k *Kernel) MulRows(x, v, rows *Node) *Node {
	if rows == nil {
		return k.rowwise(Mul, x, v)
	}
	// The factors first: where XLA adds to the product, that is one operation.
	return Mul(x, k.rowwise(Mul, k.perRow(x, rows), v))
}

// perRow makes rows [n] as large as x [n, ..., c].
func (k *Kernel) perRow(x, rows *Node) *Node {
	mustFloat32("rows that count", rows)
	shape := x.Shape().Dimensions
	if rows.Rank() != 1 || rows.Shape().Dimensions[0] != shape[0] {
		fail("rows that count: found %s for %s, want [%d]", rows.Shape(), x.Shape(), shape[0])
	}
	if k.Target != Go {
		front := slices.Repeat([]int{1}, x.Rank())
		front[0] = shape[0]
		return BroadcastToDims(Reshape(rows, front...), shape...)
	}
	return Reshape(spread(Reshape(rows, -1, 1), x.Shape().Size()/shape[0]), shape...)
}

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

// SumRows sums x [n, ..., c] over all axes but the last, counting rows as in
// MulChannels: [c].
func (k *Kernel) SumRows(x, rows *Node) *Node {
	mustFloat32("sum of rows", x)
	if rows != nil {
		x = Mul(x, k.perRow(x, rows))
	}
	shape := x.Shape().Dimensions
	all := Reshape(x, -1, shape[len(shape)-1])
	if k.Target == Go {
		// The Go backend's ReduceSum walks element by element: halve first.
		for n := all.Shape().Dimensions[0]; n%2 == 0 && n > 2; n /= 2 {
			all = Add(Slice(all, AxisRange(0, n/2)), Slice(all, AxisRange(n/2, n)))
		}
	}
	return ReduceSum(all, 0)
}
