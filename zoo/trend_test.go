package zoo

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
)

// numpy.polyfit([0, 1, 2, 3, 4, 5], [5, 4, 4.5, 2, 1.5, 1], 1, cov=True) and its value at 5.
func TestSlope(t *testing.T) {
	b, deviation, end := slope([]float64{5, 4, 4.5, 2, 1.5, 1})
	if !near(b, -0.8571428571428572, 1e-12) || !near(deviation, 0.15319721849662296, 1e-12) || !near(end, 0.857142857142857, 1e-12) {
		t.Errorf("found slope %v, error %v, end %v", b, deviation, end)
	}
}

func TestTrend(t *testing.T) {
	falls := func(n int, noise float64) (h MemberHistory) {
		for i := range n {
			v := 1 - 0.01*float64(i) + noise*float64(i*7%5-2)
			h.TrainLoss, h.ValidationLoss = append(h.TrainLoss, v), append(h.ValidationLoss, v)
		}
		return h
	}
	dip := falls(40, 0)
	dip.ValidationLoss[20] = 0.4 // a lucky epoch: the line meets 0.4 at epoch 60, counted from 0
	flat := MemberHistory{TrainLoss: make([]float64, 30)}
	for i := range 30 {
		flat.ValidationLoss = append(flat.ValidationLoss, 1+0.1*float64(i*7%5))
	}
	for _, c := range []struct {
		name             string
		h                MemberHistory
		epochs           int
		falling          bool
		patience, needed int
		says             string
	}{
		{"falls evenly", falls(20, 0), 10, true, 1, 1, "it was still falling"},
		{"a lucky epoch", dip, 15, true, 40, 1, "in time for a patience of 40; the best so far needed 1."},
		{"flat", flat, 20, false, 0, 1, "it was no longer falling"},
		{"two epochs", falls(2, 0), 10, false, 0, 1, "Too few epochs"},
		{"none", MemberHistory{}, 10, false, 0, 0, "Too few epochs"},
	} {
		got := TrendOf(&c.h, c.epochs)
		if got.Falling != c.falling || got.Patience != c.patience || got.Needed != c.needed || !strings.Contains(got.String(), c.says) {
			t.Errorf("%s: found %+v: %s", c.name, got, got)
		}
	}
}

// Stopping early says where the losses were heading.
func TestStoppedTooSoon(t *testing.T) {
	o := options(t, one(t, linear, `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 12, "batch": 6, "stop": {"patience": 2}`), faces(30, every, 7))
	w := &watch{}
	o.Watch = w
	mustTrain(t, o)
	if !w.noted("epochs the validation loss changed by +") || !w.noted("it was no longer falling") {
		t.Errorf("found notes %q", w.notes)
	}
	o = options(t, one(t, linear, `"rate": 0.001, "epochs": 12, "batch": 6`), faces(30, every, 7))
	o.Watch = w
	mustTrain(t, o)
	if !w.noted("at the end of its epochs, over the last 5 epochs the validation loss changed by -") {
		t.Errorf("found notes %q", w.notes)
	}
}

// A loss that is still a number, but of no use, ends the training, too.
func TestExploding(t *testing.T) {
	o := options(t, one(t, linear, `"rate": 1.5, "epochs": 9, "batch": 5`), faces(40, every, 1))
	o.Every = Every{Epochs: 1}
	_, err := Train(t.Context(), o)
	wantError(t, "exploding", err, engine.ErrDiverged, "from where no training comes back, from batch ")
	if err != nil && !strings.Contains(err.Error(), "checkpoint") {
		t.Errorf("error is %v, want one that names a checkpoint", err)
	}
}

// What was held out, and what the mean face and the weights that stayed give there, is in the model.
func TestHeldOutRecord(t *testing.T) {
	set := faces(30, every, 7)
	for _, stop := range []string{"", `, "stop": {"patience": 2}`} {
		o := options(t, one(t, linear, `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 9, "batch": 6`+stop), set)
		mustTrain(t, o)
		m := mustLoad(t, o.Output)
		e, _, err := Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
		if err != nil {
			t.Fatal(err)
		}
		h := m.History[0].HeldOut
		if h.Rows != 7 || h.Cells != e.HeldOut.Cells || h.Numbers != nil || !near(h.MeanFace, e.HeldOut.MeanFace, 1e-6) ||
			!near(h.Loss, e.HeldOut.Loss, 1e-6) || !near(h.RMSEPixels, e.HeldOut.RMSEPixels, 1e-6) {
			t.Errorf("stop %q: found %+v, want as evaluated: %+v", stop, h, fmt.Sprintf("%+v", e.HeldOut))
		}
	}
}
