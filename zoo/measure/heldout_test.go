package measure_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// What a model is shown to do is what it does on rows that it hasn't learned from.
func TestHeldOutAnswers(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	for _, c := range []struct {
		name    string
		members []zootest.Network
		folds   int
		held    bool
		rows    int
	}{
		{"one", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(`"epochs": 2`), "")}, 0, true, 0},
		{"none held out", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(`"epochs": 2, "validation": 0`), "")}, 0, false, 30},
		{"two", []zootest.Network{zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(`"epochs": 2`), ""), zootest.Net("nose", zootest.Nose, zootest.Linear, zootest.Recipe(`"epochs": 2`), "")}, 0, true, 0},
		{"folds", []zootest.Network{zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(`"epochs": 2`), "")}, 3, true, 30},
	} {
		d := zootest.Document(t, c.members...)
		if c.folds > 0 {
			var err error
			if d, err = recipe.Folded(d, c.folds); err != nil {
				t.Fatal(err)
			}
		}
		m := traintest.MustTrain(t, traintest.Options(t, d, set))
		part, p, held, err := measure.HeldOutAnswers(t.Context(), answertest.Open(t, m), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		e, all, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.rows == 0 {
			c.rows = e.HeldOut.Rows
		}
		if held != c.held || part.Len() != c.rows || len(p.Points) != part.Len()*len(p.Columns) {
			t.Fatalf("%s: found %d rows and %d points, held out %v, want %d and %v", c.name, part.Len(), len(p.Points), held, c.rows, c.held)
		}
		s := measure.NewScorer(d, 0, part, measure.MeanFace([]*model.Model{m}, set))
		score, want := s.Compare(p.Columns, zootest.RowNumbers(part.Len()), p.Row), e.Score
		switch {
		case c.folds > 0:
			want = *e.OutOfFold
			for i, id := range part.IDs {
				if slices.Equal(p.Row(i), all.Row(slices.Index(set.IDs, id))) {
					t.Errorf("%s: row %s is answered as by all members", c.name, id)
				}
			}
		case c.held:
			want = *e.HeldOut
		}
		if score.Cells != want.Cells || !zootest.Near(score.RMSEPixels, want.RMSEPixels, 1e-5) {
			t.Errorf("%s: found %g pixels over %d cells, want those of evaluate, %g over %d", c.name, score.RMSEPixels, score.Cells, want.RMSEPixels, want.Cells)
		}
	}
}

// The weights of the models count out of fold as they do on all rows, and where only one hasn't learned from a row, its answer
// is the whole one. A model of weight 0 leaves the others' places as they are.
func TestWeightsOutOfFold(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	of := func(seed uint64, recipes ...string) *model.Model {
		var members []zootest.Network
		for i, r := range recipes {
			members = append(members, zootest.Net(fmt.Sprintf("net%d", i), zootest.Every, zootest.Linear, zootest.Recipe(r), ""))
		}
		m := zootest.WithWeights(t, seed, members...)
		m.Provenance.Data = model.DataFrom{Source: set.Source, Checksum: set.Checksum}
		return m
	}
	a := of(1, `"fold": {"number": 1, "of": 2}`, `"fold": {"number": 2, "of": 2}`)
	b := of(2, `"validation": 0.4`)
	unseen := func(weights []float64, models ...*model.Model) (*answer.Prediction, []int) {
		t.Helper()
		e := answertest.OpenWith(t, answer.Options{Weights: weights}, models...)
		p, rows, err := measure.OutOfFold(t.Context(), e, set, nil)
		if err != nil {
			t.Fatal(err)
		}
		return p, rows
	}
	pa, _ := unseen(nil, a)
	pb, heldOut := unseen(nil, b)
	got, rows := unseen([]float64{9, 1}, a, b)
	if len(rows) != set.Len() || len(heldOut) == 0 || len(heldOut) == set.Len() {
		t.Fatalf("found %d rows out of fold and %d held out, want all and some", len(rows), len(heldOut))
	}
	for r := range set.Len() {
		for c := range got.Columns {
			want := float64(pa.Row(r)[c])
			if slices.Contains(heldOut, r) {
				want = (9*want + float64(pb.Row(r)[c])) / 10
			}
			if !zootest.Near(float64(got.Row(r)[c]), want, 1e-5) {
				t.Errorf("row %d, column %d: found %g, want %g", r, c, got.Row(r)[c], want)
			}
		}
	}

	e, _, err := measure.Evaluate(t.Context(), answertest.OpenWith(t, answer.Options{Weights: []float64{9, 1}}, a, b), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := measure.NewScorer(a.Document, 0, set, measure.MeanFace([]*model.Model{a, b}, set))
	if want := s.Compare(got.Columns, rows, got.Row); e.OutOfFold == nil || !zootest.Near(e.OutOfFold.RMSEPixels, want.RMSEPixels, 1e-9) {
		t.Errorf("found %+v out of fold, want %g pixels", e.OutOfFold, want.RMSEPixels)
	}

	e, _, err = measure.Evaluate(t.Context(), answertest.OpenWith(t, answer.Options{Weights: []float64{0, 1, 2}}, b, a, b), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	var places []int
	for _, m := range e.Members {
		places = append(places, m.Model)
	}
	if want := []int{1, 1, 2}; !slices.Equal(places, want) {
		t.Errorf("found members of the models %v, want %v", places, want)
	}
}
