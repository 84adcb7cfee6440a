package measure_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

func evaluate(t *testing.T, s *dataset.Set, models ...*model.Model) *measure.Evaluation {
	t.Helper()
	e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, models...), s, nil)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// trained is a linear model of that data, with weights that start from a model's, or none's.
func trained(t *testing.T, set *dataset.Set, start *model.Model) *model.Model {
	t.Helper()
	o := traintest.Options(t, zootest.One(t, zootest.Linear, ``), set)
	o.Start = start
	return traintest.MustTrain(t, o)
}

func TestEvaluate(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 3)
	m := trained(t, set, nil)
	whole := evaluate(t, set, m)
	if whole.HeldOut == nil || whole.HeldOut.Rows != len(zootest.HeldOutRows(set, m)) || whole.Backend != "go" {
		t.Fatalf("found %+v held out", whole.HeldOut)
	}

	// A set that lacks columns, or has them in another order, gives the same errors for those that it has.
	part := evaluate(t, zootest.WithColumns(set, []string{"nose_tip_y", "left_eye_center_x"}), m)
	if part.HeldOut != nil || len(part.Columns) != 2 {
		t.Errorf("found %d columns and %v held out, want 2 and none: it is not the training's data", len(part.Columns), part.HeldOut)
	}
	for _, c := range part.Columns {
		if i := slices.IndexFunc(whole.Columns, func(w measure.ColumnScore) bool { return w.Name == c.Name }); whole.Columns[i] != c {
			t.Errorf("found %+v, want %+v", c, whole.Columns[i])
		}
	}

	// A column without a filled cell counts for nothing.
	empty := zootest.WithColumns(set, zootest.Every)
	for i := range empty.Points {
		if i%len(zootest.Every) == 0 {
			empty.Points[i] = float32(math.NaN())
		}
	}
	e := evaluate(t, empty, m)
	if c := e.Columns[0]; c.Cells != 0 || c.RMSEPixels != 0 || c.MeanFace != 0 || e.Cells != whole.Cells-whole.Columns[0].Cells {
		t.Errorf("found %+v and %d cells in all", c, e.Cells)
	}
}

// Rows are held out only where no model was trained on them, and each model has the data.
func TestEvaluateHeldOut(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 3)
	m := trained(t, set, nil)
	again := traintest.Options(t, zootest.One(t, zootest.Linear, ``), set)
	again.Seed = 4
	second := traintest.MustTrain(t, again)
	var both []int
	for _, r := range zootest.HeldOutRows(set, m) {
		if slices.Contains(zootest.HeldOutRows(set, second), r) {
			both = append(both, r)
		}
	}
	if e := evaluate(t, set, m, second); (e.HeldOut == nil) != (len(both) == 0) || e.HeldOut != nil && e.HeldOut.Rows != len(both) {
		t.Errorf("found %+v held out by both, want rows %v", e.HeldOut, both)
	}
	foreign := trained(t, zootest.Faces(20, zootest.Every, 4), nil)
	if e := evaluate(t, set, m, foreign); e.HeldOut != nil {
		t.Errorf("found %+v held out beside a model of other data, want none", e.HeldOut)
	}

	// Nor are they known where the weights started, near or far, from a model of the same data.
	elsewhere := zootest.Faces(20, zootest.Every, 5)
	for _, c := range []struct {
		name    string
		model   *model.Model
		unknown bool
	}{
		{"of the same data", trained(t, set, m), true},
		{"of other data", trained(t, set, foreign), false},
		{"of the same data, two models back", trained(t, set, trained(t, elsewhere, m)), true},
	} {
		if e := evaluate(t, set, c.model); e.HeldOutUnknown != c.unknown || (e.HeldOut == nil) != c.unknown {
			t.Errorf("started from a model %s: found unknown %v and %+v held out, want unknown %v", c.name, e.HeldOutUnknown, e.HeldOut, c.unknown)
		}
	}
	old := trained(t, set, foreign)
	old.Provenance.StartData = nil // before it was recorded
	if e := evaluate(t, set, old); !e.HeldOutUnknown || e.HeldOut != nil {
		t.Errorf("started from a model of unknown data: found %+v held out", e.HeldOut)
	}
}

// The mean face is that of the training's data; for columns that it lacked, of the set.
func TestMeanFace(t *testing.T) {
	set := zootest.Faces(20, zootest.Every, 3)
	other := zootest.Faces(30, zootest.Every, 12)
	eyesModel := traintest.MustTrain(t, traintest.Options(t, zootest.Document(t, zootest.Net("net", zootest.Eyes, zootest.Linear, zootest.Recipe(""), "")), zootest.WithColumns(set, zootest.Eyes)))
	noseModel := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Nose, zootest.Linear, zootest.Recipe(""), ""))
	e := evaluate(t, other, eyesModel, noseModel)
	for _, c := range e.Columns {
		from := set
		if slices.Contains(zootest.Nose, c.Name) {
			from = other
		}
		var sum, n float64
		for r := range other.Len() {
			if y, ok := zootest.Truth(other, r, c.Name); ok {
				d := zootest.ColumnMean(from, c.Name) - (y*zootest.Half + zootest.Half)
				sum, n = sum+d*d, n+1
			}
		}
		if want := math.Sqrt(sum / n); !zootest.Near(c.MeanFace, want, 1e-6) {
			t.Errorf("%s: found mean face %g, want %g", c.Name, c.MeanFace, want)
		}
	}
	// Nor has a column a mean of which no cell was filled.
	unfilled := &model.Model{Provenance: model.Provenance{Data: model.DataFrom{Columns: []string{zootest.Nose[0]}, Mean: []float64{0}}}}
	if got, want := measure.MeanFace([]*model.Model{unfilled}, other)[zootest.Nose[0]], zootest.ColumnMean(other, zootest.Nose[0]); !zootest.Near(got, want, 1e-6) {
		t.Errorf("a column without a filled cell: found mean face %g, want the other set's, %g", got, want)
	}
}

func TestEvaluateRefuses(t *testing.T) {
	m := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(""), ""))
	for _, c := range []struct {
		name string
		set  *dataset.Set
		want string
	}{
		{"no column of the model's", zootest.Faces(3, []string{"mouth_x"}, 1), "faces.csv: none of its columns is one of the model's: found [mouth_x], want some of [left_eye_center_x"},
		{"no columns", zootest.Faces(3, nil, 1), "faces.csv: found 3 rows with 0 columns, want points"},
		{"no rows", &dataset.Set{Columns: zootest.Every, Source: "faces.csv"}, "found 0 rows"},
		{"no filled cell", func() *dataset.Set {
			s := zootest.Faces(2, zootest.Nose, 1)
			for i := range s.Points {
				s.Points[i] = float32(math.NaN())
			}
			return s
		}(), "faces.csv: none of the model's columns has a filled cell"},
	} {
		_, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), c.set, nil)
		zootest.WantError(t, c.name, err, nil, c.want)
	}
}

// Two members of a document, each with the loss and the rows of its own.
func TestEvaluateMembers(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 3)
	d := zootest.Document(t, zootest.Net("a", zootest.Every, zootest.Linear, zootest.Recipe(`"loss": {"kind": "mse"}, "validation": 0.5`), ""),
		zootest.Net("b", zootest.Nose, zootest.Linear, zootest.Recipe(`"loss": {"kind": "huber", "rows": "filled"}, "validation": 0.3`), `, "weight": 3`))
	m := traintest.MustTrain(t, traintest.Options(t, d, set))
	e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		columns []string
		huber   bool
	}{{zootest.Every, false}, {zootest.Nose, true}} {
		name := fmt.Sprintf("%c", 'a'+i)
		loss, rmse := zootest.RegressionOf(m.Weights, name, c.columns).Error(set, zootest.RowNumbers(set.Len()), c.huber)
		if got := e.Members[i]; got.Member != name || got.Model != 0 || !zootest.Near(got.Loss, loss, 1e-5) || !zootest.Near(got.RMSEPixels, rmse, 1e-5) {
			t.Errorf("member %s: found %+v, want loss %g, %g pixels", name, got, loss, rmse)
		}
	}
	if want := zootest.HeldOutRows(set, m); len(want) == 0 || e.HeldOut == nil || e.HeldOut.Rows != len(want) {
		t.Errorf("found %+v held out, want rows %v", e.HeldOut, want)
	}
}
