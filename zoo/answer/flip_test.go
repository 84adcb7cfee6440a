package answer_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// A flip average is the mean with the answer for the mirror image, turned back:
// by the formulas over images mirrored here.
func TestFlipAverage(t *testing.T) {
	set := zootest.Faces(5, zootest.Every, 9)
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	turned := *set
	turned.Bytes = nil
	for line := range slices.Chunk(set.Bytes, zootest.Side) {
		for i := range line {
			turned.Bytes = append(turned.Bytes, line[len(line)-1-i])
		}
	}
	plain, flipped := zootest.MeanAnswer(set, m), zootest.MeanAnswer(&turned, m)
	before := slices.Clone(set.Bytes)
	predict := func(m *model.Model, s *dataset.Set) *answer.Prediction {
		t.Helper()
		return answertest.Answer(t, s, true, m)
	}
	p := predict(m, set)
	from := map[string]string{"left_eye_center_x": "right_eye_center_x", "left_eye_center_y": "right_eye_center_y",
		"right_eye_center_x": "left_eye_center_x", "right_eye_center_y": "left_eye_center_y", "nose_tip_x": "nose_tip_x", "nose_tip_y": "nose_tip_y"}
	for r := range set.Len() {
		for c, name := range p.Columns {
			v := flipped[from[name]][r]
			if name[len(name)-1] == 'x' {
				v = zootest.Side - v
			}
			if want := (plain[name][r] + v) / 2; !zootest.Near(float64(p.Row(r)[c]), want, 2e-6) {
				t.Errorf("row %d, %s: found %g, want %g", r, name, p.Row(r)[c], want)
			}
		}
	}
	if !slices.Equal(set.Bytes, before) {
		t.Error("the set's images were changed")
	}

	// The average for a mirrored image is the mirrored average: exactly, in each coordinate.
	q := predict(m, &turned)
	for r := range set.Len() {
		for c, name := range p.Columns {
			v := float64(q.Row(r)[slices.Index(q.Columns, from[name])])
			if name[len(name)-1] == 'x' {
				v = zootest.Side - v
			}
			if !zootest.Near(float64(p.Row(r)[c]), v, 1e-6) {
				t.Errorf("row %d, %s: found %g and %g for the mirror image, want them symmetrical", r, name, p.Row(r)[c], v)
			}
		}
	}

	// A shift is added to the average, and not turned; none may be written as no numbers.
	m.Document.Members[0].Output.Shift = []float64{}
	if q := predict(m, set); !slices.Equal(q.Points, p.Points) {
		t.Error("a shift of no numbers: found other answers")
	}
	shift := []float64{0.5, -1, 0, 2, 0.25, -3}
	m.Document.Members[0].Output.Shift = shift
	q = predict(m, set)
	for i, v := range q.Points {
		if want := float64(p.Points[i]) + shift[i%len(shift)]; !zootest.Near(float64(v), want, 2e-6) {
			t.Errorf("shifted: found %g, want %g", v, want)
		}
	}

	// The recipe's own axis and pairs stand over those of the names.
	own := zootest.WithWeights(t, 1, zootest.Net("net", []string{"a_x", "b_x"}, zootest.Linear, zootest.Recipe(`"augment": {"mirror": {"axis": 7, "pairs": [[0, 1]]}}`), ""))
	plain, flipped = zootest.MeanAnswer(set, own), zootest.MeanAnswer(&turned, own)
	p = predict(own, set)
	for r := range set.Len() {
		if want := (plain["a_x"][r] + 7 - flipped["b_x"][r]) / 2; !zootest.Near(float64(p.Row(r)[0]), want, 2e-6) {
			t.Errorf("row %d: found %g, want %g", r, p.Row(r)[0], want)
		}
	}

	// Half a pair can't be mirrored.
	half := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Eyes[:2], zootest.Linear, zootest.Recipe(""), ""))
	_, err := answer.Open(t.Context(), []*model.Model{half}, answer.Options{Backend: zootest.GoBackend(t), FlipAverage: true})
	zootest.WantError(t, "half a pair", err, nil, "member net: flip average: ")
}

func TestMiscalibrated(t *testing.T) {
	made := func(merged bool, members ...string) *model.Model { // f: flips, c: calibrated
		m := &model.Model{Document: &blueprint.Document{}}
		for _, is := range members {
			one := blueprint.Member{Output: blueprint.Output{FlipAverage: strings.Contains(is, "f")}}
			if strings.Contains(is, "c") {
				one.Recipe.Calibrate, one.Output.Shift = true, []float64{1}
			}
			m.Document.Members = append(m.Document.Members, one)
		}
		if merged {
			m.Provenance.Merged = make([]model.MergedFrom, 2)
		}
		return m
	}
	for _, c := range []struct {
		name   string
		models []*model.Model
		want   bool // with what all models ask for
	}{
		{"flips", []*model.Model{made(false, "fc")}, false},
		{"doesn't", []*model.Model{made(false, "c")}, false},
		{"beside one that doesn't", []*model.Model{made(false, "fc"), made(false, "")}, true},
		{"not calibrated", []*model.Model{made(false, "f"), made(false, "c")}, false},
		{"trained together", []*model.Model{made(false, "fc", "c")}, false},
		{"merged", []*model.Model{made(true, "fc", "c")}, true},
	} {
		if got := answer.Miscalibrated(c.models, answer.FlipAverage(c.models)); got != c.want {
			t.Errorf("%s: found %v, want %v", c.name, got, c.want)
		}
	}
	if !answer.Miscalibrated([]*model.Model{made(false, "fc")}, false) {
		t.Error("without its flips: found false")
	}
}
