package engine

import (
	"math/rand/v2"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// InitialWeights draws a member's first weights, by each parameter's
// initializer. They depend on the seed and the parameter's name alone.
func InitialWeights(plan *blueprint.Plan, seed uint64) Arrays {
	out := Arrays{}
	for i := range plan.Nodes {
		n := &plan.Nodes[i]
		for _, p := range n.Params {
			name := plan.TensorName(n, p.Name)
			a := Array{Shape: p.Shape, Data: make([]float32, p.Shape.Size())}
			initialize(a.Data, p, stream(seed, "weights", name))
			out[name] = a
		}
	}
	return out
}

// initialize fills values by the row of [blueprint.Initializers].
func initialize(values []float32, p blueprint.Param, r *rand.Rand) {
	by := blueprint.Initializers.Row(p.Init)
	spread := by.Spread(float64(p.FanIn), float64(p.FanOut))
	for i := range values {
		switch by.Distribution {
		case blueprint.Fixed:
			values[i] = float32(spread)
		case blueprint.Uniform:
			values[i] = float32((2*r.Float64() - 1) * spread)
		case blueprint.Normal:
			values[i] = float32(r.NormFloat64() * spread)
		}
	}
}
