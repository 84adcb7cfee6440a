package train_test

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// meanErrors are those of a member's answers for the rows that it was trained on, by column.
func meanErrors(t *testing.T, m *model.Model, member int, set *dataset.Set) (out []float64) {
	t.Helper()
	rows, _, err := model.SplitRows(&m.Document.Members[member], set)
	if err != nil {
		t.Fatal(err)
	}
	part, err := set.Select(rows)
	if err != nil {
		t.Fatal(err)
	}
	p := answertest.Answer(t, part, answer.FlipAverage([]*model.Model{m}), m)
	for _, c := range m.Document.Members[member].Columns {
		var sum, n float64
		for i := range rows {
			if v := float64(part.Row(i)[part.Column(c)]); v == v {
				sum, n = sum+float64(p.Row(i)[slices.Index(p.Columns, c)])-v, n+1
			}
		}
		out = append(out, sum/n)
	}
	return out
}

// Calibrated, the answers that the blueprint asks for have no mean error on the rows trained on; weights and figures of
// the training are the same.
func TestCalibrate(t *testing.T) {
	const flips = `, "output": {"flip_average": true}`
	t.Run("flips", func(t *testing.T) { testCalibrate(t, flips, flips) })
	t.Run("one that flips, so none does", func(t *testing.T) { testCalibrate(t, flips, "") })
	t.Run("a shift of no numbers", func(t *testing.T) { testCalibrate(t, `, "output": {"shift": []}`, `, "output": {"shift": [0, 0]}`) })
}

func testCalibrate(t *testing.T, ofEyes, ofNose string) {
	set := zootest.Faces(60, zootest.Every, 4)
	for i := range set.Points { // labels that are no mirror images of each other
		if i%6 == 1 {
			set.Points[i] += 1.5
		}
	}
	set.Checksum = set.Sum()
	train := func(calibrate bool) train.Options {
		changes := fmt.Sprintf(`"epochs": 6, "batch": 10, "calibrate": %v`, calibrate)
		d := zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(changes+`, "augment": {"mirror": {}}`), ofEyes),
			zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(changes), ofNose))
		return traintest.Options(t, d, set)
	}
	plain := traintest.MustTrain(t, train(false))
	o := train(true)
	traintest.MustTrain(t, o)
	m := zootest.MustLoad(t, o.Output)
	if !maps.EqualFunc(m.Weights, plain.Weights, func(a, b engine.Array) bool { return slices.Equal(a.Data, b.Data) }) {
		t.Error("the weights differ from those without")
	}
	largest := func(m *model.Model, member int) (most float64) {
		for _, v := range meanErrors(t, m, member, set) {
			most = max(most, math.Abs(v))
		}
		return most
	}
	for member := range m.Document.Members {
		// The shift is kept to a thousandth.
		if before, after := largest(plain, member), largest(m, member); before < 0.05 || after > 0.00051 {
			t.Errorf("member %d: found mean errors up to %g before and %g after, want more than 0.05 and 0", member, before, after)
		}
	}
	if !reflect.DeepEqual(m.History, plain.History) {
		t.Errorf("found the history %+v, want %+v", m.History, plain.History)
	}

	// A checkpoint has nothing of it, also where a member is done.
	again := train(true)
	again.ResumePath = traintest.Interrupt(t, again, 6*5+7)
	again.Resume = zootest.MustLoad(t, again.ResumePath)
	if s, d := again.Resume.State, again.Resume.Document; s.Member != 1 || len(d.Members[0].Output.Shift) > 0 {
		t.Fatalf("found a checkpoint in member %d with the output %+v, want 1, and no shift", s.Member, d.Members[0].Output)
	}
	traintest.SameModel(t, "resumed", traintest.MustTrain(t, again), m)

	// The mean of weights has the mean of shifts.
	mean, err := model.MeanWeights([]*model.Model{m, plain}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	var half []float64
	for _, v := range m.Document.Members[0].Output.Shift {
		half = append(half, v/2)
	}
	if got := mean.Document.Members[0].Output.Shift; len(half) != len(zootest.Eyes) || !slices.Equal(got, half) {
		t.Errorf("found a mean shift of %v, want %v", got, half)
	}
}

// What can't be calibrated is kept as it is.
func TestCalibrateFails(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 4)
	o := traintest.Options(t, zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 1, "calibrate": true`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 1, "calibrate": true`), "")), set)
	m := traintest.MustTrain(t, o)
	m.Document = model.Uncalibrated(m.Document)
	for name, a := range m.Weights {
		if strings.HasPrefix(name, "eyes/") {
			a.Data[0] = float32(math.NaN())
		}
	}
	w := &traintest.Watch{}
	o.Watch = w
	train.Calibrated(t.Context(), o, m)
	if len(w.Notes) != 3 || !strings.HasPrefix(w.Notes[2], "eyes: how far off") || !strings.HasPrefix(w.Notes[0], "eyes: not calibrated") || !strings.Contains(w.Notes[0], "finite number") {
		t.Errorf("found %q told, want first and last what is wrong with eyes", w.Notes)
	}
	if e, n := m.Document.Members[0].Output.Shift, m.Document.Members[1].Output.Shift; len(e) != 0 || len(n) != len(zootest.Nose) {
		t.Errorf("found shifts %v and %v, want none of eyes and one of nose", e, n)
	}
	if e, n := m.Document.Members[0].Output.Uncertainty, m.Document.Members[1].Output.Uncertainty; e != nil || n == nil || len(n.Signal) != len(zootest.Nose) {
		t.Errorf("found uncertainties %v and %v, want none of eyes and one of nose", e, n)
	}
}
