package train_test

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// Training a linear network over whole batches gives, epoch by epoch, the
// losses, errors and weights that the formulas give in float64.
func TestTrainAgreesWithFormulas(t *testing.T) {
	set := zootest.Faces(40, zootest.Every, 5)
	reordered := zootest.WithColumns(set, []string{"nose_tip_y", "right_eye_center_x", "left_eye_center_y", "nose_tip_x", "left_eye_center_x", "right_eye_center_y"})
	for _, c := range []struct {
		name     string
		set      *dataset.Set
		columns  [][]string // of each member
		changes  string
		complete bool
		huber    bool
		share    float64
	}{
		{"filled cells", set, [][]string{zootest.Every}, ``, false, false, 0.25},
		{"complete rows", set, [][]string{zootest.Every}, `"loss": {"kind": "mse"}`, true, false, 0.25},
		{"none held out", set, [][]string{zootest.Every}, `"validation": 0`, false, false, 0},
		{"most held out", set, [][]string{zootest.Every}, `"validation": 0.9`, false, false, 0.9},
		{"huber", set, [][]string{zootest.Every}, `"loss": {"kind": "huber", "rows": "filled"}`, false, true, 0.25},
		{"data in another order", reordered, [][]string{zootest.Every}, ``, false, false, 0.25},
		{"two members", set, [][]string{zootest.Eyes, zootest.Nose}, `"loss": {"kind": "mse", "rows": "complete"}`, true, false, 0.25},
		{"two members of one column", reordered, [][]string{zootest.Nose, zootest.Every}, ``, false, false, 0.25},
	} {
		t.Run(c.name, func(t *testing.T) {
			var members []zootest.Network
			for i, columns := range c.columns {
				members = append(members, zootest.Net(string(rune('a'+i)), columns, zootest.Linear, zootest.Recipe(c.changes), ""))
			}
			o := traintest.Options(t, zootest.Document(t, members...), c.set)
			m := traintest.MustTrain(t, o)
			for i, columns := range c.columns {
				name := members[i].Name
				plan, err := blueprint.NewPlan(m.Document, i, nil)
				if err != nil {
					t.Fatal(err)
				}
				g := zootest.RegressionOf(engine.InitialWeights(plan, o.Seed), name, columns)
				rows := zootest.UsableRows(c.set, columns, c.complete)
				train, held := dataset.Split(rows, c.share, o.Seed)
				if len(held) != int(c.share*float64(len(rows))) || len(train)+len(held) != len(rows) {
					t.Fatalf("split into %d and %d of %d", len(train), len(held), len(rows))
				}
				h := m.History[i]
				for e := range 4 {
					loss, _ := g.Error(c.set, train, c.huber)
					if !zootest.Near(h.TrainLoss[e], loss, 1e-5) {
						t.Errorf("%s, epoch %d: found train loss %g, want %g", name, e+1, h.TrainLoss[e], loss)
					}
					g.Step(c.set, train, c.huber, 0.05)
					if h.Rate[e] != 0.05 {
						t.Errorf("%s, epoch %d: found rate %g", name, e+1, h.Rate[e])
					}
					if len(held) == 0 {
						continue
					}
					loss, rmse := g.Error(c.set, held, c.huber)
					if !zootest.Near(h.ValidationLoss[e], loss, 1e-5) || !zootest.Near(h.RMSEPixels[e], rmse, 1e-5) {
						t.Errorf("%s, epoch %d: found validation loss %g and %g pixels, want %g and %g", name, e+1, h.ValidationLoss[e], h.RMSEPixels[e], loss, rmse)
					}
				}
				if (len(held) == 0) != (len(h.ValidationLoss) == 0) {
					t.Errorf("%s: found %d validation losses, want some only where rows are held out", name, len(h.ValidationLoss))
				}
				for k, v := range m.Weights[name+"/out/weights"].Data {
					if want := g.Weights[k/len(columns)][k%len(columns)]; !zootest.Near(float64(v), want, 1e-5) {
						t.Fatalf("%s: weight %d is %g, want %g", name, k, v, want)
					}
				}
			}
			wantEvaluation(t, c.set, m, o.Data)
		})
	}
}

// wantEvaluation compares Evaluate over the training data with the formulas:
// whole, by member, by column, the rows held out, the mean face.
func wantEvaluation(t *testing.T, set *dataset.Set, m *model.Model, data *dataset.Set) {
	t.Helper()
	e, p, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := zootest.MeanAnswer(set, m)
	held := zootest.HeldOutRows(set, m)
	for _, part := range []struct {
		name string
		rows []int
		got  *measure.Score
	}{{"all rows", zootest.RowNumbers(set.Len()), &e.Score}, {"held out", held, e.HeldOut}} {
		if len(part.rows) == 0 {
			if part.got != nil {
				t.Errorf("%s: found %d rows, want none", part.name, part.got.Rows)
			}
			continue
		}
		var squares, face float64
		cells := 0
		for c, name := range p.Columns {
			var sum, faceSum float64
			n := 0
			for _, r := range part.rows {
				if y, ok := zootest.Truth(set, r, name); ok {
					d := want[name][r] - (y*zootest.Half + zootest.Half)
					f := zootest.ColumnMean(data, name) - (y*zootest.Half + zootest.Half)
					sum, faceSum, n = sum+d*d, faceSum+f*f, n+1
				}
			}
			squares, face, cells = squares+sum, face+faceSum, cells+n
			got := part.got.Columns[c]
			if got.Name != name || got.Cells != n || n > 0 && !(zootest.Near(got.RMSEPixels, math.Sqrt(sum/float64(n)), 1e-5) && zootest.Near(got.MeanFace, math.Sqrt(faceSum/float64(n)), 1e-5)) {
				t.Errorf("%s, column %s: found %+v, want %d cells, %g pixels, mean face %g", part.name, name, got, n, math.Sqrt(sum/float64(n)), math.Sqrt(faceSum/float64(n)))
			}
		}
		n := float64(cells)
		if g := part.got; g.Rows != len(part.rows) || g.Cells != cells || !zootest.Near(g.RMSEPixels, math.Sqrt(squares/n), 1e-5) || !zootest.Near(g.MeanFace, math.Sqrt(face/n), 1e-5) {
			t.Errorf("%s: found %d rows, %d cells, %g pixels, mean face %g, want %d, %d, %g, %g", part.name, g.Rows, g.Cells, g.RMSEPixels, g.MeanFace,
				len(part.rows), cells, math.Sqrt(squares/n), math.Sqrt(face/n))
		}
		if m.Document.Members[0].Recipe.Loss.Kind == "mse" && !zootest.Near(part.got.Loss, squares/n/zootest.Half/zootest.Half, 1e-5) {
			t.Errorf("%s: found loss %g, want %g", part.name, part.got.Loss, squares/n/zootest.Half/zootest.Half)
		}
	}
	for i, member := range m.Document.Members {
		_, rmse := zootest.RegressionOf(m.Weights, member.Name, member.Columns).Error(set, zootest.RowNumbers(set.Len()), false)
		if got := e.Members[i]; got.Member != member.Name || !zootest.Near(got.RMSEPixels, rmse, 1e-5) {
			t.Errorf("member %s: found %+v, want %g pixels", member.Name, got, rmse)
		}
	}
}
