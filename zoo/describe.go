package zoo

import (
	"context"
	"encoding/json"
	"path"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// List gives the architectures that plugins offer under a name, or plugin/name, that matches one of the patterns, with
// wildcards as [path.Match] has them; without patterns all. failed are the plugins that couldn't be asked, beside those
// that could.
func (z *Zoo) List(ctx context.Context, patterns ...string) (found []host.Architecture, failed []error, err error) {
	for _, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			return nil, nil, requestf("pattern "+quoted(p), "found a [ without its ], want a name with *, ? or [abc]")
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
	for _, p := range patterns {
		if ok, _ := path.Match(p, name); ok {
			return true
		}
	}
	return len(patterns) == 0
}

func quoted(s string) string { text, _ := json.Marshal(s); return string(text) }

// DescribeRequest asks what an architecture is, with some settings.
type DescribeRequest struct {
	Architecture string   // a name, or plugin/name
	Settings     []string // NAME=VALUE: the plugin's, or the recipe's as in recipe.rate=0.01
	Columns      []string // of the data; nil: Kaggle's 30
}

// Description is an architecture or a model: its blueprint, and of a model what made it.
type Description struct {
	Document   *blueprint.Document
	Plans      []*blueprint.Plan // of each member
	Parameters int64
	FLOPs      int64 // for one image: a multiplication and an addition are two
	Plugin     string
	Settings   []host.Setting // that the plugin takes; none of a model
	Model      *model.Model   // without weights; nil of an architecture
}

// Describe tells what an architecture is. With the default settings no plugin is started that was asked before.
func (z *Zoo) Describe(ctx context.Context, r DescribeRequest) (*Description, error) {
	settings, err := train.ParseSettings(r.Settings)
	if err != nil {
		return nil, err
	}
	columns := r.Columns
	if columns == nil {
		columns = blueprint.KaggleColumns
	}
	h, err := z.Plugins()
	if err != nil {
		return nil, err
	}
	a, err := h.Architecture(ctx, r.Architecture)
	if err != nil {
		return nil, err
	}
	d, err := offered(ctx, h, a, train.PluginSettings(settings))
	if err != nil {
		return nil, err
	}
	if d, err = train.Prepare(d, columns, settings); err != nil {
		return nil, err
	}
	out, err := described(d, columns)
	if err != nil {
		return nil, err
	}
	out.Plugin, out.Settings = a.Plugin.Name, a.Settings
	return out, nil
}

// offered gives a blueprint: with the default settings the remembered one, so that no plugin is started.
func offered(ctx context.Context, h *host.Host, a host.Architecture, own map[string]string) (*blueprint.Document, error) {
	if len(own) == 0 {
		return a.Document()
	}
	answer, err := h.Blueprint(ctx, a.FullName(), host.Request{Settings: own})
	return answer.Document, err
}

// DescribeModel tells what a model file holds, from its header alone.
func DescribeModel(path string) (*Description, error) {
	m, err := model.Describe(path)
	if err != nil {
		return nil, err
	}
	out, err := described(m.Document, nil)
	if err != nil {
		return nil, err
	}
	out.Plugin, out.Model = m.Provenance.Plugin.Name, m
	return out, nil
}

func described(d *blueprint.Document, columns []string) (*Description, error) {
	out := &Description{Document: d}
	for i := range d.Members {
		plan, err := blueprint.NewPlan(d, i, columns)
		if err != nil {
			return nil, err
		}
		out.Plans = append(out.Plans, plan)
		out.Parameters += plan.Parameters()
		out.FLOPs += plan.FLOPs()
	}
	return out, nil
}
