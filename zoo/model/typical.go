package model

import "github.com/fkzoo/fkzoo/specs/blueprint"

// kaggleFace is the mean face of the competition's training.csv, in pixels of 96x96, in the order of [blueprint.KaggleColumns]: what older
// models learned from.
var kaggleFace = [30]float64{
	66.359, 37.651, 30.306, 37.977, 59.159, 37.945, 73.330, 37.707, 36.653, 37.990, 22.385, 38.034, 56.068, 29.333, 79.483, 29.735,
	39.322, 29.503, 15.871, 30.428, 48.374, 62.716, 63.286, 75.971, 32.900, 76.180, 47.976, 72.919, 48.570, 78.970,
}

// Means gives each column's mean in the first of several data that has the column, with a filled cell.
func Means(of ...*DataFrom) map[string]float64 {
	out := map[string]float64{}
	for _, d := range of {
		for i, c := range d.Columns {
			if _, ok := out[c]; !ok && len(d.Mean) == len(d.Columns) && d.Mean[i] != 0 { // 0: no cell was filled
				out[c] = d.Mean[i]
			}
		}
	}
	return out
}

// Typical tells where each column's point lies on the mean of what the first of the models has learned that knows it, in pixels of their
// input; of Kaggle's columns, where none does, as in the competition's data.
func Typical(models []*Model) map[string]float64 {
	var learned []*DataFrom
	for _, m := range models {
		learned = append(learned, &m.Provenance.Data)
	}
	out := Means(learned...)
	for _, m := range models {
		for i, c := range blueprint.KaggleColumns {
			if _, ok := out[c]; !ok {
				side := m.Document.Input.Width
				if blueprint.IsY(c) {
					side = m.Document.Input.Height
				}
				out[c] = kaggleFace[i] * float64(side) / 96
			}
		}
	}
	return out
}
