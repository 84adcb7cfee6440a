package zoo

import (
	"context"
	"fmt"
	"maps"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// TrainRequest asks for a training.
type TrainRequest struct {
	train.Request
	Data DataRequest // no names: what the training that goes on learned from, or else the drawn faces
}

// Training is one that can begin: its files are read, the plugin is asked, the data has the size that it takes.
type Training struct {
	o   train.Options
	zoo *Zoo
}

// Document is what is trained, Data what it learns from, Output where the model goes.
func (t *Training) Document() *blueprint.Document { return t.o.Blueprint() }
func (t *Training) Data() *dataset.Set            { return t.o.Data }
func (t *Training) Output() string                { return t.o.Output }

// Trained is a training's result.
type Trained struct {
	*Training
	Model     *model.Model
	OutOfFold *model.HeldOut // of folds: the rows held out, of all together; nil elsewhere
}

// Train trains an architecture, and writes the model to Output: [Zoo.Prepare] and [Training.Run].
func (z *Zoo) Train(ctx context.Context, r TrainRequest, watch train.Watcher) (*Trained, error) {
	ctx, leave, err := z.open.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	t, err := z.Prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	return t.Run(ctx, watch)
}

// Run trains, once. watch, which may be nil, is told how it goes on. When ctx ends, what was learned is kept in a
// checkpoint that the error names, which wraps [train.ErrInterrupted].
func (t *Training) Run(ctx context.Context, watch train.Watcher) (*Trained, error) {
	ctx, leave, err := t.zoo.open.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	o := t.o
	o.Watch = watch
	m, err := train.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &Trained{Training: t, Model: m}
	if pooled, ok := m.OutOfFold(); ok {
		out.OutOfFold = &pooled
	}
	return out, nil
}

// FindRate trains nothing: it tries rising learning rates for some batches, for each member.
func (t *Training) FindRate(ctx context.Context) ([]*train.RateSweep, error) {
	ctx, leave, err := t.zoo.open.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	tick, end := t.zoo.Progress("trying rates")
	defer end()
	return train.FindRate(ctx, t.o, tick)
}

// HeldOut answers the rows that the model hasn't learned from; held is false, and all are answered, where none are known.
func (t *Trained) HeldOut(ctx context.Context) (part *dataset.Set, p *answer.Prediction, held bool, err error) {
	ctx, leave, err := t.zoo.open.Enter(ctx)
	if err != nil {
		return nil, nil, false, err
	}
	defer leave()
	e, err := t.zoo.EnsembleOf(ctx, []*model.Model{t.Model}, ModelsRequest{})
	if err != nil {
		return nil, nil, false, err
	}
	defer e.Close()
	return measure.HeldOutAnswers(ctx, e, t.o.Data, nil)
}

// Prepare does all of a training that comes before its first step.
func (z *Zoo) Prepare(ctx context.Context, r TrainRequest) (*Training, error) {
	ctx, leave, err := z.open.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	o, err := r.Options()
	if err != nil {
		return nil, err
	}
	o.Version, o.Run = z.o.Version, z.Record()
	data, err := z.trainingData(ctx, r.Data, o.Resume)
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if len(data.Columns) == 0 {
		return nil, fmt.Errorf("%s: found no columns with coordinates, want training data", data.Name)
	}
	if err := z.checkOffered(ctx, r.Architecture, o.Resume); err != nil {
		return nil, err // before the data is read, which may take minutes
	}
	if o.Data, err = data.Read(ctx); err != nil {
		return nil, err
	}
	if o.Resume == nil {
		if o.Document, o.Plugin, err = z.blueprint(ctx, r, o); err != nil {
			return nil, err
		}
	}
	// Before the plugin was asked, for which the data's columns are needed, the size couldn't be known.
	in := o.Blueprint().Input
	if o.Data, err = data.Refit(ctx, o.Data, in.Height, in.Width); err != nil {
		return nil, err
	}
	if o.Backend, err = z.open.Backend(ctx, z.watch.Backend); err != nil {
		return nil, err
	}
	return &Training{*o, z}, nil
}

// checkOffered refuses an architecture that no plugin offers, unless a training goes on, which needs none.
func (z *Zoo) checkOffered(ctx context.Context, name string, resume *model.Model) error {
	if resume != nil {
		return nil
	}
	h, err := z.open.Plugins(ctx)
	if err == nil {
		_, err = h.Architecture(ctx, name)
	}
	return err
}

// trainingData opens the data given, or else that of the training that goes on, or else the drawn faces.
func (z *Zoo) trainingData(ctx context.Context, r DataRequest, resume *model.Model) (*dataset.Source, error) {
	if len(r.Names) > 0 {
		return z.Data(ctx, r)
	}
	assumed := Assumed{Source: DrawnFaces}
	if resume != nil {
		assumed = Assumed{resume.Provenance.Data.Source, true}
	}
	z.watch.Assumed(assumed)
	r.Names = []string{assumed.Source}
	data, err := z.Data(ctx, r)
	if err != nil && assumed.Resumed {
		err = &train.DataGoneError{Source: assumed.Source, Err: err}
	}
	return data, err
}

// blueprint asks a plugin for the document, and applies the settings.
func (z *Zoo) blueprint(ctx context.Context, r TrainRequest, o *train.Options) (d *blueprint.Document, from host.PluginInfo, err error) {
	settings := maps.Clone(o.Settings)
	delete(settings, "recipe.seed") // the training's stands over it
	if r.Folds != 0 {
		delete(settings, "folds")
	}
	h, err := z.open.Plugins(ctx)
	if err != nil {
		return nil, from, err
	}
	summary, err := host.Summarize(o.Data.Columns, o.Data.Points)
	if err != nil {
		return nil, from, err
	}
	asked, err := h.Blueprint(ctx, r.Architecture, host.Request{Settings: recipe.PluginSettings(settings), Data: summary})
	if err != nil {
		return nil, from, err
	}
	for _, field := range asked.Document.UnknownFields() {
		z.watch.Warn(Warning{Text: fmt.Sprintf("plugin %s: architecture %s: field %s is unknown: it is kept, but has no effect", asked.Plugin.Name, r.Architecture, field)})
	}
	d, err = recipe.Prepare(asked.Document, o.Data.Columns, settings)
	if err == nil && r.Folds > 0 {
		d, err = recipe.Folded(d, r.Folds)
	}
	return d, asked.Plugin, err
}
