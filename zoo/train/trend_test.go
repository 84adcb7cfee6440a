package train_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// Stopping early says where the losses were heading.
func TestStoppedTooSoon(t *testing.T) {
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 12, "batch": 6, "stop": {"patience": 2}`), zootest.Faces(30, zootest.Every, 7))
	w := &traintest.Watch{}
	o.Watch = w
	traintest.MustTrain(t, o)
	if !w.Noted("epochs the validation loss changed by +") || !w.Noted("it was no longer falling") {
		t.Errorf("found notes %q", w.Notes)
	}
	o = traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": 0.001, "epochs": 12, "batch": 6`), zootest.Faces(30, zootest.Every, 7))
	o.Watch = w
	traintest.MustTrain(t, o)
	if !w.Noted("at the end of its epochs, over the last 5 epochs the validation loss changed by -") {
		t.Errorf("found notes %q", w.Notes)
	}
}

// A loss that is still a number, but of no use, ends the training, too.
func TestExploding(t *testing.T) {
	o := traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": 1.5, "epochs": 9, "batch": 5`), zootest.Faces(40, zootest.Every, 1))
	o.Every = train.Every{Epochs: 1}
	_, err := train.Run(t.Context(), o)
	zootest.WantError(t, "exploding", err, engine.ErrDiverged, "from where no training comes back, from batch ")
	if err != nil && !strings.Contains(err.Error(), "checkpoint") {
		t.Errorf("error is %v, want one that names a checkpoint", err)
	}
}

// What was held out, and what the mean face and the weights that stayed give there, is in the model.
func TestHeldOutRecord(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	for _, stop := range []string{"", `, "stop": {"patience": 2}`} {
		o := traintest.Options(t, zootest.One(t, zootest.Linear, `"rate": {"kind": "linear", "from": 0.02, "to": 0.25}, "epochs": 9, "batch": 6`+stop), set)
		traintest.MustTrain(t, o)
		m := zootest.MustLoad(t, o.Output)
		e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		h := m.History[0].HeldOut
		if h.Rows != 7 || h.Cells != e.HeldOut.Cells || h.Numbers != nil || !zootest.Near(h.MeanFace, e.HeldOut.MeanFace, 1e-6) ||
			!zootest.Near(h.Loss, e.HeldOut.Loss, 1e-6) || !zootest.Near(h.RMSEPixels, e.HeldOut.RMSEPixels, 1e-6) {
			t.Errorf("stop %q: found %+v, want as evaluated: %+v", stop, h, fmt.Sprintf("%+v", e.HeldOut))
		}
	}
}
