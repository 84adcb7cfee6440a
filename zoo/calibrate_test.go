package zoo

import (
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// meanErrors are those of a member's answers for the rows that it was trained on, by column.
func meanErrors(t *testing.T, m *Model, member int, set *dataset.Set) (out []float64) {
	t.Helper()
	rows, _, err := rowsOf(&m.Document.Members[member], set)
	if err != nil {
		t.Fatal(err)
	}
	part, err := set.Select(rows)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Predict(t.Context(), []*Model{m}, part, PredictOptions{Backend: goBackend(t), FlipAverage: FlipAverage([]*Model{m})})
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

// Calibrated, the answers that the blueprint asks for have no mean error on the rows trained on; weights and figures of
// the training are the same.
func TestCalibrate(t *testing.T) {
	const flips = `, "output": {"flip_average": true}`
	t.Run("flips", func(t *testing.T) { testCalibrate(t, flips, flips) })
	t.Run("one that flips, so none does", func(t *testing.T) { testCalibrate(t, flips, "") })
	t.Run("a shift of no numbers", func(t *testing.T) { testCalibrate(t, `, "output": {"shift": []}`, `, "output": {"shift": [0, 0]}`) })
}

func testCalibrate(t *testing.T, ofEyes, ofNose string) {
	set := faces(60, every, 4)
	for i := range set.Points { // labels that are no mirror images of each other
		if i%6 == 1 {
			set.Points[i] += 1.5
		}
	}
	set.Checksum = set.Sum()
	train := func(calibrate bool) TrainOptions {
		changes := fmt.Sprintf(`"epochs": 6, "batch": 10, "calibrate": %v`, calibrate)
		d := document(t, network{"eyes", eyes, linear, recipe(changes + `, "augment": {"mirror": {}}`), ofEyes},
			network{"nose", nose, dropout, recipe(changes), ofNose})
		return options(t, d, set)
	}
	plain := mustTrain(t, train(false))
	o := train(true)
	mustTrain(t, o)
	m := mustLoad(t, o.Output)
	if !maps.EqualFunc(m.Weights, plain.Weights, func(a, b engine.Array) bool { return slices.Equal(a.Data, b.Data) }) {
		t.Error("the weights differ from those without")
	}
	largest := func(m *Model, member int) (most float64) {
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
	again.ResumePath = interrupt(t, again, 6*5+7)
	again.Resume = mustLoad(t, again.ResumePath)
	if s, d := again.Resume.State, again.Resume.Document; s.Member != 1 || len(d.Members[0].Output.Shift) > 0 {
		t.Fatalf("found a checkpoint in member %d with the output %+v, want 1, and no shift", s.Member, d.Members[0].Output)
	}
	sameModel(t, "resumed", mustTrain(t, again), m)

	// The mean of weights has the mean of shifts.
	mean, err := MeanWeights([]*Model{m, plain}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	var half []float64
	for _, v := range m.Document.Members[0].Output.Shift {
		half = append(half, v/2)
	}
	if got := mean.Document.Members[0].Output.Shift; len(half) != len(eyes) || !slices.Equal(got, half) {
		t.Errorf("found a mean shift of %v, want %v", got, half)
	}
}

// What can't be calibrated is kept as it is.
func TestCalibrateFails(t *testing.T) {
	set := faces(20, every, 4)
	o := options(t, document(t, network{"eyes", eyes, linear, recipe(`"epochs": 1, "calibrate": true`), ""}, network{"nose", nose, linear, recipe(`"epochs": 1, "calibrate": true`), ""}), set)
	m := mustTrain(t, o)
	m.Document = Uncalibrated(m.Document)
	for name, a := range m.Weights {
		if strings.HasPrefix(name, "eyes/") {
			a.Data[0] = float32(math.NaN())
		}
	}
	w := &watch{}
	o.Watch = w
	calibrated(t.Context(), o, m)
	if len(w.notes) != 2 || !strings.HasPrefix(w.notes[0], "eyes: not calibrated") || !strings.Contains(w.notes[0], "finite number") {
		t.Errorf("found %q told, want first what is wrong with eyes", w.notes)
	}
	if e, n := m.Document.Members[0].Output.Shift, m.Document.Members[1].Output.Shift; len(e) != 0 || len(n) != len(nose) {
		t.Errorf("found shifts %v and %v, want none of eyes and one of nose", e, n)
	}
}
