package check

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/twins"
)

// LabelNoise estimates by how much labels differ where the pictures don't. It is too high by what the model gets wrong in
// one picture of a pair and not in the other, and too low where it has learned the labels by heart.
type LabelNoise struct {
	Pairs  int     `json:"pairs"`  // of rows with nearly the same image, not mirrored
	Cells  int     `json:"cells"`  // filled in both rows of a pair, and answered
	Pixels float64 `json:"pixels"` // of one label along one axis: the root of half the mean squared difference of a pair's errors
	Error  float64 `json:"error"`  // its standard error, pixels, the pairs being independent; 0 for a single pair
}

// noise compares the model's errors on the rows of each pair: what is in the pictures, where the faces lie and what the
// model gets wrong in both, is gone from the difference. Exact copies say nothing: their labels are often copies too.
func (r *Report) noise(s *dataset.Set, found []twins.Twin) {
	if r.answers == nil {
		return
	}
	type pair struct{ sum, cells float64 } // of squared differences
	var pairs []pair
	var all pair
	n := len(r.answers.Columns)
	for _, w := range found {
		if w.Exact || w.Mirrored {
			continue
		}
		var p pair
		for c, name := range r.answers.Columns {
			at := s.Column(name)
			if at < 0 {
				continue
			}
			miss := func(row int) float64 { return float64(r.answers.Points[row*n+c]) - float64(s.Row(row)[at]) }
			if d := miss(w.Row) - miss(w.Other); d == d { // filled in both
				p.sum, p.cells = p.sum+d*d, p.cells+1
			}
		}
		if p.cells > 0 {
			pairs = append(pairs, p)
			all.sum, all.cells = all.sum+p.sum, all.cells+p.cells
		}
	}
	if len(pairs) == 0 {
		return
	}
	mean := all.sum / all.cells
	out := &LabelNoise{Pairs: len(pairs), Cells: int(all.cells), Pixels: math.Sqrt(mean / 2)}
	if k := float64(len(pairs)); k > 1 && mean > 0 { // that of a ratio of sums, and then of its root
		var squares float64
		for _, p := range pairs {
			e := p.sum - mean*p.cells
			squares += e * e
		}
		out.Error = math.Sqrt(squares*k/(k-1)) / all.cells / (4 * out.Pixels)
	}
	r.Noise = out
}
