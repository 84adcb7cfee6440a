package engine

import (
	"slices"
	"testing"
)

func TestChoose(t *testing.T) {
	for _, c := range []struct {
		n     int
		share float64
		want  int
	}{{10, 0.5, 5}, {5, 0.5, 2}, {1, 0.5, 0}, {100, 0.29, 29}, {7, 1, 7}, {3, 0.33, 0}} {
		n := 0
		for _, v := range choose(c.n, c.share, stream(1, "test")) {
			n += int(v)
		}
		if n != c.want {
			t.Errorf("a share of %g of %d: found %d, want %d", c.share, c.n, n, c.want)
		}
	}
	often := make([]int, 10)
	for i := range 1000 {
		for k, v := range choose(10, 0.5, stream(uint64(i), "test")) {
			often[k] += int(v)
		}
	}
	for k, n := range often {
		if n < 420 || n > 580 { // five standard deviations
			t.Errorf("place %d: found it chosen %d times of 1000, want about 500", k, n)
		}
	}
}

// Each epoch has every row once, in an order of its own.
func TestOrder(t *testing.T) {
	rows := []int{3, 5, 8, 13, 21, 34, 55, 89}
	first, second := order(rows, 1, "net", 0), order(rows, 1, "net", 1)
	for _, o := range [][]int{first, second} {
		if got := slices.Sorted(slices.Values(o)); !slices.Equal(got, rows) {
			t.Errorf("found the rows %v, want %v", got, rows)
		}
	}
	if slices.Equal(first, second) || slices.Equal(first, order(rows, 1, "other", 0)) || slices.Equal(first, order(rows, 2, "net", 0)) {
		t.Errorf("found the order %v for another epoch, member or seed too", first)
	}
	if !slices.Equal(first, order(rows, 1, "net", 0)) {
		t.Errorf("found another order for the same epoch, member and seed")
	}
}
