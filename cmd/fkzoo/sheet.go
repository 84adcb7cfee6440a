package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/draw"
	"github.com/fkzoo/fkzoo/zoo/measure"
)

// checkSheet refuses a --sheet that can't be written, before any work is done.
func checkSheet(c *cli.Context, inputs ...string) error {
	path := c.String("sheet")
	if path != "" && !strings.HasSuffix(path, ".png") {
		return usagef("sheet %s: want a name that ends in .png", path)
	}
	return checkFree(path, c.Bool("force"), inputs...)
}

// worstSheet draws the faces with the largest errors, truth and prediction.
func worstSheet(path string, set *dataset.Set, prediction *answer.Prediction, force bool) error {
	const most = 24
	faces := measure.Worst(set, prediction)
	sheet := draw.Sheet{Title: "worst faces: predicted (dots) and true (rings)"}
	addFaces(&sheet, set, prediction, faces[:min(most, len(faces))])
	return sheet.Write(path, force)
}

// extremesSheet draws the faces with the largest errors, and below them as many
// with the smallest.
func extremesSheet(path, what string, set *dataset.Set, prediction *answer.Prediction, force bool) error {
	const columns, most = 6, 12
	faces := measure.Worst(set, prediction)
	n := min(most, len(faces)/2)
	if n > columns {
		n -= n % columns // whole lines
	}
	worst, best := faces[:n], faces[len(faces)-n:]
	if n == 0 {
		worst = faces // one, or none
	}
	sheet := draw.Sheet{Title: "worst and best " + what, Columns: max(1, min(columns, n))}
	addFaces(&sheet, set, prediction, worst)
	addFaces(&sheet, set, prediction, best)
	return sheet.Write(path, force)
}

// addFaces adds rows of a set to a sheet.
func addFaces(sheet *draw.Sheet, set *dataset.Set, prediction *answer.Prediction, faces []measure.RowScore) {
	for _, f := range faces {
		picture := faceOf(set, prediction, f.Row)
		picture.True = truth(set, prediction.Columns, f.Row)
		picture.Note = fmt.Sprintf("%.2f px", f.RMSEPixels)
		sheet.Faces = append(sheet.Faces, picture)
	}
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
