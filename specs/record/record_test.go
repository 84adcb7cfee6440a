package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
)

type inner struct {
	Name string  `json:"name"`
	Rate number1 `json:"rate,omitempty"`
}

// number1 writes itself in words.
type number1 float64

func (n number1) MarshalJSON() ([]byte, error) {
	if n == 1 {
		return []byte(`"one"`), nil
	}
	return json.Marshal(float64(n))
}

func (n *number1) UnmarshalJSON(b []byte) error {
	if string(b) == `"one"` {
		*n = 1
		return nil
	}
	return json.Unmarshal(b, (*float64)(n))
}

type document struct {
	Seed  uint64                     `json:"seed"`
	Scale float64                    `json:"scale,omitempty"`
	Texts []string                   `json:"texts,omitempty"`
	Given []int                      `json:"given,omitzero"`
	Part  *inner                     `json:"part,omitempty"`
	Parts []inner                    `json:"parts,omitempty"`
	On    bool                       `json:"on,omitempty"`
	Big   int64                      `json:"big,omitempty"`
	Other inner                      `json:"other,omitzero"`
	Extra map[string]json.RawMessage `json:"-"`
}

// What JSON says comes out again: known fields in the struct's order, unknown ones
// behind them as they were.
func TestJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"seed":18446744073709551615}`:                      `{"seed":18446744073709551615}`,
		` {"texts":["a","<&>"],"seed":1}`:                    `{"seed":1,"texts":["a","<&>"]}`,
		`{"seed":1,"texts":[],"given":[],"on":false}`:        `{"seed":1,"given":[]}`,
		`{"seed":1,"part":{"name":"p","rate":"one"}}`:        `{"seed":1,"part":{"name":"p","rate":"one"}}`,
		`{"seed":1,"z":{"b":1.0e2,"a":[1, 2]},"b":"\u00e9"}`: `{"seed":1,"b":"\u00e9","z":{"b":1.0e2,"a":[1,2]}}`,
		`{"seed":1,"SEED":2,"parts":[{"name":""}]}`:          `{"seed":1,"parts":[{"name":""}],"SEED":2}`,
		`{"seed":1,"big":-9223372036854775808}`:              `{"seed":1,"big":-9223372036854775808}`,
	} {
		var d document
		if err := UnmarshalJSON([]byte(text), &d); err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if found, err := MarshalJSON(d); err != nil || string(found) != want {
			t.Errorf("%s: found %s (%v), want %s", text, found, err, want)
		}
	}
}

func TestJSONRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`[]`:                                   "found array, want an object",
		`null`:                                 "found null, want an object",
		`{}`:                                   `no field "seed", want one`,
		`{"seed":-1}`:                          "seed: found -1, want a whole number of at least 0",
		`{"seed":"1"}`:                         "seed: found string, want a whole number of at least 0",
		`{"seed":1,"scale":1e999}`:             "scale: found 1e999, want a number",
		`{"seed":1,"scale":null}`:              "scale: found null, want a value or no such field",
		`{"seed":1,"texts":[null]}`:            "texts: found null, want a string",
		`{"seed":1,"texts":{}}`:                "texts: found object, want an array",
		`{"seed":1,"given":[1.5]}`:             "given: found 1.5, want a whole number",
		`{"seed":1,"part":{}}`:                 `part: no field "name", want one`,
		`{"seed":1,"parts":[{"name":2}]}`:      "parts: name: found number, want a string",
		`{"seed":1,"on":1}`:                    "on: found number, want true or false",
		`{"seed":1,"big":9223372036854775808}`: "big: found 9223372036854775808, want a whole number",
		`{"seed":1`:                            "unexpected end of JSON input",
	} {
		if err := UnmarshalJSON([]byte(text), new(document)); err == nil || err.Error() != want {
			t.Errorf("%s: found %v, want %s", text, err, want)
		}
	}
}

// A tree's numbers keep their kinds, and what a struct lacks stays.
func TestTree(t *testing.T) {
	old := map[string]any{"seed": int64(3), "scale": 2.5, "later": []byte{1}, "texts": []any{"a"}, "parts": []any{
		map[string]any{"name": "x", "rate": int64(4), "zz": nil}}, "other": map[string]any{"name": "", "more": true}}
	var d document
	if err := Decode(&d, old, "run"); err != nil {
		t.Fatal(err)
	}
	want := document{Seed: 3, Scale: 2.5, Texts: []string{"a"}, Parts: []inner{{"x", 4}}}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("found %+v, want %+v", d, want)
	}
	d.Scale, d.Texts, d.Given = 0, nil, []int{}
	found, err := Encode(d, old, "run")
	changed := map[string]any{"seed": uint64(3), "later": []byte{1}, "given": []any{}, "parts": []any{map[string]any{"name": "x", "rate": 4.0, "zz": nil}},
		"other": map[string]any{"name": "", "more": true}}
	if err != nil || !reflect.DeepEqual(found, changed) {
		t.Errorf("found %v (%v), want %v", found, err, changed)
	}
	if found, err := Encode([]inner{{"x", 0}}, []any{map[string]any{"new": int64(1)}}, "list"); err != nil ||
		!reflect.DeepEqual(found, []any{map[string]any{"name": "x", "new": int64(1)}}) {
		t.Errorf("a list: found %v (%v)", found, err)
	}
}

func TestTreeRefuses(t *testing.T) {
	for _, c := range []struct {
		tree any
		want Error
	}{
		{"x", Error{"run", `"x"`, "a map"}},
		{map[string]any{"seed": int64(-1)}, Error{"run.seed", "-1", "a whole number of at least 0"}},
		{map[string]any{"scale": math.NaN()}, Error{"run.scale", "NaN", "a finite number"}},
		{map[string]any{"texts": []any{"a", []byte{1, 2}}}, Error{"run.texts[1]", "2 bytes", "a text"}},
		{map[string]any{"texts": []any{nil}}, Error{"run.texts[0]", "nil", "a value"}},
		{map[string]any{"parts": []any{map[string]any{}, map[string]any{"name": []any{1}}}}, Error{"run.parts[1].name", "an array of 1", "a text"}},
		{map[string]any{"on": map[string]any{}}, Error{"run.on", "a map", "true or false"}},
	} {
		err := Decode(new(document), c.tree, "run")
		if found, ok := errors.AsType[*Error](err); !ok || *found != c.want {
			t.Errorf("%v: found %v, want %v", c.tree, err, &c.want)
		}
	}
	_, err := Encode([]document{{}, {Scale: math.Inf(1)}}, nil, "all")
	if err == nil || err.Error() != "all[1].scale: found +Inf, want a finite number" {
		t.Errorf("found %v, want the number refused", err)
	}
}

func TestDiff(t *testing.T) {
	tree := func() map[string]any {
		return map[string]any{"a": int64(1), "b": map[string]any{"c": []any{int64(1), 2.5, "x"}}, "n": math.NaN(), "p": []byte{1}, "z": nil}
	}
	if found := Diff(tree(), tree()); len(found) > 0 {
		t.Errorf("equal trees: found %v", found)
	}
	for _, c := range []struct {
		name   string
		change func(m map[string]any)
		want   string
		leaves string
	}{
		{"a number", func(m map[string]any) { m["a"] = int64(2) }, "a", "a"},
		{"another kind of number", func(m map[string]any) { m["a"] = 1.0 }, "a", "a"},
		{"bytes", func(m map[string]any) { m["p"] = []byte{2} }, "p", "p"},
		{"minus 0", func(m map[string]any) { m["a"] = math.Copysign(0, -1) }, "a", "a"},
		{"one less", func(m map[string]any) { m["b"].(map[string]any)["c"] = []any{int64(1), 2.5} }, "b.c[2]", "b.c.2"},
		{"none", func(m map[string]any) { delete(m, "b") }, "b", "b.c.0 b.c.1 b.c.2"},
		{"a map for a number", func(m map[string]any) { m["a"] = map[string]any{"x y": "", "": true} }, "a", "a a. a.x y"},
		{"an empty map for nil", func(m map[string]any) { m["z"] = map[string]any{} }, "z", "z"},
		{"names that aren't plain", func(m map[string]any) { m["b"].(map[string]any)["x y"], m[""] = 1, 2 }, `[""] b["x y"]`, " b.x y"},
	} {
		other := tree()
		c.change(other)
		var paths, leaves []string
		all := Diff(tree(), other)
		for _, d := range all {
			paths = append(paths, d.Path.String())
		}
		for _, d := range Leaves(all) {
			leaves = append(leaves, d.Path.Dotted())
		}
		if strings.Join(paths, " ") != c.want || strings.Join(leaves, " ") != c.leaves {
			t.Errorf("%s: found %q and the leaves %q, want %q and %q", c.name, paths, leaves, c.want, c.leaves)
		}
	}
	if p := (Path{"members", 2, "recipe"}); !p.Begins("members", 2) || p.Begins("members", 1) || p.Begins("members", 2, "recipe", "x") {
		t.Error("found another beginning")
	}
}

// FuzzJSON: what is read is written, and read again the same, by way of JSON and of a tree.
func FuzzJSON(f *testing.F) {
	for _, text := range []string{`{"seed":1}`, `{"seed":1,"scale":1e-7,"texts":["\ud800"],"given":[],"part":{"name":"p","rate":"one"},"x":{"a":[1,null]}}`,
		`{"seed":-0}`, `[]`, `{"seed":1,"parts":[{"name":"a"},{"name":"b","rate":2}],"big":-1,"other":{"name":"o"}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) || Scan(text, Limits{64, 1 << 14, 1 << 19}) != nil {
			return
		}
		var d, again document
		if UnmarshalJSON(text, &d) != nil {
			return
		}
		first, err := MarshalJSON(d)
		if err != nil {
			t.Fatal(err)
		}
		if err := UnmarshalJSON(first, &again); err != nil {
			t.Fatalf("%v: written as %s", err, first)
		}
		if second, err := MarshalJSON(again); err != nil || !bytes.Equal(first, second) {
			t.Fatalf("found %s (%v), want %s", second, err, first)
		}
		tree, err := Encode(d, nil, "d")
		if err != nil {
			t.Fatal(err)
		}
		var from document
		if err := Decode(&from, tree, "d"); err != nil {
			t.Fatal(err)
		}
		if second, err := Encode(from, tree, "d"); err != nil || len(Diff(tree, second)) > 0 {
			t.Fatalf("found %v (%v), want %v", second, err, tree)
		}
	})
}

func TestFields(t *testing.T) {
	var names []string
	for name := range Fields(reflect.ValueOf(document{})) {
		names = append(names, name)
	}
	if want := strings.Fields("seed scale texts given part parts on big other"); !slices.Equal(names, want) {
		t.Errorf("found %q, want %q", names, want)
	}
}

// A cut text ends between two characters.
func TestCut(t *testing.T) {
	long := strings.Repeat("a", 59) + "ä"
	for given, want := range map[string]string{"": "", "short": "short", strings.Repeat("a", 60): strings.Repeat("a", 60), long: long[:59] + "…"} {
		if got := Cut(given); got != want {
			t.Errorf("%q: found %q, want %q", given, got, want)
		}
	}
}
