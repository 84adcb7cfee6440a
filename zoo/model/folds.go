package model

import (
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// InFolds tells whether a model was trained in folds.
func (m *Model) InFolds() bool {
	return slices.ContainsFunc(m.Document.Members, func(m blueprint.Member) bool { return m.Recipe.Fold != nil })
}

// OutOfFold pools what the members of a model that was trained in folds do on
// the rows that each has held out. ok tells whether there are some, all of them
// are done, and none may have learned from these rows before.
func (m *Model) OutOfFold() (pooled HeldOut, ok bool) {
	if m.Provenance.SawBefore(m.Provenance.Data.Checksum) {
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
