package measure_test

import (
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/model/ready"
)

// On faces like those that it has learned from, the errors that the model in the program expects are those that are found, from its
// surest points to its least sure.
func TestExpected(t *testing.T) {
	m, err := model.Load(ready.Points)
	if err != nil {
		t.Fatal(err)
	}
	e, err := answer.Open(t.Context(), []*model.Model{m}, answer.Options{Backend: backendtest.Open(t, "go"), FlipAverage: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	set, err := demo.Faces(t.Context(), 300, 4711)
	if err != nil {
		t.Fatal(err)
	}
	parts, err := measure.Expected(t.Context(), e, set)
	if err != nil || len(parts) != 10 {
		t.Fatalf("found %d parts, %v", len(parts), err)
	}
	for i, p := range parts {
		if p.Points < 440 || p.Found < 0.7*p.Expected || p.Found > 1.4*p.Expected {
			t.Errorf("part %d: expected %.2f pixels, found %.2f of %d points", i+1, p.Expected, p.Found, p.Points)
		}
	}
	if parts[9].Found < 2*parts[0].Found {
		t.Errorf("found %.2f where it is surest and %.2f where it is least sure, want twice as much", parts[0].Found, parts[9].Found)
	}
	// Without what training found it doesn't know.
	m.Document = model.Uncalibrated(m.Document)
	blind, err := answer.Open(t.Context(), []*model.Model{m}, answer.Options{Backend: backendtest.Open(t, "go"), FlipAverage: true})
	if err != nil {
		t.Fatal(err)
	}
	defer blind.Close()
	if parts, err := measure.Expected(t.Context(), blind, set); err != nil || parts != nil {
		t.Errorf("found %v, %v, want nothing", parts, err)
	}
}
