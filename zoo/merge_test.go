package zoo

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A merged model answers what its parts answer together, bit for bit, and knows
// which rows neither has learned from.
func TestMerge(t *testing.T) {
	set := faces(30, every, 7)
	two := document(t, network{"net", eyes, linear, recipe(rising), `, "weight": 3`}, network{"nose", nose, dropout, recipe(rising), ""})
	a := mustTrain(t, options(t, one(t, dropout, rising), set))
	o := options(t, two, set)
	o.Seed = 5
	b := mustTrain(t, o)
	models := []*Model{a, b}
	m, err := Merge(models, []string{"a.fkz", "b.fkz"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	m = mustLoad(t, path)
	var names []string
	for _, member := range m.Document.Members {
		names = append(names, member.Name)
	}
	if want := []string{"net-1", "net-2", "nose"}; !slices.Equal(names, want) {
		t.Errorf("found members %q, want %q", names, want)
	}
	with := PredictOptions{Backend: goBackend(t), FlipAverage: true}
	want, _, err := Evaluate(t.Context(), models, set, with)
	if err != nil {
		t.Fatal(err)
	}
	got, p, err := Evaluate(t.Context(), []*Model{m}, set, with)
	if err != nil {
		t.Fatal(err)
	}
	q, err := Predict(t.Context(), models, set, with)
	if err != nil || !slices.Equal(p.Points, q.Points) || !slices.Equal(p.Columns, q.Columns) {
		t.Errorf("the answers differ (%v)", err)
	}
	if got.HeldOut == nil || want.HeldOut == nil || got.HeldOut.Rows != want.HeldOut.Rows || got.HeldOut.RMSEPixels != want.HeldOut.RMSEPixels {
		t.Errorf("found %+v held out, want %+v", got.HeldOut, want.HeldOut)
	}
	if from := m.Provenance.Merged; len(from) != 2 || from[1].Digest != b.Digest || from[1].Seed != 5 || !slices.Equal(from[1].Members, []string{"net-2", "nose"}) {
		t.Errorf("found provenance %+v", m.Provenance)
	}
	if !slices.Equal(m.History[1].ValidationLoss, b.History[0].ValidationLoss) || m.History[1].Member != "net-2" {
		t.Errorf("found history %+v", m.History[1])
	}

	// Of other data there is no one mean face and nothing held out.
	c := mustTrain(t, options(t, one(t, linear, rising), faces(30, every, 8)))
	if m, err = Merge([]*Model{a, c}, []string{"a", "c"}); err != nil || m.Provenance.Data.Checksum != "" {
		t.Errorf("other data: found %+v (%v)", m.Provenance.Data, err)
	}
	if _, err = Merge(models[:1], []string{"a"}); err == nil {
		t.Error("one model: found no error")
	}
	small := *c
	small.Document = c.Document.Clone()
	small.Document.Input.Scaling = "raw"
	_, err = Merge([]*Model{a, &small}, []string{"a.fkz", "small.fkz"})
	wantError(t, "other input", err, nil, `small.fkz: input scaling: found "raw", want "unit" as in a.fkz`)
	// A default is the same left out and spelled out.
	small.Document.Input.Scaling = "unit"
	for _, models := range [][]*Model{{a, &small}, {&small, a}} {
		if _, err = Merge(models, []string{"x", "y"}); err != nil {
			t.Errorf("a default spelled out: %v", err)
		}
	}
	many := make([]*Model, 65)
	for i := range many {
		many[i] = c
	}
	_, err = Merge(many, make([]string, 65))
	wantError(t, "too many", err, nil, "members: found 65")
}

func TestMeanWeights(t *testing.T) {
	set := faces(30, every, 7)
	a := mustTrain(t, options(t, one(t, dropout, rising), set))
	o := options(t, one(t, dropout, `"epochs": 2`), set)
	o.Start = a
	b := mustTrain(t, o)
	m, err := MeanWeights([]*Model{a, b, b}, []string{"a", "b", "b"})
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range m.Weights {
		for i, v := range w.Data {
			want := (float64(a.Weights[name].Data[i]) + 2*float64(b.Weights[name].Data[i])) / 3
			if math.Abs(float64(v)-want) > 1e-7*math.Max(1, math.Abs(want)) {
				t.Fatalf("%s: found %g, want %g", name, v, want)
			}
		}
	}
	if err := m.Save(filepath.Join(t.TempDir(), "m.fkz"), false); err != nil {
		t.Error(err)
	}
	spelled := *b
	spelled.Document = b.Document.Clone()
	spelled.Document.Input.Scaling = "unit"
	for _, models := range [][]*Model{{a, &spelled}, {&spelled, a}} {
		if _, err := MeanWeights(models, []string{"x", "y"}); err != nil {
			t.Errorf("a default spelled out: %v", err)
		}
	}
	for _, c := range []struct {
		name   string
		layers string
		want   string
	}{
		{"units", strings.ReplaceAll(dropout, `"units": 5`, `"units": 4`), "b.fkz: blueprint, members.0.layers.1.units: found 4, want 5 as in a.fkz"},
		{"kind", linear, "b.fkz: blueprint, members.0.layers.1."},
	} {
		other := mustTrain(t, options(t, one(t, c.layers, ""), set))
		_, err := MeanWeights([]*Model{a, other}, []string{"a.fkz", "b.fkz"})
		wantError(t, c.name, err, nil, c.want)
	}
	// Where another seed has held out other rows, what is held out isn't known.
	o = options(t, one(t, dropout, rising), set)
	o.Seed = 9
	m, err = MeanWeights([]*Model{a, mustTrain(t, o)}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
	if err != nil || e.HeldOut != nil || !e.HeldOutUnknown {
		t.Errorf("other seed: found %+v held out, unknown %v (%v)", e.HeldOut, e.HeldOutUnknown, err)
	}
	// Nor where one has learned from a part alone, which mustn't pass for what all have learned from.
	part := mustTrain(t, options(t, one(t, dropout, rising+`, "subset": {"share": 0.25}`), set))
	for name, models := range map[string][]*Model{"part first": {part, a}, "part last": {a, part}} {
		m, err := MeanWeights(models, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if !m.Provenance.startSaw(set.Checksum) {
			t.Errorf("%s: found what is held out called known", name)
		}
	}
}

func TestResults(t *testing.T) {
	set := faces(30, every, 7)
	o := options(t, one(t, linear, rising), set)
	mustTrain(t, o)
	m, err := Describe(o.Output)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ResultOf(m, "m.fkz")
	if err != nil {
		t.Fatal(err)
	}
	h := m.History[0]
	best := h.BestEpoch - 1
	if r.Parameters != 64*6+6 || r.Epochs != 8 || !r.Finished || *r.TrainLoss != h.TrainLoss[7] || *r.ValidationLoss != h.ValidationLoss[7] ||
		*r.BestLoss != slices.Min(h.ValidationLoss) || *r.RMSEPixels != h.RMSEPixels[7] || *r.BestRMSE != h.RMSEPixels[best] || *r.MeanFace != h.HeldOut.MeanFace {
		t.Errorf("found %+v of %+v", r, h)
	}
	// Several members: by the cells held out.
	o = options(t, document(t, network{"eyes", eyes, linear, recipe(rising + `, "stop": {"patience": 1}`), ""}, network{"nose", nose, linear, recipe(`"batch": 6`), ""}), set)
	m = mustTrain(t, o)
	if r, err = ResultOf(m, "m.fkz"); err != nil {
		t.Fatal(err)
	}
	e, _, err := Evaluate(t.Context(), []*Model{m}, set, PredictOptions{Backend: goBackend(t)})
	if err != nil {
		t.Fatal(err)
	}
	a, b := m.History[0].HeldOut, m.History[1].HeldOut
	want := math.Sqrt((float64(a.Cells)*a.RMSEPixels*a.RMSEPixels + float64(b.Cells)*b.RMSEPixels*b.RMSEPixels) / float64(a.Cells+b.Cells))
	if !near(*r.RMSEPixels, want, 1e-12) || e.HeldOut != nil && e.HeldOut.Cells == a.Cells+b.Cells && !near(*r.RMSEPixels, e.HeldOut.RMSEPixels, 1e-6) {
		t.Errorf("found %g, want %g", *r.RMSEPixels, want)
	}
	// Nothing held out, nothing trained.
	o = options(t, one(t, linear, `"validation": 0`), set)
	m = mustTrain(t, o)
	m.History[0] = MemberHistory{Member: "net"}
	if r, err = ResultOf(m, "m.fkz"); err != nil || r.TrainLoss != nil || r.RMSEPixels != nil || r.MeanFace != nil {
		t.Errorf("found %+v (%v)", r, err)
	}
}
