package engine

import (
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// boxPlan is a small network whose answer is boxes, on images of 32 x 40.
func boxPlan(t *testing.T, columns []string) *blueprint.Plan {
	t.Helper()
	d, err := blueprint.Parse([]byte(`{"blueprint": 1, "name": "boxes", "input": {"height": 32, "width": 40, "channels": 1}, "members": [{
		"name": "all", "columns": ["*"], "layers": [
			{"name": "a", "kind": "conv2d", "filters": 16, "kernel": 3, "stride": 2, "padding": "same", "activation": "relu"},
			{"name": "b", "kind": "conv2d", "filters": 16, "kernel": 4, "stride": 4, "activation": "relu"},
			{"name": "c", "kind": "conv2d", "filters": 5, "kernel": 1}],
		"output": {"kind": "boxes"}, "recipe": {"loss": {"kind": "mse", "rows": "filled"}, "optimizer": {"kind": "sgd"}, "rate": 0.05,
			"epochs": 30, "batch": 4, "validation": 0}}]}`))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := blueprint.NewPlan(d, 0, columns)
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

var oneBox = []string{"thing_x", "thing_y", "thing_width", "thing_height"}

// withSquares are images, each with a bright square somewhere, which is what its box tells.
func withSquares(n int) Examples {
	e := faces(n, 32, 40, oneBox)
	for i := range n {
		image := e.Bytes[i*32*40 : (i+1)*32*40]
		clear(image)
		side := 8 + i%3*4
		x, y := i*7%(40-side), i*5%(32-side)
		for row := y; row < y+side; row++ {
			for column := x; column < x+side; column++ {
				image[row*40+column] = 255
			}
		}
		copy(e.Points[4*i:], []float32{float32(x), float32(y), float32(side), float32(side)})
	}
	return e
}

// A network of boxes answers and trains as on GoMLX's pure-Go backend.
func TestBoxesAgreeWithGoMLX(t *testing.T) {
	plan := boxPlan(t, oneBox)
	weights := InitialWeights(plan, 3)
	got := outcomeOn(t, openNative(t), plan, withSquares(7), weights, 4)
	compareOutcomes(t, got, outcomeOn(t, openReference(t), plan, withSquares(7), weights, 4), weights, 1e-4)
}

// It learns where things are, and other columns than boxes' are refused.
func TestBoxesAreLearned(t *testing.T) {
	trained := func(e Examples, columns []string) (*Trainer, error) {
		data, err := upload(openNative(t), e)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(data.Close)
		var rows []int
		for i := range e.Count {
			rows = append(rows, i)
		}
		return NewTrainer(data, Config{Plan: boxPlan(t, columns), Rows: rows, Epochs: 30, Seed: 1})
	}
	trainer, err := trained(withSquares(64), oneBox)
	if err != nil {
		t.Fatal(err)
	}
	defer trainer.Close()
	var first, last float64
	for i := range 30 {
		loss, err := trainer.Epoch(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = loss.Loss
		}
		last = loss.Loss
	}
	if last > first/2 {
		t.Errorf("found a loss of %g after %g, want it to fall", last, first)
	}
	if _, err := trained(faces(8, 32, 40, blueprint.KaggleColumns), blueprint.KaggleColumns); err == nil || !strings.Contains(err.Error(), "an answer of boxes has four for each") {
		t.Errorf("found %v, want what is wrong with the columns", err)
	}
}

// A network as far as an inner layer answers what that layer gives.
func TestUpto(t *testing.T) {
	plan := boxPlan(t, oneBox)
	weights := InitialWeights(plan, 3)
	e := withSquares(3)
	im := Images{Count: e.Count, Height: e.Height, Width: e.Width, Channels: 1, Bytes: e.Bytes}
	for _, on := range []string{"native", "reference"} {
		d := openNative(t)
		if on == "reference" {
			d = openReference(t)
		}
		p, err := newPredictor(d, plan.Upto(1), weights)
		if err != nil {
			t.Fatal(err)
		}
		inner, err := p.Predict(t.Context(), im, nil, nil)
		p.Close()
		if err != nil || len(inner) != 3*4*5*16 {
			t.Fatalf("%s: found %d values, %v", on, len(inner), err)
		}
		for _, v := range inner {
			if v < 0 {
				t.Fatalf("%s: found %g behind a relu", on, v)
			}
		}
	}
}
