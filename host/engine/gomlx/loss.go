package gomlx

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// lossForm is a kind of loss, of d = answer - truth of each cell. delta and
// epsilon are [device.LossWidths].
type lossForm struct {
	of func(d *Node, delta, epsilon float64) *Node
	// gradient is the derivative of of; where that has a kink, at no distance, it is 0.
	gradient func(d *Node, delta, epsilon float64) *Node
}

// losses has a row for each of [blueprint.Losses], whose formulas these are; a
// test compares the two.
var losses = map[string]lossForm{
	"mse": {
		of:       func(d *Node, _, _ float64) *Node { return Mul(d, d) },
		gradient: func(d *Node, _, _ float64) *Node { return MulScalar(d, 2.0) },
	},
	"mae": {
		of:       func(d *Node, _, _ float64) *Node { return Abs(d) },
		gradient: func(d *Node, _, _ float64) *Node { return Sign(d) },
	},
	"huber": {
		of: func(d *Node, delta, _ float64) *Node { // d^2/2 near, and delta*(|d| - near) beyond
			size := Abs(d)
			near := MinScalar(size, delta)
			return Add(MulScalar(Mul(near, near), 0.5), MulScalar(Sub(size, near), delta))
		},
		gradient: func(d *Node, delta, _ float64) *Node { return ClipScalar(d, -delta, delta) },
	},
	"wing": {
		of: func(d *Node, delta, epsilon float64) *Node {
			size := Abs(d)
			near := MinScalar(size, delta)
			return Add(MulScalar(Log1P(DivScalar(near, epsilon)), delta), Sub(size, near))
		},
		gradient: func(d *Node, delta, epsilon float64) *Node {
			size, limit := Abs(d), Scalar(d.Graph(), d.DType(), delta)
			curved := Div(limit, AddScalar(size, epsilon))
			return Mul(Sign(d), Where(LessThan(size, limit), curved, OnesLike(d)))
		},
	},
}

// lossOf gives the loss's sum over the filled cells (filled is 1 there, 0
// elsewhere), their number, and the gradient of the loss, which is their mean,
// with respect to the answer. Where the answer is that of a slice of a batch,
// cells is the number of filled cells in all of it; nil elsewhere.
func lossOf(l blueprint.Loss, answer, target, filled, cells *Node) (sum, count, dAnswer *Node) {
	form, ok := losses[l.Kind]
	if !ok {
		panic(fmt.Errorf("loss %s: %w", l.Kind, device.ErrUnsupported))
	}
	delta, epsilon := device.LossWidths(l)
	d := Sub(answer, target)
	sum, count = ReduceAllSum(Mul(form.of(d, delta, epsilon), filled)), ReduceAllSum(filled)
	if cells == nil {
		cells = count
	}
	return sum, count, Mul(form.gradient(d, delta, epsilon), Div(filled, MaxScalar(cells, 1.0)))
}
