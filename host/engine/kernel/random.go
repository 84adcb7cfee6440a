package kernel

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph" //nolint:revive // GoMLX's own convention for graph code.
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
	g := key.Graph()
	threshold := uint32(math.Round(d.Rate * (1 << 32)))
	keep := GreaterOrEqual(bits(key, d.Stream, dims...), Scalar(g, dtypes.Uint32, threshold))
	return MulScalar(ConvertDType(keep, dtypes.Float32), 1/(1-d.Rate))
}

// Apply drops elements of x. The gradient of x is that of y times the mask.
func (d Dropout) Apply(x, key *Node) (y, mask *Node) {
	mask = d.Mask(key, x.Shape().Dimensions...)
	return Mul(x, mask), mask
}

// ApplyMap is Apply for a feature map.
func (d Dropout) ApplyMap(x *Map, key *Node) (y, mask *Map) {
	mask = x.k.Map(d.Mask(key, x.n, x.h, x.w, x.c))
	return x.k.Each(func(xs ...*Node) *Node { return Mul(xs[0], xs[1]) }, x, mask), mask
}
