package answer

import (
	"context"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Each answers images as [Predict] does, but as they stream by: fn is
// given them in parts, in their order, each with its answers. A part is good only
// until fn returns. Memory doesn't grow with the number of images, and while one
// part is answered the next is read. Where their number isn't known, Tick's total
// is -1.
func Each(ctx context.Context, models []*model.Model, images *dataset.Source, o Options, fn func(part *dataset.Set, p *Prediction) error) error {
	in, err := model.InputOf(models)
	if err != nil {
		return err
	}
	parts := NewAnswerers(models, nil, o)
	defer parts.Close()
	if err := parts.Open(in.Width, 1, images.Count); err != nil {
		return err
	}
	_, _, err = images.Stream(ctx, PartBatches*engine.PredictBatch, func(part *dataset.Set) error {
		parts.atLeast(engine.BatchFor(part.Len()))
		p, err := parts.Answer(ctx, part)
		if err != nil {
			return err
		}
		return fn(part, p)
	})
	return err
}

// PartBatches is how many batches are read at a time: a part of the test data
// is in use while the next is read.
const PartBatches = 4

// Answerers are all members of the models, ready for sets that come one after
// the other. Close them.
type Answerers struct {
	models      []*model.Model
	weights     []float64 // of the models; nil: the members' weights alone count
	o           Options
	all         []*answerer
	done, total int // answers, one for each image, member and view; -1: not known
}

func NewAnswerers(models []*model.Model, weights []float64, o Options) *Answerers {
	return &Answerers{models: models, weights: weights, o: o}
}

// Open readies the members; images is their number, -1 where it isn't known.
func (a *Answerers) Open(width, batch, images int) error {
	for k, m := range a.models {
		for i := range m.Document.Members {
			one, err := NewAnswerer(a.models, k, i, width, a.o)
			if err != nil {
				return err
			}
			one.predictor.Batch = batch
			a.all = append(a.all, one)
		}
	}
	a.total = -1
	if images >= 0 {
		a.total = len(a.all) * images * a.o.views()
	}
	return nil
}

// atLeast makes the batches as large as this where they are smaller.
func (a *Answerers) atLeast(batch int) {
	for _, one := range a.all {
		one.predictor.Batch = max(one.predictor.Batch, batch)
	}
}

func (a *Answerers) Close() {
	for _, one := range a.all {
		one.Close()
	}
}

// Answer is the mean over all members, or, with weights, over the models.
func (a *Answerers) Answer(ctx context.Context, set *dataset.Set) (*Prediction, error) {
	views := ViewsOf(set, a.o)
	var all []MemberPrediction
	for _, one := range a.all {
		p, err := one.Answer(ctx, set, views, func(rows int) {
			if a.o.Tick != nil {
				a.o.Tick(a.done+rows, a.total)
			}
		})
		if err != nil {
			return nil, err
		}
		a.done += set.Len() * len(views)
		all = append(all, *p)
	}
	if a.weights == nil {
		return Mean(all, set.Len()), nil
	}
	var own []MemberPrediction
	for k, w := range a.weights {
		members := slices.DeleteFunc(slices.Clone(all), func(p MemberPrediction) bool { return p.Model != k })
		own = append(own, MemberPrediction{Model: k, weight: w, Prediction: *Mean(members, set.Len())})
	}
	return Mean(own, set.Len()), nil
}
