package zoo

import (
	"math"
	"path/filepath"
	"slices"
	"testing"
)

// Each member in folds is what a training without its fold gives, holds out its
// own rows, and the figures out of fold are those of each row's own member.
func TestFolds(t *testing.T) {
	set := faces(31, every, 7)
	d, err := Folded(document(t, network{"eyes", eyes, linear, recipe(rising), ""}, network{"nose", nose, dropout, recipe(rising), ""}), 3)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, d, set)
	whole := mustTrain(t, o)
	m := mustLoad(t, o.Output)
	if len(m.Document.Members) != 6 || m.Document.Members[3].Name != "nose-fold2" {
		t.Fatalf("found members %d, the fourth %s", len(m.Document.Members), m.Document.Members[3].Name)
	}
	out := map[string][]int{}
	for i, h := range m.History {
		of := m.Document.Members[i].Name[:4]
		out[of] = append(out[of], h.HeldOut.Numbers...)
		train, validation, err := rowsOf(&m.Document.Members[i], set)
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

	p, rows, err := OutOfFold(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
	if err != nil || len(rows) < 29 {
		t.Fatalf("found %d rows out of fold (%v)", len(rows), err)
	}
	all, err := predictMembers(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
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
				usable, err := usable(&m.Document.Members[i], set)
				if err != nil {
					t.Fatal(err)
				}
				if at >= 0 && (slices.Contains(h.HeldOut.Numbers, r) || !slices.Contains(usable, r)) {
					sum, n = sum+float64(all[i].Row(r)[at]), n+1
				}
			}
			if found := float64(p.Row(r)[c]); !near(found, sum/n, 1e-5) {
				t.Errorf("row %d, %s: found %g, want %g", r, name, found, sum/n)
			}
			if truth := set.Row(r)[set.Column(name)]; n == 1 && !math.IsNaN(float64(truth)) {
				squares += math.Pow(sum-float64(truth), 2)
				cells++
			}
		}
	}
	pooled, ok := m.OutOfFold()
	if want := math.Sqrt(squares / float64(cells)); !ok || pooled.Cells != cells || !near(pooled.RMSEPixels, want, 1e-5) {
		t.Errorf("found %+v out of fold, want %g pixels over %d cells", pooled, want, cells)
	}
	e, _, err := Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
	if err != nil || e.OutOfFold == nil || e.HeldOut != nil || !near(e.OutOfFold.RMSEPixels, pooled.RMSEPixels, 1e-5) {
		t.Errorf("found evaluation %+v (%v), want the same out of fold", e, err)
	}
	if _, _, err := OutOfFold(t.Context(), []*Model{m}, faces(31, every, 8), PredictOptions{Backend: goBackend(t)}); err == nil {
		t.Error("found no error for other data")
	}

	// Interrupted and resumed, it is the same.
	o = options(t, d, set)
	part := options(t, nil, set)
	part.ResumePath = interrupt(t, o, 61)
	part.Resume, part.Output = mustLoad(t, part.ResumePath), filepath.Join(t.TempDir(), "m.fkz")
	sameModel(t, "resumed", mustTrain(t, part), whole)

	// Started from a model without folds, each takes its own; then what is out of fold isn't known.
	o = options(t, d, set)
	o.Start = mustTrain(t, options(t, document(t, network{"eyes", eyes, linear, recipe(rising), ""}, network{"nose", nose, dropout, recipe(rising), ""}), set))
	w := &watch{}
	o.Watch = w
	m = mustTrain(t, o)
	if !w.noted("nose-fold2/hidden/bias: taken from nose/hidden/bias") {
		t.Errorf("found notes %q", w.notes)
	}
	if e, _, err = Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)}); err != nil || e.OutOfFold != nil || !e.HeldOutUnknown {
		t.Errorf("started from a model: found %+v (%v)", e, err)
	}
}

func TestFoldsRefused(t *testing.T) {
	d := one(t, linear, "")
	for k, want := range map[int]string{1: "found 1, want at least 2", 65: "65 folds: blueprint", 31: ""} {
		_, err := Folded(d, k)
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		wantError(t, "folds", err, nil, want)
	}
	d, _ = Folded(d, 5)
	_, err := Train(t.Context(), options(t, d, faces(3, every, 1)))
	wantError(t, "few rows", err, nil, "for as many folds")
}
