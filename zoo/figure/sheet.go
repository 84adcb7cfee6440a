package figure

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/check"
	"github.com/fkzoo/fkzoo/zoo/draw"
	"github.com/fkzoo/fkzoo/zoo/measure"
)

// WorstSheet is the faces with the largest errors, truth and prediction.
func WorstSheet(set *dataset.Set, p *answer.Prediction) *draw.Sheet {
	const most = 24
	faces := measure.Worst(set, p)
	sheet := &draw.Sheet{Title: "worst faces: predicted (dots) and true (rings)"}
	addFaces(sheet, set, p, faces[:min(most, len(faces))])
	return sheet
}

// ExtremesSheet is the faces with the largest errors, and below them as many
// with the smallest. what says of which faces they are.
func ExtremesSheet(what string, set *dataset.Set, p *answer.Prediction) *draw.Sheet {
	const columns, most = 6, 12
	faces := measure.Worst(set, p)
	n := min(most, len(faces)/2)
	if n > columns {
		n -= n % columns // whole lines
	}
	worst, best := faces[:n], faces[len(faces)-n:]
	if n == 0 {
		worst = faces // one, or none
	}
	sheet := &draw.Sheet{Title: "worst and best " + what, Columns: max(1, min(columns, n))}
	addFaces(sheet, set, p, worst)
	addFaces(sheet, set, p, best)
	return sheet
}

// addFaces adds rows of a set to a sheet.
func addFaces(sheet *draw.Sheet, set *dataset.Set, p *answer.Prediction, faces []measure.RowScore) {
	for _, f := range faces {
		picture := Face(set, p, f.Row)
		picture.Note = fmt.Sprintf("%.2f px", f.RMSEPixels)
		sheet.Faces = append(sheet.Faces, picture)
	}
}

// FaultSheet is the worst rows of each finding, those of the worst findings first.
// test is the set that findings name rows of too; answers, to the set, may be nil.
// Without a row that has a fault the sheet has no faces.
func FaultSheet(r *check.Report, set, test *dataset.Set, answers *answer.Prediction) *draw.Sheet {
	const most, ofOne = 48, 12
	sheet := &draw.Sheet{Title: set.Source + ": faults"}
	add := func(s *dataset.Set, row int, id, note string) {
		p := answers
		if s != set {
			p = nil
		}
		face := Face(s, p, row)
		face.ID, face.Note = id, note
		sheet.Faces = append(sheet.Faces, face)
	}
	for _, f := range r.Findings {
		drawn := len(sheet.Faces)
		for _, row := range f.Rows {
			if len(sheet.Faces)-drawn >= ofOne || len(sheet.Faces) >= most {
				break
			}
			of := set
			if row.Test {
				of = test
			}
			add(of, row.Row, row.ID, f.Kind)
			if row.Other != nil {
				add(set, row.Other.Row, row.Other.ID, row.Text)
			}
		}
	}
	return sheet
}

// Face is a row's picture with its true points, where the set has some, and those
// answered, where there is a prediction: then the true ones are of its columns.
func Face(set *dataset.Set, p *answer.Prediction, row int) draw.Face {
	f := draw.Face{Height: set.Height, Width: set.Width, Channels: set.Channels, ID: filepath.Base(set.IDs[row])}
	n := set.Pixels()
	if set.Floats != nil {
		f.Floats = set.Floats[row*n : (row+1)*n]
	} else {
		f.Bytes = set.Bytes[row*n : (row+1)*n]
	}
	columns := set.Columns
	if p != nil {
		columns = p.Columns
		f.Predicted = pointsOf(columns, p.Row(row))
	}
	if len(set.Columns) > 0 {
		f.True = truth(set, columns, row)
	}
	return f
}

// pointsOf gives the coordinates that make whole points, x and y in turn.
func pointsOf(columns []string, values []float32) []float32 {
	out := make([]float32, 0, len(values))
	for c, name := range columns {
		if y := slices.Index(columns, blueprint.Partner(name)); y >= 0 && blueprint.IsX(name) {
			out = append(out, values[c], values[y])
		}
	}
	return out
}

// truth is pointsOf for a row of the set, NaN for columns that it lacks.
func truth(set *dataset.Set, columns []string, row int) []float32 {
	out := make([]float32, len(columns))
	for c, name := range columns {
		out[c] = float32(math.NaN())
		if at := set.Column(name); at >= 0 {
			out[c] = set.Row(row)[at]
		}
	}
	return pointsOf(columns, out)
}
