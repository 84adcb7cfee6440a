package answer

import (
	"context"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Prediction is what models answer for the rows of a set.
type Prediction struct {
	Columns []string
	Points  []float32 // [rows, columns], pixels of the set's images
}

// Row is row i's answer.
func (p *Prediction) Row(i int) []float32 {
	return p.Points[i*len(p.Columns) : (i+1)*len(p.Columns)]
}

// Original gives row i's answer in pixels of the picture that the row was read from.
func (p *Prediction) Original(s *dataset.Set, i int) []float32 {
	out := slices.Clone(p.Row(i))
	scale := s.Scale(i)
	for c, name := range p.Columns {
		out[c] *= scale.Along(name)
	}
	return out
}

// Options are common to all that runs models.
type Options struct {
	Backend *backend.Backend
	// FlipAverage answers each image and its mirror image, and takes the mean.
	FlipAverage bool
	// Tick, which may be nil, is told how much of the work is done; of an unknown
	// total, -1.
	Tick func(done, total int)
}

// Predict answers a set with the mean of the models: over all members that
// give a column, by their weights. Columns are those of the first model, then
// what later ones add.
func Predict(ctx context.Context, models []*model.Model, set *dataset.Set, o Options) (*Prediction, error) {
	all, err := PredictMembers(ctx, models, set, o)
	if err != nil {
		return nil, err
	}
	return Mean(all, set.Len()), nil
}

// MemberPrediction is one member's answer.
type MemberPrediction struct {
	Model, Member int
	weight        float64
	Learned       []bool // rows that have no part in the mean; nil: all have
	Prediction
}

func PredictMembers(ctx context.Context, models []*model.Model, set *dataset.Set, o Options) ([]MemberPrediction, error) {
	if len(models) == 0 {
		return nil, model.ErrNoModel
	}
	total, done := 0, 0
	for _, m := range models {
		total += len(m.Document.Members) * set.Len() * o.views()
	}
	views := ViewsOf(set, o)
	var out []MemberPrediction
	for k, m := range models {
		for i := range m.Document.Members {
			member, err := NewAnswerer(models, k, i, set.Width, o)
			if err != nil {
				return nil, err
			}
			p, err := member.Answer(ctx, set, views, func(rows int) {
				if o.Tick != nil {
					o.Tick(done+rows, total)
				}
			})
			member.Close()
			if err != nil {
				return nil, err
			}
			done += set.Len() * len(views)
			out = append(out, *p)
		}
	}
	return out, nil
}

// views is how many times each image is answered.
func (o *Options) views() int {
	if o.FlipAverage {
		return 2
	}
	return 1
}

// ViewsOf are a set's images, and their mirror images where these are wanted.
func ViewsOf(set *dataset.Set, o Options) []engine.Images {
	views := []engine.Images{ImagesOf(set)}
	if o.FlipAverage {
		views = append(views, mirrored(views[0]))
	}
	return views
}

// answerer is a member that is ready to answer. Close it.
type answerer struct {
	model, member int
	of            *blueprint.Member
	predictor     *engine.Predictor
	flip          *Flip // where mirror images are answered too
}

func NewAnswerer(models []*model.Model, model, member, width int, o Options) (*answerer, error) {
	m := models[model]
	a := &answerer{model: model, member: member, of: &m.Document.Members[member]}
	wrong := func(err error) (*answerer, error) { return nil, fmt.Errorf("member %s: %w", a.of.Name, err) }
	plan, err := blueprint.NewPlan(m.Document, member, nil)
	if err != nil {
		return wrong(err)
	}
	if o.FlipAverage {
		if a.flip, err = FlipOf(plan.Member, width); err != nil {
			return wrong(fmt.Errorf("flip average: %w", err))
		}
	}
	if a.predictor, err = engine.NewPredictor(o.Backend, plan, m.Weights); err != nil {
		return wrong(err)
	}
	return a, nil
}

func (a *answerer) Close() { a.predictor.Close() }

// Answer answers the set's images; a second view of them is their mirror
// images, and the answer then the mean of both.
func (a *answerer) Answer(ctx context.Context, set *dataset.Set, views []engine.Images, tick func(rows int)) (*MemberPrediction, error) {
	wrong := func(err error) (*MemberPrediction, error) { return nil, fmt.Errorf("member %s: %w", a.of.Name, err) }
	points, err := a.predictor.Predict(ctx, views[0], nil, tick)
	if err != nil {
		return wrong(err)
	}
	if a.flip != nil {
		flipped, err := a.predictor.Predict(ctx, views[1], nil, func(rows int) { tick(set.Len() + rows) })
		if err != nil {
			return wrong(err)
		}
		a.flip.average(points, flipped)
	}
	for at, v := range points {
		if v-v != 0 { // not a number, or infinite
			return wrong(fmt.Errorf("found %g as the answer for image %q, want a finite number: its weights are of no use", v, set.IDs[at/len(a.of.Columns)]))
		}
	}
	return &MemberPrediction{Model: a.model, Member: a.member, weight: a.of.MeanWeight(), Prediction: Prediction{a.of.Columns, points}}, nil
}

// Mean combines members' answers into one row of columns.
func Mean(all []MemberPrediction, rows int) *Prediction {
	index := map[string]int{}
	out := &Prediction{}
	for _, p := range all {
		for _, c := range p.Columns {
			if _, ok := index[c]; !ok {
				index[c] = len(out.Columns)
				out.Columns = append(out.Columns, c)
			}
		}
	}
	n := len(out.Columns)
	sums, weights := make([]float64, rows*n), make([]float64, rows*n)
	for _, p := range all {
		for c, name := range p.Columns {
			at := index[name]
			for r := range rows {
				if p.Learned != nil && p.Learned[r] {
					continue
				}
				weights[r*n+at] += p.weight
				sums[r*n+at] += p.weight * float64(p.Points[r*len(p.Columns)+c])
			}
		}
	}
	out.Points = make([]float32, len(sums))
	for i, s := range sums {
		out.Points[i] = float32(s / weights[i]) // NaN where nobody answers
	}
	return out
}

func ImagesOf(s *dataset.Set) engine.Images {
	return engine.Images{Count: s.Len(), Height: s.Height, Width: s.Width, Channels: s.Channels, Bytes: s.Bytes, Floats: s.Floats}
}
