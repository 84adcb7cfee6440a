// Package report has the layouts and recipes of the eleven networks of the
// report on Kaggle's «Facial Keypoints Detection» with which fkzoo began, for
// the plugins that offer them. It makes documents and must not know how a
// plugin is served or a network is run.
//
// Facts are from the report and its authors' published sources: 96x96 grey
// images, y = (pixel - 48) / 48, mean squared error, batches of 128, a fifth of
// the complete rows held out, SGD with Nesterov momentum.
package report

import (
	"fmt"
	"strconv"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Size is the side of the report's images, pixels.
const Size = 96

// Source is the document's source for all of the report's networks.
const Source = "report on Kaggle's Facial Keypoints Detection (2017)"

// Architecture is one network of the report, trained on all columns, with the
// setting hidden: the units of each hidden layer.
func Architecture(name, summary string, hidden int, plan func(hidden int) Plan, recipe blueprint.Recipe) plugins.Architecture {
	return architecture(name, summary, hidden, func(hidden int) []blueprint.Member {
		return []blueprint.Member{{
			Name: "all", Columns: []string{blueprint.AllColumns}, Layers: plan(hidden).Layers(), Recipe: recipe,
		}}
	})
}

// Grouped is an architecture with a network for each group of keypoints, each
// trained on the rows that have the group's own columns, for so many examples
// in all; patience 0: never stopped early.
func Grouped(name, summary string, hidden int, plan func(hidden int) Plan, groups []Group, recipe blueprint.Recipe) plugins.Architecture {
	return architecture(name, summary, hidden, func(hidden int) []blueprint.Member {
		out := make([]blueprint.Member, len(groups))
		for i, g := range groups {
			out[i] = blueprint.Member{Name: g.Name, Columns: g.Columns(), Layers: plan(hidden).Layers(), Recipe: recipe}
		}
		return out
	})
}

func architecture(name, summary string, hidden int, members func(hidden int) []blueprint.Member) plugins.Architecture {
	return plugins.Architecture{
		Name: name, Summary: summary,
		Settings: []plugins.Setting{{Name: "hidden", Default: strconv.Itoa(hidden), Help: "units of each hidden layer"}},
		Blueprint: func(r plugins.Request) (*blueprint.Document, error) {
			hidden, err := r.Int("hidden")
			if err != nil {
				return nil, err
			}
			return &blueprint.Document{
				Source:  Source,
				Input:   blueprint.Input{Height: Size, Width: Size, Channels: 1},
				Members: members(hidden),
			}, nil
		},
	}
}

// Plan is a layout in the report's terms.
type Plan struct {
	Convs   []Conv    // one block each, ended by a 2x2 max-pool
	Dropout []float64 // after each pool; nil: none
	Hidden  []int     // units of the fully connected layers
	Between float64   // dropout between the hidden layers; 0: none
}

// Conv is a block of equal convolutions.
type Conv struct{ Filters, Kernel, Pad, Count int }

// Layers spells the plan out, named as the report's sources name them: conv1,
// pool1, dropout1, ...; where a block has several convolutions, conv1_1, conv1_2, ...
func (p Plan) Layers() []blueprint.Layer {
	var out []blueprint.Layer
	add := func(name, kind string, s blueprint.Settings) {
		out = append(out, blueprint.Layer{Name: name, Kind: kind, Settings: s})
	}
	for i, c := range p.Convs {
		for k := range c.Count {
			name := fmt.Sprintf("conv%d", i+1)
			if c.Count > 1 {
				name += fmt.Sprintf("_%d", k+1)
			}
			s := blueprint.Settings{"filters": c.Filters, "kernel": c.Kernel, "activation": "relu"}
			if c.Pad > 0 {
				s["padding"] = c.Pad
			}
			add(name, "conv2d", s)
		}
		add(fmt.Sprintf("pool%d", i+1), "max_pool", blueprint.Settings{"window": 2})
		if p.Dropout != nil {
			add(fmt.Sprintf("dropout%d", i+1), "dropout", blueprint.Settings{"rate": p.Dropout[i]})
		}
	}
	add("flatten", "flatten", nil)
	for i, units := range p.Hidden {
		n := len(p.Convs) + i + 1
		add(fmt.Sprintf("hidden%d", n), "dense", blueprint.Settings{"units": units, "activation": "relu"})
		if p.Between > 0 && i < len(p.Hidden)-1 {
			add(fmt.Sprintf("dropout%d", n), "dropout", blueprint.Settings{"rate": p.Between})
		}
	}
	add("output", "dense", blueprint.Settings{"units": blueprint.CountColumns})
	return out
}

// Baseline is net2's layout with these hidden units, the base of net3 to net8:
// three convolutions without padding, of 32 3x3, 64 2x2 and 128 2x2.
func Baseline(hidden int) Plan {
	return Plan{Convs: []Conv{{32, 3, 0, 1}, {64, 2, 0, 1}, {128, 2, 0, 1}}, Hidden: []int{hidden, hidden}}
}

// WithDropout adds net6's: 0.1, 0.2 and 0.3 after the pools, 0.5 between the hidden layers.
func (p Plan) WithDropout() Plan {
	p.Dropout, p.Between = []float64{0.1, 0.2, 0.3}, 0.5
	return p
}

// Deep is the layout of net9 to net11: blocks of count padded 3x3
// convolutions, and so many hidden layers of 1,000 units.
func Deep(count, hiddenLayers, units int) Plan {
	p := Plan{Convs: []Conv{{32, 3, 1, count}, {64, 3, 1, count}, {128, 3, 1, count}}}
	for range hiddenLayers {
		p.Hidden = append(p.Hidden, units)
	}
	return p.WithDropout()
}

// Recipe is the report's plain recipe: a rate of 0.01 and a momentum of 0.9
// throughout, no flips.
func Recipe(epochs int) blueprint.Recipe {
	momentum := blueprint.Constant(0.9)
	return blueprint.Recipe{
		Loss:      blueprint.Loss{Kind: "mse"},
		Optimizer: blueprint.Optimizer{Kind: "sgd", Momentum: &momentum, Nesterov: true},
		Rate:      blueprint.Constant(0.01),
		Epochs:    epochs, Batch: 128, Validation: 0.2,
	}
}

// Adjusted is the recipe of net4 and later: the rate falls from 0.03 to
// 0.0001 and the momentum rises from 0.9 to 0.999, linearly from the first
// epoch to the last.
func Adjusted(epochs int) blueprint.Recipe {
	r := Recipe(epochs)
	momentum := blueprint.Linear(0.9, 0.999)
	r.Rate, r.Optimizer.Momentum = blueprint.Linear(0.03, 0.0001), &momentum
	return r
}

// Flipped adds the report's flips: a random half of each batch mirrored. The
// columns that change places follow from their names.
func Flipped(r blueprint.Recipe) blueprint.Recipe {
	r.Augment = &blueprint.Augment{Mirror: &blueprint.Mirror{}}
	return r
}

// ForExamples trains a recipe for a number of examples in place of epochs:
// examples / rows epochs, rounded down. With a patience above 0 it stops after
// so many epochs without a better validation loss.
func ForExamples(r blueprint.Recipe, examples int64, patience int) blueprint.Recipe {
	r.Epochs, r.Examples = 0, examples
	if patience > 0 {
		r.Stop = &blueprint.Stop{Patience: patience}
	}
	return r
}

// StartingFrom takes the first weights from a model of that architecture,
// where shapes agree.
func StartingFrom(r blueprint.Recipe, architecture string) blueprint.Recipe {
	r.StartFrom = architecture
	return r
}

// Group is a set of keypoints that a member of its own is trained on.
type Group struct {
	Name   string
	Points []string
}

// Columns are x and y of each point.
func (g Group) Columns() []string {
	var out []string
	for _, p := range g.Points {
		out = append(out, p+"_x", p+"_y")
	}
	return out
}
