package kernel

import (
	. "github.com/gomlx/gomlx/core/graph"
)

// Dense is x [n, in] times w [in, out], plus bias [out] unless that is nil.
func (k *Kernel) Dense(x, w, bias *Node) *Node {
	mustFloat32("dense", x, w, bias)
	if x.Rank() != 2 || w.Rank() != 2 || x.Shape().Dimensions[1] != w.Shape().Dimensions[0] {
		fail("dense: found inputs of %s and weights of %s, want [n, in] and [in, out]", x.Shape(), w.Shape())
	}
	y := k.Dot(x, 1, w, 0)
	if bias != nil {
		y = Add(y, Reshape(bias, 1, -1))
	}
	return y
}

// DenseBackward takes the gradient dy [n, out] of Dense's output and returns
// those of x (nil unless needInput), of w and of the bias.
func (k *Kernel) DenseBackward(x, w, dy *Node, needInput bool) (dx, dw, db *Node) {
	dw = k.transposeDot(x, dy)
	if needInput {
		dx = k.Dot(dy, 1, w, 1)
	}
	return dx, dw, ReduceSum(dy, 0)
}
