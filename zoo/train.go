package zoo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// TrainRequest asks for a training.
type TrainRequest struct {
	Architecture string // a name, or plugin/name
	Data         string // a source; "": what the training that goes on learned from, or else the drawn faces

	Settings []string // NAME=VALUE: the plugin's, or the recipe's as in recipe.rate=0.01
	// In place of the recipe's; 0: as it says.
	Epochs, Batch, Folds int
	Seed                 *uint64 // from 1; nil: 1, or that of the training that goes on

	Output string // the model's path, NAME.fkz; "": ARCHITECTURE.fkz, or that of the training that goes on
	Force  bool   // replace files that exist
	Start  string // a model file to start from where names and shapes agree; "": weights are drawn
	// Resume is a checkpoint to go on from, with its own recipe and seed; other data or settings than its own are
	// refused unless AllowChanges.
	Resume       string
	AllowChanges bool
	Every        train.Every // how often a checkpoint is kept
}

// Trained is a training's result.
type Trained struct {
	Model     *model.Model
	Path      string // its file
	Data      *dataset.Set
	OutOfFold *model.HeldOut // of folds: the rows held out, of all together; nil elsewhere

	zoo *Zoo
}

// Train trains an architecture, and writes the model to Output. watch, which may be nil, is told how it goes on. When ctx
// ends, what was learned is kept in a checkpoint that the error names, which wraps [train.ErrInterrupted].
func (z *Zoo) Train(ctx context.Context, r TrainRequest, watch train.Watcher) (*Trained, error) {
	o, err := z.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	o.Watch = watch
	m, err := train.Run(ctx, *o)
	if err != nil {
		return nil, err
	}
	t := &Trained{Model: m, Path: o.Output, Data: o.Data, zoo: z}
	if pooled, ok := m.OutOfFold(); ok {
		t.OutOfFold = &pooled
	}
	return t, nil
}

// FindRate trains nothing: it tries rising learning rates for some batches, for each member.
func (z *Zoo) FindRate(ctx context.Context, r TrainRequest) ([]*train.RateSweep, error) {
	if r.Resume != "" || r.Folds != 0 {
		return nil, requestf("find rate", "found a training to go on with, or folds, want neither: nothing is trained")
	}
	o, err := z.prepare(ctx, r)
	if err != nil {
		return nil, err
	}
	tick, end := z.progress("trying rates")
	defer end()
	return train.FindRate(ctx, *o, tick)
}

// HeldOut answers the rows that the model hasn't learned from; held is false, and all are answered, where none are known.
func (t *Trained) HeldOut(ctx context.Context) (part *dataset.Set, p *answer.Prediction, held bool, err error) {
	o, err := t.zoo.answering(ctx, []*model.Model{t.Model}, nil)
	if err != nil {
		return nil, nil, false, err
	}
	return measure.HeldOutAnswers(ctx, t.Model, t.Data, o)
}

// prepare turns a request into what is trained: files read, the plugin asked, the data in the size that it takes.
func (z *Zoo) prepare(ctx context.Context, r TrainRequest) (*train.Options, error) {
	o, err := z.trainOptions(r)
	if err != nil {
		return nil, err
	}
	if o.Data, err = z.trainingData(ctx, r.Data, o.Resume); err != nil {
		return nil, err
	}
	if o.Resume == nil {
		if o.Document, o.Plugin, err = z.blueprint(ctx, r, o); err != nil {
			return nil, err
		}
	} else if found := o.Resume.Document.Name; found != baseName(r.Architecture) {
		return nil, requestf("resume "+r.Resume, "found a training of %s, want %s", found, baseName(r.Architecture))
	}
	document := o.Document
	if o.Resume != nil {
		document = o.Resume.Document
	}
	if in := document.Input; in.Height != o.Data.Height || in.Width != o.Data.Width {
		// Before the plugin was asked, for which the data's columns are needed, the size couldn't be known.
		if o.Data, err = z.read(ctx, o.Data.Source, in.Height, in.Width); err != nil {
			return nil, err
		}
	}
	o.Backend, err = z.Backend(ctx)
	return o, err
}

// baseName is an architecture's name without its plugin's.
func baseName(name string) string { return name[strings.LastIndex(name, "/")+1:] }

// trainOptions are what of a request needs no plugin, data or backend.
func (z *Zoo) trainOptions(r TrainRequest) (*train.Options, error) {
	settings, given, err := r.settings()
	if err != nil {
		return nil, err
	}
	o := &train.Options{
		Settings: settings, Options: given, Output: r.Output, Force: r.Force, Version: z.o.Version, Run: z.run(), Every: r.Every,
		ResumePath: r.Resume, AllowChanges: r.AllowChanges, Seed: 1,
	}
	if r.Seed != nil {
		o.Seed = *r.Seed
	}
	if o.Output == "" {
		o.Output = baseName(r.Architecture) + ".fkz"
		if output, ok := model.OutputOf(r.Resume); ok {
			o.Output = output // that of the training that goes on
		}
	}
	if err := checkOutput(o.Output); err != nil {
		return nil, err
	}
	if r.AllowChanges && r.Resume == "" {
		return nil, requestf("allow changes", "found no training to go on with, want one: a new one has nothing to differ from")
	}
	if r.Resume != "" && r.Start != "" {
		return nil, requestf("resume", "found a model to start from too, want one of them: a training goes on with its own weights")
	}
	if r.Resume != "" {
		if o.Resume, err = model.Load(r.Resume); err != nil {
			return nil, err
		}
		if o.Resume.State == nil {
			return nil, finished(r.Resume)
		}
	} else if _, ok := settings["recipe.seed"]; ok && r.Seed == nil {
		return nil, requestf("setting recipe.seed", "want the training's seed, which stands over the recipe's")
	}
	if r.Start != "" {
		if o.Start, err = model.Load(r.Start); err != nil {
			return nil, err
		}
	}
	return o, nil
}

func checkOutput(path string) error {
	if !strings.HasSuffix(path, ".fkz") {
		return requestf("output "+path, "want a name that ends in .fkz")
	}
	if other, ok := model.OutputOf(path); ok {
		return requestf("output "+path, "the name is that of a checkpoint of a training to %s, want another", other)
	}
	return nil
}

// settings are all that the request sets, by name, and as a model keeps them. What is set twice is refused.
func (r *TrainRequest) settings() (all map[string]string, given []string, err error) {
	if all, err = train.ParseSettings(r.Settings); err != nil {
		return nil, nil, err
	}
	given = slices.Clone(r.Settings)
	for _, f := range []struct {
		field, name string
		value       int
		least       int
	}{{"epochs", "recipe.epochs", r.Epochs, 1}, {"batch", "recipe.batch", r.Batch, 1}, {"folds", "folds", r.Folds, 2}} {
		if f.value == 0 {
			continue
		}
		if f.value < f.least {
			return nil, nil, requestf(f.field, "found %d, want at least %d", f.value, f.least)
		}
		if err := setOnce(all, f.field, f.name, fmt.Sprint(f.value)); err != nil {
			return nil, nil, err
		}
		given = append(given, f.name+"="+fmt.Sprint(f.value))
	}
	if r.Seed == nil {
		return all, given, nil
	}
	if *r.Seed == 0 {
		return nil, nil, requestf("seed", "found 0, want at least 1")
	}
	return all, given, setOnce(all, "seed", "recipe.seed", fmt.Sprint(*r.Seed))
}

func setOnce(all map[string]string, field, name, value string) error {
	if other, twice := all[name]; twice {
		return &TwiceError{field, value, name, other}
	}
	all[name] = value
	return nil
}

// TwiceError tells that a request sets a thing by a field and by a setting.
type TwiceError struct{ Field, Value, Setting, Other string }

func (e *TwiceError) Error() string {
	return fmt.Sprintf("%s: found %s, and %s=%s among the settings, want one of them", e.Field, e.Value, e.Setting, e.Other)
}

// FinishedError tells that a model file is no checkpoint that a training could go on from.
type FinishedError struct {
	Path string
	Best string // a checkpoint of the same training that could; "": none
	Next int    // the epoch that it goes on with, from 1
}

func (e *FinishedError) Error() string {
	text := e.Path + ": the training is finished, want a checkpoint"
	if e.Best != "" {
		text += fmt.Sprintf(": %s goes on from epoch %d", e.Best, e.Next)
	}
	return text
}

func finished(path string) error {
	e := &FinishedError{Path: path}
	if m, err := model.Describe(model.BestPath(path)); err == nil && m.State != nil {
		e.Best, e.Next = model.BestPath(path), m.State.Epoch+1
	}
	return e
}

// trainingData reads the data given, or else that of the training that goes on, or else the drawn faces.
func (z *Zoo) trainingData(ctx context.Context, source string, resume *model.Model) (*dataset.Set, error) {
	chosen := DataChosen{Source: source, Given: source != ""}
	if source == "" && resume != nil {
		chosen.Source, chosen.Resumed = resume.Provenance.Data.Source, true
	}
	if chosen.Source == "" {
		chosen.Source, chosen.Resumed = DrawnFaces, false
	}
	z.o.Watch.Data(chosen)
	set, err := z.readTold(ctx, chosen.Source, 0, 0)
	if err == nil && len(set.Columns) == 0 {
		err = fmt.Errorf("%s: found no columns with coordinates, want training data", chosen.Source)
	}
	return set, err
}

// blueprint asks a plugin for the document, and applies the settings.
func (z *Zoo) blueprint(ctx context.Context, r TrainRequest, o *train.Options) (*blueprint.Document, host.PluginInfo, error) {
	settings := maps.Clone(o.Settings)
	delete(settings, "recipe.seed") // the training's stands over it
	if r.Folds != 0 {
		delete(settings, "folds")
	}
	var none host.PluginInfo
	h, err := z.Plugins()
	if err != nil {
		return nil, none, err
	}
	summary, err := host.Summarize(o.Data.Columns, o.Data.Points)
	if err != nil {
		return nil, none, err
	}
	asked, err := h.Blueprint(ctx, r.Architecture, host.Request{Settings: train.PluginSettings(settings), Data: summary})
	if err != nil {
		return nil, none, err
	}
	for _, field := range asked.Document.UnknownFields() {
		z.o.Watch.Warn(fmt.Sprintf("plugin %s: architecture %s: field %s is unknown: it is kept, but has no effect", asked.Plugin.Name, r.Architecture, field))
	}
	d, err := train.Prepare(asked.Document, o.Data.Columns, settings)
	if err == nil && r.Folds > 0 {
		d, err = train.Folded(d, r.Folds)
	}
	return d, asked.Plugin, err
}

var errNoData = errors.New("found none, want data with points")
