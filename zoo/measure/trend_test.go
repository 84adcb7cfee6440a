package measure

import (
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// numpy.polyfit([0, 1, 2, 3, 4, 5], [5, 4, 4.5, 2, 1.5, 1], 1, cov=True) and its value at 5.
func TestSlope(t *testing.T) {
	b, deviation, end := slope([]float64{5, 4, 4.5, 2, 1.5, 1})
	if !zootest.Near(b, -0.8571428571428572, 1e-12) || !zootest.Near(deviation, 0.15319721849662296, 1e-12) || !zootest.Near(end, 0.857142857142857, 1e-12) {
		t.Errorf("found slope %v, error %v, end %v", b, deviation, end)
	}
}

func TestTrend(t *testing.T) {
	falls := func(n int, noise float64) (h model.MemberHistory) {
		for i := range n {
			v := 1 - 0.01*float64(i) + noise*float64(i*7%5-2)
			h.TrainLoss, h.ValidationLoss = append(h.TrainLoss, v), append(h.ValidationLoss, v)
		}
		return h
	}
	dip := falls(40, 0)
	dip.ValidationLoss[20] = 0.4 // a lucky epoch: the line meets 0.4 at epoch 60, counted from 0
	flat := model.MemberHistory{TrainLoss: make([]float64, 30)}
	for i := range 30 {
		flat.ValidationLoss = append(flat.ValidationLoss, 1+0.1*float64(i*7%5))
	}
	for _, c := range []struct {
		name             string
		h                model.MemberHistory
		epochs           int
		falling          bool
		patience, needed int
		says             string
	}{
		{"falls evenly", falls(20, 0), 10, true, 1, 1, "it was still falling"},
		{"a lucky epoch", dip, 15, true, 40, 1, "in time for a patience of 40; the best so far needed 1."},
		{"flat", flat, 20, false, 0, 1, "it was no longer falling"},
		{"two epochs", falls(2, 0), 10, false, 0, 1, "Too few epochs"},
		{"none", model.MemberHistory{}, 10, false, 0, 0, "Too few epochs"},
	} {
		got := TrendOf(&c.h, c.epochs)
		if got.Falling != c.falling || got.Patience != c.patience || got.Needed != c.needed || !strings.Contains(got.String(), c.says) {
			t.Errorf("%s: found %+v: %s", c.name, got, got)
		}
	}
}
