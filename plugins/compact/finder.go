package main

import (
	"fmt"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// finder finds faces in a picture of any size: all its layers are convolutions.
func finder() plugins.Architecture {
	return plugins.Architecture{
		Name: "finder", Summary: "small network without dense layers that finds the boxes of faces in pictures of any size",
		Settings: []plugins.Setting{
			{Name: "width", Default: "16", Help: "channels of the first block; the second has twice as many, those behind it four times"},
		},
		Blueprint: func(r plugins.Request) (*blueprint.Document, error) {
			width, err := r.Int("width")
			if err != nil {
				return nil, err
			}
			return finderDocument(width), nil
		},
	}
}

// finderDocument is residual blocks at a quarter to a 32nd of the picture's size, and a way back up to an eighth (Lin et al. 2017), where
// each cell tells how near a face's middle is, and its box (as Zhou et al. 2019 have it: a heat map of the middles).
func finderDocument(width int) *blueprint.Document {
	var n network
	n.normed("stem", blueprint.Settings{"filters": width, "kernel": 3, "stride": 2, "padding": "same"}, "")
	for level, times := range []int{1, 2, 4, 4} {
		n.residual(fmt.Sprintf("block%d", level+1), width*times, 2)
	}
	wide := 2 * width
	n.normed("top", blueprint.Settings{"filters": wide, "kernel": 1}, "")
	n.up("up2", "block3", wide)
	n.up("up1", "block2", wide)
	n.normed("head", blueprint.Settings{"filters": wide, "kernel": 3, "padding": "same"}, "")
	n.layer("boxes", "conv2d", blueprint.Settings{"filters": 5, "kernel": 1}, "")
	fixed := func(v float64) *blueprint.Schedule { c := blueprint.Constant(v); return &c }
	return &blueprint.Document{
		Input: blueprint.Input{Height: 160, Width: 160, Channels: 1},
		Members: []blueprint.Member{{
			Name: "all", Columns: []string{blueprint.AllColumns}, Layers: n, Output: blueprint.Output{Kind: "boxes"},
			Recipe: blueprint.Recipe{
				Loss:      blueprint.Loss{Kind: "mse", Rows: "filled"},
				Optimizer: blueprint.Optimizer{Kind: "adamw", Decay: fixed(0.02), Clip: fixed(1)},
				Rate:      blueprint.Schedule{Kind: "one_cycle", From: 0.008, By: "step"},
				Epochs:    12, Batch: 16, Validation: 0.05,
				Average: &blueprint.Average{Decay: blueprint.Constant(0.99)},
			},
		}},
	}
}
