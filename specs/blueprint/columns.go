package blueprint

import (
	"fmt"
	"strings"
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

// Mirrored is the column that a column becomes in a mirrored image.
func Mirrored(column string) string {
	for _, pair := range [][2]string{{"left", "right"}, {"right", "left"}} {
		parts := strings.Split(column, "_")
		for i, p := range parts {
			if p == pair[0] {
				parts[i] = pair[1]
				return strings.Join(parts, "_")
			}
		}
	}
	return column
}

// Permutation gives, for each column of a mirrored face, the column of the
// original from which its value comes. Pairs given by hand must name each
// column once at most and be of one axis; a pair from the names whose other
// half is missing is an error, since a mirrored face could not be labelled.
func (m *Mirror) Permutation(columns []string) ([]int, error) {
	perm := make([]int, len(columns))
	for i := range perm {
		perm[i] = i
	}
	if m.Pairs != nil {
		used := map[int][2]int{}
		for _, p := range m.Pairs {
			for _, c := range p {
				if c < 0 || c >= len(columns) {
					return nil, fmt.Errorf("pair (%d,%d): found column %d, want 0 to %d", p[0], p[1], c, len(columns)-1)
				}
				if other, twice := used[c]; twice {
					return nil, fmt.Errorf("pair (%d,%d): column %d (%s) is in the pair (%d,%d) too, want each column once at most: swapping twice gives it another point's coordinates", p[0], p[1], c, columns[c], other[0], other[1])
				}
				used[c] = p
			}
			if p[0] == p[1] {
				return nil, fmt.Errorf("pair (%d,%d): found the same column twice, want two", p[0], p[1])
			}
			if IsX(columns[p[0]]) != IsX(columns[p[1]]) {
				return nil, fmt.Errorf("pair (%d,%d): found %s and %s, want two columns of one axis", p[0], p[1], columns[p[0]], columns[p[1]])
			}
			perm[p[0]], perm[p[1]] = p[1], p[0]
		}
		return perm, nil
	}
	index := make(map[string]int, len(columns))
	for i, c := range columns {
		index[c] = i
	}
	for i, c := range columns {
		j, ok := index[Mirrored(c)]
		if !ok {
			return nil, fmt.Errorf("column %s has no %s among the member's columns, want both or no mirroring", c, Mirrored(c))
		}
		perm[i] = j
	}
	return perm, nil
}
