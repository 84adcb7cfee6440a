package zootest

import (
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Half is scale and offset of y for images of this side: half their width.
const Half = Side / 2.0

// regression is a network of one dense layer in float64, by the formulas alone.
type regression struct {
	columns []string
	Weights [][]float64 // by pixel and column
	bias    []float64
}

func RegressionOf(w engine.Arrays, member string, columns []string) *regression {
	r := &regression{columns: columns}
	n := len(columns)
	for p := range Side * Side {
		r.Weights = append(r.Weights, nil)
		for c := range n {
			r.Weights[p] = append(r.Weights[p], float64(w[member+"/out/weights"].Data[p*n+c]))
		}
	}
	for _, v := range w[member+"/out/bias"].Data {
		r.bias = append(r.bias, float64(v))
	}
	return r
}

// answer gives y for a row's image.
func (g *regression) answer(s *dataset.Set, row int) []float64 {
	y := slices.Clone(g.bias)
	for p := range Side * Side {
		x := float64(s.Bytes[row*Side*Side+p]) / 255
		for c := range y {
			y[c] += x * g.Weights[p][c]
		}
	}
	return y
}

// pixels gives the answer as coordinates.
func (g *regression) pixels(s *dataset.Set, row int) []float64 {
	y := g.answer(s, row)
	for c := range y {
		y[c] = y[c]*Half + Half
	}
	return y
}

// Truth gives y of a cell, and whether it is filled.
func Truth(s *dataset.Set, row int, column string) (float64, bool) {
	v := float64(s.Row(row)[s.Column(column)])
	return (v - Half) / Half, !math.IsNaN(v)
}

// Error gives loss (mse, or huber with delta 1) and RMSE in pixels over the rows' filled cells.
func (g *regression) Error(s *dataset.Set, rows []int, huber bool) (loss, rmse float64) {
	cells, squares := 0.0, 0.0
	for _, r := range rows {
		for c, y := range g.answer(s, r) {
			want, ok := Truth(s, r, g.columns[c])
			if !ok {
				continue
			}
			d := y - want
			switch {
			case !huber:
				loss += d * d
			case math.Abs(d) <= 1:
				loss += d * d / 2
			default:
				loss += math.Abs(d) - 0.5
			}
			squares += d * d * Half * Half
			cells++
		}
	}
	return loss / cells, math.Sqrt(squares / cells)
}

// Step goes down the gradient over all rows at once.
func (g *regression) Step(s *dataset.Set, rows []int, huber bool, rate float64) {
	cells := 0.0
	weights, bias := make([][]float64, Side*Side), make([]float64, len(g.bias))
	for p := range weights {
		weights[p] = make([]float64, len(g.bias))
	}
	for _, r := range rows {
		for c, y := range g.answer(s, r) {
			want, ok := Truth(s, r, g.columns[c])
			if !ok {
				continue
			}
			cells++
			d := 2 * (y - want)
			if huber {
				d = min(max(y-want, -1), 1)
			}
			bias[c] += d
			for p := range weights {
				weights[p][c] += d * float64(s.Bytes[r*Side*Side+p]) / 255
			}
		}
	}
	for c := range bias {
		g.bias[c] -= rate * bias[c] / cells
		for p := range weights {
			g.Weights[p][c] -= rate * weights[p][c] / cells
		}
	}
}

// RowNumbers are 0 to n-1.
func RowNumbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// UsableRows picks rows as the documentation says, without the zoo's help.
func UsableRows(s *dataset.Set, columns []string, complete bool) []int {
	var out []int
	for r := range s.Len() {
		filled := 0
		for _, c := range columns {
			if _, ok := Truth(s, r, c); ok {
				filled++
			}
		}
		if filled == len(columns) || !complete && filled > 0 {
			out = append(out, r)
		}
	}
	return out
}

// MeanAnswer gives each column's answers: the members' mean by their weights.
func MeanAnswer(set *dataset.Set, models ...*model.Model) map[string][]float64 {
	out, weights := map[string][]float64{}, map[string]float64{}
	for _, m := range models {
		for _, member := range m.Document.Members {
			weight := member.Weight
			if weight == 0 {
				weight = 1
			}
			g := RegressionOf(m.Weights, member.Name, member.Columns)
			for c, name := range member.Columns {
				if out[name] == nil {
					out[name] = make([]float64, set.Len())
				}
				weights[name] += weight
				for r := range set.Len() {
					out[name][r] += weight * g.pixels(set, r)[c]
				}
			}
		}
	}
	for name, rows := range out {
		for r := range rows {
			rows[r] /= weights[name]
		}
	}
	return out
}

// HeldOutRows are those that some member validated on and none was trained on.
func HeldOutRows(set *dataset.Set, m *model.Model) []int {
	var out []int
	for r := range set.Len() {
		trained, held := false, false
		for _, member := range m.Document.Members {
			train, validation := dataset.Split(UsableRows(set, member.Columns, member.Recipe.CompleteRows()), member.Recipe.Validation, m.Provenance.Seed)
			trained = trained || slices.Contains(train, r)
			held = held || slices.Contains(validation, r)
		}
		if held && !trained {
			out = append(out, r)
		}
	}
	return out
}

func ColumnMean(set *dataset.Set, column string) float64 {
	var sum, n float64
	for r := range set.Len() {
		if y, ok := Truth(set, r, column); ok {
			sum, n = sum+y*Half+Half, n+1
		}
	}
	return sum / n
}
