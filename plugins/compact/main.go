// Command fkzoo-plugin-compact offers finder, and compact-s, compact-m and compact-l: small
// residual networks with batch normalization that draw a heat map for each
// point, trained with AdamW on every filled cell of turned, scaled and shifted
// faces. The smallest is useful after minutes on a CPU.
package main

import (
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func main() {
	var all []plugins.Architecture
	for _, s := range sizes {
		all = append(all, s.architecture())
	}
	plugins.Serve(append(all, finder())...)
}

// size is what the networks differ in.
type size struct {
	name, summary string
	width         int // channels of the first block; each later one has twice as many
	blocks        int // residual blocks at each of three sizes
	epochs        int
	rate          float64 // the highest
	turn          float64 // degrees of rotation; scale and shift go with it
	average       float64 // decay of the weights' moving average
}

var sizes = []size{
	{"compact-s", "small residual network with heat maps: useful after minutes on a CPU", 24, 1, 30, 0.01, 10, 0.99},
	{"compact-m", "deeper residual network with heat maps: for a quarter of an hour on a CPU", 48, 2, 40, 0.008, 10, 0.99},
	{"compact-l", "wide residual network with heat maps: for an hour on a CPU", 64, 2, 70, 0.008, 15, 0.995},
}

func (s size) architecture() plugins.Architecture {
	return plugins.Architecture{
		Name: s.name, Summary: s.summary,
		Settings: []plugins.Setting{
			{Name: "width", Default: fmt.Sprint(s.width), Help: "channels of the first block; each later one has twice as many"},
			{Name: "scaling", Default: "standardize", Help: "how pixels become the input: " + strings.Join(blueprint.Scalings.Names(), ", ")},
		},
		Blueprint: func(r plugins.Request) (*blueprint.Document, error) {
			width, err := r.Int("width")
			if err != nil {
				return nil, err
			}
			scaling := r.Settings["scaling"]
			if blueprint.Scalings.Row(scaling) == nil {
				return nil, fmt.Errorf("setting scaling: found %q, want one of %s", scaling, strings.Join(blueprint.Scalings.Names(), ", "))
			}
			s.width = width
			d := s.document(r.Data.Columns)
			d.Input.Scaling = scaling
			return d, nil
		},
	}
}

// paired tells whether x and y of one point follow the other, as heat maps give them.
func paired(columns []string) bool {
	for i := 0; i < len(columns); i += 2 {
		if !blueprint.IsX(columns[i]) || i+1 == len(columns) || columns[i+1] != blueprint.Partner(columns[i]) {
			return false
		}
	}
	return true
}

// document is residual blocks at a quarter, an eighth and a sixteenth of the
// image's size, and a way back up (Lin et al. 2017) to heat maps of a quarter,
// whose expected positions are the answer. Columns that aren't x and y of one
// point after the other get a heat map each, and a dense layer that makes
// columns of the maps' positions.
func (s size) document(columns []string) *blueprint.Document {
	var n network
	n.normed("stem", blueprint.Settings{"filters": s.width, "kernel": 3, "stride": 2, "padding": "same"}, "")
	for level := range 3 {
		for k := range s.blocks {
			name, stride := fmt.Sprintf("block%d", level+1), 2
			if k < s.blocks-1 { // the last one has the level's name
				name = fmt.Sprintf("%s_%d", name, k+1)
			}
			if k > 0 {
				stride = 1
			}
			n.residual(name, s.width<<level, stride)
		}
	}
	wide := s.width * 4 / 3
	n.normed("top", blueprint.Settings{"filters": wide, "kernel": 1}, "")
	n.up("up2", "block2", wide)
	n.up("up1", "block1", wide)
	if paired(columns) {
		n.layer("maps", "conv2d", blueprint.Settings{"filters": blueprint.CountPoints, "kernel": 1}, "")
		n.layer("output", "soft_argmax", nil, "")
	} else {
		n.layer("maps", "conv2d", blueprint.Settings{"filters": blueprint.CountColumns, "kernel": 1}, "")
		n.layer("positions", "soft_argmax", nil, "")
		n.layer("output", "dense", blueprint.Settings{"units": blueprint.CountColumns}, "")
	}
	return &blueprint.Document{
		Input: blueprint.Input{Height: 96, Width: 96, Channels: 1},
		Members: []blueprint.Member{{
			Name: "all", Columns: []string{blueprint.AllColumns}, Layers: n,
			Output: blueprint.Output{FlipAverage: mirrors(columns)}, Recipe: s.recipe(columns),
		}},
	}
}

func (s size) recipe(columns []string) blueprint.Recipe {
	fixed := func(v float64) *blueprint.Schedule { c := blueprint.Constant(v); return &c }
	r := blueprint.Recipe{
		Loss:      blueprint.Loss{Kind: "mae", Rows: "filled"},
		Optimizer: blueprint.Optimizer{Kind: "adamw", Decay: fixed(0.02), Clip: fixed(1)},
		Rate:      blueprint.Schedule{Kind: "one_cycle", From: s.rate, By: "step"},
		Epochs:    s.epochs, Batch: 16, Validation: 0.1,
		Average:   &blueprint.Average{Decay: blueprint.Constant(s.average)},
		Calibrate: true,
		Augment:   &blueprint.Augment{Shift: fixed(s.turn / 4), Scale: fixed(s.turn / 100), Noise: fixed(0.01)},
	}
	if paired(columns) {
		r.Augment.Rotate = fixed(s.turn)
	}
	if mirrors(columns) {
		r.Augment.Mirror = &blueprint.Mirror{Axis: blueprint.AutoAxis}
	}
	return r
}

// mirrors tells whether the columns of a mirrored face follow from their names.
func mirrors(columns []string) bool {
	_, err := (&blueprint.Mirror{}).Permutation(columns)
	return err == nil
}

// network is a list of layers that grows.
type network []blueprint.Layer

// layer adds a layer behind another, or, for "", behind the last.
func (n *network) layer(name, kind string, s blueprint.Settings, after ...string) {
	if len(after) == 1 && after[0] == "" {
		after = nil
	}
	*n = append(*n, blueprint.Layer{Name: name, Kind: kind, Settings: s, Inputs: after})
}

// normed is a convolution without bias, normalized, with a rectifier.
func (n *network) normed(name string, conv blueprint.Settings, after string) {
	n.linear(name, conv, after)
	(*n)[len(*n)-1].Settings = blueprint.Settings{"activation": "relu"}
}

// linear is a convolution without bias, normalized.
func (n *network) linear(name string, conv blueprint.Settings, after string) {
	conv["bias"], conv["initializer"] = "none", "he_normal"
	n.layer(name, "conv2d", conv, after)
	n.layer(name+"_norm", "batch_norm", nil, "")
}

// residual gives so many filters: two 3x3 convolutions beside the block's input
// (He et al. 2016), or, with a stride, beside one of 1x1.
func (n *network) residual(name string, filters, stride int) {
	from := (*n)[len(*n)-1].Name
	n.normed(name+"_a", blueprint.Settings{"filters": filters, "kernel": 3, "stride": stride, "padding": "same"}, "")
	n.linear(name+"_b", blueprint.Settings{"filters": filters, "kernel": 3, "padding": "same"}, "")
	if stride > 1 {
		n.linear(name+"_skip", blueprint.Settings{"filters": filters, "kernel": 1, "stride": stride}, from)
		from = name + "_skip_norm"
	}
	n.layer(name, "add", blueprint.Settings{"activation": "relu"}, name+"_b_norm", from)
}

// up doubles height and width, and adds what an earlier block saw at that size.
func (n *network) up(name, block string, filters int) {
	n.layer(name, "upsample", nil, "")
	n.linear(name+"_side", blueprint.Settings{"filters": filters, "kernel": 1}, block)
	n.layer(name+"_sum", "add", blueprint.Settings{"activation": "relu"}, name, name+"_side_norm")
	n.normed(name+"_mix", blueprint.Settings{"filters": filters, "kernel": 3, "padding": "same"}, "")
}
