package engine

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/enginetest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

func TestBadTrainingsAreRefused(t *testing.T) {
	on := openNative(t)
	e := faces(4, 3, 3, []string{"a_x", "a_y"})
	data := mustUpload(t, on, e)
	plan := func(recipe string) *blueprint.Plan {
		return enginetest.Plan(t, enginetest.Document(3, 3, "unit", enginetest.OneDense, enginetest.Plain(recipe)), "a_x", "a_y")
	}
	good := InitialWeights(plan(enginetest.SGD), 1)
	with := func(name string, a *Array) Arrays {
		out := maps.Clone(good)
		if delete(out, name); a != nil {
			out[name] = *a
		}
		return out
	}
	state := func(epoch, step int, tensors Arrays) *State {
		return &State{Epoch: epoch, Step: step, Tensors: tensors}
	}
	for _, c := range []struct {
		want   string
		config Config
	}{
		{"found no rows to train on", Config{Plan: plan(enginetest.SGD)}},
		{"rows: found row 4, want 0 to 3", Config{Plan: plan(enginetest.SGD), Rows: []int{0, 4}}},
		{"rows: found row -1, want 0 to 3", Config{Plan: plan(enginetest.SGD), Rows: []int{-1}}},
		{"images: found 3x3 with 1 channels, want 5x3 with 1", Config{Plan: enginetest.Plan(t, enginetest.Document(5, 3, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "a_x"), Rows: upTo(4)}},
		{"column b_x: not in the data", Config{Plan: enginetest.Plan(t, enginetest.Document(3, 3, "unit", enginetest.OneDense, enginetest.Plain(enginetest.SGD)), "b_x"), Rows: upTo(4)}},
		{"tensor net/y/bias: missing, want shape [2]", Config{Plan: plan(enginetest.SGD), Rows: upTo(4), Weights: with("net/y/bias", nil)}},
		{"tensor net/y/bias: found shape [3] with 3 values, want [2]", Config{Plan: plan(enginetest.SGD), Rows: upTo(4), Weights: with("net/y/bias", &Array{[]int{3}, make([]float32, 3)})}},
		{"tensor net/y/bias: found shape [2] with 1 values, want [2]", Config{Plan: plan(enginetest.SGD), Rows: upTo(4), Weights: with("net/y/bias", &Array{[]int{2}, make([]float32, 1)})}},
		{"tensor optimizer/velocity/net/y/weights: missing", Config{Plan: plan(enginetest.SGD), Rows: upTo(4), State: state(0, 0, good)}},
		{"state: found epoch 0 and step 2, want epochs from 0 and steps from 0 to 1", Config{Plan: plan(enginetest.SGD), Rows: upTo(4), State: state(0, 2, good)}},
		{"state: found epoch -1 and step 0", Config{Plan: plan(enginetest.SGD), Rows: upTo(4), State: state(-1, 0, good)}},
	} {
		tr, err := NewTrainer(data, c.config)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found error %v, want %q", err, c.want)
		}
		if strings.Contains(c.want, "not supported") && !errors.Is(err, ErrUnsupported) {
			t.Errorf("found error %v, want ErrUnsupported", err)
		}
		if err == nil {
			tr.Close()
		}
	}
	if tr, err := NewTrainer(data, Config{Plan: plan(enginetest.SGD + `, "augment": {"shift": 0, "erase": {"share": 0, "area": 0.1}}`), Rows: upTo(4)}); err != nil {
		t.Errorf("augmentation that is off: found error %v", err)
	} else {
		tr.Close()
	}

	for _, c := range []struct {
		want   string
		change func(e *Examples)
	}{
		{"images: found none", func(e *Examples) { e.Count, e.Bytes, e.Points = 0, nil, nil }},
		{"images: found 36 values, want 45 for 5 images", func(e *Examples) { e.Count = 5 }},
		{"points: found 7 values, want 8 for 4 rows of 2 columns", func(e *Examples) { e.Points = e.Points[:7] }},
		{"images: found 72 values", func(e *Examples) { e.Floats = make([]float32, 36) }},
	} {
		bad := e
		c.change(&bad)
		r, err := upload(on, bad)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found error %v, want %q", err, c.want)
		}
		if err == nil {
			r.Close()
		}
	}
}

// What GoMLX or the kernel refuses while a graph is built becomes an error that
// names the layer. A plan that the blueprint has checked gives none, so that
// this one is spoilt afterwards.
func TestFailingGraphNamesTheLayer(t *testing.T) {
	if raced {
		t.Skip("GoMLX's products don't bear the race detector")
	}
	e := faces(4, 6, 6, []string{"a_x"})
	layers := `{"name": "first", "kind": "conv2d", "filters": 2}, {"name": "second", "kind": "conv2d", "filters": 3}, {"name": "third", "kind": "flatten"}, {"name": "fourth", "kind": "dense", "units": 1}`
	gomlxtest.Each(t, func(t *testing.T, on gomlx.Backend) {
		data := mustUpload(t, gomlx.New(on), e)
		for _, c := range []struct {
			layer string
			spoil func(p *blueprint.Plan)
		}{
			{"second", func(p *blueprint.Plan) { p.Nodes[1].Params[0].Shape = blueprint.Shape{3, 3, 1, 3} }}, // the kernel's
			{"third", func(p *blueprint.Plan) { p.Nodes[2].Out = blueprint.Shape{7} }},                       // GoMLX's
			{"fourth", func(p *blueprint.Plan) { p.Nodes[3].Params[1].Name = "bais" }},                       // the engine's
		} {
			plan := enginetest.Plan(t, enginetest.Document(6, 6, "unit", layers, enginetest.Plain(enginetest.SGD)), e.Columns...)
			c.spoil(plan)
			tr := mustTrainer(t, data, Config{Plan: plan, Rows: upTo(4), Epochs: 1, Seed: 1})
			_, err := tr.Epoch(context.Background(), nil)
			want := `layer "` + c.layer + `"`
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "training graph") || strings.Contains(err.Error(), "\n") {
				t.Errorf("training: found error %v, want one line with %s", err, want)
			}
			if _, err := tr.Predict(context.Background(), e.Images, nil); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "prediction graph") {
				t.Errorf("prediction: found error %v, want %s", err, want)
			}
		}
	})
}
