package figure

import (
	"math"

	"github.com/fkzoo/fkzoo/zoo/draw/chart"
	"github.com/fkzoo/fkzoo/zoo/measure"
)

// ColumnBars draw the error by column.
func ColumnBars(title string, s *measure.Score) *chart.Bars {
	out := &chart.Bars{Title: title, Value: "root-mean-square error in pixels", Other: "mean face"}
	for _, col := range s.Columns {
		bar := chart.Bar{Name: col.Name, Value: math.NaN(), Other: math.NaN()}
		if col.Cells > 0 {
			bar.Value, bar.Other = col.RMSEPixels, col.MeanFace
		}
		out.Bars = append(out.Bars, bar)
	}
	return out
}
