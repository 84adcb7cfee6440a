package enginetest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Columns are those of random plans.
var Columns = []string{"left_x", "left_y", "right_x", "right_y"}

// RandomPlan makes a valid plan of up to some layers of any kinds, with branches, and a recipe of any loss and optimizer for two slices
// of four rows each. What amplifies rounding without bound is left out: statistics over few values.
func RandomPlan(t testing.TB, r *rand.Rand, layers int) *blueprint.Plan {
	t.Helper()
	g := &randomNet{r: r, shapes: map[string]blueprint.Shape{}}
	in := blueprint.Input{Height: 5 + r.IntN(8), Width: 5 + r.IntN(8), Channels: 1 + r.IntN(2), Scaling: g.one(blueprint.Scalings.Names())}
	if in.Scaling == "raw" { // activations of pixels up to 255 are all at their ends
		in.Scaling = "unit"
	}
	g.names, g.shapes[blueprint.InputName] = []string{blueprint.InputName}, blueprint.Shape{in.Height, in.Width, in.Channels}
	for range layers {
		g.add()
	}
	g.end()
	doc := &blueprint.Document{Version: blueprint.Version, Name: "random", Input: in, Members: []blueprint.Member{{
		Name: "net", Columns: []string{blueprint.AllColumns}, Layers: g.layers, Recipe: g.recipe(t),
	}}}
	plan, err := blueprint.NewPlan(doc, 0, Columns)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

// randomNet grows a network.
type randomNet struct {
	r      *rand.Rand
	layers []blueprint.Layer
	names  []string // of the values there are
	shapes map[string]blueprint.Shape
}

func (g *randomNet) one(names []string) string { return names[g.r.IntN(len(names))] }

// recent is one of the last values, so that networks are deep, with branches.
func (g *randomNet) recent() string { return g.names[max(0, len(g.names)-1-g.r.IntN(3)*g.r.IntN(2))] }

// add tries layers until one fits.
func (g *randomNet) add() {
	for range 50 {
		kind := g.one(blueprint.Kinds.Names())
		inputs := []string{g.recent()}
		if blueprint.KindByName(kind).MaxInputs < 0 {
			for range 1 + g.r.IntN(2) {
				inputs = append(inputs, g.names[g.r.IntN(len(g.names))])
			}
		}
		if g.tryTo(kind, g.settings(kind), inputs) {
			return
		}
	}
}

// tryTo adds a layer, if it fits and is small and tame.
func (g *randomNet) tryTo(kind string, settings blueprint.Settings, inputs []string) bool {
	l := blueprint.Layer{Name: fmt.Sprintf("l%d", len(g.layers)), Kind: kind, Inputs: inputs, Settings: settings}
	var in []blueprint.Shape
	for _, name := range inputs {
		in = append(in, g.shapes[name])
	}
	n, err := blueprint.Infer(&l, in, len(Columns))
	if err != nil || n.Out.Size() > 2500 {
		return false
	}
	last := in[0][len(in[0])-1]
	switch kind {
	case "batch_norm":
		if int(in[0].Size())/last < 6 {
			return false
		}
	case "layer_norm":
		if last < 6 {
			return false
		}
	case "multiply": // squares of squares grow
		if len(inputs) > 2 {
			return false
		}
	}
	g.layers, g.names = append(g.layers, l), append(g.names, l.Name)
	g.shapes[l.Name] = n.Out
	return true
}

// end leads the last value to the answer.
func (g *randomNet) end() {
	last := g.names[len(g.names)-1]
	if len(g.shapes[last]) == 3 && g.r.IntN(3) == 0 && g.shapes[last][0]*g.shapes[last][1] > 3 {
		if g.tryTo("conv2d", blueprint.Settings{"filters": len(Columns) / 2, "kernel": 1}, []string{last}) {
			g.tryTo("soft_argmax", nil, []string{g.names[len(g.names)-1]})
			return
		}
	}
	g.tryTo("flatten", nil, []string{last})
	g.tryTo("dense", blueprint.Settings{"units": len(Columns)}, []string{g.names[len(g.names)-1]})
}

func (g *randomNet) pair(least, most int) []int {
	return []int{least + g.r.IntN(most-least+1), least + g.r.IntN(most-least+1)}
}

// padding is any way to say it.
func (g *randomNet) padding(most int) any {
	switch g.r.IntN(4) {
	case 0:
		return "valid"
	case 1:
		return "same"
	case 2:
		return g.r.IntN(most + 1)
	}
	return [][]int{g.pair(0, most), g.pair(0, most)}
}

// settings are those of a kind, drawn.
func (g *randomNet) settings(kind string) blueprint.Settings {
	r, activation := g.r, g.one(blueprint.Activations.Names())
	switch kind {
	case "conv2d":
		groups := []int{1, 1, 1, 2, 3}[r.IntN(5)]
		return blueprint.Settings{"filters": groups * (1 + r.IntN(7)), "kernel": g.pair(1, 3), "stride": g.pair(1, 2), "dilation": g.pair(1, 2), "groups": groups,
			"padding": g.padding(2), "bias": g.one([]string{"shared", "shared", "untied", "none"}), "activation": activation}
	case "max_pool", "avg_pool":
		s := blueprint.Settings{"window": g.pair(2, 3), "stride": g.pair(1, 3), "padding": g.padding(1)}
		if kind == "avg_pool" {
			s["count_padding"] = r.IntN(2) == 0
		}
		return s
	case "dense":
		return blueprint.Settings{"units": 1 + r.IntN(20), "bias": g.one([]string{"shared", "none"}), "activation": activation}
	case "dropout":
		return blueprint.Settings{"rate": float64(r.IntN(6)) / 10, "rescale": r.IntN(2) == 0}
	case "batch_norm":
		return blueprint.Settings{"momentum": 0.8, "epsilon": 0.1, "activation": activation}
	case "layer_norm":
		return blueprint.Settings{"epsilon": 0.1}
	case "activation":
		return blueprint.Settings{"function": activation, "slope": 0.2}
	case "add":
		return blueprint.Settings{"activation": activation}
	case "reshape":
		return blueprint.Settings{"shape": [][]int{{-1}, {-1, 2}, {-1, 3, 2}, {2, -1}, {2, 2, -1}}[r.IntN(5)]}
	case "upsample":
		return blueprint.Settings{"factor": g.pair(1, 3), "method": g.one([]string{"nearest", "bilinear"})}
	case "soft_argmax":
		return blueprint.Settings{"temperature": 0.5}
	case "attention":
		return blueprint.Settings{"heads": 1 + r.IntN(3)}
	}
	return nil
}

// recipe is of any loss and optimizer.
func (g *randomNet) recipe(t testing.TB) blueprint.Recipe {
	optimizer := g.one([]string{`{"kind": "sgd", "momentum": 0.9, "nesterov": true}`, `{"kind": "sgd", "clip": 0.3}`, `{"kind": "adam", "epsilon": 0.1}`,
		`{"kind": "adamw", "epsilon": 0.1, "decay": 0.1, "clip": 1}`})
	text := fmt.Sprintf(`{"loss": {"kind": %q, "rows": "filled"}, "optimizer": %s, "rate": 0.01, "average": {"decay": 0.9}, "batch": 8, "epochs": 1, "validation": 0}`,
		g.one(slices.DeleteFunc(blueprint.Losses.Names(), func(name string) bool { return name == "mae" && g.r.IntN(2) == 0 })), optimizer)
	var recipe blueprint.Recipe
	if err := json.Unmarshal([]byte(text), &recipe); err != nil {
		t.Fatal(err)
	}
	return recipe
}
