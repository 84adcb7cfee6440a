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
}

func (d Dropout) check() {
	if !(d.Rate >= 0 && d.Rate < 1) {
		fail("dropout: found rate %v, want at least 0 and less than 1", d.Rate)
	}
}

// Mask is what Apply multiplies with: 0 or 1/(1-Rate).
func (d Dropout) Mask(key *Node, dims ...int) *Node {
	d.check()
	return d.scale(bits(key, d.Stream, dims...))
}

// scale turns random bits into 0 or 1/(1-Rate).
func (d Dropout) scale(bits *Node) *Node {
	threshold := Scalar(bits.Graph(), dtypes.Uint32, uint32(math.Round(d.Rate*(1<<32))))
	return MulScalar(indicator(GreaterOrEqual(bits, threshold)), 1/(1-d.Rate))
}

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
	// Positions count in NHWC order. Those of a plane are those of the first
	// plane, moved.
	axis := func(n, stride int) *Node {
		return MulScalar(Iota(g, shapes.Make(dtypes.Uint32, n), 0), uint32(stride)*weyl)
	}
	sum := func(a, b *Node) *Node { // [m] and [n]: [m*n]
		m, n := a.Shape().Dimensions[0], b.Shape().Dimensions[0]
		return Reshape(Add(broadcast(Reshape(a, m, 1), m, n), broadcast(Reshape(b, 1, n), m, n)), -1)
	}
	row, pixel := x.w*x.c, x.c
	within := sum(axis(x.g[0], x.p[0]*row), axis(x.g[1], x.p[1]*pixel))
	at := Reshape(sum(axis(x.c, 1), sum(axis(x.n, x.h*row), within)), x.c, -1)
	s := seed(key, d.Stream)
	i := -1
	return x.onPlanes(false, func(*Node) *Node {
		i++
		offset := uint32(i/x.p[1]*row+i%x.p[1]*pixel) * weyl
		return d.scale(mix(Add(at, AddScalar(s, offset))))
	})
}
