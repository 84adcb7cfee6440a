package blueprint_test

import (
	"fmt"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func ExampleNewPlan() {
	d := &blueprint.Document{
		Version: blueprint.Version, Name: "tiny",
		Input: blueprint.Input{Height: 96, Width: 96, Channels: 1},
		Members: []blueprint.Member{{
			Name: "all", Columns: []string{blueprint.AllColumns},
			Layers: []blueprint.Layer{
				{Name: "conv", Kind: "conv2d", Settings: blueprint.Settings{"filters": 8, "stride": 2, "activation": "relu"}},
				{Name: "pool", Kind: "max_pool"},
				{Name: "flatten", Kind: "flatten"},
				{Name: "out", Kind: "dense", Settings: blueprint.Settings{"units": blueprint.CountColumns}},
			},
			Recipe: blueprint.Recipe{
				Loss: blueprint.Loss{Kind: "mse"}, Optimizer: blueprint.Optimizer{Kind: "adam"},
				Rate: blueprint.Linear(0.001, 0), Epochs: 10, Batch: 32, Validation: 0.2,
			},
		}},
	}
	p, err := blueprint.NewPlan(d, 0, blueprint.KaggleColumns)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, n := range p.Nodes {
		fmt.Println(n.Layer.Name, n.Out, n.Parameters())
	}
	// Output:
	// conv [47 47 8] 80
	// pool [23 23 8] 0
	// flatten [4232] 0
	// out [30] 126990
}

func ExampleParse() {
	_, err := blueprint.Parse([]byte(`{"blueprint": 1, "name": "tiny", "input": {"height": 96, "width": 96, "channels": 1},
		"members": [{"name": "all", "columns": ["*"], "layers": [{"name": "conv", "kind": "conv2d", "filters": 8, "kernel": "3x3"}]}]}`))
	fmt.Println(err)
	// Output:
	// blueprint: members: member "all": layers: layer "conv" (conv2d), setting kernel: found "3x3", want a whole number from 1 to 1024
}
