// Package formula has what a blueprint names, as functions of graph nodes: losses,
// optimizers' updates, activations and scalings, each kind in one table, whose rows
// are the blueprint's. A new one is a row here, and one there.
//
// The package knows no layers, states or batches.
package formula

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// LossForm is a kind of loss, of d = answer - truth of each cell. delta and
// epsilon are [device.LossWidths].
type LossForm struct {
	Of func(d *Node, delta, epsilon float64) *Node
	// Gradient is the derivative of Of; where that has a kink, at no distance, it is 0.
	Gradient func(d *Node, delta, epsilon float64) *Node
}

// Losses has a row for each of [blueprint.Losses], whose formulas these are; a
// test compares the two.
var Losses = map[string]LossForm{
	"mse": {
		Of:       func(d *Node, _, _ float64) *Node { return Mul(d, d) },
		Gradient: func(d *Node, _, _ float64) *Node { return MulScalar(d, 2.0) },
	},
	"mae": {
		Of:       func(d *Node, _, _ float64) *Node { return Abs(d) },
		Gradient: func(d *Node, _, _ float64) *Node { return Sign(d) },
	},
	"huber": {
		Of: func(d *Node, delta, _ float64) *Node { // d^2/2 near, and delta*(|d| - near) beyond
			size := Abs(d)
			near := MinScalar(size, delta)
			return Add(MulScalar(Mul(near, near), 0.5), MulScalar(Sub(size, near), delta))
		},
		Gradient: func(d *Node, delta, _ float64) *Node { return ClipScalar(d, -delta, delta) },
	},
	"wing": {
		Of: func(d *Node, delta, epsilon float64) *Node {
			size := Abs(d)
			near := MinScalar(size, delta)
			return Add(MulScalar(Log1P(DivScalar(near, epsilon)), delta), Sub(size, near))
		},
		Gradient: func(d *Node, delta, epsilon float64) *Node {
			size, limit := Abs(d), Scalar(d.Graph(), d.DType(), delta)
			curved := Div(limit, AddScalar(size, epsilon))
			return Mul(Sign(d), Where(LessThan(size, limit), curved, OnesLike(d)))
		},
	},
}

// Loss gives the loss's sum over the filled cells (filled is 1 there, 0
// elsewhere), their number, and the gradient of the loss, which is their mean,
// with respect to the answer. Where the answer is that of a slice of a batch,
// cells is the number of filled cells in all of it; nil elsewhere.
func Loss(l blueprint.Loss, answer, target, filled, cells *Node) (sum, count, dAnswer *Node) {
	form, ok := Losses[l.Kind]
	if !ok {
		panic(fmt.Errorf("loss %s: %w", l.Kind, device.ErrUnsupported))
	}
	delta, epsilon := device.LossWidths(l)
	d := Sub(answer, target)
	sum, count = ReduceAllSum(Mul(form.Of(d, delta, epsilon), filled)), ReduceAllSum(filled)
	if cells == nil {
		cells = count
	}
	return sum, count, Mul(form.Gradient(d, delta, epsilon), Div(filled, MaxScalar(cells, 1.0)))
}
