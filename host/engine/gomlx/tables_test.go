package gomlx

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Each name of the blueprint's tables has a row in this package's, which has no
// other, and cases of the reference, so that another program says what is right.
func TestTablesAreWholeAndCompared(t *testing.T) {
	r := enginetest.TheReference(t)
	var layers strings.Builder
	for _, c := range r.Layers {
		for _, l := range c.Layers {
			layers.Write(l)
		}
	}
	in := func(text string) bool { return strings.Contains(layers.String(), text) }
	var kinds []string
	for i := range blueprint.Kinds {
		kinds = append(kinds, blueprint.Kinds[i].Name)
	}
	for _, c := range []struct {
		what        string
		names, rows []string
		compared    func(name string) bool
	}{
		{"layer kind", kinds, keys(forms), func(name string) bool { return in(`"kind":"` + name + `"`) }},
		{"activation", blueprint.Activations, keys(activations), func(name string) bool {
			return in(`"function":"`+name+`"`) && in(`"activation":"`+name+`"`)
		}},
		{"loss", blueprint.Losses, keys(losses), func(name string) bool {
			return slices.ContainsFunc(r.Losses, func(c enginetest.RefLoss) bool { return c.Loss.Kind == name })
		}},
		{"optimizer", blueprint.Optimizers, keys(rules), func(name string) bool {
			return slices.ContainsFunc(r.Trainings, func(c enginetest.RefTraining) bool { return strings.Contains(string(c.Recipe), `"kind":"`+name+`"`) })
		}},
		{"scaling", append([]string{""}, blueprint.Scalings...), keys(scalings), func(name string) bool {
			return name == "" || slices.ContainsFunc(r.Trainings, func(c enginetest.RefTraining) bool { return c.Scaling == name })
		}},
	} {
		if want := slices.Sorted(slices.Values(c.names)); !slices.Equal(c.rows, want) {
			t.Errorf("%s: found rows for %q, want %q", c.what, c.rows, want)
		}
		for _, name := range c.names {
			if !c.compared(name) {
				t.Errorf("%s %s: not in reference.json.gz", c.what, name)
			}
		}
	}
	for _, kind := range blueprint.Optimizers {
		if len(device.Slots(kind)) == 0 {
			t.Errorf("optimizer %s: found no slots", kind)
		}
	}
	for _, kind := range backend.Kinds() {
		if _, ok := traits[kind]; !ok {
			t.Errorf("backend %s: no trait", kind)
		}
	}
}

func keys[T any](table map[string]T) []string { return slices.Sorted(maps.Keys(table)) }
