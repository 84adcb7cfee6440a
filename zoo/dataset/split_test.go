package dataset_test

import (
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// The folds part the rows: each is held out once, and trained on in all the others.
func TestFold(t *testing.T) {
	for _, c := range []struct {
		n, of int
		sizes []int
	}{{10, 5, []int{2, 2, 2, 2, 2}}, {11, 3, []int{3, 4, 4}}, {2, 3, []int{0, 1, 1}}} {
		rows := make([]int, c.n)
		for i := range rows {
			rows[i] = i * 3
		}
		var out []int
		for k := 1; k <= c.of; k++ {
			train, validation := dataset.Fold(rows, k, c.of, 9)
			if len(validation) != c.sizes[k-1] {
				t.Errorf("%d rows, fold %d of %d: found %d held out, want %d", c.n, k, c.of, len(validation), c.sizes[k-1])
			}
			both := slices.Concat(train, validation)
			slices.Sort(both)
			if !slices.Equal(both, rows) {
				t.Errorf("%d rows, fold %d of %d: found %v and %v, want each row once", c.n, k, c.of, train, validation)
			}
			out = append(out, validation...)
		}
		slices.Sort(out)
		if !slices.Equal(out, rows) {
			t.Errorf("%d rows in %d folds: found %v held out in all, want each once", c.n, c.of, out)
		}
	}
	// The first of five is what a share of a fifth holds out.
	rows := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	_, fold := dataset.Fold(rows, 1, 5, 4)
	_, share := dataset.Split(rows, 0.2, 4)
	if !slices.Equal(fold, share) {
		t.Errorf("found %v, want %v", fold, share)
	}
}
