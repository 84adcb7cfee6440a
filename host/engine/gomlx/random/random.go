// Package random gives the random numbers of a graph: hashes of a key, a stream and
// a position. There is no state, and they are the same on every backend.
//
// What it cannot build panics with an error, like GoMLX itself does.
package random

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Keys and streams are hashed by two rounds of multiply and xor-shift with the
// constants of Chris Wellons' lowbias32, whose bits are all but unbiased for
// successive inputs.
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
		panic(fmt.Errorf("random key: found %s, want uint32 words", key.Shape()))
	}
	s := mix(Scalar(key.Graph(), dtypes.Uint32, stream))
	key = Reshape(key, -1)
	for i := range key.Shape().Dimensions[0] {
		word := Reshape(Slice(key, AxisRange(i, i+1)))
		s = mix(Add(MulScalar(s, uint32(weyl)), word))
	}
	return s
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

// Mask is what to multiply x with, and the gradient of the product: 0 or
// 1/(1-Rate). The first of dims are the rows.
func (d Dropout) Mask(key *Node, dims ...int) *Node {
	if !(d.Rate >= 0 && d.Rate < 1) {
		panic(fmt.Errorf("dropout: found rate %v, want at least 0 and less than 1", d.Rate))
	}
	g := key.Graph()
	c := dims[len(dims)-1]
	lanes := 1 // channels that share a hash
	if c%2 == 0 {
		lanes = 2
	}
	n := 1
	for _, dim := range dims {
		n *= dim
	}
	at := Iota(g, shapes.Make(dtypes.Uint64, n/lanes), 0)
	h := hash(Add(Mul(at, Const(g, uint64(weyl64))), d.start(key, n/dims[0]/lanes)))
	keep := d.keep(h, 0)
	if lanes == 2 {
		half := shapes.Make(dtypes.Bool, n/c, 1, c/2)
		keep = Concatenate([]*Node{ReshapeWithShape(keep, half), ReshapeWithShape(d.keep(h, 1), half)}, 1)
	}
	return MulScalar(ConvertDType(Reshape(keep, dims...), dtypes.Float32), 1/(1-d.Rate))
}

// A dropout's random numbers are a quicker hash of 64 bits: one round, of which
// the better, upper bits decide. One hash serves two channels, c and c + half,
// by its upper and its middle bits. The constants are splitmix64's increment and a
// multiplier from Pelle Evensen's rrmxmx.
const (
	weyl64 = 0x9e3779b97f4a7c15 // what one position is further than the one before
	mul64  = 0xd6e8feb86659fd93
)

// hash mixes positions times weyl64 plus the seed.
func hash(x *Node) *Node {
	g := x.Graph()
	x = BitwiseXor(x, BitwiseShiftRightLogical(x, Const(g, uint64(32))))
	return Mul(x, Const(g, uint64(mul64)))
}

// start is what the hash of the first element begins with: key and stream, folded
// into a scalar, and the rows before, of so many positions each.
func (d Dropout) start(key *Node, row int) *Node {
	g := key.Graph()
	high := ConvertDType(seed(key, d.Stream), dtypes.Uint64)
	low := ConvertDType(seed(key, d.Stream^weyl), dtypes.Uint64)
	s := Add(BitwiseShiftLeft(high, Const(g, uint64(32))), low)
	if d.First == nil {
		return s
	}
	return Add(s, Mul(d.First, Const(g, uint64(row)*weyl64)))
}

// keep tells which elements a lane of hashes leaves.
func (d Dropout) keep(h *Node, lane int) *Node {
	g := h.Graph()
	if lane == 1 {
		h = BitwiseShiftLeft(h, Const(g, uint64(24)))
	}
	return GreaterOrEqual(h, Const(g, uint64(math.Round(d.Rate*(1<<53)))<<11))
}
