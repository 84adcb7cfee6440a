package kernel

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"
)

// AddRows adds v [c] to every vector along the last axis of x [..., c].
func AddRows(x, v *Node) *Node { return Add(x, asLast(x, v)) }

// MulRows multiplies every vector along the last axis of x [n, ..., c] by v [c].
// Where rows [n] isn't nil it is 1 for the images that count, and 0 for others,
// whose products are 0.
func MulRows(x, v, rows *Node) *Node {
	if rows == nil {
		return Mul(x, asLast(x, v))
	}
	// The factors first: where XLA adds to the product, that is one operation.
	return Mul(x, Mul(asFirst(x, rows), asLast(x, v)))
}

// SumRows sums x [n, ..., c] over all axes but the last, counting rows as in
// MulRows: [c].
func SumRows(x, rows *Node) *Node {
	mustFloat32("sum of rows", x)
	if rows != nil {
		x = Mul(x, asFirst(x, rows))
	}
	shape := x.Shape().Dimensions
	return ReduceSum(Reshape(x, -1, shape[len(shape)-1]), 0)
}

// asLast gives v [c] the rank of x [..., c].
func asLast(x, v *Node) *Node {
	mustFloat32("rows", x, v)
	shape := x.Shape().Dimensions
	if c := shape[len(shape)-1]; v.Rank() != 1 || v.Shape().Dimensions[0] != c {
		fail("rows: found %s for rows of %s, want [%d]", v.Shape(), x.Shape(), c)
	}
	return ExpandLeftToRank(v, x.Rank())
}

// asFirst makes rows [n] as large as x [n, ..., c].
func asFirst(x, rows *Node) *Node {
	mustFloat32("rows that count", rows)
	shape := x.Shape().Dimensions
	if rows.Rank() != 1 || rows.Shape().Dimensions[0] != shape[0] {
		fail("rows that count: found %s for %s, want [%d]", rows.Shape(), x.Shape(), shape[0])
	}
	front := slices.Repeat([]int{1}, x.Rank())
	front[0] = shape[0]
	return BroadcastToDims(Reshape(rows, front...), shape...)
}
