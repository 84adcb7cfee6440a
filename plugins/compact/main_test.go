package main

import (
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/plugins"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// parameters counts those of the layout by hand: 3x3 convolutions without bias,
// scale and offset of each normalized channel, 1x1 ones beside them, and the
// heat maps' with bias.
func parameters(width, blocks, points int64) int64 {
	square := func(in, out int64) int64 { return 9*in*out + 2*out }
	point := func(in, out int64) int64 { return in*out + 2*out }
	n, in := square(1, width), width
	for level := range 3 {
		out := width << level
		n += square(in, out) + square(out, out) + point(in, out) + (blocks-1)*2*square(out, out)
		in = out
	}
	wide := width * 4 / 3
	n += point(4*width, wide) + point(2*width, wide) + point(width, wide) + 2*square(wide, wide)
	return n + wide*points + points
}

func TestSizes(t *testing.T) {
	for i, c := range []struct {
		name          string
		width, blocks int64
		layers        int
	}{
		{"compact-s", 24, 1, 39},
		{"compact-m", 48, 2, 54},
		{"compact-l", 64, 2, 54},
	} {
		if sizes[i].name != c.name {
			t.Fatalf("found %s, want %s", sizes[i].name, c.name)
		}
		d := describe(t, sizes[i], blueprint.KaggleColumns, nil)
		n, err := d.Parameters(blueprint.KaggleColumns)
		if want := parameters(c.width, c.blocks, 15); err != nil || n != want || len(d.Members[0].Layers) != c.layers {
			t.Errorf("%s: found %d parameters in %d layers (%v), want %d in %d", c.name, n, len(d.Members[0].Layers), err, want, c.layers)
		}
		if m := &d.Members[0]; !m.Output.FlipAverage || m.Recipe.Augment.Mirror == nil || m.Recipe.Augment.Rotate == nil {
			t.Errorf("%s: found no flips or rotation for Kaggle's columns, want both", c.name)
		}
	}
}

func TestWidth(t *testing.T) {
	d := describe(t, sizes[0], blueprint.KaggleColumns, map[string]string{"width": "8"})
	if n, err := d.Parameters(blueprint.KaggleColumns); err != nil || n != parameters(8, 1, 15) {
		t.Errorf("found %d parameters (%v), want %d", n, err, parameters(8, 1, 15))
	}
}

func TestScaling(t *testing.T) {
	for _, c := range []struct {
		settings map[string]string
		want     string
	}{{nil, "standardize"}, {map[string]string{"scaling": "unit"}, "unit"}} {
		if d := describe(t, sizes[0], blueprint.KaggleColumns, c.settings); d.Input.Scaling != c.want {
			t.Errorf("%v: found scaling %q, want %q", c.settings, d.Input.Scaling, c.want)
		}
	}
	_, err := sizes[0].architecture().Document(map[string]string{"scaling": "none"}, plugins.DataSummary{Columns: blueprint.KaggleColumns})
	if err == nil || !strings.Contains(err.Error(), `setting scaling: found "none", want one of unit, raw, standardize`) {
		t.Errorf("found the error %v, want one that names the scalings", err)
	}
}

// Any columns will do, and the recipe asks for nothing that they can't follow.
func TestColumns(t *testing.T) {
	for _, c := range []struct {
		name                string
		columns             []string
		dense, turns, flips bool
	}{
		{"points", []string{"a_x", "a_y", "b_x", "b_y"}, false, true, true},
		{"one point", []string{"nose_x", "nose_y"}, false, true, true},
		{"another order", []string{"a_x", "b_x", "a_y", "b_y"}, true, false, true},
		{"half a point", []string{"a_x", "a_y", "b_x"}, true, false, true},
		{"one column", []string{"left"}, true, false, false},
		{"one eye", []string{"left_eye_x", "left_eye_y"}, false, true, false},
		{"both eyes", []string{"right_eye_x", "right_eye_y", "left_eye_x", "left_eye_y"}, false, true, true},
	} {
		d := describe(t, sizes[0], c.columns, nil)
		m := &d.Members[0]
		last := m.Layers[len(m.Layers)-1].Kind
		if dense, turns, flips := last == "dense", m.Recipe.Augment.Rotate != nil, m.Recipe.Augment.Mirror != nil; dense != c.dense || turns != c.turns || flips != c.flips || m.Output.FlipAverage != c.flips {
			t.Errorf("%s: found %s, rotation %v, flips %v, flip average %v; want dense %v, %v, %v", c.name, last, turns, flips, m.Output.FlipAverage, c.dense, c.turns, c.flips)
		}
	}
}

// describe asks for the document and checks it for the columns.
func describe(t *testing.T, s size, columns []string, settings map[string]string) *blueprint.Document {
	t.Helper()
	d, err := s.architecture().Document(settings, plugins.DataSummary{Columns: columns})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := blueprint.NewPlan(d, 0, columns); err != nil {
		t.Fatalf("columns %v: %v", columns, err)
	}
	return d
}
