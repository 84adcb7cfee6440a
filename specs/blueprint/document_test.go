package blueprint

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// documents gives the names and texts of a folder's documents.
func documents(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("testdata/%s: found no documents (%v)", folder, err)
	}
	out := map[string][]byte{}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(p), ".json")] = text
	}
	return out
}

// read is what a host does with a plugin's answer.
func read(text []byte) (*Document, error) {
	d, err := Parse(text)
	if err == nil {
		err = d.Validate(KaggleColumns)
	}
	return d, err
}

// The file beside each bad document says what its error must say.
func TestBadDocuments(t *testing.T) {
	bad := documents(t, "bad")
	if len(bad) < 100 {
		t.Errorf("testdata/bad: found %d documents, want every kind of error", len(bad))
	}
	for name, text := range bad {
		t.Run(name, func(t *testing.T) {
			want, err := os.ReadFile(filepath.Join("testdata", "bad", name+".want"))
			if err != nil {
				t.Fatal(err)
			}
			_, err = read(text)
			if err == nil {
				t.Fatalf("found no error, want %s", want)
			}
			if !strings.HasPrefix(err.Error(), "blueprint") || !strings.Contains(err.Error(), strings.TrimSpace(string(want))) {
				t.Errorf("found %q\nwant %q", err, want)
			}
			if len(err.Error()) > 2000 || strings.ContainsFunc(err.Error(), steers) {
				t.Errorf("found %q, want a short line", err)
			}
			if newer := strings.HasPrefix(name, "version-newe"); errors.Is(err, ErrVersion) != newer {
				t.Errorf("found errors.Is(%v, ErrVersion) %v, want %v", err, !newer, newer)
			}
		})
	}
}

// Documents too large to be kept as files.
func TestTooMuch(t *testing.T) {
	open := `{"blueprint":1,"name":"net",`
	for name, c := range map[string]struct{ text, want string }{
		"bytes":          {open + `"extra":"` + strings.Repeat("x", MaxBytes) + `"}`, "bytes, want at most 4194304"},
		"nested arrays":  {open + `"extra":` + strings.Repeat("[", 1_000_000), "found more than 64 nested"},
		"nested objects": {open + `"extra":` + strings.Repeat(`{"a":`, 500_000), "found more than 64 nested"},
		"members":        {open + `"members":[` + strings.Repeat("0,", 1_000_000) + "0]}", "found more than 16384 entries"},
		"layers":         {open + `"members":[{"layers":[` + strings.Repeat("{},", 1_000_000) + "{}]}]}", "found more than 16384 entries"},
		"fields":         {open + strings.TrimSuffix(numbered(`"f%d":0,`, 20_000), ",") + "}", "found more than 16384 entries"},
		"values":         {open + `"extra":[` + strings.Repeat("["+strings.Repeat("0,", 9_999)+"0],", 60) + "0]}", "found more than 524288 values"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse([]byte(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, want %s", err, c.want)
			}
		})
	}
}

func numbered(format string, n int) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, format, i)
	}
	return out.String()
}

func TestGoodDocuments(t *testing.T) {
	for name, text := range documents(t, "good") {
		t.Run(name, func(t *testing.T) {
			d, err := read(text)
			if err != nil {
				t.Fatal(err)
			}
			once, err := d.JSON()
			if err != nil {
				t.Fatal(err)
			}
			again, err := read(once)
			if err != nil {
				t.Fatalf("%v in\n%s", err, once)
			}
			twice, err := again.JSON()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(once, twice) {
				t.Errorf("found other bytes when written again:\n%s\n%s", once, twice)
			}
			if !reflect.DeepEqual(d.Clone(), d) {
				t.Errorf("found a clone that differs")
			}
			sameMeaning(t, text, once)
		})
	}
}

// sameMeaning wants every field of a document in its rewritten text, with the
// same value but for the forms that stand for one another.
func sameMeaning(t *testing.T, given, written []byte) {
	t.Helper()
	var a, b any
	if err := errors.Join(json.Unmarshal(given, &a), json.Unmarshal(written, &b)); err != nil {
		t.Fatal(err)
	}
	var walk func(at string, a, b any)
	walk = func(at string, a, b any) {
		switch a := a.(type) {
		case map[string]any:
			b, ok := b.(map[string]any)
			if !ok {
				return // a constant schedule as a number
			}
			for k := range a {
				if _, ok := b[k]; !ok {
					t.Errorf("%s.%s: lost", at, k)
				}
				walk(at+"."+k, a[k], b[k])
			}
		case []any:
			b, ok := b.([]any)
			if !ok {
				return // a pair as one number
			}
			if len(a) != len(b) {
				t.Errorf("%s: found %d entries, want %d", at, len(b), len(a))
				return
			}
			for i := range a {
				walk(fmt.Sprint(at, "[", i, "]"), a[i], b[i])
			}
		default:
			if !reflect.DeepEqual(a, b) {
				t.Errorf("%s: found %v, want %v", at, b, a)
			}
		}
	}
	walk("", a, b)
}

func TestUnknownFieldsAreKept(t *testing.T) {
	d, err := read(documents(t, "good")["unknown-fields"])
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Fields(`new input.new members.all.new members.all.output.new members.all.layers.flatten.new
		members.all.layers.out.unit members.all.recipe.new members.all.recipe.loss.new members.all.recipe.optimizer.new
		members.all.recipe.optimizer.momentum.new members.all.recipe.rate.new members.all.recipe.fold.new members.all.recipe.subset.new
		members.all.recipe.augment.new members.all.recipe.augment.mirror.new members.all.recipe.augment.shift.new
		members.all.recipe.augment.erase.new members.all.recipe.stop.new members.all.recipe.average.new`)
	if found := d.UnknownFields(); !slices.Equal(found, want) {
		t.Errorf("found %q\nwant %q", found, want)
	}
	text, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{`"new": {`, `"<&>"`, `1.0e2`, `12345678901234567890123`, `"unit": 3`} {
		if !bytes.Contains(text, []byte(s)) {
			t.Errorf("found no %s in\n%s", s, text)
		}
	}
	d.Extra = Extra{"a\x1b[2Jb": json.RawMessage("1")}
	if found := d.UnknownFields()[0]; found != `a\x1b[2Jb` {
		t.Errorf("found %q, want what steers the terminal escaped", found)
	}
}

// small is a document built in Go, as a plugin does.
func small() *Document {
	momentum := Constant(0.9)
	return &Document{Version: 1, Name: "small", Summary: "conv & dense <small>", Input: Input{Height: 8, Width: 8, Channels: 1},
		Members: []Member{{Name: "all", Columns: []string{AllColumns},
			Layers: []Layer{
				{Name: "conv", Kind: "conv2d", Settings: Settings{"filters": 2, "kernel": [2]int{3, 3}, "padding": []int{1, 1}, "stride": []int{1, 2}}},
				{Name: "flat", Kind: "flatten"},
				{Name: "shape", Kind: "reshape", Settings: Settings{"shape": []int{-1}}},
				{Name: "out", Kind: "dense", Settings: Settings{"units": CountColumns, "activation": "linear"}},
			},
			Recipe: Recipe{Loss: Loss{Kind: "mse"}, Optimizer: Optimizer{Kind: "sgd", Momentum: &momentum}, Rate: Linear(0.1, 0.01), Epochs: 2, Batch: 4,
				Augment: &Augment{Mirror: &Mirror{Pairs: Pairs{}}}}}}}
}

func TestBuiltInGo(t *testing.T) {
	d := small()
	built, err := d.JSON()
	if err != nil {
		t.Fatal(err)
	}
	p, err := read(built)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := p.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(built, parsed) {
		t.Errorf("found other bytes after reading:\n%s\n%s", built, parsed)
	}
	for _, s := range []string{`"conv & dense <small>"`, `"kernel": 3`, `"padding": 1`, `"pairs": []`} {
		if !bytes.Contains(built, []byte(s)) {
			t.Errorf("found no %s in\n%s", s, built)
		}
	}
	if p.Members[0].Recipe.Augment.Mirror.Pairs == nil {
		t.Error("found nil for pairs given as none, want none to change places")
	}
}

// A document built in Go may be wrong in ways that no text can be.
func TestWrongInGo(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Document)
		want   string
	}{
		"kind":           {func(d *Document) { d.Members[0].Layers[1].Kind = "flat" }, `layer "flat": kind: found "flat"`},
		"input":          {func(d *Document) { d.Members[0].Layers[1].Inputs = []string{"x"} }, `inputs: found "x"`},
		"inputs":         {func(d *Document) { d.Members[0].Layers[1].Inputs = []string{} }, `inputs: found 0`},
		"setting":        {func(d *Document) { d.Members[0].Layers[3].Settings["unit"] = 3 }, "setting unit: not a setting of dense, which has units, bias, activation, initializer"},
		"setting's type": {func(d *Document) { d.Members[0].Layers[3].Settings["units"] = "three" }, `setting units: found "three"`},
		"not JSON":       {func(d *Document) { d.Members[0].Layers[3].Settings["units"] = math.NaN() }, "setting units: json: unsupported value: NaN"},
		"NaN":            {func(d *Document) { d.Members[0].Recipe.Rate.From = math.NaN() }, "rate: from: found NaN"},
		"weight":         {func(d *Document) { d.Members[0].Weight = math.Inf(1) }, "weight: found +Inf"},
		"version":        {func(d *Document) { d.Version = 0 }, "found version 0, want 1"},
		"UTF-8":          {func(d *Document) { d.Summary = "\xff" }, "summary: found"},
		"members":        {func(d *Document) { d.Members = nil }, "found"},
		"recipe":         {func(d *Document) { d.Members[0].Recipe = Recipe{} }, "recipe.loss.kind"},
	} {
		t.Run(name, func(t *testing.T) {
			d := small()
			c.change(d)
			if !reflect.DeepEqual(d.Clone(), d) && name != "not JSON" && name != "NaN" {
				t.Error("found a clone that differs")
			}
			_, plan := NewPlan(d, 0, KaggleColumns)
			for _, err := range []error{d.Validate(KaggleColumns), plan} {
				if err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("found %v, want %s", err, c.want)
				}
			}
		})
	}
	if _, err := NewPlan(small(), 1, KaggleColumns); err == nil || !strings.Contains(err.Error(), "found member number 1, want 0 to 0") {
		t.Errorf("found %v, want the member's number refused", err)
	}
	if err := small().Validate(nil); err == nil || !strings.Contains(err.Error(), "the data's columns are not known here") {
		t.Errorf("found %v, want the columns missed", err)
	}
}

func TestCloneSharesNothing(t *testing.T) {
	d := small()
	want, _ := d.JSON()
	c := d.Clone()
	c.Members[0].Columns[0] = "x"
	c.Members[0].Layers[2].Settings["shape"].([]int)[0] = 9
	c.Members[0].Layers[0].Settings["filters"] = 9
	c.Members[0].Recipe.Optimizer.Momentum.From = 0.1
	half := Constant(0.5)
	c.Members[0].Recipe.Augment.Mirror.Share = &half
	if found, _ := d.JSON(); !bytes.Equal(found, want) {
		t.Errorf("found the document changed with its clone:\n%s", found)
	}
}

func TestResolve(t *testing.T) {
	d := small()
	data := []string{"left_eye_x", "left_eye_y"}
	r, err := d.Resolve(data)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.Members[0].Columns, data) || d.Members[0].Columns[0] != AllColumns {
		t.Errorf("found %v and %v, want the copy's columns spelled out alone", r.Members[0].Columns, d.Members[0].Columns)
	}
	if err := r.Validate(nil); err != nil {
		t.Errorf("a resolved document needs no data: %v", err)
	}
	if err := r.Validate(KaggleColumns); err == nil {
		t.Error("found no error for data without the columns")
	}
	r.Members[0].Columns[0] = "x"
	if data[0] != "left_eye_x" {
		t.Error("found the caller's columns shared")
	}
}

func TestColumns(t *testing.T) {
	d := small()
	d.Members = append(d.Members, d.Members[0])
	d.Members[0].Columns = []string{"c_x", "a_x"}
	d.Members[1].Columns = []string{"a_x", "b_x"}
	if found, want := d.Columns([]string{"a_x", "b_x", "c_x", "d_x"}), []string{"a_x", "b_x", "c_x"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
	if found, want := d.Columns(nil), []string{"c_x", "a_x", "b_x"}; !slices.Equal(found, want) {
		t.Errorf("found %v, want %v", found, want)
	}
}

func TestAffine(t *testing.T) {
	in := Input{Height: 48, Width: 96, Channels: 1}
	for _, c := range []struct{ given, want [2]float64 }{
		{[2]float64{0, 0}, [2]float64{48, 48}},
		{[2]float64{96, 0}, [2]float64{96, 0}}, // y = pixel / width
		{[2]float64{0, 10}, [2]float64{48, 10}},
		{[2]float64{50, 47.5}, [2]float64{50, 47.5}},
	} {
		m := Member{Output: Output{Scale: c.given[0], Offset: c.given[1]}}
		if scale, offset := m.Affine(in); scale != c.want[0] || offset != c.want[1] {
			t.Errorf("scale and offset %v: found %g and %g, want %v", c.given, scale, offset, c.want)
		}
		p := Plan{Document: &Document{Input: in}, Member: &m, Columns: []string{"a_x", "b_x"}}
		if scale, offsets := p.Affine(); scale != c.want[0] || !slices.Equal(offsets, []float64{c.want[1], c.want[1]}) {
			t.Errorf("scale and offset %v: found %g and %v, want %v", c.given, scale, offsets, c.want)
		}
		m.Output.Shift = []float64{0.5, -2}
		if scale, offsets := p.Affine(); scale != c.want[0] || !slices.Equal(offsets, []float64{c.want[1] + 0.5, c.want[1] - 2}) {
			t.Errorf("scale and offset %v, shifted: found %g and %v", c.given, scale, offsets)
		}
	}
}

func TestByteOrderMark(t *testing.T) {
	text, err := small().JSON()
	if err != nil {
		t.Fatal(err)
	}
	crlf := bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	if _, err := Parse(append([]byte("\ufeff"), crlf...)); err != nil {
		t.Errorf("found %v for text with a byte-order mark and CRLF, want none", err)
	}
}
