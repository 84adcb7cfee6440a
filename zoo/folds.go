package zoo

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Folded gives a document for cross-validation: each member k times, NAME-fold1
// to NAME-foldK, that differ in the fold held out alone. What they answer is the
// mean, as of any members that give the same columns.
func Folded(d *blueprint.Document, k int) (*blueprint.Document, error) {
	if k < 2 {
		return nil, fmt.Errorf("folds: found %d, want at least 2", k)
	}
	out := d.Clone()
	out.Members = nil
	for number := 1; number <= k; number++ {
		for _, m := range d.Clone().Members {
			m.Recipe.Fold = &blueprint.Fold{Number: number, Of: k}
			m.Name += foldSuffix(&m.Recipe)
			out.Members = append(out.Members, m)
		}
	}
	text, err := out.JSON()
	if err != nil {
		return nil, err
	}
	if out, err = blueprint.Parse(text); err != nil { // more members than there may be
		return nil, fmt.Errorf("%d folds: %w", k, err)
	}
	return out, nil
}

// foldSuffix is what a fold adds to its member's name.
func foldSuffix(r *blueprint.Recipe) string {
	if r.Fold == nil {
		return ""
	}
	return fmt.Sprintf("-fold%d", r.Fold.Number)
}

// folded tells whether a model was trained in folds.
func (m *Model) folded() bool {
	return slices.ContainsFunc(m.Document.Members, func(m blueprint.Member) bool { return m.Recipe.Fold != nil })
}

// OutOfFold pools what the members of a model that was trained in folds do on
// the rows that each has held out. ok tells whether there are some, all of them
// are done, and none may have learned from these rows before.
func (m *Model) OutOfFold() (pooled HeldOut, ok bool) {
	if m.Provenance.startSaw(m.Provenance.Data.Checksum) {
		return HeldOut{}, false
	}
	rows := map[int]bool{}
	var squares, face float64
	for i, h := range m.History {
		if m.Document.Members[i].Recipe.Fold == nil {
			continue
		}
		if h.HeldOut.Loss == 0 && h.HeldOut.RMSEPixels == 0 {
			return HeldOut{}, false
		}
		n := float64(h.HeldOut.Cells)
		pooled.Cells += h.HeldOut.Cells
		pooled.Loss += n * h.HeldOut.Loss
		pooled.MeanFaceLoss += n * h.HeldOut.MeanFaceLoss
		squares += n * h.HeldOut.RMSEPixels * h.HeldOut.RMSEPixels
		face += n * h.HeldOut.MeanFace * h.HeldOut.MeanFace
		for _, r := range h.HeldOut.Numbers {
			rows[r] = true
		}
	}
	if pooled.Cells == 0 {
		return HeldOut{}, false
	}
	n := float64(pooled.Cells)
	pooled.Rows = len(rows)
	pooled.Loss, pooled.MeanFaceLoss = pooled.Loss/n, pooled.MeanFaceLoss/n
	pooled.RMSEPixels, pooled.MeanFace = math.Sqrt(squares/n), math.Sqrt(face/n)
	return pooled, true
}

// OutOfFold answers the data that the models were trained on, each row by those
// members alone that have not learned from it. rows are those for which every
// column has such a member; the others' points are NaN where it has none. Each
// member in folds holds a row out once, and all members answer a row that none
// has used. The error is a [dataset] one, or that the data isn't the models'.
func OutOfFold(ctx context.Context, models []*Model, set *dataset.Set, o PredictOptions) (p *Prediction, rows []int, err error) {
	for _, m := range models {
		if found, want := set.Checksum, m.Provenance.Data.Checksum; found != want {
			return nil, nil, fmt.Errorf("%s: found data with checksum %.12s…, want that of the training, %.12s… (%s)", set.Source, found, want, m.Provenance.Data.Source)
		}
	}
	all, err := predictMembers(ctx, models, set, o)
	if err != nil {
		return nil, nil, err
	}
	return outOfFold(models, set, all)
}

func outOfFold(models []*Model, set *dataset.Set, all []memberPrediction) (*Prediction, []int, error) {
	for i := range all {
		train, _, err := rowsOf(&models[all[i].model].Document.Members[all[i].member], set)
		if err != nil {
			return nil, nil, err
		}
		all[i].learned = make([]bool, set.Len())
		for _, r := range train {
			all[i].learned[r] = true
		}
	}
	p := mean(all, set.Len())
	var rows []int
	for r := range set.Len() {
		if !slices.ContainsFunc(p.Row(r), func(v float32) bool { return v != v }) {
			rows = append(rows, r)
		}
	}
	return p, rows, nil
}
