package enginetest

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Document writes a blueprint of one member, named net, for all columns.
func Document(height, width int, scaling, layers, recipe string) string {
	return fmt.Sprintf(`{"blueprint": 1, "name": "test", "input": {"height": %d, "width": %d, "channels": 1, "scaling": %q},
		"members": [{"name": "net", "columns": ["*"], "layers": [%s], "recipe": %s}]}`, height, width, scaling, layers, recipe)
}

// Plain is a recipe of small batches; more is added to it.
func Plain(more string) string {
	return `{"loss": {"kind": "mse", "rows": "filled"}, "batch": 4, "epochs": 2, "validation": 0` + more + `}`
}

// What may be added to a Plain recipe.
const (
	SGD  = `, "optimizer": {"kind": "sgd"}, "rate": 0.1`
	Adam = `, "optimizer": {"kind": "adam"}, "rate": 0.01`
)

// OneDense is one dense layer: with known weights, what training does can be said
// exactly.
const OneDense = `{"name": "f", "kind": "flatten"}, {"name": "y", "kind": "dense", "units": "columns"}`

// Plan is the plan of a document's only member.
func Plan(t testing.TB, text string, columns ...string) *blueprint.Plan {
	t.Helper()
	doc, err := blueprint.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := blueprint.NewPlan(doc, 0, columns)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// Weights are random values for a plan's parameters, in their order, of about the
// size that trained ones have: no bias is zero, no scale is one.
func Weights(plan *blueprint.Plan, seed uint64) [][]float32 {
	r := rand.New(rand.NewPCG(seed, 6))
	var out [][]float32
	for i := range plan.Nodes {
		for _, p := range plan.Nodes[i].Params {
			values := make([]float32, p.Shape.Size())
			middle, spread := 0.0, math.Sqrt(2/float64(max(1, p.FanIn+p.FanOut)))
			switch p.Init {
			case "zeros":
				spread = 0.1
			case "ones":
				middle, spread = 1, 0.1
			}
			for k := range values {
				values[k] = float32(middle + spread*r.NormFloat64())
			}
			out = append(out, values)
		}
	}
	return out
}
