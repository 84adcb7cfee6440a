package blueprint

import (
	"slices"
	"strings"
	"testing"
)

// secondSpecialist are the points of the report's second specialist, in its order.
var secondSpecialist = columnsOf(`left_eye_inner_corner right_eye_inner_corner left_eye_outer_corner right_eye_outer_corner
	left_eyebrow_inner_end right_eyebrow_inner_end left_eyebrow_outer_end right_eyebrow_outer_end
	mouth_left_corner mouth_right_corner mouth_center_top_lip`)

func columnsOf(points string) []string {
	var out []string
	for _, p := range strings.Fields(points) {
		out = append(out, p+"_x", p+"_y")
	}
	return out
}

func permutation(n int, pairs ...[2]int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	for _, p := range pairs {
		out[p[0]], out[p[1]] = p[1], p[0]
	}
	return out
}

// The report's flips, where they are right, are those of the names.
func TestMirrorFromNames(t *testing.T) {
	for name, c := range map[string]struct {
		columns []string
		want    []int
	}{
		"Kaggle's columns": {KaggleColumns, permutation(30, [2]int{0, 2}, [2]int{1, 3}, [2]int{4, 8}, [2]int{5, 9}, [2]int{6, 10}, [2]int{7, 11},
			[2]int{12, 16}, [2]int{13, 17}, [2]int{14, 18}, [2]int{15, 19}, [2]int{22, 24}, [2]int{23, 25})},
		"the first specialist's": {columnsOf("left_eye_center right_eye_center nose_tip mouth_center_bottom_lip"), permutation(8, [2]int{0, 2}, [2]int{1, 3})},
		"the second specialist's": {secondSpecialist, permutation(22, [2]int{0, 2}, [2]int{1, 3}, [2]int{4, 6}, [2]int{5, 7}, [2]int{8, 10}, [2]int{9, 11},
			[2]int{12, 14}, [2]int{13, 15}, [2]int{16, 18}, [2]int{17, 19})},
		"no sides":         {[]string{"nose_x", "nose_y"}, []int{0, 1}},
		"a word of both":   {[]string{"right_left_x", "left_left_x", "right_right_x", "left_right_x"}, []int{1, 0, 3, 2}},
		"not whole words":  {[]string{"leftmost_x", "bright_x"}, []int{0, 1}},
		"sides at the end": {[]string{"eye_left_x", "eye_right_x"}, []int{1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			found, err := new(Mirror).Permutation(c.columns)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(found, c.want) {
				t.Errorf("found %v, want %v", found, c.want)
			}
			for i, j := range found {
				if found[j] != i {
					t.Errorf("column %d comes from %d, which comes from %d: not an involution", i, j, found[j])
				}
			}
		})
	}
	if len(KaggleColumns) != 30 || KaggleColumns[20] != "nose_tip_x" || KaggleColumns[29] != "mouth_center_bottom_lip_y" {
		t.Errorf("found Kaggle's columns %v", KaggleColumns)
	}
}

func TestMirrorByHand(t *testing.T) {
	for _, c := range []struct {
		name    string
		pairs   Pairs
		columns []string
		want    string // of the error; "": none
	}{
		{"the report's for Kaggle's columns", Pairs{{0, 2}, {1, 3}, {4, 8}, {5, 9}, {6, 10}, {7, 11}, {12, 16}, {13, 17}, {14, 18}, {15, 19}, {22, 24}, {23, 25}}, KaggleColumns, ""},
		{"the report's for the second specialist", Pairs{{0, 2}, {1, 3}, {4, 6}, {5, 7}, {6, 8}, {7, 9}, {8, 10}, {9, 11}, {12, 14}, {13, 15}, {16, 18}, {17, 19}}, secondSpecialist,
			"pair (6,8): column 6 is in the pair (4,6) too, want each column once at most"},
		{"the report's without the two that are wrong", Pairs{{0, 2}, {1, 3}, {4, 6}, {5, 7}, {8, 10}, {9, 11}, {12, 14}, {13, 15}, {16, 18}, {17, 19}}, secondSpecialist, ""},
		{"a pair given twice", Pairs{{0, 2}, {2, 0}}, KaggleColumns, "pair (2,0): column 2 is in the pair (0,2) too"},
		{"one column", Pairs{{4, 4}}, KaggleColumns, "pair (4,4): found the same column twice"},
		{"outside", Pairs{{0, 30}}, KaggleColumns, "pair (0,30): found column 30, want 0 to 29"},
		{"below", Pairs{{-1, 0}}, KaggleColumns, "pair (-1,0): found column -1, want at least 0"},
		{"two axes", Pairs{{0, 3}}, KaggleColumns, "pair (0,3): found left_eye_center_x and right_eye_center_y, want two columns of one axis"},
		{"none", Pairs{}, KaggleColumns, ""},
		{"from names without the other half", nil, KaggleColumns[:2], "column left_eye_center_x has no right_eye_center_x among the member's columns"},
	} {
		t.Run(c.name, func(t *testing.T) {
			found, err := (&Mirror{Pairs: c.pairs}).Permutation(c.columns)
			if c.want == "" {
				if want := permutation(len(c.columns), c.pairs...); err != nil || !slices.Equal(found, want) {
					t.Errorf("found %v (%v), want %v", found, err, want)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, want %s", err, c.want)
			}
		})
	}
}

func TestPartner(t *testing.T) {
	for column, want := range map[string]string{"nose_tip_x": "nose_tip_y", "nose_tip_y": "nose_tip_x", "_x": "_y", "x": "", "": "", "smile": ""} {
		if found := Partner(column); found != want {
			t.Errorf("%q: found %q, want %q", column, found, want)
		}
		if IsX(column) == IsY(column) && want != "" {
			t.Errorf("%q: found neither or both axes", column)
		}
	}
}
