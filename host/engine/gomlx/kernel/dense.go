package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Dense is x [n, in] times w [in, out].
func Dense(on Target, x, w *Node) *Node {
	mustFloat32("dense", x, w)
	if x.Rank() != 2 || w.Rank() != 2 || x.Shape().Dimensions[1] != w.Shape().Dimensions[0] {
		fail("dense: found inputs of %s and weights of %s, want [n, in] and [in, out]", x.Shape(), w.Shape())
	}
	d := w.Shape().Dimensions
	if parts := contractionParts(d[0], d[1]); on == XLACPU && parts > 1 {
		n := x.Shape().Dimensions[0]
		y := DotGeneral(Reshape(x, n, parts, -1), []int{2}, []int{1}, Reshape(w, parts, -1, d[1]), []int{1}, []int{0})
		return ReduceSum(y, 0)
	}
	return Product(x, 1, w, 0)
}

// DenseBackward takes the gradient dy [n, out] of Dense's output and returns
// those of x (nil unless needInput) and of w.
func DenseBackward(x, w, dy *Node, needInput bool) (dx, dw *Node) {
	if needInput {
		dx = Product(dy, 1, w, 1)
	}
	return dx, Product(x, 0, dy, 0)
}

// Product contracts one axis of lhs with one axis of rhs and returns the remaining
// axes of lhs followed by those of rhs.
func Product(lhs *Node, lhsAxis int, rhs *Node, rhsAxis int) *Node {
	return DotGeneral(lhs, []int{lhsAxis}, nil, rhs, []int{rhsAxis}, nil)
}

// contractionParts is in how many parts XLA's CPU does a long product best: it
// copies the whole of the weights first, which costs more than the product if
// they exceed the caches. 64x18432x1000 takes 97 ms in one part, 38 in 16.
func contractionParts(in, out int) int {
	const large, long = 1 << 20, 512
	if in*out < large {
		return 1
	}
	for parts := 16; parts > 1; parts /= 2 {
		if in%parts == 0 && in/parts >= long {
			return parts
		}
	}
	return 1
}
