package plugins_test

import (
	"fmt"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

// tiny is one hidden layer, of a size that the user may set.
var tiny = plugins.Architecture{
	Name:     "tiny",
	Summary:  "one hidden layer",
	Settings: []plugins.Setting{{Name: "hidden", Default: "100", Help: "units of the hidden layer"}},
	Blueprint: func(r plugins.Request) (*blueprint.Document, error) {
		hidden, err := r.Int("hidden")
		if err != nil {
			return nil, err
		}
		return &blueprint.Document{
			Input: blueprint.Input{Height: 96, Width: 96, Channels: 1},
			Members: []blueprint.Member{{
				Name:    "net",
				Columns: []string{blueprint.AllColumns},
				Layers: []blueprint.Layer{
					{Name: "flat", Kind: "flatten"},
					{Name: "hidden", Kind: "dense", Settings: blueprint.Settings{"units": hidden}},
					{Name: "relu", Kind: "activation", Settings: blueprint.Settings{"function": "relu"}},
					{Name: "output", Kind: "dense", Settings: blueprint.Settings{"units": "columns"}},
				},
				Recipe: blueprint.Recipe{
					Loss:      blueprint.Loss{Kind: "mse"},
					Optimizer: blueprint.Optimizer{Kind: "adam"},
					Rate:      blueprint.Constant(0.001),
					Epochs:    20, Batch: 64, Validation: 0.2,
				},
			}},
		}, nil
	},
}

// The main function of a plugin, in a program named fkzoo-plugin-tiny.
func ExampleServe() {
	plugins.Serve(tiny)
}

// What a plugin's own test looks at.
func ExampleArchitecture_Document() {
	d, err := tiny.Document(map[string]string{"hidden": "10"}, protocol.DataSummary{Columns: blueprint.KaggleColumns})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(d.Parameters(blueprint.KaggleColumns))

	_, err = tiny.Document(map[string]string{"hiden": "10"}, protocol.DataSummary{})
	fmt.Println(err)
	// Output:
	// 92500 <nil>
	// setting "hiden": unknown, want one of hidden
}
