package recipe

import (
	"fmt"
	"strconv"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/convert/receipt"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Of says of the training what the file tells.
func Of(n *legacy.Network, columns []string, to receipt.Member) blueprint.Recipe {
	from := &n.Recipe
	r := blueprint.Recipe{Loss: blueprint.Loss{Kind: "mse"}, Epochs: from.Epochs, Batch: from.Batch, Validation: from.Validation}
	if from.Loss != "" && from.Loss != "squared_error" && from.Loss != "mse" {
		to.Drop("recipe: the loss "+from.Loss, "a recipe has no such loss; it says the squared error")
	}
	if r.Epochs < 1 || r.Epochs > 1e6 {
		r.Epochs = max(len(n.History), 1)
	}
	if r.Batch < 1 || r.Batch > 1<<16 {
		r.Batch = 128 // nolearn's own
	}
	if !(r.Validation >= 0 && r.Validation <= 0.9) {
		to.Drop("recipe: the share held out", fmt.Sprintf("found %g, want at most 0.9", r.Validation))
		r.Validation = 0
	}
	r.Rate = schedule(to, from, "learning_rate", 0.01, 1e4)
	r.Optimizer = optimizer(to, from)
	if from.Patience > 0 && r.Validation > 0 {
		r.Stop = &blueprint.Stop{Patience: from.Patience}
	}
	if from.Flips {
		if mirror := flips(to, from, columns); mirror != nil {
			r.Augment = &blueprint.Augment{Mirror: mirror}
		}
	}
	return r
}

// schedule is the course of one of the update's settings.
func schedule(to receipt.Member, from *legacy.Recipe, name string, def, most float64) blueprint.Schedule {
	values := from.Schedules[name]
	if v, ok := from.Settings[name]; ok && len(values) == 0 {
		values = []float64{v}
	}
	if len(values) == 0 {
		return blueprint.Constant(def)
	}
	first, last := values[0], values[len(values)-1]
	if !(first >= 0 && first <= most && last >= 0 && last <= most) {
		to.Drop("recipe: "+name, fmt.Sprintf("found %g to %g, want 0 to %g", first, last, most))
		return blueprint.Constant(def)
	}
	if first == last {
		return blueprint.Constant(short32(first))
	}
	return blueprint.Linear(short32(first), short32(last))
}

// short32 gives a number that was kept as float32 as people wrote it: 0.03, not
// 0.029999999329447746.
func short32(v float64) float64 {
	if float64(float32(v)) != v {
		return v
	}
	out, err := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
	if err != nil {
		return v
	}
	return out
}

func optimizer(to receipt.Member, from *legacy.Recipe) blueprint.Optimizer {
	optional := func(name string, def, most float64) *blueprint.Schedule {
		s := schedule(to, from, name, def, most)
		return &s
	}
	switch from.Update {
	case "nesterov_momentum", "":
		return blueprint.Optimizer{Kind: "sgd", Momentum: optional("momentum", 0.9, 1), Nesterov: true}
	case "momentum":
		return blueprint.Optimizer{Kind: "sgd", Momentum: optional("momentum", 0.9, 1)}
	case "sgd":
		return blueprint.Optimizer{Kind: "sgd"}
	case "adam":
		o := blueprint.Optimizer{Kind: "adam", Beta1: optional("beta1", 0.9, 0.999999), Beta2: optional("beta2", 0.999, 0.999999)}
		if _, ok := from.Settings["epsilon"]; ok {
			o.Epsilon = optional("epsilon", 1e-8, 1)
		}
		return o
	}
	to.Drop("recipe: the update rule "+from.Update, "a recipe has no such rule; it says adam")
	return blueprint.Optimizer{Kind: "adam"}
}

// flips says how faces were mirrored. Pairs that would teach a point another
// one's place stay in the receipt alone.
func flips(to receipt.Member, from *legacy.Recipe, columns []string) *blueprint.Mirror {
	byName, named := (&blueprint.Mirror{}).Permutation(columns)
	if from.FlipPairs == nil {
		receipt.Note(to.In, "member %s: %s has its pairs of columns in its class, which a pickle does not hold: they are taken from the columns' names", to.Name, from.FlipClass)
		if named != nil {
			to.Drop("recipe: mirrored faces", named.Error())
			return nil
		}
		return &blueprint.Mirror{}
	}
	kept := model.ReceiptFlips{Member: to.Name}
	for _, p := range from.FlipPairs {
		kept.Pairs = append(kept.Pairs, p[:])
	}
	mirror := &blueprint.Mirror{Pairs: from.FlipPairs}
	given, err := mirror.Permutation(columns)
	switch {
	case err != nil:
		kept.Fault = err.Error()
	case named == nil:
		for i := range columns {
			if given[i] != byName[i] {
				kept.Fault = fmt.Sprintf("column %s takes the values of %s of the mirrored face, want those of %s", columns[i], columns[given[i]], columns[byName[i]])
				break
			}
		}
	}
	to.In.Flips = append(to.In.Flips, kept)
	if kept.Fault == "" {
		if named == nil {
			return &blueprint.Mirror{} // the same, by the names
		}
		return mirror
	}
	instead := "the recipe takes those that follow from the columns' names"
	if named != nil {
		mirror, instead = nil, "the recipe mirrors no faces"
	} else {
		mirror = &blueprint.Mirror{}
	}
	receipt.Note(to.In, "member %s: the pairs of columns that the file swaps in mirrored faces are wrong: %s; %s", to.Name, kept.Fault, instead)
	return mirror
}
