package zoo

import (
	"context"
	"path"
	"slices"
	"strconv"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
)

// List gives the architectures that plugins offer under a name, or plugin/name, that matches one of the patterns, with
// wildcards as [path.Match] has them; without patterns all. failed are the plugins that couldn't be asked, beside those
// that could.
func (z *Zoo) List(ctx context.Context, patterns ...string) (found []host.Architecture, failed []error, err error) {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, nil, request.Errorf("pattern "+strconv.Quote(p), "found a [ without its ], want a name with *, ? or [abc]")
		}
	}
	h, err := z.Plugins()
	if err != nil {
		return nil, nil, err
	}
	all, failed := h.List(ctx)
	for _, a := range all {
		if matches(patterns, a.Name) || matches(patterns, a.FullName()) {
			found = append(found, a)
		}
	}
	return found, failed, nil
}

// matches tells whether a name matches one of the patterns, or there are none.
func matches(patterns []string, name string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { ok, _ := path.Match(p, name); return ok })
}

// DescribeRequest asks what an architecture is, with some settings.
type DescribeRequest struct {
	Architecture string   // a name, or plugin/name
	Settings     []string // NAME=VALUE: the plugin's, or the recipe's as in recipe.rate=0.01
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
	settings, err := recipe.Parse(r.Settings)
	if err != nil {
		return nil, err
	}
	if r.Columns == nil {
		r.Columns = blueprint.KaggleColumns
	}
	h, err := z.Plugins()
	if err != nil {
		return nil, err
	}
	a, err := h.Architecture(ctx, r.Architecture)
	if err != nil {
		return nil, err
	}
	d, err := offered(ctx, h, a, recipe.PluginSettings(settings))
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

// offered gives a blueprint: with the default settings the remembered one, so that no plugin is started.
func offered(ctx context.Context, h *host.Host, a host.Architecture, own map[string]string) (*blueprint.Document, error) {
	if len(own) == 0 {
		return a.Document()
	}
	answer, err := h.Blueprint(ctx, a.FullName(), host.Request{Settings: own})
	return answer.Document, err
}
