package dataset_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

func TestCheckTrainable(t *testing.T) {
	for _, test := range []struct {
		name, rows string
		columns    []string
		want       string // "": it can be trained on
	}{
		{"two rows", "1,2,0 1 2 3\n1,3,3 2 1 0\n", nil, ""},
		{"empty cells between", ",2,0 1 2 3\n1,,0 1 2 4\n1,3,0 1 2 3\n", nil, ""},
		{"one row", "1,2,0 1 2 3\n", nil, "found one row with the columns filled, want at least two"},
		{"constant columns", "1,2,0 1 2 3\n1,2,3 2 1 0\n", nil, "found the same value in all rows, in every column"},
		{"constant, the one asked for", "1,2,0 1 2 3\n1,3,3 2 1 0\n", []string{"a_x"}, "found the same value in all rows, in every column"},
		{"empty column", ",2,0 1 2 3\n,3,3 2 1 0\n", []string{"a_x"}, "found the same value in all rows"},
		{"one image", "1,2,0 1 2 3\n1,3,0 1 2 3\n", nil, "found the same image in all rows"},
	} {
		s, err := readString(t, "a_x,a_y,Image\n"+test.rows)
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]int, s.Len())
		for i := range rows {
			rows[i] = i
		}
		if test.columns == nil {
			test.columns = s.Columns
		}
		err = s.CheckTrainable(test.columns, rows)
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, dataset.ErrMeaningless) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: found %v, want %q", test.name, err, test.want)
		}
	}
	s, err := readString(t, "a_x,Image\n1,0\n2,1\n")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.CheckTrainable([]string{"a_x"}, nil); !errors.Is(err, dataset.ErrMeaningless) || !strings.Contains(err.Error(), "no row") {
		t.Errorf("no rows: found %v", err)
	}
	if err := s.CheckTrainable([]string{"b_x"}, []int{0, 1}); !errors.As(err, new(*dataset.ColumnError)) {
		t.Errorf("no such column: found %v", err)
	}
}
