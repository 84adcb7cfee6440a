package figure

import (
	"github.com/fkzoo/fkzoo/zoo/draw/chart"
	"github.com/fkzoo/fkzoo/zoo/measure"
)

// Expected draws how well the errors that models expect hold.
func Expected(title string, parts []measure.Part) *chart.Curves {
	var run chart.Run
	for _, p := range parts {
		if n := len(run.X); n > 0 && !(p.Expected > run.X[n-1]) {
			continue // of models that expect the same everywhere
		}
		run.X = append(run.X, p.Expected)
		run.Train, run.Validation = append(run.Train, p.Found), append(run.Validation, p.Expected)
	}
	return &chart.Curves{Title: title, XAxis: "expected error, pixels", YAxis: "mean error, pixels", Marks: true,
		Series: [2]string{"found", "as expected"}, Runs: []chart.Run{run}}
}
