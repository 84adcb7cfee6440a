package figure

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/internal/zootest"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// A line for each network, by increasing rows; of several models with as many, their mean.
func TestRowsCurves(t *testing.T) {
	c := RowsCurves([]RowsPoint{{"a", 200, 3}, {"b", 50, 9}, {"a", 100, 4}, {"a", 200, 2}}, 7)
	if len(c.Runs) != 2 || c.Baseline != 7 {
		t.Fatalf("found %d lines and %g, want 2 and 7", len(c.Runs), c.Baseline)
	}
	for i, want := range []struct {
		name    string
		x, errs []float64
	}{{"b", []float64{50}, []float64{9}}, {"a", []float64{100, 200}, []float64{4, 2.5}}} {
		if r := c.Runs[i]; r.Name != want.name || !slices.Equal(r.X, want.x) || !slices.Equal(r.Validation, want.errs) {
			t.Errorf("found %s, %v, %v, want %s, %v, %v", r.Name, r.X, r.Validation, want.name, want.x, want.errs)
		}
	}
	if far := RowsCurves([]RowsPoint{{"a", 200, 1}, {"a", 100, 2}}, 7); far.Baseline != 0 {
		t.Errorf("found the mean face's %g beside errors of a third of it and less, want none", far.Baseline)
	}
	if err := c.Write(filepath.Join(t.TempDir(), "rows.svg"), false); err != nil {
		t.Error(err)
	}
}

// What has no such point is named.
func TestRowsPoint(t *testing.T) {
	good := func() *model.Model {
		m := zootest.HandMade(t, false)
		for i := range m.History {
			m.History[i].TrainRows = 30
			m.History[i].HeldOut = model.HeldOut{Rows: 4, Cells: 8, MeanFace: 6, MeanFaceLoss: 0.1, Loss: 0.05, RMSEPixels: 5}
		}
		return m
	}
	p, face, err := rowsPoint(good())
	if want := (RowsPoint{good().Document.Name, 30, 5}); err != nil || p != want || face != 6 {
		t.Errorf("found %v, %g (%v), want %v, 6", p, face, err, want)
	}
	for _, c := range []struct {
		want   string
		change func(m *model.Model)
	}{
		{"found members trained on 20 and 30 rows", func(m *model.Model) { m.History[1].TrainRows = 20 }},
		{"found no number of rows trained on", func(m *model.Model) { m.History[0].TrainRows, m.History[1].TrainRows = 0, 0 }},
		{"found no rows held out", func(m *model.Model) {
			for i := range m.History {
				m.History[i].HeldOut = model.HeldOut{}
			}
		}},
	} {
		m := good()
		c.change(m)
		if _, _, err := rowsPoint(m); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("found the error %v, want %s", err, c.want)
		}
	}
}
