package zoo

import (
	"context"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/bench"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// List gives the architectures that plugins offer under a name, or plugin/name, that matches one of the patterns; without
// patterns all. failed are the plugins that couldn't be asked, beside those that could.
func (z *Zoo) List(ctx context.Context, patterns ...string) (found []host.Architecture, failed []error, err error) {
	ctx, leave, err := z.open.Enter(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer leave()
	h, err := z.open.Plugins(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, failed := h.List(ctx)
	if found, err = host.Matching(all, patterns); err != nil {
		return nil, nil, &request.Error{Err: err}
	}
	return found, failed, nil
}

// DescribeRequest asks what an architecture is, with some settings.
type DescribeRequest struct {
	Architecture string   // a name, or plugin/name
	Settings     []string // KEY=VALUE: the plugin's, or the recipe's as in recipe.rate=0.01
	Columns      []string // of the data; nil: Kaggle's 30
}

// Architecture is what a plugin describes, and what it takes.
type Architecture struct {
	*model.Description
	Plugin   string
	Settings []host.Setting
}

// Describe tells what an architecture is. With the default settings no plugin is started that was asked before.
func (z *Zoo) Describe(ctx context.Context, r DescribeRequest) (*Architecture, error) {
	if r.Architecture == "" {
		return nil, request.Errorf("architecture", "found no name, want one")
	}
	settings, err := recipe.Parse(r.Settings)
	if err != nil {
		return nil, err
	}
	if r.Columns == nil {
		r.Columns = blueprint.KaggleColumns
	}
	ctx, leave, err := z.open.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	h, err := z.open.Plugins(ctx)
	if err != nil {
		return nil, err
	}
	a, err := h.Architecture(ctx, r.Architecture)
	if err != nil {
		return nil, err
	}
	d, err := h.Offered(ctx, a, recipe.PluginSettings(settings))
	if err != nil {
		return nil, err
	}
	if d, err = recipe.Prepare(d, r.Columns, settings); err != nil {
		return nil, err
	}
	out, err := model.DescriptionOf(d, r.Columns)
	if err != nil {
		return nil, err
	}
	return &Architecture{out, a.Plugin.Name, a.Settings}, nil
}

// Bench measures how fast what [Zoo.Describe] tells of is trained, or answers.
func (z *Zoo) Bench(ctx context.Context, r bench.Request) (*bench.Result, error) {
	b, ctx, leave, err := z.open.EnterOn(ctx, z.watch.Backend)
	if err != nil {
		return nil, err
	}
	defer leave()
	tick, end := z.Progress("measuring")
	defer end()
	return bench.Run(ctx, b, r, tick)
}
