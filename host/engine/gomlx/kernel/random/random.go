// Package random gives the random numbers of a graph: hashes of a key, a stream and
// a position. There is no state, and they are the same on every backend and in
// every layout.
//
// The package knows nothing of layouts: positions are counted by whoever asks. What
// it cannot build panics with an error, like GoMLX itself does.
package random

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// The formulas, and whose constants these are, stand in the comment of host/engine/device.
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

// Check refuses a rate that there is no such thing as.
func (d Dropout) Check() {
	if !(d.Rate >= 0 && d.Rate < 1) {
		panic(fmt.Errorf("dropout: found rate %v, want at least 0 and less than 1", d.Rate))
	}
}

// Mask is what Apply multiplies with: 0 or 1/(1-Rate). The first of dims are the rows.
func (d Dropout) Mask(key *Node, dims ...int) *Node {
	d.Check()
	g := key.Graph()
	c := dims[len(dims)-1]
	lanes := Lanes(c)
	n := 1
	for _, dim := range dims {
		n *= dim
	}
	at := Iota(g, shapes.Make(dtypes.Uint64, n/lanes), 0)
	h := d.Hash(Add(Mul(at, Wide(g, Weyl64)), d.Start(key, n/dims[0]/lanes)))
	keep := d.Keep(h, 0)
	if lanes == 2 {
		half := shapes.Make(dtypes.Bool, n/c, 1, c/2)
		keep = Concatenate([]*Node{ReshapeWithShape(keep, half), ReshapeWithShape(d.Keep(h, 1), half)}, 1)
	}
	return d.Scale(Reshape(keep, dims...))
}

// Which values a dropout leaves is a quick hash of one round, which serves two
// channels, so that there are few of them.
const (
	Weyl64 = 0x9e3779b97f4a7c15 // what one position is further than the one before, see Hash
	mul64  = 0xd6e8feb86659fd93
)

// Wide is v as a node.
func Wide(g *Graph, v uint64) *Node { return Const(g, v) }

// Lanes is how many channels share a hash.
func Lanes(channels int) int {
	if channels%2 == 0 {
		return 2
	}
	return 1
}

// Hash mixes positions times Weyl64 plus the seed.
func (d Dropout) Hash(x *Node) *Node {
	g := x.Graph()
	x = BitwiseXor(x, BitwiseShiftRightLogical(x, Wide(g, 32)))
	return Mul(x, Wide(g, mul64))
}

// seed64 folds key and stream into a scalar.
func (d Dropout) seed64(key *Node) *Node {
	s := ConvertDType(seed(key, d.Stream), dtypes.Uint64)
	low := ConvertDType(seed(key, d.Stream^weyl), dtypes.Uint64)
	return Add(BitwiseShiftLeft(s, Wide(key.Graph(), 32)), low)
}

// Start is what the hash of the first element begins with; each row has so
// many positions.
func (d Dropout) Start(key *Node, row int) *Node {
	s := d.seed64(key)
	if d.First == nil {
		return s
	}
	return Add(s, Mul(d.First, Wide(key.Graph(), uint64(row)*Weyl64)))
}

// Keep tells which elements a lane of hashes leaves.
func (d Dropout) Keep(h *Node, lane int) *Node {
	g := h.Graph()
	if lane == 1 {
		h = BitwiseShiftLeft(h, Wide(g, 24))
	}
	return GreaterOrEqual(h, Wide(g, uint64(math.Round(d.Rate*(1<<53)))<<11))
}

// Scale turns what is kept into 0 or 1/(1-Rate).
func (d Dropout) Scale(keep *Node) *Node { return MulScalar(Indicator(keep), 1/(1-d.Rate)) }

// Indicator is 1 where the condition holds, and 0 elsewhere.
func Indicator(condition *Node) *Node { return ConvertDType(condition, dtypes.Float32) }
