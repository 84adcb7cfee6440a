package blueprint

import (
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/specs/record"
)

// KaggleColumns are the 30 columns of the competition's training.csv, in order.
var KaggleColumns = func() []string {
	var out []string
	for _, p := range strings.Fields(`left_eye_center right_eye_center left_eye_inner_corner left_eye_outer_corner
		right_eye_inner_corner right_eye_outer_corner left_eyebrow_inner_end left_eyebrow_outer_end right_eyebrow_inner_end
		right_eyebrow_outer_end nose_tip mouth_left_corner mouth_right_corner mouth_center_top_lip mouth_center_bottom_lip`) {
		out = append(out, p+"_x", p+"_y")
	}
	return out
}()

// IsX tells whether a column is a horizontal coordinate.
func IsX(column string) bool { return strings.HasSuffix(column, "_x") }

// IsY tells whether a column is a vertical coordinate.
func IsY(column string) bool { return strings.HasSuffix(column, "_y") }

// IsWidth tells whether a column is the width of a box.
func IsWidth(column string) bool { return strings.HasSuffix(column, boxColumns[2]) }

// IsHeight tells whether a column is the height of a box.
func IsHeight(column string) bool { return strings.HasSuffix(column, boxColumns[3]) }

// Partner is the other coordinate of a column's point, "" for a column that is none.
func Partner(column string) string {
	switch name := column[:max(len(column)-2, 0)]; {
	case IsX(column):
		return name + "_y"
	case IsY(column):
		return name + "_x"
	}
	return ""
}

// Mirrored is the column that a column becomes in a mirrored image.
// The first word left or right between underscores becomes the other, so that
// mirroring twice gives the column again.
func Mirrored(column string) string {
	parts := strings.Split(column, "_")
	for i, p := range parts {
		if other, ok := map[string]string{"left": "right", "right": "left"}[p]; ok {
			parts[i] = other
			return strings.Join(parts, "_")
		}
	}
	return column
}

// Permutation gives, for each column of a mirrored face, the column of the
// original from which its value comes: an involution. Pairs given by hand must
// name each column once at most and be of one axis; a pair from the names whose
// other half is missing is an error, since a mirrored face could not be
// labelled.
func (m *Mirror) Permutation(columns []string) ([]int, error) {
	if m.Pairs != nil {
		return m.Pairs.permutation(columns)
	}
	index := make(map[string]int, len(columns))
	for i, c := range columns {
		index[c] = i
	}
	perm := make([]int, len(columns))
	for i, c := range columns {
		j, ok := index[Mirrored(c)]
		if !ok {
			return nil, fmt.Errorf("column %s has no %s among the member's columns, want both or no mirroring", c, Mirrored(c))
		}
		perm[i] = j
	}
	return perm, nil
}

func (pairs Pairs) permutation(columns []string) ([]int, error) {
	perm := make([]int, len(columns))
	for i := range perm {
		perm[i] = i
	}
	if err := pairs.check(); err != nil {
		return nil, err
	}
	for _, p := range pairs {
		if high := max(p[0], p[1]); high >= len(columns) {
			return nil, fmt.Errorf("pair (%d,%d): found column %d, want 0 to %d", p[0], p[1], high, len(columns)-1)
		}
		if IsX(columns[p[0]]) != IsX(columns[p[1]]) {
			return nil, fmt.Errorf("pair (%d,%d): found %s and %s, want two columns of one axis", p[0], p[1], columns[p[0]], columns[p[1]])
		}
		perm[p[0]], perm[p[1]] = p[1], p[0]
	}
	return perm, nil
}

// check sees to it that swapping the pairs twice gives each column again.
func (pairs Pairs) check() error {
	used := map[int][2]int{}
	for _, p := range pairs {
		if low := min(p[0], p[1]); low < 0 {
			return fmt.Errorf("pair (%d,%d): found column %d, want at least 0", p[0], p[1], low)
		}
		if p[0] == p[1] {
			return fmt.Errorf("pair (%d,%d): found the same column twice, want two", p[0], p[1])
		}
		for _, c := range p {
			if other, twice := used[c]; twice {
				return fmt.Errorf("pair (%d,%d): column %d is in the pair (%d,%d) too, want each column once at most: swapped twice, it would get another point's coordinates", p[0], p[1], c, other[0], other[1])
			}
			used[c] = p
		}
	}
	return nil
}

// UnmarshalJSON reads an array of arrays of two numbers.
func (pairs *Pairs) UnmarshalJSON(b []byte) error {
	var rows [][]int
	if err := record.UnmarshalJSON(b, &rows); err != nil {
		return err
	}
	*pairs = make(Pairs, len(rows))
	for i, r := range rows {
		if len(r) != 2 {
			return fmt.Errorf("pair %d: found %v, want the numbers of two columns", i+1, r)
		}
		(*pairs)[i] = [2]int(r)
	}
	return nil
}
