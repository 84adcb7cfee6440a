package kernel

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// phased is the layout of maps on the Go backend, which is fast at products, at
// elementwise operations on equal shapes and at copying long runs
// (Concatenate), and slow at everything that walks single elements (Slice,
// Transpose, Pad along a row, Reduce, broadcasts).
//
// An axis is cut into phases: of P phases, number a holds the pixels a, a+P,
// a+2P and so on. A plane is the pixels of one row phase and one column phase
// as a node [c, n*gh*gw]. So
//   - the filter's view for one output plane is whole input planes, one below
//     the other: no pixel is moved but at the borders, and a convolution is one
//     product, as are both its gradients, without transposing anything;
//   - a 2x2 pool is the maximum of four planes, and halves the number of phases;
//   - each plane is small enough for the caches, and planes are independent, so
//     that elementwise work on them runs in parallel.
//
// A plane has gh*P rows of pixels, which may be more than the map's h: what
// lies beyond is 0 if clean, else anything finite.
type phased struct {
	p      [2]int  // phases: rows, columns
	g      [2]int  // a plane's size
	planes []*Node // p[0]*p[1] of them, row-major, each [c, n*g[0]*g[1]]
	clean  bool
	views  map[viewKey]*Node
}

type viewKey struct {
	plane   int
	by, to  [2]int
	loose   bool
	lowFill bool
}

func (f phased) pixels(n int) int { return n * f.g[0] * f.g[1] }

// exact tells whether planes hold the map's pixels and no more.
func (m *Map) exact() bool { return m.p[0]*m.g[0] == m.h && m.p[1]*m.g[1] == m.w }

func (m *Map) zeroBeyond() bool { return m.clean || m.exact() }

// extent is how many of a plane's rows (axis 0) or columns (axis 1) are the map's.
func (m *Map) extent(axis, phase int) int {
	size := m.h
	if axis == 1 {
		size = m.w
	}
	return min(m.g[axis], max(0, ceilDiv(size-phase, m.p[axis])))
}

func ceilDiv(a, b int) int { return -floorDiv(-a, b) }

func floorDiv(a, b int) int {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func mod(a, b int) int { return a - b*floorDiv(a, b) }

// minPlane is the number of pixels (of all images) under which a plane is too
// small to be worth having.
var minPlane = 1024 // a variable for tests

// split gives a map planes, with as many phases as the strides to come make
// useful, in multiples of what is asked for.
func (m *Map) split(phases [2]int) *Map {
	if m.planes != nil && m.p[0]%phases[0] == 0 && m.p[1]%phases[1] == 0 {
		return m
	}
	if m.planes != nil {
		return m.refine([2]int{lcm(m.p[0], phases[0]), lcm(m.p[1], phases[1])})
	}
	p := phases
	for d := m.k.Shrink; d > 1; d-- {
		if m.k.Shrink%d != 0 || m.n*ceilDiv(m.h, d)*ceilDiv(m.w, d) < minPlane {
			continue
		}
		p = [2]int{lcm(d, phases[0]), lcm(d, phases[1])}
		break
	}
	return m.fromNHWC(p)
}

func lcm(a, b int) int {
	g, r := a, b
	for r != 0 {
		g, r = r, g%r
	}
	return a / g * b
}

// fromNHWC cuts an NHWC node into planes.
func (m *Map) fromNHWC(p [2]int) *Map {
	one := m.like([2]int{1, 1}, [2]int{m.h, m.w}, true)
	x := m.nhwc
	if m.c > 1 {
		x = TransposeAllAxes(x, 3, 0, 1, 2)
	}
	one.planes = []*Node{Reshape(x, m.c, -1)}
	if p == one.p {
		return one
	}
	return one.refine(p)
}

// like is a map of m's dimensions without planes yet.
func (m *Map) like(p, g [2]int, clean bool) *Map {
	return &Map{k: m.k, n: m.n, h: m.h, w: m.w, c: m.c, phased: phased{p: p, g: g, clean: clean}}
}

// refine cuts planes into more phases, a multiple of those there are.
func (m *Map) refine(p [2]int) *Map {
	by := [2]int{p[0] / m.p[0], p[1] / m.p[1]}
	g := [2]int{ceilDiv(m.g[0], by[0]), ceilDiv(m.g[1], by[1])}
	out := m.like(p, g, m.clean || m.exact())
	fill := zero(m.Graph())
	for a := range p[0] {
		for b := range p[1] {
			top, left := a/m.p[0], b/m.p[1]
			if top >= m.g[0] || left >= m.g[1] {
				out.planes = append(out.planes, BroadcastToDims(fill, m.c, out.pixels(m.n)))
				continue
			}
			x := Reshape(m.planes[(a%m.p[0])*m.p[1]+b%m.p[1]], m.c*m.n, m.g[0], m.g[1])
			x = Slice(x, AxisRange(), AxisRange(top).Stride(by[0]), AxisRange(left).Stride(by[1]))
			s := x.Shape().Dimensions
			x = border(x, [2]int{}, [2]int{g[0] - s[1], g[1] - s[2]}, fill)
			out.planes = append(out.planes, Reshape(x, m.c, -1))
		}
	}
	return out
}

// border puts rows and columns of fill around x [planes, height, width].
func border(x *Node, before, after [2]int, fill *Node) *Node {
	return along(along(x, 2, before[1], after[1], fill), 1, before[0], after[0], fill)
}

// along puts fill before and after x along an axis. Concatenate copies runs,
// where the Go backend's Pad would walk single elements.
func along(x *Node, axis, before, after int, fill *Node) *Node {
	if before == 0 && after == 0 {
		return x
	}
	side := func(n int) []*Node {
		if n == 0 {
			return nil
		}
		d := slices.Clone(x.Shape().Dimensions)
		d[axis] = n
		return []*Node{BroadcastToDims(fill, d...)}
	}
	return Concatenate(slices.Concat(side(before), []*Node{x}, side(after)), axis)
}

// view is a plane moved: element (u, v) of the result is element (u+by[0],
// v+by[1]) of the plane, or 0 (or, with lowFill, -inf) outside it. The result
// has the size to. Of it, only the first want[0] rows and want[1] columns need
// to be right.
func (m *Map) view(plane int, by, to, want [2]int, lowFill bool) *Node {
	x := m.planes[plane]
	if by == [2]int{} && to == m.g {
		return x
	}
	loose := m.mayRunOver(plane, by, to, want, lowFill)
	key := viewKey{plane, by, to, loose, lowFill}
	if y, ok := m.views[key]; ok {
		return y
	}
	var y *Node
	if loose {
		y = slide(x, by[0]*m.g[1]+by[1])
	} else {
		y = m.exactView(x, by, to, lowFill)
	}
	if m.views == nil {
		m.views = map[viewKey]*Node{}
	}
	m.views[key] = y
	return y
}

// mayRunOver tells whether a move may simply slide all pixels along, so that
// those that leave a row or image at one side come in at the other side of the
// next: if what comes in is 0, or is not wanted.
func (m *Map) mayRunOver(plane int, by, to, want [2]int, lowFill bool) bool {
	if to != m.g {
		return false
	}
	phase := [2]int{plane / m.p[1], plane % m.p[1]}
	for axis := range 2 {
		switch d := by[axis]; {
		case d > 0 && want[axis] > m.g[axis]-d:
			return false
		case d < 0 && (lowFill || !m.zeroBeyond() || m.extent(axis, phase[axis]) > m.g[axis]+d):
			return false
		}
	}
	return true
}

// slide moves all pixels of x [c, pixels] by some to the front (or, if
// negative, the back), filling up with 0.
func slide(x *Node, by int) *Node {
	pixels := x.Shape().Dimensions[1]
	fill := zero(x.Graph())
	if by >= pixels || -by >= pixels {
		return BroadcastToDims(fill, x.Shape().Dimensions...)
	}
	if by > 0 {
		return along(Slice(x, AxisRange(), AxisRange(by)), 1, 0, by, fill)
	}
	return along(Slice(x, AxisRange(), AxisRange(0, pixels+by)), 1, -by, 0, fill)
}

func (m *Map) exactView(x *Node, by, to [2]int, lowFill bool) *Node {
	fill := zero(x.Graph())
	if lowFill {
		fill = Infinity(x.Graph(), dtypes.Float32, -1)
	}
	var from, until, before, after [2]int
	for axis := range 2 {
		from[axis], until[axis] = max(0, by[axis]), min(m.g[axis], to[axis]+by[axis])
		if until[axis] <= from[axis] {
			return BroadcastToDims(fill, m.c, m.n*to[0]*to[1])
		}
		before[axis] = max(0, -by[axis])
		after[axis] = to[axis] - before[axis] - (until[axis] - from[axis])
	}
	x = Reshape(x, m.c*m.n, m.g[0], m.g[1])
	if from != [2]int{} || until != m.g {
		x = Slice(x, AxisRange(), AxisRange(from[0], until[0]), AxisRange(from[1], until[1]))
	}
	return Reshape(border(x, before, after, fill), m.c, -1)
}

// cleaned is the map with zeros beyond its pixels.
func (m *Map) cleaned() *Map {
	if m.zeroBeyond() {
		return m
	}
	out := m.filled(zero(m.Graph()))
	out.clean = true
	return out
}

// lowered is the map with -inf beyond its pixels, for a maximum.
func (m *Map) lowered() *Map { return m.filled(Infinity(m.Graph(), dtypes.Float32, -1)) }

func (m *Map) filled(fill *Node) *Map {
	out := m.like(m.p, m.g, false)
	for i, x := range m.planes {
		u, v := m.extent(0, i/m.p[1]), m.extent(1, i%m.p[1])
		if u < m.g[0] || v < m.g[1] {
			x = m.resized(x, [2]int{u, v}, m.g, fill)
		}
		out.planes = append(out.planes, x)
	}
	return out
}

// resized keeps the first rows and columns of a plane and fills up.
func (m *Map) resized(x *Node, keep, to [2]int, fill *Node) *Node {
	if keep[0] == 0 || keep[1] == 0 {
		return BroadcastToDims(fill, m.c, m.n*to[0]*to[1])
	}
	x = Reshape(x, m.c*m.n, m.g[0], m.g[1])
	if keep != m.g {
		x = Slice(x, AxisRange(), AxisRange(0, keep[0]), AxisRange(0, keep[1]))
	}
	return Reshape(border(x, [2]int{}, [2]int{to[0] - keep[0], to[1] - keep[1]}, fill), m.c, -1)
}

// laidOut is the map with the given phases and plane size.
func (m *Map) laidOut(p, g [2]int) *Map {
	x := m
	if x.planes == nil {
		x = m.fromNHWC(p)
	} else if x.p != p && p[0]%x.p[0] == 0 && p[1]%x.p[1] == 0 {
		x = x.refine(p)
	} else if x.p != p {
		x = m.k.Map(m.NHWC()).fromNHWC(p)
	}
	if x.g == g {
		return x
	}
	out := x.like(p, g, true)
	out.planes = make([]*Node, len(x.planes))
	for i := range x.planes {
		keep := [2]int{min(g[0], x.extent(0, i/p[1])), min(g[1], x.extent(1, i%p[1]))}
		out.planes[i] = x.resized(x.planes[i], keep, g, zero(x.Graph()))
	}
	return out
}

// join puts the planes together to an NHWC node.
func (m *Map) join() *Node {
	rows := make([]*Node, 0, m.p[0])
	for a := range m.p[0] {
		cols := make([]*Node, 0, m.p[1])
		for b := range m.p[1] {
			cols = append(cols, Reshape(m.planes[a*m.p[1]+b], m.c, m.n, m.g[0], 1, m.g[1], 1))
		}
		rows = append(rows, Concatenate(cols, 5))
	}
	x := Reshape(Concatenate(rows, 3), m.c, m.n, m.p[0]*m.g[0], m.p[1]*m.g[1])
	if !m.exact() {
		x = Slice(x, AxisRange(), AxisRange(), AxisRange(0, m.h), AxisRange(0, m.w))
	}
	return TransposeAllAxes(x, 1, 2, 3, 0)
}

// eachPlane is Each on the Go backend.
func (k *Kernel) eachPlane(f func(xs ...*Node) *Node, ms []*Map) *Map {
	lead := ms[0]
	for _, m := range ms {
		if m.planes != nil {
			lead = m
			break
		}
	}
	if lead.planes == nil {
		xs := make([]*Node, len(ms))
		for i, m := range ms {
			xs[i] = m.NHWC()
		}
		return k.Map(f(xs...))
	}
	laid := make([]*Map, len(ms))
	for i, m := range ms {
		laid[i] = m.laidOut(lead.p, lead.g)
	}
	out := lead.like(lead.p, lead.g, false)
	out.planes = make([]*Node, len(lead.planes))
	out.clean = true
	xs := make([]*Node, len(ms))
	for i := range out.planes {
		zeros := map[*Node]bool{}
		for j, m := range laid {
			xs[j] = m.planes[i]
			zeros[xs[j]] = m.zeroBeyond()
		}
		y := f(xs...)
		if !y.Shape().Equal(xs[0].Shape()) {
			fail("elementwise operation: made %s from %s", y.Shape(), xs[0].Shape())
		}
		out.planes[i] = y
		out.clean = out.clean && staysZero(y, zeros)
	}
	return out
}

// staysZero tells whether y is surely 0 wherever those inputs that zeros marks
// are all 0.
func staysZero(y *Node, zeros map[*Node]bool) bool {
	if known, ok := zeros[y]; ok {
		return known
	}
	in := y.Inputs()
	all := func(from int) bool {
		for _, x := range in[from:] {
			if !staysZero(x, zeros) {
				return false
			}
		}
		return true
	}
	stays := false
	switch y.Type() {
	case NodeTypeConstant:
		if v := y.ConstantValue(); v != nil && v.DType() == dtypes.Float32 && v.IsScalar() {
			stays = v.Value() == float32(0)
		}
	case NodeTypeMul:
		stays = staysZero(in[0], zeros) || staysZero(in[1], zeros)
	case NodeTypeDiv:
		stays = staysZero(in[0], zeros) && in[1].IsScalar()
	case NodeTypeAdd, NodeTypeSub, NodeTypeMax, NodeTypeMin, NodeTypeNeg, NodeTypeAbs, NodeTypeSqrt, NodeTypeTanh,
		NodeTypeErf, NodeTypeReshape, NodeTypeBroadcastInDim:
		stays = all(0)
	case NodeTypeWhere:
		stays = all(1)
	case NodeTypeSchedulingBarrier: // its first input, after the others
		stays = staysZero(in[0], zeros)
	}
	zeros[y] = stays
	return stays
}

// perChannel makes v [c] as large as the map's planes.
func (m *Map) perChannel(v *Node) *Node {
	// Doubled copies: the Go backend walks a broadcast value by value.
	return spread(Reshape(v, m.c, 1), m.pixels(m.n))
}

// spread repeats x [rows, 1] to [rows, n] by doubling.
func spread(x *Node, n int) *Node {
	var parts []*Node
	for size := 1; ; size *= 2 {
		if n&size != 0 {
			parts = append(parts, x)
		}
		if 2*size > n {
			break
		}
		x = Concatenate([]*Node{x, x}, 1)
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return Concatenate(parts, 1)
}

// broadcast is x broadcast for good: without the barrier the Go backend would
// leave that to each operation that uses it, which then walks single elements.
func broadcast(x *Node, dims ...int) *Node { return OptimizationBarrier(BroadcastToDims(x, dims...)) }

// onPlanes applies f to each plane.
func (m *Map) onPlanes(clean bool, f func(x *Node) *Node) *Map {
	out := m.like(m.p, m.g, clean)
	for _, x := range m.planes {
		out.planes = append(out.planes, f(x))
	}
	return out
}
