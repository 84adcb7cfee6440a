package zoo

import (
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// half is scale and offset of y for images of this side: half their width.
const half = side / 2.0

// regression is a network of one dense layer in float64, by the formulas alone.
type regression struct {
	columns []string
	weights [][]float64 // by pixel and column
	bias    []float64
}

func regressionOf(w engine.Arrays, member string, columns []string) *regression {
	r := &regression{columns: columns}
	n := len(columns)
	for p := range side * side {
		r.weights = append(r.weights, nil)
		for c := range n {
			r.weights[p] = append(r.weights[p], float64(w[member+"/out/weights"].Data[p*n+c]))
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
	for p := range side * side {
		x := float64(s.Bytes[row*side*side+p]) / 255
		for c := range y {
			y[c] += x * g.weights[p][c]
		}
	}
	return y
}

// pixels gives the answer as coordinates.
func (g *regression) pixels(s *dataset.Set, row int) []float64 {
	y := g.answer(s, row)
	for c := range y {
		y[c] = y[c]*half + half
	}
	return y
}

// truth gives y of a cell, and whether it is filled.
func truth(s *dataset.Set, row int, column string) (float64, bool) {
	v := float64(s.Row(row)[s.Column(column)])
	return (v - half) / half, !math.IsNaN(v)
}

// error gives loss (mse, or huber with delta 1) and RMSE in pixels over the rows' filled cells.
func (g *regression) error(s *dataset.Set, rows []int, huber bool) (loss, rmse float64) {
	cells, squares := 0.0, 0.0
	for _, r := range rows {
		for c, y := range g.answer(s, r) {
			want, ok := truth(s, r, g.columns[c])
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
			squares += d * d * half * half
			cells++
		}
	}
	return loss / cells, math.Sqrt(squares / cells)
}

// step goes down the gradient over all rows at once.
func (g *regression) step(s *dataset.Set, rows []int, huber bool, rate float64) {
	cells := 0.0
	weights, bias := make([][]float64, side*side), make([]float64, len(g.bias))
	for p := range weights {
		weights[p] = make([]float64, len(g.bias))
	}
	for _, r := range rows {
		for c, y := range g.answer(s, r) {
			want, ok := truth(s, r, g.columns[c])
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
				weights[p][c] += d * float64(s.Bytes[r*side*side+p]) / 255
			}
		}
	}
	for c := range bias {
		g.bias[c] -= rate * bias[c] / cells
		for p := range weights {
			g.weights[p][c] -= rate * weights[p][c] / cells
		}
	}
}

// rowNumbers are 0 to n-1.
func rowNumbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// usableRows picks rows as the documentation says, without the zoo's help.
func usableRows(s *dataset.Set, columns []string, complete bool) []int {
	var out []int
	for r := range s.Len() {
		filled := 0
		for _, c := range columns {
			if _, ok := truth(s, r, c); ok {
				filled++
			}
		}
		if filled == len(columns) || !complete && filled > 0 {
			out = append(out, r)
		}
	}
	return out
}

// Training a linear network over whole batches gives, epoch by epoch, the
// losses, errors and weights that the formulas give in float64.
func TestTrainAgreesWithFormulas(t *testing.T) {
	set := faces(40, every, 5)
	reordered := withColumns(set, []string{"nose_tip_y", "right_eye_center_x", "left_eye_center_y", "nose_tip_x", "left_eye_center_x", "right_eye_center_y"})
	for _, c := range []struct {
		name     string
		set      *dataset.Set
		columns  [][]string // of each member
		changes  string
		complete bool
		huber    bool
		share    float64
	}{
		{"filled cells", set, [][]string{every}, ``, false, false, 0.25},
		{"complete rows", set, [][]string{every}, `"loss": {"kind": "mse"}`, true, false, 0.25},
		{"none held out", set, [][]string{every}, `"validation": 0`, false, false, 0},
		{"most held out", set, [][]string{every}, `"validation": 0.9`, false, false, 0.9},
		{"huber", set, [][]string{every}, `"loss": {"kind": "huber", "rows": "filled"}`, false, true, 0.25},
		{"data in another order", reordered, [][]string{every}, ``, false, false, 0.25},
		{"two members", set, [][]string{eyes, nose}, `"loss": {"kind": "mse", "rows": "complete"}`, true, false, 0.25},
		{"two members of one column", reordered, [][]string{nose, every}, ``, false, false, 0.25},
	} {
		t.Run(c.name, func(t *testing.T) {
			var members []network
			for i, columns := range c.columns {
				members = append(members, network{string(rune('a' + i)), columns, linear, recipe(c.changes), ""})
			}
			o := options(t, document(t, members...), c.set)
			m := mustTrain(t, o)
			for i, columns := range c.columns {
				name := members[i].name
				plan, err := blueprint.NewPlan(m.Document, i, nil)
				if err != nil {
					t.Fatal(err)
				}
				g := regressionOf(engine.InitialWeights(plan, o.Seed), name, columns)
				rows := usableRows(c.set, columns, c.complete)
				train, held := dataset.Split(rows, c.share, o.Seed)
				if len(held) != int(c.share*float64(len(rows))) || len(train)+len(held) != len(rows) {
					t.Fatalf("split into %d and %d of %d", len(train), len(held), len(rows))
				}
				h := m.History[i]
				for e := range 4 {
					loss, _ := g.error(c.set, train, c.huber)
					if !near(h.TrainLoss[e], loss, 1e-5) {
						t.Errorf("%s, epoch %d: found train loss %g, want %g", name, e+1, h.TrainLoss[e], loss)
					}
					g.step(c.set, train, c.huber, 0.05)
					if h.Rate[e] != 0.05 {
						t.Errorf("%s, epoch %d: found rate %g", name, e+1, h.Rate[e])
					}
					if len(held) == 0 {
						continue
					}
					loss, rmse := g.error(c.set, held, c.huber)
					if !near(h.ValidationLoss[e], loss, 1e-5) || !near(h.RMSEPixels[e], rmse, 1e-5) {
						t.Errorf("%s, epoch %d: found validation loss %g and %g pixels, want %g and %g", name, e+1, h.ValidationLoss[e], h.RMSEPixels[e], loss, rmse)
					}
				}
				if (len(held) == 0) != (len(h.ValidationLoss) == 0) {
					t.Errorf("%s: found %d validation losses, want some only where rows are held out", name, len(h.ValidationLoss))
				}
				for k, v := range m.Weights[name+"/out/weights"].Data {
					if want := g.weights[k/len(columns)][k%len(columns)]; !near(float64(v), want, 1e-5) {
						t.Fatalf("%s: weight %d is %g, want %g", name, k, v, want)
					}
				}
			}
			wantEvaluation(t, c.set, m, o.Data)
		})
	}
}

// wantEvaluation compares Evaluate over the training data with the formulas:
// whole, by member, by column, the rows held out, the mean face.
func wantEvaluation(t *testing.T, set *dataset.Set, m *Model, data *dataset.Set) {
	t.Helper()
	e, p, err := Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
	if err != nil {
		t.Fatal(err)
	}
	want := meanAnswer(set, m)
	held := heldOutRows(set, m)
	for _, part := range []struct {
		name string
		rows []int
		got  *Score
	}{{"all rows", rowNumbers(set.Len()), &e.Score}, {"held out", held, e.HeldOut}} {
		if len(part.rows) == 0 {
			if part.got != nil {
				t.Errorf("%s: found %d rows, want none", part.name, part.got.Rows)
			}
			continue
		}
		var squares, face float64
		cells := 0
		for c, name := range p.Columns {
			var sum, faceSum float64
			n := 0
			for _, r := range part.rows {
				if y, ok := truth(set, r, name); ok {
					d := want[name][r] - (y*half + half)
					f := columnMean(data, name) - (y*half + half)
					sum, faceSum, n = sum+d*d, faceSum+f*f, n+1
				}
			}
			squares, face, cells = squares+sum, face+faceSum, cells+n
			got := part.got.Columns[c]
			if got.Name != name || got.Cells != n || n > 0 && !(near(got.RMSEPixels, math.Sqrt(sum/float64(n)), 1e-5) && near(got.MeanFace, math.Sqrt(faceSum/float64(n)), 1e-5)) {
				t.Errorf("%s, column %s: found %+v, want %d cells, %g pixels, mean face %g", part.name, name, got, n, math.Sqrt(sum/float64(n)), math.Sqrt(faceSum/float64(n)))
			}
		}
		n := float64(cells)
		if g := part.got; g.Rows != len(part.rows) || g.Cells != cells || !near(g.RMSEPixels, math.Sqrt(squares/n), 1e-5) || !near(g.MeanFace, math.Sqrt(face/n), 1e-5) {
			t.Errorf("%s: found %d rows, %d cells, %g pixels, mean face %g, want %d, %d, %g, %g", part.name, g.Rows, g.Cells, g.RMSEPixels, g.MeanFace,
				len(part.rows), cells, math.Sqrt(squares/n), math.Sqrt(face/n))
		}
		if m.Document.Members[0].Recipe.Loss.Kind == "mse" && !near(part.got.Loss, squares/n/half/half, 1e-5) {
			t.Errorf("%s: found loss %g, want %g", part.name, part.got.Loss, squares/n/half/half)
		}
	}
	for i, member := range m.Document.Members {
		_, rmse := regressionOf(m.Weights, member.Name, member.Columns).error(set, rowNumbers(set.Len()), false)
		if got := e.Members[i]; got.Member != member.Name || !near(got.RMSEPixels, rmse, 1e-5) {
			t.Errorf("member %s: found %+v, want %g pixels", member.Name, got, rmse)
		}
	}
}

// meanAnswer gives each column's answers: the members' mean by their weights.
func meanAnswer(set *dataset.Set, models ...*Model) map[string][]float64 {
	out, weights := map[string][]float64{}, map[string]float64{}
	for _, m := range models {
		for _, member := range m.Document.Members {
			weight := member.Weight
			if weight == 0 {
				weight = 1
			}
			g := regressionOf(m.Weights, member.Name, member.Columns)
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

// heldOutRows are those that some member validated on and none was trained on.
func heldOutRows(set *dataset.Set, m *Model) []int {
	var out []int
	for r := range set.Len() {
		trained, held := false, false
		for _, member := range m.Document.Members {
			train, validation := dataset.Split(usableRows(set, member.Columns, member.Recipe.CompleteRows()), member.Recipe.Validation, m.Provenance.Seed)
			trained = trained || slices.Contains(train, r)
			held = held || slices.Contains(validation, r)
		}
		if held && !trained {
			out = append(out, r)
		}
	}
	return out
}

func columnMean(set *dataset.Set, column string) float64 {
	var sum, n float64
	for r := range set.Len() {
		if y, ok := truth(set, r, column); ok {
			sum, n = sum+y*half+half, n+1
		}
	}
	return sum / n
}
