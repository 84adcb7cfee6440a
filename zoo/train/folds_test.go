package train_test

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
	"github.com/fkzoo/fkzoo/zoo/train/recipe"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// folded is a document of two members in three folds.
func folded(t *testing.T) *blueprint.Document {
	t.Helper()
	d, err := recipe.Folded(zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising), ""), zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(traintest.Rising), "")), 3)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Each member in folds is what a training without its fold gives, holds out its
// own rows, and the figures out of fold are those of each row's own member.
func TestFolds(t *testing.T) {
	set := zootest.Faces(31, zootest.Every, 7)
	d := folded(t)
	o := traintest.Options(t, d, set)
	traintest.MustTrain(t, o)
	m := zootest.MustLoad(t, o.Output)
	if len(m.Document.Members) != 6 || m.Document.Members[3].Name != "nose-fold2" {
		t.Fatalf("found members %d, the fourth %s", len(m.Document.Members), m.Document.Members[3].Name)
	}
	out := map[string][]int{}
	for i, h := range m.History {
		of := m.Document.Members[i].Name[:4]
		out[of] = append(out[of], h.HeldOut.Numbers...)
		train, validation, err := model.SplitRows(&m.Document.Members[i], set)
		if err != nil || len(train)+len(validation) < 25 {
			t.Fatal(err, len(train), len(validation))
		}
		slices.Sort(validation)
		if !slices.Equal(h.HeldOut.Numbers, validation) {
			t.Errorf("%s: found rows %v recorded, want %v", h.Member, h.HeldOut.Numbers, validation)
		}
	}
	for of, rows := range out {
		slices.Sort(rows)
		if len(rows) < 25 || len(slices.Compact(slices.Clone(rows))) != len(rows) {
			t.Errorf("%s: found rows %v held out, want each once", of, rows)
		}
	}

	p, rows, err := measure.OutOfFold(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil || len(rows) < 29 {
		t.Fatalf("found %d rows out of fold (%v)", len(rows), err)
	}
	all, err := answertest.Open(t, m).Members(t.Context(), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	var squares float64
	cells := 0
	for r := range set.Len() {
		for c, name := range p.Columns {
			var sum, n float64
			for i, h := range m.History {
				at := slices.Index(m.Document.Members[i].Columns, name)
				usable, err := model.UsableRows(&m.Document.Members[i], set)
				if err != nil {
					t.Fatal(err)
				}
				if at >= 0 && (slices.Contains(h.HeldOut.Numbers, r) || !slices.Contains(usable, r)) {
					sum, n = sum+float64(all[i].Row(r)[at]), n+1
				}
			}
			if found := float64(p.Row(r)[c]); !zootest.Near(found, sum/n, 1e-5) {
				t.Errorf("row %d, %s: found %g, want %g", r, name, found, sum/n)
			}
			if truth := set.Row(r)[set.Column(name)]; n == 1 && !math.IsNaN(float64(truth)) {
				squares += math.Pow(sum-float64(truth), 2)
				cells++
			}
		}
	}
	pooled, ok := m.OutOfFold()
	if want := math.Sqrt(squares / float64(cells)); !ok || pooled.Cells != cells || !zootest.Near(pooled.RMSEPixels, want, 1e-5) {
		t.Errorf("found %+v out of fold, want %g pixels over %d cells", pooled, want, cells)
	}
	e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil || e.OutOfFold == nil || e.HeldOut != nil || !zootest.Near(e.OutOfFold.RMSEPixels, pooled.RMSEPixels, 1e-5) {
		t.Errorf("found evaluation %+v (%v), want the same out of fold", e, err)
	}
	if _, _, err := measure.OutOfFold(t.Context(), answertest.Open(t, m), zootest.Faces(31, zootest.Every, 8), nil); err == nil {
		t.Error("found no error for other data")
	}
}

// Interrupted and resumed, it is the same.
func TestFoldsResumed(t *testing.T) {
	set := zootest.Faces(31, zootest.Every, 7)
	d := folded(t)
	whole := traintest.MustTrain(t, traintest.Options(t, d, set))
	o := traintest.Options(t, d, set)
	part := traintest.Options(t, nil, set)
	part.ResumePath = traintest.Interrupt(t, o, 61)
	part.Resume, part.Output = zootest.MustLoad(t, part.ResumePath), filepath.Join(t.TempDir(), "m.fkz")
	traintest.SameModel(t, "resumed", traintest.MustTrain(t, part), whole)

	// Started from a model without folds, each takes its own; then what is out of fold isn't known.
	o = traintest.Options(t, d, set)
	o.Start = traintest.MustTrain(t, traintest.Options(t, zootest.Document(t, zootest.Net("eyes", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising), ""), zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(traintest.Rising), "")), set))
	w := &traintest.Watch{}
	o.Watch = w
	m := traintest.MustTrain(t, o)
	if !w.Noted("nose-fold2/hidden/bias: taken from nose/hidden/bias") {
		t.Errorf("found notes %q", w.Notes)
	}
	if e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil); err != nil || e.OutOfFold != nil || !e.HeldOutUnknown {
		t.Errorf("started from a model: found %+v (%v)", e, err)
	}
}

func TestFoldsRefused(t *testing.T) {
	d := zootest.One(t, zootest.Linear, "")
	for k, want := range map[int]string{1: "found 1, want at least 2", 65: "65 folds: blueprint", 31: ""} {
		_, err := recipe.Folded(d, k)
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		zootest.WantError(t, "folds", err, nil, want)
	}
	d, _ = recipe.Folded(d, 5)
	_, err := train.Run(t.Context(), traintest.Options(t, d, zootest.Faces(3, zootest.Every, 1)))
	zootest.WantError(t, "few rows", err, nil, "for as many folds")
}
