package convert

// Matching is the third stage: what was recognised finds its architecture and
// the names of its answers, and what doesn't fit is refused.

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/convert/fit"
	"github.com/fkzoo/fkzoo/zoo/convert/layers"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// matched is all that a model is built of.
type matched interface {
	build(c *conversion) (*model.Model, error)
}

// exportedModel is a model with its own blueprint.
type exportedModel struct{ *model.Model }

func (e exported) match(_ context.Context, c *conversion) (matched, error) {
	m, err := e.about.Model(e.arrays)
	if err != nil {
		return nil, err
	}
	if columns := m.Document.Columns(nil); c.Columns != nil && !slices.Equal(columns, c.Columns) {
		return nil, &ColumnsError{columns, c.Columns}
	}
	return exportedModel{m}, nil
}

// namedNetwork is a network with the names of its member and of its answers.
type namedNetwork struct {
	*legacy.Network
	member  string
	columns []string
}

// namedNetworks are all of a file.
type namedNetworks []namedNetwork

func (n networks) match(_ context.Context, c *conversion) (matched, error) {
	var out namedNetworks
	values := int64(0)
	for i, network := range n.all {
		name := memberName(network.Name, i, len(n.all))
		if slices.ContainsFunc(out, func(m namedNetwork) bool { return m.member == name }) {
			name = fmt.Sprintf("member%d", i+1)
		}
		columns, err := n.columns(c, network, &values)
		if err != nil {
			return nil, ofSeveral(err, i, len(n.all))
		}
		out = append(out, namedNetwork{network, name, columns})
	}
	return out, nil
}

// ofSeveral says in which network a fault is.
func ofSeveral(err error, i, count int) error {
	if count > 1 {
		return fmt.Errorf("network %d of %d: %w", i+1, count, err)
	}
	return err
}

// memberName is the file's own, where it can be a name; else the shipped
// architectures' «all», or a number.
func memberName(given string, index, count int) string {
	switch {
	case given != "":
		return layers.Name(given)
	case count == 1:
		return "all"
	}
	return fmt.Sprintf("specialist%d", index+1)
}

// maxGrowth is how many bytes of weights there may be for each byte of the
// file: an array of one-byte integers becomes float32.
const maxGrowth = 4

// columns are a network's outputs: those that the file or the user names, or
// Kaggle's where there are as many. Networks whose layers share arrays so often
// that their values, counted over all, would be far larger than the file are
// refused.
func (n networks) columns(c *conversion, network *legacy.Network, values *int64) ([]string, error) {
	answers := -1
	for _, l := range network.Layers {
		for _, p := range lasagne.Params(l.Op) {
			*values += int64(p.Array.Len())
		}
		if d, ok := l.Op.(lasagne.Dense); ok {
			answers = d.Weights.Array.Shape[1]
		}
	}
	if 4**values > maxGrowth*int64(n.size)+1<<20 {
		return nil, fmt.Errorf("found layers that share arrays, with %d bytes of weights in a file of %d bytes, want at most %d times as many", 4**values, n.size, maxGrowth)
	}
	if answers < 0 {
		return nil, errors.New("found no dense layer, want one that gives a value for each column")
	}
	columns := network.Columns
	switch {
	case columns == nil:
		columns = c.Columns
	case c.Columns != nil && !slices.Equal(columns, c.Columns):
		return nil, &ColumnsError{columns, c.Columns}
	}
	if columns == nil && answers == len(blueprint.KaggleColumns) {
		columns = blueprint.KaggleColumns
		receipt.Note(c.receipt, "the file names no columns: its %d answers are taken for Kaggle's columns in Kaggle's order", answers)
	}
	if columns == nil {
		return nil, &NoColumnsError{answers}
	}
	if len(columns) != answers {
		return nil, fmt.Errorf("found %d answers and %d names of columns, want as many: %v", answers, len(columns), columns)
	}
	return slices.Clone(columns), nil
}

// architecture is the blueprint that arrays are read as.
type architecture struct {
	document *blueprint.Document
	plugin   model.PluginFrom
}

// architecture asks for the one that was named; without a name the error says which fit.
func (c *conversion) architecture(ctx context.Context, fits func(d *blueprint.Document) error) (a architecture, err error) {
	if c.As == "" {
		return a, c.whichFit(ctx, fits)
	}
	if c.Host == nil {
		return a, &NoHostError{c.As}
	}
	columns := c.Columns
	if columns == nil {
		columns = blueprint.KaggleColumns
	}
	answer, err := c.Host.Blueprint(ctx, c.As, host.Request{Data: host.DataSummary{Columns: columns}})
	if err != nil {
		return a, err
	}
	a.plugin = model.PluginFrom{Name: answer.Plugin.Name, SHA256: answer.Plugin.SHA256}
	a.document, err = answer.Document.Resolve(columns)
	return a, err
}

// whichFit is the error where no architecture was named.
func (c *conversion) whichFit(ctx context.Context, fits func(d *blueprint.Document) error) error {
	e := &NoLayersError{}
	if c.Host == nil {
		return e
	}
	all, _ := c.Host.List(ctx)
	for _, a := range all {
		d, err := a.Document()
		if err != nil {
			continue
		}
		if d, err = d.Resolve(blueprint.KaggleColumns); err == nil && fits(d) == nil {
			e.Fits = append(e.Fits, a.Name)
		}
	}
	return e
}

// pairedLists are lists beside the parameters of an architecture, by member.
type pairedLists struct {
	architecture
	pairs []*fit.Pairs
}

func (l lists) match(ctx context.Context, c *conversion) (matched, error) {
	a, err := c.architecture(ctx, func(d *blueprint.Document) error {
		pairs, err := l.pair(d)
		for _, p := range pairs {
			err = errors.Join(err, p.Fits())
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	pairs, err := l.pair(a.document)
	for _, p := range pairs {
		if older := p.Older(); older != "" {
			receipt.Note(c.receipt, "the arrays lie in an older order of Lasagne's or nolearn's, %s: in today's their shapes don't fit", older)
		}
	}
	return pairedLists{a, pairs}, err
}

func (l lists) pair(d *blueprint.Document) (out []*fit.Pairs, err error) {
	parts, err := fit.Divide(d, l)
	if err != nil {
		return nil, err
	}
	for i := range d.Members {
		p, err := fit.Match(d, i, parts[i])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

// namedArrays are all parameters of an architecture, whose layers have their sizes.
type namedArrays struct {
	architecture
	arrays []legacy.ListedParam
}

func (n named) match(ctx context.Context, c *conversion) (matched, error) {
	a, err := c.architecture(ctx, func(d *blueprint.Document) error {
		_, err := fit.Sized(d, n)
		return err
	})
	if err != nil {
		return nil, err
	}
	a.document, err = fit.Sized(a.document, n)
	return namedArrays{a, n}, err
}
