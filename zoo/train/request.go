package train

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// Request asks for a training: the zero values of all but Architecture are what most want.
type Request struct {
	Architecture string // a name, or plugin/name

	Settings []string // KEY=VALUE: the plugin's, or the recipe's as in recipe.rate=0.01
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
	Every        Every // how often a checkpoint is kept
}

// Name is the architecture's without its plugin's.
func (r *Request) Name() string { return r.Architecture[strings.LastIndex(r.Architecture, "/")+1:] }

// Options are what of a request needs no plugin, data or backend; the model files that it names are read. Errors are of
// kind [request.Error] or [request.TwiceError] where the request is at fault, and wrap [ErrFinished] for a model that no
// training could go on from.
func (r *Request) Options() (*Options, error) {
	if r.Architecture == "" {
		return nil, request.Errorf("architecture", "found no name, want one")
	}
	settings, given, err := r.settings()
	if err != nil {
		return nil, err
	}
	o := &Options{
		Settings: settings, Options: given, Output: r.OutputPath(), Force: r.Force, Every: r.Every,
		ResumePath: r.Resume, AllowChanges: r.AllowChanges, Seed: 1,
	}
	if r.Seed != nil {
		o.Seed = *r.Seed
	}
	if err := r.check(o); err != nil {
		return nil, err
	}
	if r.Resume != "" {
		if o.Resume, err = model.Load(r.Resume); err != nil {
			return nil, err
		}
		if o.Resume.State == nil {
			return nil, finished(r.Resume)
		}
		if found := o.Resume.Document.Name; found != r.Name() {
			return nil, request.Errorf("resume "+r.Resume, "found a training of %s, want %s", found, r.Name())
		}
	}
	if r.Start != "" {
		o.Start, err = model.Load(r.Start)
	}
	return o, err
}

// OutputPath is where the model goes.
func (r *Request) OutputPath() string {
	if output, ok := model.OutputOf(r.Resume); ok && r.Output == "" {
		return output // that of the training that goes on
	}
	return cmp.Or(r.Output, r.Name()+".fkz")
}

func (r *Request) check(o *Options) error {
	other, isCheckpoint := model.OutputOf(o.Output)
	_, seeded := o.Settings[recipe.Prefix+"seed"]
	switch {
	case !strings.HasSuffix(o.Output, ".fkz"):
		return request.Errorf("output "+o.Output, "want a name that ends in .fkz")
	case isCheckpoint:
		return request.Errorf("output "+o.Output, "the name is that of a checkpoint of a training to %s, want another", other)
	case r.AllowChanges && r.Resume == "":
		return request.Errorf("allow changes", "found no training to go on with, want one: a new one has nothing to differ from")
	case r.Resume != "" && r.Start != "":
		return request.Errorf("resume", "found a model to start from too, want one of them: a training goes on with its own weights")
	case r.Resume == "" && r.Seed == nil && seeded:
		return request.Errorf("set recipe.seed", "want the training's seed, which stands over the recipe's")
	}
	return nil
}

// settings are all that the request sets, by name, and as a model keeps them. What is set twice is refused.
func (r *Request) settings() (all map[string]string, given []string, err error) {
	if all, err = recipe.Parse(r.Settings); err != nil {
		return nil, nil, err
	}
	given = slices.Clone(r.Settings)
	for _, f := range []struct {
		field, name  string
		value, least int
	}{{"epochs", "recipe.epochs", r.Epochs, 1}, {"batch", "recipe.batch", r.Batch, 1}, {"folds", "folds", r.Folds, 2}} {
		if f.value == 0 {
			continue
		}
		if f.value < f.least {
			return nil, nil, request.Errorf(f.field, "found %d, want at least %d", f.value, f.least)
		}
		if err := setOnce(all, f.field, f.name, fmt.Sprint(f.value)); err != nil {
			return nil, nil, err
		}
		given = append(given, fmt.Sprintf("%s=%d", f.name, f.value))
	}
	if r.Seed == nil {
		return all, given, nil
	}
	if *r.Seed == 0 {
		return nil, nil, request.Errorf("seed", "found 0, want at least 1")
	}
	return all, given, setOnce(all, "seed", "recipe.seed", fmt.Sprint(*r.Seed))
}

func setOnce(all map[string]string, field, name, value string) error {
	if other, twice := all[name]; twice {
		return &request.TwiceError{Field: field, Value: value, Setting: name, Other: other}
	}
	all[name] = value
	return nil
}
