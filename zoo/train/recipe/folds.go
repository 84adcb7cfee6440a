package recipe

import (
	"fmt"

	"github.com/fkzoo/fkzoo/specs/blueprint"
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
			m.Name += FoldSuffix(&m.Recipe)
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

// FoldSuffix is what a fold adds to its member's name.
func FoldSuffix(r *blueprint.Recipe) string {
	if r.Fold == nil {
		return ""
	}
	return fmt.Sprintf("-fold%d", r.Fold.Number)
}
