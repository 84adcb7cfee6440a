package bench

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// member is one network of a case, ready to be measured.
type member struct {
	operations int64 // for an image
	round      func(context.Context) error
	close      func()
}

// open prepares a member. Close it, whatever the error; once more does nothing.
func (r *Request) open(b *backend.Backend, index int) (*member, error) {
	d := r.Document.Clone()
	recipe := &d.Members[index].Recipe
	// The rate has no part in what a step takes: with nothing to learn, the recipe's own may have the loss diverge, which ends
	// a training.
	recipe.Augment, recipe.Batch, recipe.Rate = nil, r.batch(), blueprint.Constant(1e-6)
	columns := r.Columns
	if columns == nil {
		columns = blueprint.KaggleColumns
	}
	if d.Members[index].Boxes() {
		columns = []string{"face_x", "face_y", "face_width", "face_height"}
		d.Members[index].Columns = columns
	}
	plan, err := blueprint.NewPlan(d, index, columns)
	if err != nil {
		return &member{close: func() {}}, err
	}
	var m *member
	if r.Task == Train {
		m, err = training(b, plan, columns)
	} else {
		m, err = predicting(b, plan, r.batch())
	}
	m.close = sync.OnceFunc(m.close)
	return m, err
}

// training makes a member whose round is a step.
func training(b *backend.Backend, plan *blueprint.Plan, columns []string) (*member, error) {
	m := &member{operations: plan.TrainingFLOPs(), close: func() {}}
	rows := make([]int, plan.Member.Recipe.Batch)
	for i := range rows {
		rows[i] = i
	}
	drawn := rand.New(rand.NewPCG(2, 1))
	examples := engine.Examples{Images: images(plan, len(rows)), Columns: columns}
	for range len(rows) * len(columns) {
		examples.Points = append(examples.Points, float32(float64(examples.Width)*drawn.Float64()))
	}
	data, err := engine.Upload(b, examples)
	if err != nil {
		return m, err
	}
	m.close = data.Close
	const endless = 1 << 20 // epochs, each a step
	t, err := engine.NewTrainer(data, engine.Config{Plan: plan, Rows: rows, Epochs: endless, Seed: 1})
	if err != nil {
		return m, err
	}
	m.close = func() { t.Close(); data.Close() }
	m.round = func(ctx context.Context) error {
		_, err := t.Epoch(ctx, nil)
		return err
	}
	return m, nil
}

// predicting makes a member whose round is the answer to so many images.
func predicting(b *backend.Backend, plan *blueprint.Plan, batch int) (*member, error) {
	m := &member{operations: plan.FLOPs(), close: func() {}}
	p, err := engine.NewPredictor(b, plan, engine.InitialWeights(plan, 1))
	if err != nil {
		return m, err
	}
	m.close = p.Close
	drawn := images(plan, batch)
	m.round = func(ctx context.Context) error {
		_, err := p.PredictIn(ctx, batch, drawn, nil, nil)
		return err
	}
	return m, nil
}

// images are random ones: what they show has no part in what a network takes.
func images(plan *blueprint.Plan, n int) engine.Images {
	in, drawn := plan.Document.Input, rand.New(rand.NewPCG(1, 1))
	out := engine.Images{Count: n, Height: in.Height, Width: in.Width, Channels: in.Channels, Bytes: make([]uint8, n*in.Height*in.Width*in.Channels)}
	for i := range out.Bytes {
		out.Bytes[i] = uint8(drawn.Uint32())
	}
	return out
}

// measure times rounds for so long, at least one, after one that isn't timed: programs are compiled there, and memory is taken.
func (m *member) measure(ctx context.Context, long time.Duration, tick func(spent time.Duration)) (times []time.Duration, err error) {
	if err := m.round(ctx); err != nil {
		return nil, err
	}
	for begin := time.Now(); len(times) == 0 || time.Since(begin) < long; {
		start := time.Now()
		if err := m.round(ctx); err != nil {
			return nil, err
		}
		times = append(times, time.Since(start))
		tick(min(time.Since(begin), long))
	}
	return times, nil
}
