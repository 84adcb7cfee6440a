package zoo

import (
	"slices"
	"testing"
)

// What a model is shown to do is what it does on rows that it hasn't learned from.
func TestHeldOutAnswers(t *testing.T) {
	set := faces(30, every, 7)
	for _, c := range []struct {
		name    string
		members []network
		folds   int
		held    bool
		rows    int
	}{
		{"one", []network{{"net", every, linear, recipe(`"epochs": 2`), ""}}, 0, true, 0},
		{"none held out", []network{{"net", every, linear, recipe(`"epochs": 2, "validation": 0`), ""}}, 0, false, 30},
		{"two", []network{{"eyes", eyes, linear, recipe(`"epochs": 2`), ""}, {"nose", nose, linear, recipe(`"epochs": 2`), ""}}, 0, true, 0},
		{"folds", []network{{"net", every, linear, recipe(`"epochs": 2`), ""}}, 3, true, 30},
	} {
		d := document(t, c.members...)
		if c.folds > 0 {
			var err error
			if d, err = Folded(d, c.folds); err != nil {
				t.Fatal(err)
			}
		}
		m := mustTrain(t, options(t, d, set))
		o := PredictOptions{Backend: goBackend(t)}
		part, p, held, err := HeldOutAnswers(t.Context(), m, set, o)
		if err != nil {
			t.Fatal(err)
		}
		e, all, err := Evaluate(t.Context(), []*Model{m}, set, o)
		if err != nil {
			t.Fatal(err)
		}
		if c.rows == 0 {
			c.rows = e.HeldOut.Rows
		}
		if held != c.held || part.Len() != c.rows || len(p.Points) != part.Len()*len(p.Columns) {
			t.Fatalf("%s: found %d rows and %d points, held out %v, want %d and %v", c.name, part.Len(), len(p.Points), held, c.rows, c.held)
		}
		s := scorer{set: part, loss: d.Members[0].Recipe.Loss, face: meanFace([]*Model{m}, set), scale: 1}
		score, want := s.compare(p.Columns, rowNumbers(part.Len()), p.Row), e.Score
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
		if score.Cells != want.Cells || !near(score.RMSEPixels, want.RMSEPixels, 1e-5) {
			t.Errorf("%s: found %g pixels over %d cells, want those of evaluate, %g over %d", c.name, score.RMSEPixels, score.Cells, want.RMSEPixels, want.Cells)
		}
	}
}

// What weights have seen is never less than what is known, and unknown where a part of it is.
func TestSeen(t *testing.T) {
	data := func(c string) DataFrom { return DataFrom{Checksum: c} }
	for _, c := range []struct {
		name string
		p    Provenance
		seen []string
	}{
		{"trained", Provenance{Data: data("a")}, []string{"a"}},
		{"converted", Provenance{}, []string{unknownData}},
		{"started from a's", Provenance{Data: data("b"), Start: "x", StartData: []string{"a"}}, []string{"a", "b"}},
		{"started before it was recorded", Provenance{Data: data("b"), Start: "x"}, []string{unknownData, "b"}},
		{"went on with other data", Provenance{Data: data("b"), StartData: []string{"a", unknownData}}, []string{"a", unknownData, "b"}},
		{"merged", Provenance{Merged: []MergedFrom{{Data: "a"}, {Data: "b"}}}, []string{"a", "b"}},
		{"merged with a converted one", Provenance{Merged: []MergedFrom{{Data: "a"}, {}}}, []string{"a", unknownData}},
	} {
		if got := c.p.seen(); !slices.Equal(got, c.seen) {
			t.Errorf("%s: found %q, want %q", c.name, got, c.seen)
		}
	}
	for _, c := range []struct {
		name string
		p    Provenance
		saw  bool
	}{
		{"trained on it", Provenance{Data: data("a")}, false},
		{"started from it", Provenance{Data: data("a"), Start: "x", StartData: []string{"a"}}, true},
		{"started from another", Provenance{Data: data("a"), Start: "x", StartData: []string{"b"}}, false},
		{"started from unknown data", Provenance{Data: data("a"), Start: "x", StartData: []string{"b", unknownData}}, true},
		{"went on with other data", Provenance{Data: data("a"), StartData: []string{"b", unknownData}}, true},
	} {
		if got := c.p.startSaw("a"); got != c.saw {
			t.Errorf("%s: found %v, want %v", c.name, got, c.saw)
		}
	}
}
