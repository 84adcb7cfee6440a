package submission

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/internal/weights"
)

// Average gives each row the weighted mean of the submissions, or with median
// their weighted median: the value up to which lies half of the weight, and
// between two values, where exactly half lies up to the first, their mean. So
// equal weights (none given) give the usual median. Weights are finite, none below 0,
// not all 0.
//
// The rows are in the order of the first submission. Different rows are a
// *DifferenceError.
func Average(list []*Submission, given []float64, median bool) (*Submission, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("found no submission to average, want at least one: %w", ErrEmpty)
	}
	shares, err := weights.Normal(given, len(list))
	if err != nil {
		return nil, err
	}
	columns := make([][]float64, len(list))
	for i, s := range list {
		if err := sameRows(list[0].Source, list[0].IDs, s.Source, s.IDs); err != nil {
			return nil, err
		}
		columns[i] = s.in(list[0].IDs)
	}
	out := &Submission{IDs: list[0].IDs, Values: make([]float64, list[0].Len())}
	if median {
		order := make([]weighted, len(list))
		for r := range out.Values {
			for i := range columns {
				order[i] = weighted{columns[i][r], shares[i]}
			}
			out.Values[r] = medianOf(order)
		}
		return out, nil
	}
	for r := range out.Values {
		for i := range columns {
			out.Values[r] += shares[i] * columns[i][r]
		}
	}
	return out, nil
}

type weighted struct{ value, weight float64 }

// medianOf sorts the list, whose weights' sum is 1.
func medianOf(list []weighted) float64 {
	slices.SortFunc(list, func(a, b weighted) int { return cmp.Compare(a.value, b.value) })
	const rounding = 1e-12
	var below float64
	for i, w := range list {
		below += w.weight
		if below > 0.5+rounding {
			return w.value
		}
		if below >= 0.5-rounding {
			for _, next := range list[i+1:] {
				if next.weight > 0 {
					return (w.value + next.value) / 2
				}
			}
			return w.value
		}
	}
	return list[len(list)-1].value
}

// Alike is the root of the mean squared distance, in pixels, below which two
// submissions are nearly the same: two trainings of one network, with another
// seed, are several times as far apart.
const Alike = 0.1

// A Distance is how far two submissions are apart.
type Distance struct {
	A       int     `json:"a"` // in the order given, from 0
	B       int     `json:"b"`
	RMS     float64 `json:"rms"`     // pixels
	Largest float64 `json:"largest"` // pixels
	Row     int64   `json:"row"`     // where the largest is
	Alike   bool    `json:"alike"`
}

// Distances compares each pair of submissions, which have the same rows.
func Distances(list []*Submission) ([]Distance, error) {
	var out []Distance
	for b, second := range list {
		for a, first := range list[:b] {
			if err := sameRows(first.Source, first.IDs, second.Source, second.IDs); err != nil {
				return nil, err
			}
			d := Distance{A: a, B: b}
			var sum float64
			for i, v := range second.in(first.IDs) {
				x := math.Abs(v - first.Values[i])
				sum += x * x
				if i == 0 || x > d.Largest {
					d.Largest, d.Row = x, first.IDs[i]
				}
			}
			d.RMS = math.Sqrt(sum / float64(max(first.Len(), 1)))
			d.Alike = d.RMS < Alike
			out = append(out, d)
		}
	}
	slices.SortStableFunc(out, func(x, y Distance) int { return cmp.Or(cmp.Compare(x.A, y.A), cmp.Compare(x.B, y.B)) })
	return out, nil
}
