package measure_test

import (
	"slices"
	"testing"

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
