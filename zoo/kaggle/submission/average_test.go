package submission

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func sub(source string, ids []int64, values ...float64) *Submission {
	return &Submission{IDs: ids, Values: values, Source: source}
}

func TestAverage(t *testing.T) {
	ids, other := []int64{1, 2, 3}, []int64{3, 1, 2}
	a := sub("a.csv", ids, 0, 10, 20)
	b := sub("b.csv", other, 26, 3, 13) // 3, 13, 26 in a's order
	c := sub("c.csv", ids, 90, 11, 20)
	for _, x := range []struct {
		name    string
		list    []*Submission
		weights []float64
		median  bool
		want    []float64
	}{
		{"one", []*Submission{a}, nil, false, a.Values},
		{"mean", []*Submission{a, b}, nil, false, []float64{1.5, 11.5, 23}},
		{"weights", []*Submission{a, b}, []float64{2, 1}, false, []float64{1, 11, 22}},
		{"a weight of 0", []*Submission{a, b, c}, []float64{2, 1, 0}, false, []float64{1, 11, 22}},
		{"median of three", []*Submission{a, b, c}, nil, true, []float64{3, 11, 20}},
		{"median of two", []*Submission{a, b}, nil, true, []float64{1.5, 11.5, 23}},
		// Sorted 0 (w 3), 3 (1), 90 (1): 3 of 5 lie up to the first.
		{"weighted median, one outweighs", []*Submission{a, b, c}, []float64{3, 1, 1}, true, []float64{0, 10, 20}},
		// 0 (2), 3 (1), 90 (1): exactly half up to 0, so the mean of 0 and 3; and
		// 10 (2), 11 (1), 13 (1): of 10 and 11; and 20 (2+1), 26 (1).
		{"weighted median, exactly half", []*Submission{a, b, c}, []float64{2, 1, 1}, true, []float64{1.5, 10.5, 20}},
		// 0 (1), 3 (0), 90 (1): what has no weight isn't there.
		{"weighted median, a weight of 0", []*Submission{a, b, c}, []float64{1, 0, 1}, true, []float64{45, 10.5, 20}},
		{"thirds", []*Submission{a, b, c}, []float64{0.1, 0.1, 0.2}, true, []float64{46.5, 11, 20}},
	} {
		got, err := Average(x.list, x.weights, x.median)
		if err != nil {
			t.Errorf("%s: %v", x.name, err)
			continue
		}
		if !slices.Equal(got.IDs, ids) || !slices.EqualFunc(got.Values, x.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("%s: found %v, want %v", x.name, got.Values, x.want)
		}
	}
	for _, x := range []struct {
		name    string
		list    []*Submission
		weights []float64
		want    string
	}{
		{"none", nil, nil, "found no submission to average"},
		{"too few weights", []*Submission{a, b}, []float64{1}, "weights: found 1 of them, want as many as files, 2"},
		{"below 0", []*Submission{a, b}, []float64{1, -1}, "weights: found -1, want finite numbers of at least 0"},
		{"not a number", []*Submission{a, b}, []float64{1, math.NaN()}, "weights: found NaN"},
		{"infinite", []*Submission{a, b}, []float64{1, math.Inf(1)}, "weights: found +Inf"},
		{"all 0", []*Submission{a, b}, []float64{0, 0}, "weights: found the sum 0"},
		{"other rows", []*Submission{a, sub("d.csv", []int64{1, 3, 5, 6, 7, 9}, 0, 0, 0, 0, 0, 0)}, nil,
			"a.csv and d.csv: found different rows: only a.csv has row 2; only d.csv has rows 5 to 7, 9 (4 in all), want the same in both"},
	} {
		if _, err := Average(x.list, x.weights, false); err == nil || !strings.HasPrefix(err.Error(), x.want) {
			t.Errorf("%s: found error %v, want %s", x.name, err, x.want)
		}
	}
	_, err := Average([]*Submission{a, sub("d.csv", []int64{1, 2})}, nil, true)
	if d := new(DifferenceError); !errors.As(err, &d) || !slices.Equal(d.OnlyA, []int64{3}) || d.OnlyB != nil {
		t.Errorf("found %v, want a difference in row 3", err)
	}
}

func TestDistances(t *testing.T) {
	ids := []int64{1, 2}
	got, err := Distances([]*Submission{
		sub("a", ids, 0, 0), sub("b", []int64{2, 1}, 4, 3), sub("c", ids, 0.05, 0),
	})
	want := []Distance{
		{A: 0, B: 1, RMS: math.Sqrt(12.5), Largest: 4, Row: 2},
		{A: 0, B: 2, RMS: math.Sqrt(0.00125), Largest: 0.05, Row: 1, Alike: true},
		{A: 1, B: 2, RMS: math.Sqrt((2.95*2.95 + 16) / 2), Largest: 4, Row: 2},
	}
	if err != nil || !slices.EqualFunc(got, want, func(g, w Distance) bool {
		close := math.Abs(g.RMS-w.RMS) < 1e-12
		g.RMS = w.RMS
		return close && g == w
	}) {
		t.Errorf("found %+v and error %v, want %+v", got, err, want)
	}
	if _, err := Distances([]*Submission{sub("a", ids, 0, 0), sub("b", ids[:1], 0)}); err == nil {
		t.Error("other rows: found no error")
	}
}
