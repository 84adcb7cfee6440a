package engine

import (
	"math"
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

// initialize fills values by one of [blueprint.Initializers].
func initialize(values []float32, p blueprint.Param, r *rand.Rand) {
	draw := initializers[p.Init](float64(p.FanIn), float64(p.FanOut))
	for i := range values {
		values[i] = float32(draw(r))
	}
}

// initializers have a row for each of [blueprint.Initializers], whose formulas
// these are; a test compares the two. From the fans they give what draws a value.
var initializers = map[string]func(in, out float64) func(r *rand.Rand) float64{
	"glorot_uniform": func(in, out float64) func(*rand.Rand) float64 { return uniform(math.Sqrt(6 / (in + out))) },
	"glorot_normal":  func(in, out float64) func(*rand.Rand) float64 { return normal(math.Sqrt(2 / (in + out))) },
	"he_uniform":     func(in, _ float64) func(*rand.Rand) float64 { return uniform(math.Sqrt(6 / in)) },
	"he_normal":      func(in, _ float64) func(*rand.Rand) float64 { return normal(math.Sqrt(2 / in)) },
	"zeros":          func(_, _ float64) func(*rand.Rand) float64 { return constant(0) },
	"ones":           func(_, _ float64) func(*rand.Rand) float64 { return constant(1) },
}

func uniform(bound float64) func(r *rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return (2*r.Float64() - 1) * bound }
}

func normal(deviation float64) func(r *rand.Rand) float64 {
	return func(r *rand.Rand) float64 { return r.NormFloat64() * deviation }
}

func constant(v float64) func(r *rand.Rand) float64 {
	return func(*rand.Rand) float64 { return v }
}
