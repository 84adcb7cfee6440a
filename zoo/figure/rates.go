package figure

import (
	"github.com/fkzoo/fkzoo/zoo/draw/chart"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// RateCurves draws sweeps: the loss over the learning rate.
func RateCurves(name string, sweeps []*train.RateSweep) *chart.Curves {
	c := &chart.Curves{Title: name, XAxis: "learning rate", XLog: true, Series: [2]string{"loss of a batch", "smoothed"}}
	for _, s := range sweeps {
		run := chart.Run{X: s.Rates, Train: s.Losses, Validation: s.Smoothed}
		if len(sweeps) > 1 {
			run.Name = s.Member
		}
		c.Runs = append(c.Runs, run)
	}
	return c
}
