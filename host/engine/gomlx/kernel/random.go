package kernel

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Random numbers are a hash of (key, stream, position): no state, the same on
// every backend and in every layout. The hash is two rounds of multiply and
// xor-shift with the constants of Chris Wellons' lowbias32, whose bits are all
// but unbiased for successive inputs.
const (
	mul1 = 0x7feb352d
	mul2 = 0x846ca68b
	weyl = 0x9e3779b9 // 2^32 divided by the golden ratio
)

// mix is the hash of uint32 nodes.
func mix(x *Node) *Node {
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, 16))
	x = MulScalar(x, uint32(mul1))
	x = BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, 15))
	x = MulScalar(x, uint32(mul2))
	return BitwiseXor(x, BitwiseShiftRightLogicalScalar(x, 16))
}

// seed folds a key of uint32 words and a stream number into one scalar.
func seed(key *Node, stream uint32) *Node {
	if key.DType() != dtypes.Uint32 || key.Rank() > 1 {
		fail("random key: found %s, want uint32 words", key.Shape())
	}
	s := mix(Scalar(key.Graph(), dtypes.Uint32, stream))
	key = Reshape(key, -1)
	for i := range key.Shape().Dimensions[0] {
		word := Reshape(Slice(key, AxisRange(i, i+1)))
		s = mix(Add(MulScalar(s, uint32(weyl)), word))
	}
	return s
}

// bits are 32 random bits for each position of a shape.
func bits(key *Node, stream uint32, dims ...int) *Node {
	n := 1
	for _, d := range dims {
		n *= d
	}
	at := Iota(key.Graph(), shapes.Make(dtypes.Uint32, n), 0)
	return Reshape(mix(Add(MulScalar(at, uint32(weyl)), seed(key, stream))), dims...)
}

// Uniform returns float32 numbers in [0, 1), multiples of 2^-24. key holds any
// number of uint32 seed words (a run's seed, a step's number); streams of one
// key are independent of each other.
func Uniform(key *Node, stream uint32, dims ...int) *Node {
	u := BitwiseShiftRightLogicalScalar(bits(key, stream, dims...), 8)
	return MulScalar(ConvertDType(u, dtypes.Float32), 1.0/(1<<24))
}

// Normal returns standard normal float32 numbers by Box and Muller's method. It
// uses the streams stream and stream+1.
func Normal(key *Node, stream uint32, dims ...int) *Node {
	// 1-u is in (0, 1], so that the logarithm is finite.
	r := Sqrt(MulScalar(Log(OneMinus(Uniform(key, stream, dims...))), -2.0))
	return Mul(r, Cos(MulScalar(Uniform(key, stream+1, dims...), 2*math.Pi)))
}

// Dropout sets a share Rate of the elements to zero and divides the others by
// 1-Rate. Which ones is a matter of key, Stream and position alone.
type Dropout struct {
	Rate   float64
	Stream uint32
	// First is the place of x's first row in the batch that it is a slice of
	// (uint64, no dimensions), so that slices drop what the whole would; nil: 0.
	First *Node
}

func (d Dropout) check() {
	if !(d.Rate >= 0 && d.Rate < 1) {
		fail("dropout: found rate %v, want at least 0 and less than 1", d.Rate)
	}
}

// Mask is what Apply multiplies with: 0 or 1/(1-Rate). The first of dims are the rows.
func (d Dropout) Mask(key *Node, dims ...int) *Node {
	d.check()
	g := key.Graph()
	c := dims[len(dims)-1]
	lanes := dropLanes(c)
	n := 1
	for _, dim := range dims {
		n *= dim
	}
	at := Iota(g, shapes.Make(dtypes.Uint64, n/lanes), 0)
	h := d.hash(Add(Mul(at, wide(g, weyl64)), d.start(key, n/dims[0]/lanes)))
	keep := d.keep(h, 0)
	if lanes == 2 {
		half := shapes.Make(dtypes.Bool, n/c, 1, c/2)
		keep = Concatenate([]*Node{ReshapeWithShape(keep, half), ReshapeWithShape(d.keep(h, 1), half)}, 1)
	}
	return d.scale(Reshape(keep, dims...))
}

// A dropout's random numbers are a quicker hash of 64 bits: one round, of which
// the better, upper bits decide. One hash serves two channels, c and c + half,
// by its upper and its middle bits. Chosen so that the Go backend, to which
// each operation is a pass over memory, has few of them; the constants are
// splitmix64's increment and a multiplier from Pelle Evensen's rrmxmx.
const (
	weyl64 = 0x9e3779b97f4a7c15
	mul64  = 0xd6e8feb86659fd93
)

func wide(g *Graph, v uint64) *Node { return Const(g, v) }

// dropLanes is how many channels share a hash.
func dropLanes(channels int) int {
	if channels%2 == 0 {
		return 2
	}
	return 1
}

// hash mixes positions times weyl64 plus the seed.
func (d Dropout) hash(x *Node) *Node {
	g := x.Graph()
	x = BitwiseXor(x, BitwiseShiftRightLogical(x, wide(g, 32)))
	return Mul(x, wide(g, mul64))
}

// seed64 folds key and stream into a scalar.
func (d Dropout) seed64(key *Node) *Node {
	s := ConvertDType(seed(key, d.Stream), dtypes.Uint64)
	low := ConvertDType(seed(key, d.Stream^weyl), dtypes.Uint64)
	return Add(BitwiseShiftLeft(s, wide(key.Graph(), 32)), low)
}

// start is what the hash of the first element begins with; each row has so
// many positions.
func (d Dropout) start(key *Node, row int) *Node {
	s := d.seed64(key)
	if d.First == nil {
		return s
	}
	return Add(s, Mul(d.First, wide(key.Graph(), uint64(row)*weyl64)))
}

// keep tells which elements a lane of hashes leaves.
func (d Dropout) keep(h *Node, lane int) *Node {
	g := h.Graph()
	if lane == 1 {
		h = BitwiseShiftLeft(h, wide(g, 24))
	}
	return GreaterOrEqual(h, wide(g, uint64(math.Round(d.Rate*(1<<53)))<<11))
}

// scale turns what is kept into 0 or 1/(1-Rate).
func (d Dropout) scale(keep *Node) *Node { return MulScalar(indicator(keep), 1/(1-d.Rate)) }

// Apply drops elements of x. The gradient of x is that of y times the mask.
func (d Dropout) Apply(x, key *Node) (y, mask *Node) {
	mask = d.Mask(key, x.Shape().Dimensions...)
	return Mul(x, mask), mask
}

// ApplyMap is Apply for a feature map.
func (d Dropout) ApplyMap(x *Map, key *Node) (y, mask *Map) {
	if x.planes == nil {
		mask = x.k.Map(d.Mask(key, x.n, x.h, x.w, x.c))
	} else {
		mask = d.planeMask(x, key)
	}
	return x.k.Each(func(xs ...*Node) *Node { return Mul(xs[0], xs[1]) }, x, mask), mask
}

// planeMask is Mask for a map's planes: the same numbers in another order.
func (d Dropout) planeMask(x *Map, key *Node) *Map {
	d.check()
	g := key.Graph()
	// Positions count in NHWC order, over one lane's channels. Those of a plane
	// are those of the first plane, moved.
	lanes := dropLanes(x.c)
	pixel := x.c / lanes
	row := x.w * pixel
	axis := func(n, stride int) *Node {
		return Mul(Iota(g, shapes.Make(dtypes.Uint64, n), 0), wide(g, uint64(stride)*weyl64))
	}
	sum := func(a, b *Node) *Node { // [m] and [n]: [m*n]
		m, n := a.Shape().Dimensions[0], b.Shape().Dimensions[0]
		return Reshape(Add(broadcast(Reshape(a, m, 1), m, n), broadcast(Reshape(b, 1, n), m, n)), -1)
	}
	within := sum(axis(x.g[0], x.p[0]*row), axis(x.g[1], x.p[1]*pixel))
	at := Reshape(sum(axis(pixel, 1), sum(axis(x.n, x.h*row), within)), pixel, -1)
	s := d.start(key, x.h*row)
	i := -1
	return x.onPlanes(false, func(*Node) *Node {
		i++
		h := d.hash(Add(at, Add(s, wide(g, uint64(i/x.p[1]*row+i%x.p[1]*pixel)*weyl64))))
		keep := d.keep(h, 0)
		if lanes == 2 {
			keep = Concatenate([]*Node{keep, d.keep(h, 1)}, 0)
		}
		return d.scale(keep)
	})
}
