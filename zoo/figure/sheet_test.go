package figure

import (
	"math"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/check"
	"github.com/fkzoo/fkzoo/zoo/draw"
)

// twoFaces are of 1x1 pixels; the second lacks a y.
func twoFaces() *dataset.Set {
	nan := float32(math.NaN())
	return &dataset.Set{Source: "s.csv", Columns: []string{"a_x", "a_y", "b_x", "b_y"}, Height: 1, Width: 1, Channels: 1,
		Bytes: []byte{7, 9}, IDs: []string{"x/1.png", "x/2.png"}, Points: []float32{1, 2, 3, 4, 5, nan, 7, 8}}
}

// A face's points are those answered beside the true ones of the same columns, x and y in turn.
func TestFace(t *testing.T) {
	set := twoFaces()
	p := &answer.Prediction{Columns: []string{"b_y", "b_x", "c_x", "c_y", "lone_x"}, Points: []float32{40, 30, 50, 60, 1, 41, 31, 51, 61, 1}}
	same := func(a, b []float32) bool {
		return slices.EqualFunc(a, b, func(a, b float32) bool { return a == b || a != a && b != b })
	}
	nan := float32(math.NaN())
	f := Face(set, p, 0)
	if f.ID != "1.png" || !slices.Equal(f.Bytes, []byte{7}) || !same(f.Predicted, []float32{30, 40, 50, 60}) || !same(f.True, []float32{3, 4, nan, nan}) {
		t.Errorf("found %+v", f)
	}
	if f = Face(set, nil, 1); !slices.Equal(f.Bytes, []byte{9}) || f.Predicted != nil || !same(f.True, []float32{5, nan, 7, 8}) {
		t.Errorf("without answers: found %+v", f)
	}
	unknown := *set
	unknown.Columns, unknown.Points, unknown.Bytes, unknown.Floats = nil, nil, nil, []float32{0.5, 0.25}
	if f = Face(&unknown, p, 1); f.True != nil || !slices.Equal(f.Floats, []float32{0.25}) || !same(f.Predicted, []float32{31, 41, 51, 61}) {
		t.Errorf("without points: found %+v", f)
	}
}

func TestSheets(t *testing.T) {
	set := twoFaces()
	p := &answer.Prediction{Columns: set.Columns, Points: []float32{1, 2, 3, 5, 5, 6, 9, 8}} // off by 1 and by 2
	names := func(s *draw.Sheet) (out []string) {
		for _, f := range s.Faces {
			out = append(out, f.ID+" "+f.Note)
		}
		return out
	}
	for name, c := range map[string]struct {
		sheet *draw.Sheet
		want  []string
	}{
		"worst":    {WorstSheet(set, p), []string{"2.png 1.15 px", "1.png 0.50 px"}},
		"extremes": {ExtremesSheet("of two", set, p), []string{"2.png 1.15 px", "1.png 0.50 px"}},
		"faults": {FaultSheet(&check.Report{Findings: []check.Finding{{Kind: "twin", Rows: []check.Row{{Row: 1, ID: "2", Text: "the same", Other: &check.Other{Row: 0, ID: "1"}}}}}}, set, nil, p),
			[]string{"2 twin", "1 the same"}},
		"no faults": {FaultSheet(&check.Report{}, set, nil, nil), nil},
	} {
		if got := names(c.sheet); !slices.Equal(got, c.want) {
			t.Errorf("%s: found %q, want %q", name, got, c.want)
		}
	}
}
