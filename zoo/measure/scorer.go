package measure

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Scorer compares answers with a set's points.
type Scorer struct {
	set   *dataset.Set
	grid  *blueprint.Grid         // of answers that are boxes
	loss  func(d float64) float64 // of a cell, in units of y
	scale float64                 // pixels in a unit of y
	face  map[string]float64      // the mean face
}

// NewScorer compares by the loss and in the units of a document's member. face is
// the mean face by column, in pixels: see [MeanFace].
func NewScorer(d *blueprint.Document, member int, set *dataset.Set, face map[string]float64) *Scorer {
	m := &d.Members[member]
	s := &Scorer{set: set, loss: engine.LossOf(m.Recipe.Loss), face: face}
	s.scale, _ = m.Affine(d.Input)
	if m.Boxes() {
		if plan, err := blueprint.NewPlan(d, member, nil); err == nil { // else it couldn't have answered
			grid := plan.Grid()
			s.grid = &grid
		}
	}
	return s
}

// score compares the answers to these rows of the set; a prediction is of all rows.
func (s *Scorer) score(p *answer.Prediction, rows []int) Score {
	return s.Compare(p.Columns, rows, func(i int) []float32 { return p.Row(rows[i]) })
}

// Compare compares answers, which are found by their place in rows, with these
// rows of the set.
func (s *Scorer) Compare(columns []string, rows []int, answer func(i int) []float32) Score {
	if s.grid != nil {
		return s.boxes(columns, rows, answer)
	}
	out := Score{Rows: len(rows)}
	var loss, squares, face float64
	for c, name := range columns {
		at := s.set.Column(name)
		if at < 0 {
			continue
		}
		column := ColumnScore{Name: name}
		var sum, sumFace float64
		for i, r := range rows {
			truth := s.set.Row(r)[at]
			if math.IsNaN(float64(truth)) {
				continue
			}
			d := float64(answer(i)[c]) - float64(truth)
			m := s.face[name] - float64(truth)
			sum += d * d
			sumFace += m * m
			loss += s.loss(d / s.scale)
			column.Cells++
		}
		column.RMSEPixels, column.MeanFace = root(sum, column.Cells), root(sumFace, column.Cells)
		out.Columns = append(out.Columns, column)
		out.Cells += column.Cells
		squares += sum
		face += sumFace
	}
	out.Loss = loss / float64(max(out.Cells, 1))
	out.RMSEPixels, out.MeanFace = root(squares, out.Cells), root(face, out.Cells)
	return out
}

// boxes compares answers of boxes: the loss is over all that is taught, the error in pixels that of the sides of boxes in the cells that
// have one. The mean face's is that of y = 0 there.
func (s *Scorer) boxes(columns []string, rows []int, answer func(i int) []float32) Score {
	out := Score{Rows: len(rows)}
	n := s.grid.Values()
	y, filled, cells := make([]float32, n), make([]float32, n), make([]float32, len(columns))
	var loss, squares, nothing float64
	var edges int
	for i, r := range rows {
		for c, name := range columns {
			cells[c] = float32(math.NaN())
			if at := s.set.Column(name); at >= 0 {
				cells[c] = s.set.Row(r)[at]
			}
		}
		s.grid.Targets(blueprint.BoxesOf(cells), y, filled)
		found := answer(i)
		for k, v := range y {
			if filled[k] == 1 {
				loss += s.loss(float64(found[k]) - float64(v))
				out.Cells++
			}
		}
		sum, zero, count := s.grid.Sides(y, filled, found)
		squares, nothing, edges = squares+sum, nothing+zero, edges+count
	}
	out.Loss = loss / float64(max(out.Cells, 1))
	out.RMSEPixels, out.MeanFace = root(squares, edges), root(nothing, edges)
	return out
}

func root(sum float64, n int) float64 { return math.Sqrt(sum / float64(max(n, 1))) }

// MeanFace gives each column's mean in the training data of the first model
// that had the column, with a filled cell, or else in the set.
func MeanFace(models []*model.Model, set *dataset.Set) map[string]float64 {
	var all []*model.DataFrom
	for _, m := range models {
		all = append(all, &m.Provenance.Data)
	}
	own := model.DataOf(set)
	return model.Means(append(all, &own)...)
}

func allRows(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
