package model_test

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/answer/answertest"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train/traintest"
)

// A merged model answers what its parts answer together, bit for bit, and knows
// which rows neither has learned from.
func TestMerge(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	two := zootest.Document(t, zootest.Net("net", zootest.Eyes, zootest.Linear, zootest.Recipe(traintest.Rising), `, "weight": 3`), zootest.Net("nose", zootest.Nose, zootest.Dropout, zootest.Recipe(traintest.Rising), ""))
	a := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Dropout, traintest.Rising), set))
	o := traintest.Options(t, two, set)
	o.Seed = 5
	b := traintest.MustTrain(t, o)
	models := []*model.Model{a, b}
	m, err := model.Merge(models, []string{"a.fkz", "b.fkz"})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := m.Save(path, false); err != nil {
		t.Fatal(err)
	}
	m = zootest.MustLoad(t, path)
	var names []string
	for _, member := range m.Document.Members {
		names = append(names, member.Name)
	}
	if want := []string{"net-1", "net-2", "nose"}; !slices.Equal(names, want) {
		t.Errorf("found members %q, want %q", names, want)
	}
	flips := answer.Options{FlipAverage: true}
	want, _, err := measure.Evaluate(t.Context(), answertest.OpenWith(t, flips, models...), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, p, err := measure.Evaluate(t.Context(), answertest.OpenWith(t, flips, m), set, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := answertest.Answer(t, set, true, models...)
	if !slices.Equal(p.Points, q.Points) || !slices.Equal(p.Columns, q.Columns) {
		t.Error("the answers differ")
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
	c := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Linear, traintest.Rising), zootest.Faces(30, zootest.Every, 8)))
	if m, err = model.Merge([]*model.Model{a, c}, []string{"a", "c"}); err != nil || m.Provenance.Data.Checksum != "" {
		t.Errorf("other data: found %+v (%v)", m.Provenance.Data, err)
	}
	if _, err = model.Merge(models[:1], []string{"a"}); err == nil {
		t.Error("one model: found no error")
	}
	small := *c
	small.Document = c.Document.Clone()
	small.Document.Input.Scaling = "raw"
	_, err = model.Merge([]*model.Model{a, &small}, []string{"a.fkz", "small.fkz"})
	zootest.WantError(t, "other input", err, nil, `small.fkz: input scaling: found "raw", want "unit" as in a.fkz`)
	// A default is the same left out and spelled out.
	small.Document.Input.Scaling = "unit"
	for _, models := range [][]*model.Model{{a, &small}, {&small, a}} {
		if _, err = model.Merge(models, []string{"x", "y"}); err != nil {
			t.Errorf("a default spelled out: %v", err)
		}
	}
	many := make([]*model.Model, 65)
	for i := range many {
		many[i] = c
	}
	_, err = model.Merge(many, make([]string, 65))
	zootest.WantError(t, "too many", err, nil, "members: found 65")
}

func TestMeanWeights(t *testing.T) {
	set := zootest.Faces(30, zootest.Every, 7)
	a := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Dropout, traintest.Rising), set))
	o := traintest.Options(t, zootest.One(t, zootest.Dropout, `"epochs": 2`), set)
	o.Start = a
	b := traintest.MustTrain(t, o)
	m, err := model.MeanWeights([]*model.Model{a, b, b}, []string{"a", "b", "b"})
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
	for _, models := range [][]*model.Model{{a, &spelled}, {&spelled, a}} {
		if _, err := model.MeanWeights(models, []string{"x", "y"}); err != nil {
			t.Errorf("a default spelled out: %v", err)
		}
	}
	for _, c := range []struct {
		name   string
		layers string
		want   string
	}{
		{"units", strings.ReplaceAll(zootest.Dropout, `"units": 5`, `"units": 4`), "b.fkz: blueprint, members.0.layers.1.units: found 4, want 5 as in a.fkz"},
		{"kind", zootest.Linear, "b.fkz: blueprint, members.0.layers.1."},
	} {
		other := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, c.layers, ""), set))
		_, err := model.MeanWeights([]*model.Model{a, other}, []string{"a.fkz", "b.fkz"})
		zootest.WantError(t, c.name, err, nil, c.want)
	}
	// Where another seed has held out other rows, what is held out isn't known.
	o = traintest.Options(t, zootest.One(t, zootest.Dropout, traintest.Rising), set)
	o.Seed = 9
	m, err = model.MeanWeights([]*model.Model{a, traintest.MustTrain(t, o)}, []string{"a", "b"})
	if err != nil {
		t.Fatal(err)
	}
	e, _, err := measure.Evaluate(t.Context(), answertest.Open(t, m), set, nil)
	if err != nil || e.HeldOut != nil || !e.HeldOutUnknown {
		t.Errorf("other seed: found %+v held out, unknown %v (%v)", e.HeldOut, e.HeldOutUnknown, err)
	}
	// Nor where one has learned from a part alone, which mustn't pass for what all have learned from.
	part := traintest.MustTrain(t, traintest.Options(t, zootest.One(t, zootest.Dropout, traintest.Rising+`, "subset": {"share": 0.25}`), set))
	for name, models := range map[string][]*model.Model{"part first": {part, a}, "part last": {a, part}} {
		m, err := model.MeanWeights(models, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		if !m.Provenance.SawBefore(set.Checksum) {
			t.Errorf("%s: found what is held out called known", name)
		}
	}
}
