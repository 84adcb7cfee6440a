package answer

import (
	"context"
	"fmt"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// member is a model's member that is ready to answer.
type member struct {
	model, index int
	of           *blueprint.Member
	flip         *Flip // where mirror images are answered too
	predictor    *engine.Predictor
	plan         *blueprint.Plan
	weights      engine.Arrays

	mu   sync.Mutex
	maps *engine.Predictor // the network as far as its heat maps; nil: nobody has asked
}

func openMember(m *model.Model, index, width int, o *Options) (*member, error) {
	out := &member{index: index, of: &m.Document.Members[index]}
	plan, err := blueprint.NewPlan(m.Document, index, nil)
	if err != nil {
		return nil, out.wrong(err)
	}
	if out.of.Boxes() {
		return nil, out.wrong(ErrBoxes)
	}
	if o.FlipAverage {
		if out.flip, err = FlipOf(plan.Member, width); err != nil {
			return nil, out.wrong(fmt.Errorf("flip average: %w", err))
		}
	}
	out.plan, out.weights = plan, m.Weights
	if out.predictor, err = engine.NewPredictor(o.Backend, plan, m.Weights); err != nil {
		return nil, out.wrong(err)
	}
	return out, nil
}

func (m *member) wrong(err error) error { return fmt.Errorf("member %s: %w", m.of.Name, err) }

// answer answers the set's images in batches of so many; a second view of them is
// their mirror images, and the answer then the mean of both.
func (m *member) answer(ctx context.Context, set *dataset.Set, views []engine.Images, batch int, tick func(rows int)) ([]float32, error) {
	points, err := m.predictor.PredictIn(ctx, batch, views[0], nil, tick)
	if err != nil {
		return nil, m.wrong(err)
	}
	if m.flip != nil {
		flipped, err := m.predictor.PredictIn(ctx, batch, views[1], nil, func(rows int) { tick(set.Len() + rows) })
		if err != nil {
			return nil, m.wrong(err)
		}
		m.flip.average(points, flipped)
	}
	for at, v := range points {
		if v-v != 0 { // not a number, or infinite
			return nil, m.wrong(fmt.Errorf("found %g as the answer for image %q, want a finite number: its weights are of no use", v, set.IDs[at/len(m.of.Columns)]))
		}
	}
	return points, nil
}

// ImagesOf are a set's images as the engine takes them.
func ImagesOf(s *dataset.Set) engine.Images {
	return engine.Images{Count: s.Len(), Height: s.Height, Width: s.Width, Channels: s.Channels, Bytes: s.Bytes, Floats: s.Floats}
}
