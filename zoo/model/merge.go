package model

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

var errFewModels = errors.New("merge: found fewer than two models, want at least two")

// Merge makes one model with the members of several, whose answer is the mean of
// their answers. Members of one name get the model's number behind it. names are
// the models' in errors. A checkpoint counts as it is, without what it needs to go on.
func Merge(models []*Model, names []string) (*Model, error) {
	if len(models) < 2 {
		return nil, errFewModels
	}
	out := merged(models)
	d := out.Document
	if slices.ContainsFunc(models, func(m *Model) bool { return m.Document.Name != d.Name }) {
		d.Name = "merged"
	}
	d.Summary, d.Source, d.Members = "merged of "+strings.Join(architectures(models), ", "), "", nil
	for k, m := range models {
		if err := sameInput(m.Document, models[0].Document, names[k], names[0]); err != nil {
			return nil, err
		}
		from := &out.Provenance.Merged[k]
		for i, member := range m.Document.Clone().Members {
			old := member.Name
			member.Name = freeName(models, k, old)
			d.Members = append(d.Members, member)
			from.Members = append(from.Members, member.Name)
			for name, a := range m.Weights {
				if rest, ok := strings.CutPrefix(name, old+"/"); ok {
					out.Weights[member.Name+"/"+rest] = a
				}
			}
			h := MemberHistory{}
			if i < len(m.History) {
				h = m.History[i]
			}
			h.Member = member.Name
			out.History = append(out.History, h)
		}
	}
	text, err := d.JSON()
	if err == nil {
		_, err = blueprint.Parse(text) // more members than there may be
	}
	return out, err
}

// freeName is a member's name in the merged model: with the model's number where
// another model has a member of that name.
func freeName(models []*Model, k int, name string) string {
	taken := func(name string) bool {
		for i, m := range models {
			if i != k && slices.ContainsFunc(m.Document.Members, func(m blueprint.Member) bool { return m.Name == name }) {
				return true
			}
		}
		return false
	}
	if !taken(name) {
		return name
	}
	name = fmt.Sprintf("%s-%d", name, k+1)
	for taken(name) || slices.ContainsFunc(models[k].Document.Members, func(m blueprint.Member) bool { return m.Name == name }) {
		name += "x"
	}
	return name
}

// MeanWeights makes a model of the weights' mean, taken in float64. The models
// must have the same blueprint, but for their recipes, of which the first's stands,
// and what their answers are shifted by, of which the mean is taken.
func MeanWeights(models []*Model, names []string) (*Model, error) {
	if len(models) < 2 {
		return nil, errFewModels
	}
	out := merged(models)
	sameRows := out.Provenance.Data.Checksum != ""
	for k, m := range models[1:] {
		all, err := networkDifferences(m.Document, models[0].Document)
		if err != nil {
			return nil, err
		}
		if len(all) > 0 {
			return nil, fmt.Errorf("%s: blueprint, %s: %s as in %s: weights have a mean only where the networks are the same",
				names[k+1], all[0].Path.Dotted(), FoundAndWanted(all[0]), names[0])
		}
		for i := range m.Document.Members {
			a, b := &m.Document.Members[i].Recipe, &models[0].Document.Members[i].Recipe
			sameRows = sameRows && a.SplitBy() == b.SplitBy() && a.Validation == b.Validation && a.CompleteRows() == b.CompleteRows() &&
				sameOrNone(a.Fold, b.Fold, func(a, b *blueprint.Fold) bool { return a.Number == b.Number && a.Of == b.Of }) &&
				sameOrNone(a.Subset, b.Subset, func(a, b *blueprint.Subset) bool { return a.Share == b.Share && a.Complete == b.Complete })
		}
	}
	for name, a := range models[0].Weights {
		mean := engine.Array{Shape: a.Shape, Data: make([]float32, len(a.Data))}
		for i := range a.Data {
			var sum float64
			for _, m := range models {
				sum += float64(m.Weights[name].Data[i])
			}
			mean.Data[i] = float32(sum / float64(len(models)))
		}
		out.Weights[name] = mean
	}
	for i := range out.Document.Members {
		m := &out.Document.Members[i]
		m.Output.Shift = meanShift(models, i)
		m.Output.Uncertainty = nil // that of the mean isn't known
		out.History = append(out.History, MemberHistory{Member: m.Name})
	}
	if from := &out.Provenance; !sameRows { // rows that one has held out another may have learned from
		from.Start = models[0].Digest
		from.StartData = from.Seen()
	}
	return out, nil
}

// meanShift is the mean of what a member's answers are shifted by; nil where none is.
func meanShift(models []*Model, member int) (out []float64) {
	for _, m := range models {
		for c, v := range m.Document.Members[member].Output.Shift {
			if out == nil {
				out = make([]float64, len(m.Document.Members[member].Columns))
			}
			out[c] += v / float64(len(models))
		}
	}
	return out
}

// sameOrNone compares what a recipe may lack.
func sameOrNone[T any](a, b *T, same func(a, b *T) bool) bool {
	if a == nil || b == nil {
		return a == b
	}
	return same(a, b)
}

// merged is a model without members' weights and histories that says where it comes from.
func merged(models []*Model) *Model {
	first := models[0]
	out := &Model{Document: first.Document.Clone(), Weights: engine.Arrays{}, Provenance: Provenance{
		Fkzoo: first.Provenance.Fkzoo, Plugin: first.Provenance.Plugin, Data: first.Provenance.Data, Seed: first.Provenance.Seed,
	}}
	to := &out.Provenance
	var backends, kernels []string
	for _, m := range models {
		from := &m.Provenance
		to.Merged = append(to.Merged, MergedFrom{Digest: m.Digest, Architecture: m.Document.Name, Data: from.Data.Checksum, Seed: from.Seed})
		if from.Data.Checksum != to.Data.Checksum {
			to.Data = DataFrom{} // no one data set that it was trained on
		}
		if from.Plugin != to.Plugin {
			to.Plugin = PluginFrom{}
		}
		if to.Start == "" {
			to.Start = from.Start
		}
		to.StartData = union(to.StartData, from.before())
		backends = union(backends, strings.Split(from.Backend, ", "))
		if from.Kernels != "" {
			kernels = union(kernels, strings.Split(from.Kernels, ", "))
		}
	}
	to.Backend, to.Kernels = strings.Join(backends, ", "), strings.Join(kernels, ", ")
	return out
}

func architectures(models []*Model) (out []string) {
	for _, m := range models {
		out = append(out, m.Document.Name)
	}
	return out
}

// sameInput refuses networks that take other images.
func sameInput(found, want *blueprint.Document, name, other string) error {
	all, err := Differences(spelledOut(found.Input), spelledOut(want.Input))
	if err != nil {
		return err
	}
	for _, at := range []string{"height", "width", "channels", "scaling"} {
		for _, x := range all {
			if x.Path.Dotted() == at {
				return fmt.Errorf("%s: input %s: %s as in %s: members of one model take the same image", name, at, FoundAndWanted(x), other)
			}
		}
	}
	return nil
}
