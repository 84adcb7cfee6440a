package zoo_test

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// Nil in place of something is silence for a watcher, and else a fault of the request.
func TestNil(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"}).Watched(nil)
	defer z.Close()
	models := zoo.ModelsRequest{Models: []string{small(t, z)}}
	if _, err := z.Evaluate(t.Context(), zoo.EvaluateRequest{ModelsRequest: models, Data: data("demo:3")}); err != nil {
		t.Errorf("a nil watcher: %v", err)
	}
	none := zoo.DataRequest{Names: []string{"demo:3", "x"}, Readers: map[string]io.Reader{"x": nil}}
	for name, err := range map[string]error{
		"a reader":   func() error { _, err := z.Read(t.Context(), none); return err }(),
		"a receiver": z.Predict(t.Context(), zoo.PredictRequest{ModelsRequest: models, Images: data("demo:3")}, nil),
		"a model": func() error {
			_, err := z.EnsembleOf(t.Context(), []*model.Model{nil}, zoo.ModelsRequest{})
			return err
		}(),
		"models": func() error { _, err := z.EnsembleOf(t.Context(), nil, zoo.ModelsRequest{}); return err }(),
	} {
		if !request.Is(err) {
			t.Errorf("%s: found %v, want a request's error", name, err)
		}
	}
}

// A reader that has nothing to give yet holds nobody longer than the context lasts.
func TestReaderThatWaits(t *testing.T) {
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	r, w := io.Pipe()
	defer w.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := z.Data(ctx, zoo.DataRequest{Names: []string{"faces"}, Readers: map[string]io.Reader{"faces": r}})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("found %v, want %v", err, context.DeadlineExceeded)
	}
}

// answered keeps what it is told.
type answered struct {
	zoo.Silent
	columns  []string
	points   []float32
	warnings []zoo.Warning
}

func (a *answered) Warn(w zoo.Warning) { a.warnings = append(a.warnings, w) }

func (a *answered) Begin(columns []string, _ *dataset.Source) error {
	a.columns = columns
	return nil
}

func (a *answered) Part(_ *dataset.Set, p *answer.Prediction) error {
	a.points = append(a.points, p.Points...)
	return nil
}

// A model of weight 0 is as if it weren't named: in the columns, the images' size, the mirror images, and in warnings.
func TestWeightZero(t *testing.T) {
	folder := t.TempDir()
	saved := func(name string, m *model.Model) string {
		path := filepath.Join(folder, name)
		if err := m.Save(path, false); err != nil {
			t.Fatal(err)
		}
		return path
	}
	flips := zootest.WithWeights(t, 1, zootest.Net("net", zootest.Every, zootest.Linear, zootest.Recipe(`"calibrate": true`),
		`, "output": {"flip_average": true, "shift": [1, 0, 1, 0, 1, 0]}`))
	flipping := saved("flips.fkz", flips)
	plain := saved("plain.fkz", zootest.WithWeights(t, 2, zootest.Net("net", []string{"chin_x", "chin_y"}, zootest.Linear, zootest.Recipe(""), "")))
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	ask := func(r zoo.ModelsRequest) *answered {
		t.Helper()
		var a answered
		if err := z.Watched(&a).Predict(t.Context(), zoo.PredictRequest{ModelsRequest: r, Images: data("demo:3")}, &a); err != nil {
			t.Fatal(err)
		}
		return &a
	}
	want := ask(zoo.ModelsRequest{Models: []string{flipping}})
	for name, first := range map[string]string{"a model of other columns": plain, "one of other images": small(t, z)} {
		found := ask(zoo.ModelsRequest{Models: []string{first, flipping}, Weights: []float64{0, 1}})
		if !slices.Equal(found.columns, want.columns) || !slices.Equal(found.points, want.points) || len(found.warnings) > 0 {
			t.Errorf("%s: found %v of %v, warned of %v; want %v of %v, and no warning", name, found.points, found.columns, found.warnings, want.points, want.columns)
		}
		if _, err := z.Evaluate(t.Context(), zoo.EvaluateRequest{
			ModelsRequest: zoo.ModelsRequest{Models: []string{first, flipping}, Weights: []float64{0, 1}}, Data: data("demo:3"),
		}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	both := ask(zoo.ModelsRequest{Models: []string{plain, flipping}, Weights: []float64{1, 1}})
	if len(both.warnings) != 1 || both.warnings[0].Kind != zoo.Miscalibrated {
		t.Errorf("both: found the warnings %v, want one, %s", both.warnings, zoo.Miscalibrated)
	}
	for _, weights := range [][]float64{{0, 0}, {1}} {
		r := zoo.ModelsRequest{Models: []string{plain, flipping}, Weights: weights}
		if err := z.Predict(t.Context(), zoo.PredictRequest{ModelsRequest: r, Images: data("demo:3")}, want); !request.Is(err) {
			t.Errorf("weights %v: found %v, want a request's error", weights, err)
		}
	}
}
