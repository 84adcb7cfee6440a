package measure_test

import (
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

func TestResults(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	o := traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising), set)
	traintest.MustTrain(t, o)
	m, err := model.Describe(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	r, err := measure.ResultOf(m, "m.fkz")
	if err != nil {
		t.Fatal(err)
	}
	h := m.History[0]
	best := h.BestEpoch - 1
	if r.Parameters != 64*6+6 || r.Epochs != 8 || !r.Finished || *r.TrainLoss != h.TrainLoss[7] || *r.ValidationLoss != h.ValidationLoss[7] ||
		*r.BestLoss != slices.Min(h.ValidationLoss) || *r.RMSEPixels != h.RMSEPixels[7] || *r.BestRMSE != h.RMSEPixels[best] || *r.MeanFace != h.HeldOut.MeanFace {
		t.Errorf("found %+v of %+v", r, h)
	}
	// Several members: by the cells held out.
	o = traintest.Options(t, zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising+`, "stop": {"patience": 1}`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"batch": 6`), "")), set)
	m = traintest.MustTrain(t, o)
	if r, err = measure.ResultOf(m, "m.fkz"); err != nil {
		t.Fatal(err)
	}
	e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	a, b := m.History[0].HeldOut, m.History[1].HeldOut
	want := math.Sqrt((float64(a.Cells)*a.RMSEPixels*a.RMSEPixels + float64(b.Cells)*b.RMSEPixels*b.RMSEPixels) / float64(a.Cells+b.Cells))
	if !zootest.Near(*r.RMSEPixels, want, 1e-12) || e.HeldOut != nil && e.HeldOut.Cells == a.Cells+b.Cells && !zootest.Near(*r.RMSEPixels, e.HeldOut.RMSEPixels, 1e-6) {
		t.Errorf("found %g, want %g", *r.RMSEPixels, want)
	}
	// Nothing held out, nothing trained.
	o = traintest.Options(t, zootest.One(t, zootest.Linear, `"validation": 0`), set)
	m = traintest.MustTrain(t, o)
	m.History[0] = model.MemberHistory{Member: "net"}
	if r, err = measure.ResultOf(m, "m.fkz"); err != nil || r.TrainLoss != nil || r.RMSEPixels != nil || r.MeanFace != nil {
		t.Errorf("found %+v (%v)", r, err)
	}
}
