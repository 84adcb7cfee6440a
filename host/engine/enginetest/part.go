package enginetest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Scaffold begins the names of layers that only make a plan of a part's inputs' shapes.
const Scaffold = "scaffold-"

// Part is the plan of a piece of a network with inputs of any shapes: each input is a layer of the wanted shape behind some scaffold, in
// whose place a test puts the input. The plan's output is the last of the layers.
func Part(t testing.TB, layers []json.RawMessage, inputs map[string]RefArray) *blueprint.Plan {
	t.Helper()
	var all []string
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, name := range slices.Sorted(maps.Keys(inputs)) {
		shape := inputs[name].Shape[1:]
		text, err := json.Marshal(shape)
		if err != nil {
			t.Fatal(err)
		}
		add(`{"name": "%s%s-a", "kind": "global_avg_pool", "inputs": ["input"]}`, Scaffold, name)
		add(`{"name": "%s%s-b", "kind": "dense", "units": %d}`, Scaffold, name, blueprint.Shape(shape).Size())
		add(`{"name": "%s", "kind": "reshape", "shape": %s}`, name, text)
	}
	for _, l := range layers {
		add("%s", l)
	}
	output := len(all) - 1
	add(`{"name": "%sc", "kind": "global_avg_pool", "inputs": ["input"]}`, Scaffold)
	add(`{"name": "%sd", "kind": "dense", "units": "columns"}`, Scaffold)
	plan := Plan(t, `{"blueprint": 1, "name": "part", "input": {"height": 1, "width": 1, "channels": 1},
		"members": [{"name": "net", "columns": ["y"], "layers": [`+strings.Join(all, ", ")+`],
		"recipe": {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 1, "epochs": 1, "batch": 1, "validation": 0}}]}`)
	plan.Output = output
	return plan
}
