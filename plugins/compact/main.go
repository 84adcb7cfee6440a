// Command fkzoo-plugin-compact offers compact-s: a small residual network with
// batch normalization, trained with Adam on every filled cell, that is useful
// after minutes on a CPU.
package main

import (
	"fmt"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func main() {
	plugins.Serve(plugins.Architecture{
		Name: "compact-s", Summary: "small residual network: useful after minutes on a CPU",
		Settings: []plugins.Setting{{Name: "width", Default: "16", Help: "channels of the first block; later ones double them"}},
		Blueprint: func(r plugins.Request) (*blueprint.Document, error) {
			width, err := r.Int("width")
			if err != nil {
				return nil, err
			}
			return document(width), nil
		},
	})
}

func document(width int) *blueprint.Document {
	var n network
	n.normed("stem", blueprint.Settings{"filters": width, "kernel": 3, "stride": 2, "padding": "same"}, nil, "relu")
	for i := range 3 {
		n.residual(fmt.Sprintf("block%d", i+1), width<<(i+1))
	}
	n.layer("flatten", "flatten", nil, nil)
	n.layer("hidden", "dense", blueprint.Settings{"units": 8 * width, "activation": "relu"}, nil)
	n.layer("output", "dense", blueprint.Settings{"units": blueprint.CountColumns}, nil)
	return &blueprint.Document{
		Input: blueprint.Input{Height: 96, Width: 96, Channels: 1, Scaling: "standardize"},
		Members: []blueprint.Member{{
			Name: "all", Columns: []string{blueprint.AllColumns}, Layers: n,
			Recipe: blueprint.Recipe{
				Loss:      blueprint.Loss{Kind: "mse", Rows: "filled"},
				Optimizer: blueprint.Optimizer{Kind: "adam"},
				Rate:      blueprint.Schedule{Kind: "one_cycle", From: 0.003, By: "step"},
				Epochs:    30, Batch: 32, Validation: 0.1,
				Augment: &blueprint.Augment{Mirror: &blueprint.Mirror{}},
			},
		}},
	}
}

// network is a list of layers that grows.
type network []blueprint.Layer

func (n *network) layer(name, kind string, s blueprint.Settings, inputs []string) {
	*n = append(*n, blueprint.Layer{Name: name, Kind: kind, Settings: s, Inputs: inputs})
}

// normed is a convolution without bias, normalized.
func (n *network) normed(name string, conv blueprint.Settings, inputs []string, activation string) {
	conv["bias"], conv["initializer"] = "none", "he_normal"
	n.layer(name, "conv2d", conv, inputs)
	n.layer(name+"_norm", "batch_norm", blueprint.Settings{"activation": activation}, nil)
}

// residual halves height and width and gives so many filters: two 3x3
// convolutions beside one of 1x1 (He et al. 2016).
func (n *network) residual(name string, filters int) {
	from := (*n)[len(*n)-1].Name
	n.normed(name+"_a", blueprint.Settings{"filters": filters, "kernel": 3, "stride": 2, "padding": "same"}, nil, "relu")
	n.normed(name+"_b", blueprint.Settings{"filters": filters, "kernel": 3, "padding": "same"}, nil, "linear")
	n.normed(name+"_skip", blueprint.Settings{"filters": filters, "kernel": 1, "stride": 2}, []string{from}, "linear")
	n.layer(name, "add", blueprint.Settings{"activation": "relu"}, []string{name + "_b_norm", name + "_skip_norm"})
}
