package check

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// LabelNoise is by how much labels differ where the pictures don't, which no model can foresee.
type LabelNoise struct {
	Pairs  int     `json:"pairs"`  // of rows with nearly the same image, not mirrored
	Cells  int     `json:"cells"`  // filled in both rows of a pair, and answered
	Pixels float64 `json:"pixels"` // of one label along one axis: the root of half the mean squared difference of a pair's errors
}

// noise compares the model's errors on the rows of each pair: what is in the pictures, where the faces lie and what the
// model gets wrong in both, is gone from the difference.
func (r *Report) noise(s *dataset.Set, twins []Twin) {
	if r.answers == nil {
		return
	}
	var out LabelNoise
	var sum float64
	n := len(r.answers.Columns)
	for _, w := range twins {
		if w.Exact || w.Mirrored {
			continue
		}
		cells := out.Cells
		for c, name := range r.answers.Columns {
			at := s.Column(name)
			if at < 0 {
				continue
			}
			miss := func(row int) float64 { return float64(r.answers.Points[row*n+c]) - float64(s.Row(row)[at]) }
			if d := miss(w.Row) - miss(w.Other); d == d { // filled in both
				sum, out.Cells = sum+d*d, out.Cells+1
			}
		}
		if out.Cells > cells {
			out.Pairs++
		}
	}
	if out.Cells > 0 {
		out.Pixels = math.Sqrt(sum / float64(out.Cells) / 2)
		r.Noise = &out
	}
}
