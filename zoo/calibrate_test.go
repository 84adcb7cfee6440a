package zoo

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// meanErrors are those of a member's answers for the rows that it was trained on, by column, with mirror images or without.
func meanErrors(t *testing.T, m *Model, member int, set *dataset.Set, flips bool) (out []float64) {
	t.Helper()
	rows, _, err := rowsOf(&m.Document.Members[member], set)
	if err != nil {
		t.Fatal(err)
	}
	part, p, err := predictRows(t.Context(), []*Model{m}, set, rows, PredictOptions{Backend: goBackend(t), FlipAverage: flips})
	if err != nil {
		t.Fatal(err)
	}
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

// Calibrated, the answers that the blueprint asks for, of mirror images too, have no mean error on the rows trained on;
// the weights are the same.
func TestCalibrate(t *testing.T) {
	set := faces(60, every, 4)
	for i := range set.Points { // labels that are no mirror images of each other
		if i%6 == 1 {
			set.Points[i] += 1.5
		}
	}
	set.Checksum = set.Sum()
	train := func(calibrate bool) TrainOptions {
		changes := fmt.Sprintf(`"epochs": 6, "batch": 10, "calibrate": %v`, calibrate)
		d := document(t, network{"eyes", eyes, linear, recipe(changes + `, "augment": {"mirror": {}}`), `, "output": {"flip_average": true}`},
			network{"nose", nose, dropout, recipe(changes), ""})
		return options(t, d, set)
	}
	plain := mustTrain(t, train(false))
	o := train(true)
	mustTrain(t, o)
	m := mustLoad(t, o.Output)
	if !maps.EqualFunc(m.Weights, plain.Weights, func(a, b engine.Array) bool { return slices.Equal(a.Data, b.Data) }) {
		t.Error("the weights differ from those without")
	}
	largest := func(m *Model, member int, flips bool) (most float64) {
		for _, v := range meanErrors(t, m, member, set, flips) {
			most = max(most, math.Abs(v))
		}
		return most
	}
	for member, flips := range []bool{true, false} {
		// The shift is kept to a thousandth.
		if before, after := largest(plain, member, flips), largest(m, member, flips); before < 0.05 || after > 0.00051 {
			t.Errorf("member %d: found mean errors up to %g before and %g after, want more than 0.05 and 0", member, before, after)
		}
	}
	if !reflect.DeepEqual(m.History, plain.History) {
		t.Errorf("found the history %+v, want %+v", m.History, plain.History)
	}

	// What one member found stays when the training is interrupted in the next.
	again := train(true)
	again.ResumePath = interrupt(t, again, 6*5+7)
	if again.Resume = mustLoad(t, again.ResumePath); again.Resume.State.Member != 1 || again.Resume.Document.Members[0].Output.Shift == nil {
		t.Fatalf("found a checkpoint in member %d, want 1, with the first's shift", again.Resume.State.Member)
	}
	sameModel(t, "resumed", mustTrain(t, again), m)

	// The mean of weights has the mean of shifts.
	mean, err := MeanWeights([]*Model{m, plain}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	for c, v := range mean.Document.Members[0].Output.Shift {
		if want := m.Document.Members[0].Output.Shift[c] / 2; v != want || len(mean.Document.Members[0].Output.Shift) != len(eyes) {
			t.Errorf("column %d: found a mean shift of %g, want %g", c, v, want)
		}
	}
}
