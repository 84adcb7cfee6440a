package answer

import (
	"slices"

	"github.com/fkzoo/fkzoo/internal/weights"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// MaxBatch is the most images that are answered at a time.
const MaxBatch = 1 << 14

// Request names the models that are asked together; their answer is the mean of theirs.
type Request struct {
	Models []string // files
	// FlipAverage answers each image and its mirror image, and takes the mean; nil: as the models' blueprints say.
	FlipAverage *bool
	Batch       int       // images answered at a time, at most [MaxBatch]; 0: as many as is best
	Weights     []float64 // of the models; nil: the members' own alone count
	// Open is an ensemble that was opened before, and stays open; nil: the models are opened for this request alone. All
	// else is then said already, and must be zero.
	Open *Ensemble
}

// Check refuses what can't be asked, whatever the models are: the error is a [request.Error].
func (r *Request) Check() error {
	if r.Open != nil && (len(r.Models) > 0 || r.FlipAverage != nil || r.Batch != 0 || r.Weights != nil) {
		return request.Errorf("open", "found models or how they answer beside an open ensemble, want one of them")
	}
	return checkBatch(r.Batch)
}

func checkBatch(n int) error {
	if n < 0 || n > MaxBatch {
		return request.Errorf("batch", "found %d, want 1 to %d, or 0 for as many as is best", n, MaxBatch)
	}
	return nil
}

// Read reads the models, or gives those that are open.
func (r *Request) Read() ([]*model.Model, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	if r.Open != nil {
		return r.Open.Models(), nil
	}
	all, err := model.ReadAll(r.Models, model.Load)
	if err != nil {
		return nil, err
	}
	return all, r.checkModels(all)
}

// checkModels refuses models that aren't there, and weights that don't suit them.
func (r *Request) checkModels(all []*model.Model) error {
	if slices.ContainsFunc(all, func(m *model.Model) bool { return m == nil || m.Document == nil }) {
		return request.Errorf("models", "found one that is nil or has no document, want models that were read")
	}
	if r.Weights == nil {
		return nil
	}
	if err := weights.Check(r.Weights, len(all)); err != nil {
		return &request.Error{Err: err}
	}
	return nil
}

// Answering are those of the models, as [Request.Read] gives them, that answer: one of weight 0 is as if it weren't named.
func (r *Request) Answering(all []*model.Model) []*model.Model {
	return weights.Weighed(all, r.Weights)
}

// Options are how the models answer, without a backend: where the request doesn't say so, with mirror images if all models
// ask for it. Where only some do, one that doesn't keeps the others from what they are calibrated for, and miscalibrated is
// true.
func (r *Request) Options(all []*model.Model) (o Options, miscalibrated bool, err error) {
	if err := r.Check(); err != nil {
		return o, false, err
	}
	if r.Open != nil {
		return o, false, request.Errorf("open", "found an open ensemble, want models to open")
	}
	if err := r.checkModels(all); err != nil {
		return o, false, err
	}
	o = Options{Batch: r.Batch, Weights: r.Weights}
	if r.FlipAverage != nil {
		o.FlipAverage = *r.FlipAverage
		return o, false, nil
	}
	answering := r.Answering(all)
	o.FlipAverage = FlipAverage(answering)
	return o, Miscalibrated(answering, o.FlipAverage), nil
}
