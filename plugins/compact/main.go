// Command fkzoo-plugin-compact offers compact-s: a small residual network with
// batch normalization that draws a heat map for each point, trained with Adam
// on every filled cell. It is useful after minutes on a CPU.
package main

import (
	"fmt"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func main() {
	plugins.Serve(plugins.Architecture{
		Name: "compact-s", Summary: "small residual network with heat maps: useful after minutes on a CPU",
		Settings: []plugins.Setting{{Name: "width", Default: "24", Help: "channels of the first block; each later one has twice as many"}},
		Blueprint: func(r plugins.Request) (*blueprint.Document, error) {
			width, err := r.Int("width")
			if err != nil {
				return nil, err
			}
			return document(width), checkPoints(r.Data.Columns)
		},
	})
}

// checkPoints wants x and y of one point after the other, as heat maps give them.
func checkPoints(columns []string) error {
	for i := 0; i < len(columns); i += 2 {
		if !blueprint.IsX(columns[i]) || i+1 == len(columns) || columns[i+1] != blueprint.Partner(columns[i]) {
			return fmt.Errorf("column %s: found no pair of it and its y, want x and y of each point side by side: the network draws a heat map for each point", columns[i])
		}
	}
	return nil
}

// document is three residual blocks, each at half the size of the one before,
// and a way back up (Lin et al. 2017) to heat maps of a quarter of the image's
// size, whose expected positions are the answer.
func document(width int) *blueprint.Document {
	var n network
	n.normed("stem", blueprint.Settings{"filters": width, "kernel": 3, "stride": 2, "padding": "same"}, "")
	for i := range 3 {
		n.residual(fmt.Sprintf("block%d", i+1), width<<i)
	}
	wide := width * 4 / 3
	n.normed("top", blueprint.Settings{"filters": wide, "kernel": 1}, "")
	n.up("up2", "block2", wide)
	n.up("up1", "block1", wide)
	n.layer("maps", "conv2d", blueprint.Settings{"filters": blueprint.CountPoints, "kernel": 1}, "")
	n.layer("output", "soft_argmax", nil, "")
	return &blueprint.Document{
		Input: blueprint.Input{Height: 96, Width: 96, Channels: 1, Scaling: "standardize"},
		Members: []blueprint.Member{{
			Name: "all", Columns: []string{blueprint.AllColumns}, Layers: n,
			Recipe: blueprint.Recipe{
				Loss:      blueprint.Loss{Kind: "mse", Rows: "filled"},
				Optimizer: blueprint.Optimizer{Kind: "adam"},
				Rate:      blueprint.Schedule{Kind: "one_cycle", From: 0.02, By: "step"},
				Epochs:    30, Batch: 32, Validation: 0.1,
				Augment: &blueprint.Augment{Mirror: &blueprint.Mirror{}},
			},
		}},
	}
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

// residual halves height and width and gives so many filters: two 3x3
// convolutions beside one of 1x1 (He et al. 2016).
func (n *network) residual(name string, filters int) {
	from := (*n)[len(*n)-1].Name
	n.normed(name+"_a", blueprint.Settings{"filters": filters, "kernel": 3, "stride": 2, "padding": "same"}, "")
	n.linear(name+"_b", blueprint.Settings{"filters": filters, "kernel": 3, "padding": "same"}, "")
	n.linear(name+"_skip", blueprint.Settings{"filters": filters, "kernel": 1, "stride": 2}, from)
	n.layer(name, "add", blueprint.Settings{"activation": "relu"}, name+"_b_norm", name+"_skip_norm")
}

// up doubles height and width, and adds what an earlier block saw at that size.
func (n *network) up(name, block string, filters int) {
	n.layer(name, "upsample", nil, "")
	n.linear(name+"_side", blueprint.Settings{"filters": filters, "kernel": 1}, block)
	n.layer(name+"_sum", "add", blueprint.Settings{"activation": "relu"}, name, name+"_side_norm")
	n.normed(name+"_mix", blueprint.Settings{"filters": filters, "kernel": 3, "padding": "same"}, "")
}
