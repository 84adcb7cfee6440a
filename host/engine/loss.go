package engine

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// cellLosses has a row for each of [blueprint.Losses], whose formulas these are; a
// test compares the two. size is |answer - truth|, delta and epsilon are
// [device.LossWidths].
var cellLosses = map[string]func(size, delta, epsilon float64) float64{
	"mse": func(size, _, _ float64) float64 { return size * size },
	"mae": func(size, _, _ float64) float64 { return size },
	"huber": func(size, delta, _ float64) float64 {
		near := min(size, delta)
		return near*near/2 + delta*(size-near)
	},
	"wing": func(size, delta, epsilon float64) float64 {
		near := min(size, delta)
		return delta*math.Log1p(near/epsilon) + size - near
	},
}

// LossOf gives the loss of one cell, a function of d = answer - truth in units of
// y, by the formulas of [blueprint.Losses]; not a number for a loss that is none
// of them. It is looked up here, once for all cells.
func LossOf(l blueprint.Loss) func(d float64) float64 {
	of, ok := cellLosses[l.Kind]
	if !ok {
		return func(float64) float64 { return math.NaN() }
	}
	delta, epsilon := device.LossWidths(l)
	return func(d float64) float64 { return of(math.Abs(d), delta, epsilon) }
}
