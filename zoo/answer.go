package zoo

import (
	"context"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// ModelsRequest names the models that are asked together; their answer is the mean of theirs.
type ModelsRequest struct {
	Models []string // files
	// FlipAverage answers each image and its mirror image, and takes the mean; nil: as the models' blueprints say.
	FlipAverage *bool
	Batch       int       // images answered at a time; 0: as many as is best
	Weights     []float64 // of the models; nil: the members' own alone count
}

// Ensemble opens models, once for all that they will be asked, from as many goroutines as one likes. Close it before the
// Zoo.
func (z *Zoo) Ensemble(ctx context.Context, r ModelsRequest) (*answer.Ensemble, error) {
	all, err := model.ReadAll(r.Models, model.Load)
	if err != nil {
		return nil, err
	}
	return z.EnsembleOf(ctx, all, r)
}

// EnsembleOf is [Zoo.Ensemble] of models that are read already.
func (z *Zoo) EnsembleOf(ctx context.Context, all []*model.Model, r ModelsRequest) (*answer.Ensemble, error) {
	b, err := z.Backend(ctx)
	if err != nil {
		return nil, err
	}
	return answer.Open(ctx, all, answer.Options{Backend: b, FlipAverage: z.flipAverage(all, r.FlipAverage), Batch: r.Batch, Weights: r.Weights})
}

// flipAverage is what the request wants, or else what all models ask for. Where only some do, one that doesn't keeps the
// others from what they are calibrated for.
func (z *Zoo) flipAverage(all []*model.Model, wanted *bool) bool {
	if wanted != nil {
		return *wanted
	}
	average := answer.FlipAverage(all)
	if answer.Miscalibrated(all, average) {
		z.o.Watch.Warn(Miscalibrated)
	}
	return average
}

// Miscalibrated is what a watcher is warned of where no request says how mirror images are to be answered.
const Miscalibrated = "some members are calibrated for the mean with the answer for the mirror image, which others don't ask for, and none is given: their answers are a little off"

// EvaluateRequest asks how far models' answers are from the truth.
type EvaluateRequest struct {
	ModelsRequest
	Data DataRequest // with points
}

// Evaluated is what was measured, and of what.
type Evaluated struct {
	*measure.Evaluation
	Data    *dataset.Set
	Answers *answer.Prediction
}

// Evaluate compares models' answers with the truth.
func (z *Zoo) Evaluate(ctx context.Context, r EvaluateRequest) (*Evaluated, error) {
	all, err := model.ReadAll(r.Models, model.Load)
	if err != nil {
		return nil, err
	}
	set, err := z.Read(ctx, r.Data.For(all[0]))
	if err != nil {
		return nil, err
	}
	e, err := z.EnsembleOf(ctx, all, r.ModelsRequest)
	if err != nil {
		return nil, err
	}
	defer e.Close()
	tick, end := z.Progress("evaluating")
	defer end()
	found, answers, err := measure.Evaluate(ctx, e, set, tick)
	if err != nil {
		return nil, err
	}
	return &Evaluated{found, set, answers}, nil
}

// PredictRequest asks where the points are.
type PredictRequest struct {
	ModelsRequest
	Images DataRequest
	Limit  int // only the first so many images; 0: all
}

// Answers takes what [Zoo.Predict] finds.
type Answers interface {
	// Begin comes first, before the backend is opened: an error ends the request.
	Begin(columns []string, images *dataset.Source) error
	// Part takes the answers for some of the images, in their order; both are good only until it returns.
	Part(images *dataset.Set, answers *answer.Prediction) error
}

// Predict answers images, which stream by: memory doesn't grow with their number.
func (z *Zoo) Predict(ctx context.Context, r PredictRequest, to Answers) error {
	all, err := model.ReadAll(r.Models, model.Load)
	if err != nil {
		return err
	}
	in, err := model.InputOf(all)
	if err != nil {
		return err
	}
	r.Images.Height, r.Images.Width = in.Height, in.Width
	images, err := z.Data(ctx, r.Images)
	if err != nil {
		return err
	}
	defer images.Close()
	if r.Limit > 0 {
		images.First(r.Limit)
	}
	if err := to.Begin(model.Columns(all), images); err != nil {
		return err
	}
	e, err := z.EnsembleOf(ctx, all, r.ModelsRequest)
	if err != nil {
		return err
	}
	defer e.Close()
	tick, end := z.Progress("predicting")
	defer end()
	return e.Each(ctx, images, tick, to.Part)
}
