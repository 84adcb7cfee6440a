package engine

import (
	"fmt"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// lossWidths are huber's and wing's settings, defaults filled in.
func lossWidths(l blueprint.Loss) (delta, epsilon float64) {
	l = l.Defaults()
	return l.Delta, l.Epsilon
}

// cellLoss is the loss of each cell, by the formulas of [blueprint.Losses].
func cellLoss(l blueprint.Loss, d *Node) *Node {
	delta, epsilon := lossWidths(l)
	size := Abs(d)
	switch l.Kind {
	case "mse":
		return Mul(d, d)
	case "mae":
		return size
	case "huber":
		near := MinScalar(size, delta) // d^2/2 near, and delta*(|d| - near) beyond
		return Add(MulScalar(Mul(near, near), 0.5), MulScalar(Sub(size, near), delta))
	case "wing":
		near := MinScalar(size, delta)
		return Add(MulScalar(Log1P(DivScalar(near, epsilon)), delta), Sub(size, near))
	}
	panic(fmt.Errorf("loss %s: %w", l.Kind, ErrUnsupported))
}

// cellGradient is the derivative of [cellLoss]; where that has a kink, at no
// distance, it is 0.
func cellGradient(l blueprint.Loss, d *Node) *Node {
	delta, epsilon := lossWidths(l)
	switch l.Kind {
	case "mse":
		return MulScalar(d, 2.0)
	case "mae":
		return Sign(d)
	case "huber":
		return ClipScalar(d, -delta, delta)
	}
	size := Abs(d) // wing
	curved := Div(Scalar(d.Graph(), d.DType(), delta), AddScalar(size, epsilon))
	return Mul(Sign(d), Where(LessThan(size, Scalar(d.Graph(), d.DType(), delta)), curved, OnesLike(d)))
}

// lossOf gives the loss's sum over the filled cells (filled is 1 there, 0
// elsewhere), their number, and the gradient of the loss, which is their mean,
// with respect to the answer. Where the answer is that of a slice of a batch,
// cells is the number of filled cells in all of it; nil elsewhere.
func lossOf(l blueprint.Loss, answer, target, filled, cells *Node) (sum, count, dAnswer *Node) {
	d := Sub(answer, target)
	sum, count = ReduceAllSum(Mul(cellLoss(l, d), filled)), ReduceAllSum(filled)
	if cells == nil {
		cells = count
	}
	return sum, count, Mul(cellGradient(l, d), Div(filled, MaxScalar(cells, 1.0)))
}

// CellLoss is the loss of one cell, d = answer - truth in units of y, by the
// formulas of [blueprint.Losses].
func CellLoss(l blueprint.Loss, d float64) float64 {
	delta, epsilon := lossWidths(l)
	size := math.Abs(d)
	near := min(size, delta)
	switch l.Kind {
	case "mae":
		return size
	case "huber":
		return near*near/2 + delta*(size-near)
	case "wing":
		return delta*math.Log1p(near/epsilon) + size - near
	}
	return d * d
}
