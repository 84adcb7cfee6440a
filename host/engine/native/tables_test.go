package native

import (
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func keys[T any](table map[string]T) []string { return slices.Sorted(maps.Keys(table)) }

// Each name of the blueprint's tables has a row in this package's, which has no other. That each is compared with something else is
// what a test of host/engine/gomlx demands of the reference.
func TestTablesAreWhole(t *testing.T) {
	for _, c := range []struct {
		what        string
		names, rows []string
	}{
		{"layer kind", blueprint.Kinds.Names(), keys(forms)},
		{"activation", blueprint.Activations.Names(), keys(activations)},
		{"loss", blueprint.Losses.Names(), keys(losses)},
		{"optimizer", blueprint.Optimizers.Names(), keys(rules)},
		{"scaling", append([]string{""}, blueprint.Scalings.Names()...), keys(scalings)},
	} {
		if want := slices.Sorted(slices.Values(c.names)); !slices.Equal(c.rows, want) {
			t.Errorf("%s: found rows for %q, want %q", c.what, c.rows, want)
		}
	}
	for name, make := range activations {
		if a, err := make(0.5); err != nil || a.Name != name {
			t.Errorf("activation %s: found %q and error %v", name, a.Name, err)
		}
	}
}

// Each scaling on an image of many values, a dark one and one of a single value.
func TestScalings(t *testing.T) {
	const size = 36
	images := [3][]float32{}
	for i := range size {
		images[0], images[1], images[2] = append(images[0], float32(i*i*7%256)), append(images[1], float32(i%2)), append(images[2], 200)
	}
	for name, scale := range scalings {
		for i, image := range images {
			want := enginetest.Scaled(name, image)
			got := slices.Clone(image)
			scale(got)
			for k, v := range got {
				if math.Abs(float64(v)-want[k]) > 1e-6*max(0.1, math.Abs(want[k])) {
					t.Errorf("scaling %s, image %d, value %d: found %g, want %g", name, i, k, v, want[k])
				}
			}
		}
	}
}
