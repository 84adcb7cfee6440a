package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

const root = "../../../.."

func TestNothingIsStale(t *testing.T) {
	files, err := generate(root)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range files {
		found, err := os.ReadFile(filepath.Join(root, path))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(found, want) {
			t.Errorf("%s is stale: want what go generate ./specs/blueprint writes", path)
		}
	}
}

func guide(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, guidePath))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Every row of the table and every name of the lists is on the page.
func TestGuideHasAll(t *testing.T) {
	text := guide(t)
	for _, k := range blueprint.Kinds {
		_, section, found := strings.Cut(text, "\n### "+k.Name+"\n")
		section, _, _ = strings.Cut(section, "\n#")
		if !found {
			t.Errorf("%s: no section", k.Name)
		}
		for _, s := range k.Settings {
			if !strings.Contains(section, "\n| `"+s.Name+"` | ") {
				t.Errorf("%s, setting %s: not in its section", k.Name, s.Name)
			}
		}
	}
	for name, rows := range tables {
		list := blueprint.Table[blueprint.Row](rows).Names()
		_, part, _ := strings.Cut(text, "<!-- generated: list "+name+" -->")
		part, _, _ = strings.Cut(part, "<!-- end -->")
		if found := strings.Count(part, "\n| `"); found != len(list) {
			t.Errorf("%s: found %d names, want %d", name, found, len(list))
		}
		for _, n := range list {
			if !strings.Contains(part, "\n| `"+n+"` | ") {
				t.Errorf("%s: %s is not there", name, n)
			}
		}
	}
	for _, name := range strings.Fields("Document Input Member Output Recipe Loss Optimizer Schedule Augment Mirror Erase Stop Average") {
		if !strings.Contains(text, "<!-- generated: fields "+name+" -->") {
			t.Errorf("%s: no fields", name)
		}
	}
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "|") && strings.HasSuffix(strings.TrimSpace(line), "|  |") {
			t.Errorf("found a row that says nothing: %s", line)
		}
	}
}

// Links within the page lead somewhere.
func TestGuideLinks(t *testing.T) {
	text := guide(t)
	anchors := map[string]bool{}
	for line := range strings.Lines(text) {
		if title, ok := strings.CutPrefix(line, "#"); ok {
			anchors[strings.ReplaceAll(strings.ToLower(strings.TrimSpace(strings.TrimLeft(title, "#"))), " ", "-")] = true
		}
	}
	links := 0
	for rest := text; ; links++ {
		_, after, found := strings.Cut(rest, "](#")
		if !found {
			break
		}
		name, after, _ := strings.Cut(after, ")")
		if rest = after; !anchors[name] {
			t.Errorf("#%s: no such heading", name)
		}
	}
	if links == 0 {
		t.Error("found no links")
	}
}

// The example is a document that fkzoo reads and runs.
func TestGuideExample(t *testing.T) {
	_, text, found := strings.Cut(guide(t), "\n```json\n")
	text, _, closed := strings.Cut(text, "\n```\n")
	if !found || !closed {
		t.Fatal("found no example, want a document in JSON")
	}
	d, err := blueprint.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.Validate(blueprint.KaggleColumns); err != nil {
		t.Error(err)
	}
	if unknown := d.UnknownFields(); len(unknown) > 0 {
		t.Errorf("found unknown fields %v", unknown)
	}
}

func TestFill(t *testing.T) {
	part := func(name string) (string, error) { return "new " + name + "\n", nil }
	for _, c := range []struct{ guide, want string }{
		{"a\n<!-- generated: x y -->\nold\n<!-- end -->\nb", "a\n<!-- generated: x y -->\nnew x y\n<!-- end -->\nb"},
		{"<!-- generated: a -->\n<!-- end --> <!-- generated: b -->\n\n<!-- end -->", "<!-- generated: a -->\nnew a\n<!-- end --> <!-- generated: b -->\nnew b\n<!-- end -->"},
		{"nothing", "nothing"},
	} {
		if found, err := fill(c.guide, part); err != nil || found != c.want {
			t.Errorf("%q: found %q (%v), want %q", c.guide, found, err, c.want)
		}
	}
	if _, err := fill("<!-- generated: a -->\nno end", part); err == nil {
		t.Error("found no error for a part without an end")
	}
	if _, err := fill("<!-- generated: lists -->\n<!-- end -->", new(source).part); err == nil {
		t.Error("found no error for an unknown part")
	}
}
