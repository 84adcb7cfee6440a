package convert

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/fkzoo/fkzoo/format/legacy"
	"github.com/fkzoo/fkzoo/format/legacy/lasagne"
	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo"
)

// networks makes one model of a file's networks, a member of each.
func (c *conversion) networks(networks []*legacy.Network) error {
	c.model.Document.Summary = fmt.Sprintf("converted from %.200q", c.model.Provenance.Receipt.Source)
	for i, n := range networks {
		name := memberName(n.Name, i, len(networks))
		if slices.ContainsFunc(c.model.Document.Members, func(m blueprint.Member) bool { return m.Name == name }) {
			name = fmt.Sprintf("member%d", i+1)
		}
		if err := c.network(n, name); err != nil {
			if len(networks) > 1 {
				return fmt.Errorf("network %d of %d: %w", i+1, len(networks), err)
			}
			return err
		}
	}
	return nil
}

// memberName is the file's own, where it can be a name; else the shipped
// architectures' «all», or a number.
func memberName(given string, index, count int) string {
	w := lowering{used: map[string]bool{}}
	switch {
	case given != "":
		return w.name(given)
	case count == 1:
		return "all"
	}
	return fmt.Sprintf("specialist%d", index+1)
}

// network adds a member.
func (c *conversion) network(n *legacy.Network, name string) error {
	if err := c.checkSize(n); err != nil {
		return err
	}
	columns, err := c.columns(n)
	if err != nil {
		return err
	}
	r := &c.model.Provenance.Receipt
	w := &lowering{input: c.model.Document.Input, member: name, columns: len(columns), weights: c.model.Weights, receipt: r, used: map[string]bool{}}
	for _, d := range n.Dropped {
		w.drop(d.What, d.Reason)
	}
	w.shared(n.Layers)
	if err := w.lower(n.Layers); err != nil {
		return err
	}
	c.model.Document.Input = w.input
	m := blueprint.Member{Name: name, Columns: columns, Layers: w.layers}
	m.Recipe = recipe(w, n, columns)
	c.model.Document.Members = append(c.model.Document.Members, m)
	c.history(w, n, &m)
	return nil
}

// maxGrowth is how many bytes of weights there may be for each byte of the
// file: an array of one-byte integers becomes float32.
const maxGrowth = 4

// checkSize refuses networks whose layers share arrays so often that their
// weights would be far larger than the file.
func (c *conversion) checkSize(n *legacy.Network) error {
	for _, l := range n.Layers {
		for _, p := range paramsOf(l.Op) {
			c.values += int64(p.Array.Len())
		}
	}
	if size := int64(c.size); 4*c.values > maxGrowth*size+1<<20 {
		return fmt.Errorf("found layers that share arrays, with %d bytes of weights in a file of %d bytes, want at most %d times as many", 4*c.values, size, maxGrowth)
	}
	return nil
}

// shared notes arrays that several layers have in common.
func (w *lowering) shared(layers []lasagne.Layer) {
	first := map[*ndarray.Array]string{}
	for _, l := range layers {
		for _, p := range paramsOf(l.Op) {
			if before, ok := first[p.Array]; ok {
				w.drop("what layers share", fmt.Sprintf("%s and %s have %s in common: here each has its own, and training moves them apart", before, l.Name, p.Name))
				continue
			}
			first[p.Array] = l.Name
		}
	}
}

func paramsOf(op lasagne.Op) (out []*lasagne.Param) {
	switch op := op.(type) {
	case lasagne.Conv:
		out = []*lasagne.Param{&op.Weights, op.Bias}
	case lasagne.Dense:
		out = []*lasagne.Param{&op.Weights, op.Bias}
	case lasagne.BatchNorm:
		out = []*lasagne.Param{&op.Mean, &op.InvStd, op.Beta, op.Gamma}
	}
	return slices.DeleteFunc(out, func(p *lasagne.Param) bool { return p == nil })
}

// columns are the network's outputs: those that the file or the user names, or
// Kaggle's where there are as many.
func (c *conversion) columns(n *legacy.Network) ([]string, error) {
	answers := -1
	for _, l := range slices.Backward(n.Layers) {
		if d, ok := l.Op.(lasagne.Dense); ok {
			answers = d.Weights.Array.Shape[1]
			break
		}
	}
	if answers < 0 {
		return nil, fmt.Errorf("found no dense layer, want one that gives a value for each column")
	}
	columns := n.Columns
	switch {
	case columns == nil:
		columns = c.Columns
	case c.Columns != nil && !slices.Equal(columns, c.Columns):
		return nil, namedColumns(columns, c.Columns)
	}
	if columns == nil && answers == len(blueprint.KaggleColumns) {
		columns = blueprint.KaggleColumns
		c.note("the file names no columns: its %d answers are taken for Kaggle's columns in Kaggle's order", answers)
	}
	if columns == nil {
		return nil, fmt.Errorf("found %d answers and no names for them, want --columns with as many names", answers)
	}
	if len(columns) != answers {
		return nil, fmt.Errorf("found %d answers and %d names of columns, want as many: %v", answers, len(columns), columns)
	}
	return slices.Clone(columns), nil
}

// note adds a warning to the receipt, once.
func (c *conversion) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if r := &c.model.Provenance.Receipt; !slices.Contains(r.Warnings, text) {
		r.Warnings = append(r.Warnings, text)
	}
}

// history takes the epochs up to the first without a loss that is a number.
func (c *conversion) history(w *lowering, n *legacy.Network, m *blueprint.Member) {
	h := zoo.MemberHistory{Member: m.Name}
	squared := n.Recipe.Loss == "" || n.Recipe.Loss == "squared_error" || n.Recipe.Loss == "mse"
	validated := squared
	for _, e := range n.History {
		validated = validated && finite(e.ValidationLoss) && e.ValidationLoss >= 0
	}
	scale, _ := m.Affine(c.model.Document.Input)
	for i, e := range n.History {
		if !finite(e.TrainLoss) {
			w.drop("history", fmt.Sprintf("epochs from %d on: the training loss is not a number", i+1))
			break
		}
		h.TrainLoss = append(h.TrainLoss, e.TrainLoss)
		h.Rate = append(h.Rate, rateAt(n, i))
		if finite(e.Seconds) && e.Seconds >= 0 {
			c.model.Run.Seconds = append(c.model.Run.Seconds, e.Seconds)
		}
		if !validated {
			continue
		}
		h.ValidationLoss = append(h.ValidationLoss, e.ValidationLoss)
		h.RMSEPixels = append(h.RMSEPixels, scale*math.Sqrt(e.ValidationLoss))
		if h.BestEpoch == 0 || e.ValidationLoss < h.ValidationLoss[h.BestEpoch-1] {
			h.BestEpoch = i + 1
		}
	}
	if !validated && len(n.History) > 0 {
		w.drop("history", "validation losses: not all are numbers, or the loss was not the squared error")
	}
	done := len(h.TrainLoss)
	h.Stopped = n.Recipe.Patience > 0 && done < n.Recipe.Epochs && h.BestEpoch > 0 && done-h.BestEpoch >= n.Recipe.Patience
	c.model.History = append(c.model.History, h)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// rateAt is the learning rate of an epoch, counted from 0. The tutorial's
// AdjustVariable sets it after each, so the first two have the first value.
func rateAt(n *legacy.Network, epoch int) float64 {
	rate := n.Recipe.Settings["learning_rate"]
	if s := n.Recipe.Schedules["learning_rate"]; len(s) > 0 {
		rate = s[min(max(epoch-1, 0), len(s)-1)]
	}
	if !finite(rate) {
		return 0
	}
	return rate
}

// recipe says of the training what the file tells.
func recipe(w *lowering, n *legacy.Network, columns []string) blueprint.Recipe {
	from := &n.Recipe
	r := blueprint.Recipe{Loss: blueprint.Loss{Kind: "mse"}, Epochs: from.Epochs, Batch: from.Batch, Validation: from.Validation}
	if from.Loss != "" && from.Loss != "squared_error" && from.Loss != "mse" {
		w.drop("recipe: the loss "+from.Loss, "a recipe has no such loss; it says the squared error")
	}
	if r.Epochs < 1 || r.Epochs > 1e6 {
		r.Epochs = max(len(n.History), 1)
	}
	if r.Batch < 1 || r.Batch > 1<<16 {
		r.Batch = 128 // nolearn's own
	}
	if !(r.Validation >= 0 && r.Validation <= 0.9) {
		w.drop("recipe: the share held out", fmt.Sprintf("found %g, want at most 0.9", r.Validation))
		r.Validation = 0
	}
	r.Rate = schedule(w, from, "learning_rate", 0.01, 1e4)
	r.Optimizer = optimizer(w, from)
	if from.Patience > 0 && r.Validation > 0 {
		r.Stop = &blueprint.Stop{Patience: from.Patience}
	}
	if from.Flips {
		if mirror := flips(w, from, columns); mirror != nil {
			r.Augment = &blueprint.Augment{Mirror: mirror}
		}
	}
	return r
}

// schedule is the course of one of the update's settings.
func schedule(w *lowering, from *legacy.Recipe, name string, def, most float64) blueprint.Schedule {
	values := from.Schedules[name]
	if v, ok := from.Settings[name]; ok && len(values) == 0 {
		values = []float64{v}
	}
	if len(values) == 0 {
		return blueprint.Constant(def)
	}
	first, last := values[0], values[len(values)-1]
	if !(first >= 0 && first <= most && last >= 0 && last <= most) {
		w.drop("recipe: "+name, fmt.Sprintf("found %g to %g, want 0 to %g", first, last, most))
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

func optimizer(w *lowering, from *legacy.Recipe) blueprint.Optimizer {
	optional := func(name string, def, most float64) *blueprint.Schedule {
		s := schedule(w, from, name, def, most)
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
	w.drop("recipe: the update rule "+from.Update, "a recipe has no such rule; it says adam")
	return blueprint.Optimizer{Kind: "adam"}
}

// flips says how faces were mirrored. Pairs that would teach a point another
// one's place stay in the receipt alone.
func flips(w *lowering, from *legacy.Recipe, columns []string) *blueprint.Mirror {
	byName, named := (&blueprint.Mirror{}).Permutation(columns)
	if from.FlipPairs == nil {
		w.receipt.Warnings = append(w.receipt.Warnings, fmt.Sprintf("member %s: %s has its pairs of columns in its class, which a pickle does not hold: they are taken from the columns' names", w.member, from.FlipClass))
		if named != nil {
			w.drop("recipe: mirrored faces", named.Error())
			return nil
		}
		return &blueprint.Mirror{}
	}
	kept := zoo.ReceiptFlips{Member: w.member}
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
	w.receipt.Flips = append(w.receipt.Flips, kept)
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
	w.receipt.Warnings = append(w.receipt.Warnings, fmt.Sprintf("member %s: the pairs of columns that the file swaps in mirrored faces are wrong: %s; %s", w.member, kept.Fault, instead))
	return mirror
}
