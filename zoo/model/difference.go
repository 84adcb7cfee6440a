package model

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/record"
)

// Uncalibrated is a copy of the document without what its answers are shifted by, and how far off they are expected to be.
func Uncalibrated(d *blueprint.Document) *blueprint.Document {
	out := d.Clone()
	for i := range out.Members {
		out.Members[i].Output.Shift, out.Members[i].Output.Uncertainty = nil, nil
	}
	return out
}

// spelledOut is an input with its defaults filled in: left out or spelled out,
// they are the same.
func spelledOut(in blueprint.Input) blueprint.Input {
	in.Scaling = cmp.Or(in.Scaling, blueprint.Scalings[0].Name)
	return in
}

// Differences are the values in which two parts of documents differ, each by
// itself, sorted by path: A is what was found, B what is wanted.
func Differences(found, want any) ([]record.Difference, error) {
	a, err := record.Tree(found)
	if err != nil {
		return nil, err
	}
	b, err := record.Tree(want)
	if err != nil {
		return nil, err
	}
	return record.Leaves(record.Diff(a, b)), nil
}

// networkDifferences are those of two documents but for the recipes, what
// training found, and what is said for people.
func networkDifferences(found, want *blueprint.Document) ([]record.Difference, error) {
	found, want = found.Clone(), want.Clone()
	found.Input, want.Input = spelledOut(found.Input), spelledOut(want.Input)
	all, err := Differences(found, want)
	return slices.DeleteFunc(all, func(x record.Difference) bool {
		p := x.Path
		return p.Begins("name") || p.Begins("summary") || p.Begins("source") ||
			len(p) > 2 && p[0] == "members" && (p[2] == "recipe" || p[2] == "output" && len(p) > 3 && (p[3] == "shift" || p[3] == "uncertainty"))
	}), err
}

// FoundAndWanted says what a difference is: found 4, want none.
func FoundAndWanted(x record.Difference) string {
	said := func(v any, there bool) string {
		if !there {
			return "none"
		}
		text, err := record.Text(v)
		if err != nil {
			return err.Error() // not of what was read from JSON
		}
		return string(text)
	}
	return fmt.Sprintf("found %.200s, want %.200s", said(x.A, x.InA), said(x.B, x.InB))
}

// SameTraining tells whether two checkpoints are of one training: the same
// document on the same data, or, where one went on with a change, the same
// network, with the same losses in the epochs that both have.
func SameTraining(a, b *Model) bool {
	if a.Provenance.Start != b.Provenance.Start || len(a.History) != len(b.History) {
		return false
	}
	shared := 0 // epochs
	for i := range a.History {
		for _, v := range [][2][]float64{{a.History[i].TrainLoss, b.History[i].TrainLoss}, {a.History[i].ValidationLoss, b.History[i].ValidationLoss}} {
			n := min(len(v[0]), len(v[1]))
			shared += n
			if !slices.Equal(v[0][:n], v[1][:n]) {
				return false
			}
		}
	}
	if shared > 0 {
		all, err := networkDifferences(a.Document, b.Document)
		return err == nil && len(all) == 0
	}
	textA, errA := Uncalibrated(a.Document).JSON()
	textB, errB := Uncalibrated(b.Document).JSON()
	return errA == nil && errB == nil && bytes.Equal(textA, textB) && a.Provenance.Data.Checksum == b.Provenance.Data.Checksum
}
