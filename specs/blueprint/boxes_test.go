package blueprint

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// What is taught of boxes, answered as it is, gives the boxes again.
func TestGridFindsWhatItTeaches(t *testing.T) {
	g := Grid{Rows: 12, Columns: 20, CellY: 8, CellX: 8}
	boxes := []Box{{X: 10, Y: 12, Width: 20, Height: 24}, {X: 100.5, Y: 30.25, Width: 50, Height: 61}, {X: 60, Y: 80, Width: 13, Height: 13}}
	y, filled := make([]float32, g.Values()), make([]float32, g.Values())
	for i := range y {
		y[i], filled[i] = 7, 7 // what was there is replaced
	}
	g.Targets(boxes, y, filled)
	found := g.Found(y, 0.5, 0.3)
	if len(found) != len(boxes) {
		t.Fatalf("found %v", found)
	}
	for _, want := range boxes {
		ok := false
		for _, f := range found {
			near := math.Abs(f.X-want.X) + math.Abs(f.Y-want.Y) + math.Abs(f.Width-want.Width) + math.Abs(f.Height-want.Height)
			ok = ok || near < 1e-3 && f.Score > 0.5 && f.Score <= 1
		}
		if !ok {
			t.Errorf("found %v, want %v among them", found, want)
		}
	}
	cells, told := 0, 0
	for at := 0; at < len(filled); at += boxValues {
		if filled[at] != 1 {
			t.Fatalf("cell %d: found a score that isn't taught", at/boxValues)
		}
		if y[at] >= 0.5 {
			cells++
		}
		if filled[at+1] == 1 {
			told++
		}
	}
	if cells != told || told < len(boxes) {
		t.Errorf("found %d cells near a middle and %d with a box", cells, told)
	}
	squares, zero, sides := g.Sides(y, filled, y)
	if squares != 0 || zero == 0 || sides != 4*told {
		t.Errorf("found an error of %g for the truth and %g for nothing on %d sides", squares, zero, sides)
	}
	g.Targets(nil, y, filled)
	if found := g.Found(y, 0.01, 0.3); len(found) != 0 {
		t.Errorf("found %v where nothing is", found)
	}
}

func TestBoxesOf(t *testing.T) {
	nan := float32(math.NaN())
	row := []float32{1, 2, 3, 4, nan, nan, nan, nan, 5, 6, 7, nan, 5, 6, 0, 8, 9, 10, 11, 12}
	got := BoxesOf(row)
	if fmt.Sprint(got) != "[{1 2 3 4 0} {9 10 11 12 0}]" {
		t.Errorf("found %v", got)
	}
}

func TestOverlap(t *testing.T) {
	a := Box{X: 0, Y: 0, Width: 10, Height: 10}
	for _, c := range []struct {
		b    Box
		want float64
	}{
		{a, 1}, {Box{X: 5, Y: 0, Width: 10, Height: 10}, 1.0 / 3}, {Box{X: 10, Y: 0, Width: 10, Height: 10}, 0},
		{Box{X: 2, Y: 2, Width: 5, Height: 5}, 0.25}, {Box{X: math.NaN(), Width: 1, Height: 1}, 0},
	} {
		if got := a.Overlap(c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%v: found %g, want %g", c.b, got, c.want)
		}
	}
	scored := []Box{{X: 1, Width: 10, Height: 10, Score: 0.5}, {Width: 10, Height: 10, Score: 0.9}, {X: 50, Width: 5, Height: 5, Score: 0.7}}
	if got := Distinct(scored, 0.3); len(got) != 2 || got[0].Score != 0.9 || got[1].Score != 0.7 {
		t.Errorf("found %v, want the two that don't overlap, the best first", got)
	}
}

// boxDocument is a network that answers boxes.
const boxDocument = `{"blueprint": 1, "name": "f", "input": {"height": 32, "width": 32, "channels": 1}, "members": [{
	"name": "all", "columns": ["*"], "layers": [{"name": "c", "kind": "conv2d", "filters": %d, "kernel": 8, "stride": 8}],
	"output": {"kind": "boxes"%s}, "recipe": {"loss": {"kind": "mse", "rows": "filled"}, "optimizer": {"kind": "sgd"}, "rate": 0.1, "epochs": 1, "batch": 4, "validation": 0.2%s}}]}`

func TestBoxesPlan(t *testing.T) {
	parse := func(filters int, output, recipe string) (*Plan, error) {
		d, err := Parse([]byte(fmt.Sprintf(boxDocument, filters, output, recipe)))
		if err != nil {
			return nil, err
		}
		return NewPlan(d, 0, []string{"a_x", "a_y", "a_width", "a_height"})
	}
	p, err := parse(5, "", "")
	if err != nil {
		t.Fatal(err)
	}
	if g := p.Grid(); g != (Grid{4, 4, 8, 8}) || p.Answers() != 80 || !p.Raw() || p.Signal() != "none" {
		t.Errorf("found %+v, %d answers", g, p.Answers())
	}
	for _, c := range []struct {
		filters        int
		output, recipe string
		want           string
	}{
		{4, "", "", "found an output of shape [4 4 4], want [rows, columns, 5]"},
		{5, `, "scale": 2`, "", "output.scale: found it with an answer of boxes"},
		{5, `, "shift": [1, 2, 3, 4]`, "", "output.shift: found it"},
		{5, `, "flip_average": true`, "", "output.flip_average: found it"},
		{5, "", `, "calibrate": true`, "recipe.calibrate: found it"},
		{5, "", `, "augment": {"mirror": {}}`, "recipe.augment.mirror: found it"},
		{5, "", `, "augment": {"rotate": 3}`, "recipe.augment.rotate: found it"},
	} {
		if _, err := parse(c.filters, c.output, c.recipe); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: found %v, want %q", c, err, c.want)
		}
	}
	text := strings.Replace(fmt.Sprintf(boxDocument, 5, "", ""), `"kind": "boxes"`, `"kind": "rings"`, 1)
	if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), `output.kind: found "rings", want one of points, boxes`) {
		t.Errorf("found %v", err)
	}
	for columns, want := range map[string]string{
		"a_x a_y a_width a_height":          "",
		"a_x a_y a_width a_height b_x":      "found 5, want four for each box",
		"a_x a_y a_height a_width":          `found "a_height", want "a_width"`,
		"a_x a_y a_width b_height":          `found "b_height", want "a_height"`,
		"left_eye_center_x nose_x nose_y b": `found "nose_x", want "left_eye_center_y"`,
	} {
		err := CheckBoxColumns(strings.Fields(columns))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: found %v, want %q", columns, err, want)
		}
	}
}

func TestUncertaintyIsChecked(t *testing.T) {
	const text = `{"blueprint": 1, "name": "f", "input": {"height": 4, "width": 4, "channels": 1}, "members": [{
		"name": "all", "columns": ["left_x", "left_y", "right_x", "right_y"],
		"layers": [{"name": "maps", "kind": "conv2d", "filters": %d, "kernel": 1}, {"name": "out", "kind": "%s"}],
		"output": {"uncertainty": %s}, "recipe": {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "rate": 0.1, "epochs": 1, "batch": 4, "validation": 0.2}}]}`
	const maps, ok = "soft_argmax", `"signal": [[1], [1, 2], [0], [3]], "error": [[1], [2, 2], [0], [0.5]]`
	for _, c := range []struct{ kind, uncertainty, want string }{
		{maps, `{"from": "heat_map", ` + ok + `}`, ""},
		{maps, `{"from": "mirror", ` + ok + `}`, ""},
		{maps, `{"from": "none", ` + ok + `}`, ""},
		{maps, `{"from": "guess", ` + ok + `}`, `output.uncertainty.from: found "guess", want one of heat_map, mirror, none`},
		{maps, `{"from": "none", "signal": [[1]], "error": [[1], [1], [1], [1]]}`, "output.uncertainty.signal: found 1 lists, want 4"},
		{maps, `{"from": "none", "signal": [[1], [1], [1], []], "error": [[1], [1], [1], []]}`, "column right_y: found 0 signals and 0 errors"},
		{maps, `{"from": "none", "signal": [[1], [1], [1], [1, 1]], "error": [[1], [1], [1], [1, 2]]}`, "want signals that rise"},
		{maps, `{"from": "none", "signal": [[1], [1], [1], [1, 2]], "error": [[1], [1], [1], [2, 1]]}`, "errors that don't fall"},
		{maps, `{"from": "none", "signal": [[1], [1], [1], [1]], "error": [[1], [1], [1], [-1]]}`, "column right_y: error: found -1"},
		{"global_avg_pool", `{"from": "heat_map", ` + ok + `}`, "found heat_map, want it where the answer is the mean positions of heat maps"},
	} {
		filters := 2
		if c.kind != maps {
			filters = 4
		}
		d, err := Parse([]byte(fmt.Sprintf(text, filters, c.kind, c.uncertainty)))
		if err == nil {
			_, err = NewPlan(d, 0, nil)
		}
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %s: found %v, want %q", c.kind, c.uncertainty, err, c.want)
		}
	}
}
