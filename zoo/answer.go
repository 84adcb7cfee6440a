package zoo

import (
	"context"
	"fmt"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/opened"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/model/ready"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// ModelsRequest names the models that are asked together.
type ModelsRequest = answer.Request

// Ensemble opens models, once for all that they will be asked, from as many goroutines as one likes. Close it; the Zoo's
// Close does, too.
func (z *Zoo) Ensemble(ctx context.Context, r ModelsRequest) (*answer.Ensemble, error) {
	all, err := r.Read()
	if err != nil {
		return nil, err
	}
	return z.EnsembleOf(ctx, all, r)
}

// EnsembleOf is [Zoo.Ensemble] of models that are read already.
func (z *Zoo) EnsembleOf(ctx context.Context, all []*model.Model, r ModelsRequest) (*answer.Ensemble, error) {
	return z.open.Ensemble(ctx, all, r, z.told())
}

// told tells the watcher what opening models finds.
func (z *Zoo) told() opened.Told {
	return opened.Told{Backend: z.watch.Backend, Miscalibrated: func() {
		z.watch.Warn(Warning{Miscalibrated, "some members are calibrated for the mean with the answer for the mirror image, which others don't ask for, " +
			"and none is given: their answers are a little off"})
	}}
}

// EvaluateRequest asks how far models' answers are from the truth.
type EvaluateRequest struct {
	ModelsRequest
	Data     DataRequest // with points
	Expected bool        // compare how far off the models expect to be, too
}

// Evaluated is what was measured, and of what.
type Evaluated struct {
	*measure.Evaluation
	Data    *dataset.Set
	Answers *answer.Prediction
}

// Evaluate compares models' answers with the truth.
func (z *Zoo) Evaluate(ctx context.Context, r EvaluateRequest) (*Evaluated, error) {
	all, ctx, leave, err := z.open.EnterWith(ctx, r.ModelsRequest)
	if err != nil {
		return nil, err
	}
	defer leave()
	data, err := z.Data(ctx, r.Data.For(r.Answering(all)[0].Document.Input))
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if data.Count >= 0 && len(data.Columns) == 0 {
		return nil, fmt.Errorf("%s: found %d rows with 0 columns, want points to compare with", data.Name, data.Count)
	}
	set, err := data.Read(ctx)
	if err != nil {
		return nil, err
	}
	e, done, err := z.open.EnsembleFor(ctx, all, r.ModelsRequest, z.told())
	if err != nil {
		return nil, err
	}
	defer done()
	tick, end := z.Progress("evaluating")
	defer end()
	found, answers, err := measure.Evaluate(ctx, e, set, tick)
	if err == nil && r.Expected {
		found.Expected, err = measure.Expected(ctx, e, set)
	}
	if err != nil {
		return nil, err
	}
	return &Evaluated{found, set, answers}, nil
}

// PredictRequest asks where the points are.
type PredictRequest struct {
	ModelsRequest // without any: the model in the program, [ready.Points]
	Images        DataRequest
	Limit         int // only the first so many images; 0: all
}

// orReady asks the model that is in the program where none is named.
func orReady(r ModelsRequest) ModelsRequest {
	if len(r.Models) == 0 && r.Open == nil {
		r.Models = []string{ready.Points}
	}
	return r
}

// Answers takes what [Zoo.Predict] finds.
type Answers = answer.Receiver

// Predict answers images, which stream by: memory doesn't grow with their number.
func (z *Zoo) Predict(ctx context.Context, r PredictRequest, to Answers) error {
	if r.Limit < 0 {
		return request.Errorf("limit", "found %d, want at least 1, or 0 for all", r.Limit)
	}
	if to == nil {
		return request.Errorf("answers", "found nobody to take them, want a receiver")
	}
	r.ModelsRequest = orReady(r.ModelsRequest)
	all, ctx, leave, err := z.open.EnterWith(ctx, r.ModelsRequest)
	if err != nil {
		return err
	}
	defer leave()
	answering := r.Answering(all)
	in, err := model.InputOf(answering)
	if err != nil {
		return err
	}
	images, err := z.Data(ctx, r.Images.For(in))
	if err != nil {
		return err
	}
	defer images.Close()
	if r.Limit > 0 {
		images.First(r.Limit)
	}
	if err := to.Begin(model.Columns(answering), images); err != nil {
		return err
	}
	e, done, err := z.open.EnsembleFor(ctx, all, r.ModelsRequest, z.told())
	if err != nil {
		return err
	}
	defer done()
	tick, end := z.Progress("predicting")
	defer end()
	return e.Each(ctx, images, tick, to.Part)
}
