package measure

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// A Part is some of the points of a set, those of which a like error was expected.
type Part struct {
	Points   int     `json:"points"`
	Expected float64 `json:"expected_pixels"` // the mean error that models expected,
	Found    float64 `json:"found_pixels"`    // and the mean distance from the truth that was found
}

// parts is how many parts points are sorted into.
const parts = 10

// Expected compares how far off models expected to be with how far off they are: ten parts of as many points, from those that they were
// surest of to those that they were least sure of. It is nil where no model knows.
func Expected(ctx context.Context, with *answer.Ensemble, set *dataset.Set) ([]Part, error) {
	p, expected, err := with.Expected(ctx, set, nil)
	if err != nil {
		return nil, err
	}
	type pair struct{ expected, found float64 }
	var all []pair
	for c, name := range p.Columns {
		at, other := set.Column(name), slices.Index(p.Columns, blueprint.Partner(name))
		if at < 0 || blueprint.IsY(name) && other >= 0 { // it has its part with its x
			continue
		}
		otherAt := -1
		if other >= 0 {
			otherAt = set.Column(p.Columns[other])
		}
		for i := range set.Len() {
			d := float64(p.Row(i)[c]) - float64(set.Row(i)[at])
			if otherAt >= 0 {
				d = math.Hypot(d, float64(p.Row(i)[other])-float64(set.Row(i)[otherAt]))
			}
			e := float64(expected[i*len(p.Columns)+c])
			if d == d && e == e {
				all = append(all, pair{e, math.Abs(d)})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(a.expected, b.expected) })
	var out []Part
	for k := range parts {
		some := all[k*len(all)/parts : (k+1)*len(all)/parts]
		if len(some) == 0 {
			continue
		}
		part := Part{Points: len(some)}
		for _, v := range some {
			part.Expected += v.expected / float64(len(some))
			part.Found += v.found / float64(len(some))
		}
		out = append(out, part)
	}
	return out, nil
}
