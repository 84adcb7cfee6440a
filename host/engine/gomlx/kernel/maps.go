package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel/random"
)

// Map is a batch of feature maps: n images of h by w pixels and c channels, in
// whatever layout its Kernel's target likes. On XLA that is NHWC. On the Go
// backend it is planes, see phased.
type Map struct {
	k          *Kernel
	n, h, w, c int
	nhwc       *Node // nil until wanted where there are planes
	phased
}

// Map takes an NHWC node [n, h, w, c].
func (k *Kernel) Map(x *Node) *Map {
	mustFloat32("feature map", x)
	if x.Rank() != 4 {
		fail("feature map: found shape %s, want [images, height, width, channels]", x.Shape())
	}
	d := x.Shape().Dimensions
	return &Map{k: k, n: d[0], h: d[1], w: d[2], c: d[3], nhwc: x}
}

// NHWC is the map as a node [n, h, w, c].
func (m *Map) NHWC() *Node {
	if m.nhwc == nil {
		m.nhwc = m.join()
	}
	return m.nhwc
}

// Dims are the number of images, the height, the width and the channels.
func (m *Map) Dims() (n, h, w, c int) { return m.n, m.h, m.w, m.c }

// Graph is the map's graph.
func (m *Map) Graph() *Graph {
	if m.nhwc != nil {
		return m.nhwc.Graph()
	}
	return m.planes[0].Graph()
}

func (m *Map) sameDims(o *Map) bool {
	return m.n == o.n && m.h == o.h && m.w == o.w && m.c == o.c
}

// Each applies an elementwise function to maps of equal dimensions. f gets
// nodes of equal shape, in an order of elements that is not its affair, and may
// be called several times.
func (k *Kernel) Each(f func(xs ...*Node) *Node, ms ...*Map) *Map {
	if len(ms) == 0 {
		fail("elementwise operation: found no map, want at least one")
	}
	for _, m := range ms[1:] {
		if !m.sameDims(ms[0]) {
			fail("elementwise operation: found maps of %v and %v, want equal ones", dims(ms[0]), dims(m))
		}
	}
	if k.Target == Go {
		return k.eachPlane(f, ms)
	}
	xs := make([]*Node, len(ms))
	for i, m := range ms {
		xs[i] = m.NHWC()
	}
	return k.Map(f(xs...))
}

func dims(m *Map) []int { return []int{m.n, m.h, m.w, m.c} }

// Gate is x where the condition, a bool node of the same shape, holds, and 0
// elsewhere.
func (k *Kernel) Gate(condition, x *Node) *Node {
	if k.Target != Go {
		return Where(condition, x, zero(x.Graph()))
	}
	return Mul(x, random.Indicator(condition)) // Where would branch, see there
}
