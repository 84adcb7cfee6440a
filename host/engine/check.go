package engine

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Check refuses a plan that this engine can't train on the backend: with an
// error that wraps ErrUnsupported where its recipe or a layer kind is not
// supported, else with what refused its graph. The graph is built for one image
// and not compiled, so that this takes milliseconds.
func Check(b *backend.Backend, plan *blueprint.Plan) error {
	recipe := &plan.Member.Recipe
	all, err := steps(plan)
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s/%s training", plan.Document.Name, plan.Member.Name)
	return guard("cannot build the "+name+" graph for backend "+b.Name(), func() error {
		g := NewGraph(b.Compute(), name)
		defer g.Finalize()
		net, in := newNetwork(b, plan), plan.Document.Input
		build := net.builder(g, true, net.declare(g))
		build.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		x := floats(g, "images", 1, in.Height, in.Width, in.Channels)
		target, filled := floats(g, "target", 1, len(plan.Columns)), floats(g, "filled", 1, len(plan.Columns))
		answer := forward(build, all, scaled(x, in.Scaling), plan.Output)
		_, _, d := lossOf(recipe.Loss, answer, target, filled, nil)
		backward(build, all, d, plan.Output)
		return nil
	})
}
