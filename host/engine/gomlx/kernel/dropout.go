package kernel

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel/random"
)

// Dropout is [random.Dropout] for rows and for feature maps.
type Dropout random.Dropout

// Apply drops elements of x. The gradient of x is that of y times the mask.
func (d Dropout) Apply(x, key *Node) (y, mask *Node) {
	mask = random.Dropout(d).Mask(key, x.Shape().Dimensions...)
	return Mul(x, mask), mask
}

// ApplyMap is Apply for a feature map.
func (d Dropout) ApplyMap(x *Map, key *Node) (y, mask *Map) {
	if x.planes == nil {
		mask = x.k.Map(random.Dropout(d).Mask(key, x.n, x.h, x.w, x.c))
	} else {
		mask = d.planeMask(x, key)
	}
	return x.k.Each(func(xs ...*Node) *Node { return Mul(xs[0], xs[1]) }, x, mask), mask
}

// planeMask is Mask for a map's planes: the same numbers in another order.
func (of Dropout) planeMask(x *Map, key *Node) *Map {
	d := random.Dropout(of)
	d.Check()
	g := key.Graph()
	// Positions count in NHWC order, over one lane's channels. Those of a plane
	// are those of the first plane, moved.
	lanes := random.Lanes(x.c)
	pixel := x.c / lanes
	row := x.w * pixel
	axis := func(n, stride int) *Node {
		return Mul(Iota(g, shapes.Make(dtypes.Uint64, n), 0), random.Wide(g, uint64(stride)*random.Weyl64))
	}
	sum := func(a, b *Node) *Node { // [m] and [n]: [m*n]
		m, n := a.Shape().Dimensions[0], b.Shape().Dimensions[0]
		return Reshape(Add(broadcast(Reshape(a, m, 1), m, n), broadcast(Reshape(b, 1, n), m, n)), -1)
	}
	within := sum(axis(x.g[0], x.p[0]*row), axis(x.g[1], x.p[1]*pixel))
	at := Reshape(sum(axis(pixel, 1), sum(axis(x.n, x.h*row), within)), pixel, -1)
	s := d.Start(key, x.h*row)
	i := -1
	return x.onPlanes(false, func(*Node) *Node {
		i++
		h := d.Hash(Add(at, Add(s, random.Wide(g, uint64(i/x.p[1]*row+i%x.p[1]*pixel)*random.Weyl64))))
		keep := d.Keep(h, 0)
		if lanes == 2 {
			keep = Concatenate([]*Node{keep, d.Keep(h, 1)}, 0)
		}
		return d.Scale(keep)
	})
}
