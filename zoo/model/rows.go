package model

import (
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// UsableRows are the rows of the data that a member may learn from: those with a filled cell, or with all; for boxes all rows, since
// pictures of nothing teach, too.
func UsableRows(m *blueprint.Member, set *dataset.Set) ([]int, error) {
	columns := m.ColumnsOf(set.Columns)
	if m.Recipe.CompleteRows() {
		return set.RowsWith(columns...)
	}
	var at []int
	for _, c := range columns {
		i := set.Column(c)
		if i < 0 {
			return nil, &dataset.ColumnError{Source: set.Source, Column: c, Have: set.Columns}
		}
		at = append(at, i)
	}
	var out []int
	for r := range set.Len() {
		row := set.Row(r)
		if m.Boxes() || slices.ContainsFunc(at, func(i int) bool { return !math.IsNaN(float64(row[i])) }) {
			out = append(out, r)
		}
	}
	return out, nil
}

// SplitRows gives the usable rows that are trained on and those held out.
func SplitRows(m *blueprint.Member, set *dataset.Set) (train, validation []int, err error) {
	rows, err := UsableRows(m, set)
	if err != nil {
		return nil, nil, err
	}
	seed := m.Recipe.SplitBy()
	if f := m.Recipe.Fold; f != nil {
		train, validation = dataset.Fold(rows, f.Number, f.Of, seed)
	} else {
		train, validation = dataset.Split(rows, m.Recipe.Validation, seed)
	}
	if m.Recipe.Subset != nil {
		train = subset(m, set, train)
	}
	return train, validation, nil
}

// subset is the part of the rows, in their shuffled order, that the recipe trains on.
func subset(m *blueprint.Member, set *dataset.Set, rows []int) []int {
	s := m.Recipe.Subset
	if s.Complete {
		columns := m.ColumnsOf(set.Columns)
		rows = slices.DeleteFunc(slices.Clone(rows), func(r int) bool {
			return slices.ContainsFunc(columns, func(c string) bool { return math.IsNaN(float64(set.Row(r)[set.Column(c)])) })
		})
	}
	if s.Share > 0 && len(rows) > 0 {
		rows = rows[:max(int(s.Share*float64(len(rows))), 1)]
	}
	return rows
}

// EpochsOn is how many a member's recipe asks for on this set.
func EpochsOn(m *blueprint.Member, set *dataset.Set) (int, error) {
	rows, err := UsableRows(m, set)
	return m.Recipe.EpochsFor(len(rows)), err
}

// HeldOutRows are the rows of the set that no member of any model was trained on, and that some member validated on; none where
// the set is not their data. known is false, and there are none either, where the weights of one may have learned from these
// rows before.
func HeldOutRows(models []*Model, set *dataset.Set) (rows []int, known bool, err error) {
	for _, m := range models {
		if m.Provenance.Data.Checksum == "" || m.Provenance.Data.Checksum != set.Checksum {
			return nil, true, nil
		}
	}
	trained, validated, err := splitOf(models, set)
	if err != nil {
		return nil, false, err
	}
	for r := range trained {
		if validated[r] && !trained[r] {
			rows = append(rows, r)
		}
	}
	if len(rows) > 0 && SeenBefore(models, set) {
		return nil, false, nil
	}
	return rows, true, nil
}

// ValidatedBySome are those of the rows that some member has held out.
func ValidatedBySome(models []*Model, set *dataset.Set, rows []int) ([]int, error) {
	_, validated, err := splitOf(models, set)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(rows), func(r int) bool { return !validated[r] }), nil
}

// splitOf tells of each row whether some member has learned from it, and whether some has held it out.
func splitOf(models []*Model, set *dataset.Set) (trained, validated []bool, err error) {
	trained, validated = make([]bool, set.Len()), make([]bool, set.Len())
	for _, m := range models {
		for i := range m.Document.Members {
			train, validation, err := SplitRows(&m.Document.Members[i], set)
			if err != nil {
				return nil, nil, err
			}
			for _, r := range train {
				trained[r] = true
			}
			for _, r := range validation {
				validated[r] = true
			}
		}
	}
	return trained, validated, nil
}
