package gomlx

import (
	"maps"
	"slices"
	"strings"
	"testing"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Each name of the blueprint's tables has a row in this package's, which has no
// other, and cases of the reference, or of [enginetest.Scaled], so that something else says what
// is right.
func TestTablesAreWholeAndCompared(t *testing.T) {
	r := enginetest.TheReference(t)
	var layers strings.Builder
	for _, c := range r.Layers {
		for _, l := range c.Layers {
			layers.Write(l)
		}
	}
	in := func(text string) bool { return strings.Contains(layers.String(), text) }
	for _, c := range []struct {
		what        string
		names, rows []string
		compared    func(name string) bool
	}{
		{"layer kind", blueprint.Kinds.Names(), keys(forms), func(name string) bool { return in(`"kind":"` + name + `"`) }},
		{"activation", blueprint.Activations.Names(), keys(formula.Activations), func(name string) bool {
			return in(`"function":"`+name+`"`) && in(`"activation":"`+name+`"`)
		}},
		{"loss", blueprint.Losses.Names(), keys(formula.Losses), func(name string) bool {
			return slices.ContainsFunc(r.Losses, func(c enginetest.RefLoss) bool { return c.Loss.Kind == name })
		}},
		{"optimizer", blueprint.Optimizers.Names(), keys(formula.Rules), func(name string) bool {
			return slices.ContainsFunc(r.Trainings, func(c enginetest.RefTraining) bool {
				return strings.Contains(string(c.Recipe), `"kind":"`+name+`"`)
			})
		}},
		{"scaling", append([]string{""}, blueprint.Scalings.Names()...), keys(formula.Scalings), func(name string) bool { return enginetest.Scaled(name, []float32{1}) != nil }},
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
}

func keys[T any](table map[string]T) []string { return slices.Sorted(maps.Keys(table)) }

// Each scaling on an image of many values, a dark one and one of a single value.
func TestScalings(t *testing.T) {
	const size = 6
	x := enginetest.Tensor{Shape: []int{3, size, size, 1}}
	for i := range size * size {
		x.Data = append(x.Data, float32(i*i*7%256))
	}
	for i := range size * size {
		x.Data = append(x.Data, float32(i%2))
	}
	x.Data = append(x.Data, slices.Repeat([]float32{200}, size*size)...)
	gomlxtest.Each(t, func(t *testing.T, on Backend) {
		for _, name := range keys(formula.Scalings) {
			got := execute(t, on, func(_ *Graph, declare func(a enginetest.Tensor) *Node) []*Node {
				return []*Node{formula.Scaled(declare(x), name)}
			})
			want := enginetest.Tensor{Shape: x.Shape}
			for image := range slices.Chunk(x.Data, size*size) {
				for _, v := range enginetest.Scaled(name, image) {
					want.Data = append(want.Data, float32(v))
				}
			}
			// A mean is off by 3e-8, which 1/255 as the deviation makes 255 times as much.
			enginetest.Near(t, "scaling "+name, got[0], want, 1e-5)
		}
	})
}
