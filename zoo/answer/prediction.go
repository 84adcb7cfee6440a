package answer

import (
	"slices"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Prediction is what models answer for the rows of a set.
type Prediction struct {
	Columns []string
	Points  []float32 // [rows, columns], pixels of the set's images
}

// Row is row i's answer.
func (p *Prediction) Row(i int) []float32 {
	return p.Points[i*len(p.Columns) : (i+1)*len(p.Columns)]
}

// Original gives row i's answer in pixels of the picture that the row was read from.
func (p *Prediction) Original(s *dataset.Set, i int) []float32 {
	out := slices.Clone(p.Row(i))
	scale := s.Scale(i)
	for c, name := range p.Columns {
		out[c] *= scale.Along(name)
	}
	return out
}

// MemberPrediction is one member's answer.
type MemberPrediction struct {
	Model, Member int     // the model's place in [Ensemble.Models], the member's in the model
	Weight        float64 // in the mean
	Learned       []bool  // rows that have no part in the mean; nil: all have
	Prediction
}

// Mean combines members' answers for so many rows: each column is the mean of all
// that give it, by their weights, and NaN where nobody answers; who answers NaN has no
// part. Columns are those of the first member, then what later ones add.
func Mean(all []MemberPrediction, rows int) *Prediction {
	index := map[string]int{}
	out := &Prediction{}
	for _, p := range all {
		for _, c := range p.Columns {
			if _, ok := index[c]; !ok {
				index[c] = len(out.Columns)
				out.Columns = append(out.Columns, c)
			}
		}
	}
	n := len(out.Columns)
	sums, weights := make([]float64, rows*n), make([]float64, rows*n)
	for _, p := range all {
		for c, name := range p.Columns {
			at := index[name]
			for r := range rows {
				if p.Learned != nil && p.Learned[r] {
					continue
				}
				if v := float64(p.Points[r*len(p.Columns)+c]); v == v {
					weights[r*n+at] += p.Weight
					sums[r*n+at] += p.Weight * v
				}
			}
		}
	}
	out.Points = make([]float32, len(sums))
	for i, s := range sums {
		out.Points[i] = float32(s / weights[i])
	}
	return out
}
