package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/measure"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// program is the real fkzoo, with the plugins that the tests need.
func program(t *testing.T, plugins ...string) string {
	t.Helper()
	dir := t.TempDir()
	build := func(name, folder string) {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, name), folder).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", folder, err, out)
		}
	}
	build("fkzoo", "../../cmd/fkzoo")
	for _, p := range plugins {
		build("fkzoo-plugin-"+p, "../../plugins/"+p)
	}
	t.Setenv("FKZOO_DEV_PLUGINS", dir)
	t.Setenv("FKZOO_BACKEND", "go")
	for _, home := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(home, t.TempDir())
	}
	return filepath.Join(dir, "fkzoo")
}

func output(t *testing.T, name string, args ...string) []byte {
	t.Helper()
	c := exec.Command(name, args...)
	var failed bytes.Buffer
	c.Stderr = &failed
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(c.Args, " "), err, failed.String())
	}
	return out
}

// The list is whole: names that are there once, tables that the page has, and recipes that fkzoo takes.
func TestRuns(t *testing.T) {
	fkzoo := program(t, "baseline", "compact", "specialists")
	seen := map[string]bool{}
	p := &places{fkzoo: fkzoo}
	for _, r := range runs {
		if seen[r.name] || (r.args == "") == (r.of == nil) || r.shows == "" {
			t.Errorf("%s: want a name that is there once, a text, and either arguments or models", r.name)
		}
		seen[r.name] = true
		for _, name := range r.of {
			if of, ok := named(name); !ok || of.args == "" {
				t.Errorf("%s: %s is no training of the list", r.name, name)
			}
		}
		if r.args != "" {
			if _, err := p.blueprint(t.Context(), r); err != nil {
				t.Errorf("%s: %v", r.name, err)
			}
		}
	}
}

// The page says what its records do, and these are of the networks and recipes of today.
func TestPageIsCurrent(t *testing.T) {
	fkzoo := program(t, "baseline", "compact", "net7", "net9", "net10", "net11", "specialists")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../docs")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "results.md")
	old := read(t, path)
	var told bytes.Buffer
	args := []string{"-fkzoo", fkzoo, "-models", "none", "-page", path, "page"}
	if err := command(context.Background(), args, &told, &told); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	if text := read(t, path); text != old {
		t.Error("docs/results.md isn't what its records say of the networks and recipes of today: «make results RUNS=page» writes it")
	}
	pictures, err := filepath.Glob("../../docs/results/*.svg")
	if err != nil {
		t.Fatal(err)
	}
	for _, picture := range pictures {
		if read(t, picture) != read(t, filepath.Join(dir, "results", filepath.Base(picture))) {
			t.Errorf("%s isn't what the records say: «make results RUNS=page» draws it", picture)
		}
	}
	kept, err := filepath.Glob(filepath.Join(dir, "results", "runs", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range kept {
		if _, ok := named(strings.TrimSuffix(filepath.Base(path), ".json")); !ok {
			t.Errorf("docs/results/runs/%s: there is no run of that name", filepath.Base(path))
		}
	}
}

func TestPicked(t *testing.T) {
	for _, c := range []struct {
		patterns, want string
	}{
		{"net1", "net1"},
		{"net1 compact-s-1", "compact-s-1 net1"},
		{"compact-m-?", "compact-m-1 compact-m-2 compact-m-3"},
		{"compact-m-123", "compact-m-1 compact-m-2 compact-m-3"},
		{"s-no-flips", "compact-s-1"},
		{"s-rows-*", "compact-s-1 s-rows-8 s-rows-4 s-rows-2"},
	} {
		found, err := picked(strings.Fields(c.patterns))
		var names []string
		for _, r := range found {
			names = append(names, r.name)
		}
		if got := strings.Join(names, " "); err != nil || got != c.want {
			t.Errorf("%s: found %s (%v), want %s", c.patterns, got, err, c.want)
		}
	}
	for _, p := range []string{"net99", "[", ""} {
		if _, err := picked([]string{p}); err == nil {
			t.Errorf("%q: found no error, want one", p)
		}
	}
	if all, err := picked(nil); err != nil || len(all) != len(trainings()) {
		t.Errorf("without patterns: found %d runs (%v), want all", len(all), err)
	}
}

func TestFill(t *testing.T) {
	const mark = "a\n<!-- results: x -->\nold\n<!-- end -->\nb <!-- results: y -->\n<!-- end -->"
	got, err := fill(mark, map[string]string{"x": "\nnew $1\n", "y": ""})
	if want := "a\n<!-- results: x -->\nnew $1\n<!-- end -->\nb <!-- results: y -->\n<!-- end -->"; err != nil || got != want {
		t.Errorf("found %q (%v), want %q", got, err, want)
	}
	for _, c := range []struct{ text, want string }{
		{"", "found 0 regions"},
		{"<!-- results: x -->\n<!-- end --><!-- results: x -->\n<!-- end -->", "found 2 regions"},
		{"<!-- results: x -->\n<!-- end --><!-- results: z -->\n<!-- end -->", "found the region z"},
	} {
		if _, err := fill(c.text, map[string]string{"x": ""}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: found the error %v, want %s", c.text, err, c.want)
		}
	}
}

// Small trainings from the command to the page, again, after an interruption, and with other arguments.
func TestTrainAndPage(t *testing.T) {
	fkzoo := program(t, "baseline")
	oldRuns, oldReported := runs, reportedNetworks
	defer func() { runs, reportedNetworks = oldRuns, oldReported }()
	small := "net1 --set hidden=4 --set recipe.calibrate=true --epochs 3 --seed "
	runs = []run{
		{name: "compact-s-1", table: networks, shows: "tiny", args: small + "1"},
		{name: "b", table: networks, shows: "tiny", args: small + "1 --batch 16"},
		{name: "both", table: networks, shows: "mean of both", of: []string{"compact-s-1", "b"}},
		{name: "flat", table: choices, shows: "a constant rate", args: small + "1 --set recipe.rate=0.001"},
		{name: "unshifted", table: choices, shows: "no calibration", of: []string{"compact-s-1"}, noShift: true},
		{name: "half", table: rows, shows: "half", args: small + "1 --set recipe.subset.share=0.5"},
		{name: "all", table: rows, shows: "all", of: []string{"compact-s-1"}},
		{name: "own", table: report, shows: "tiny", args: small + "2"},
		{name: "never", table: report, shows: "not trained here", args: "net2"},
	}
	reportedNetworks = reportedNetworks[:1]
	dir := t.TempDir()
	data, models, pagePath := filepath.Join(dir, "data.csv"), filepath.Join(dir, "models"), filepath.Join(dir, "page.md")
	output(t, fkzoo, "data", "demo", "-o", data, "--faces", "40")
	var empty strings.Builder
	for _, name := range []string{networks, "columns", choices, rows, report, "made", "commands"} {
		fmt.Fprintf(&empty, "# %s\n<!-- results: %s -->\n<!-- end -->\n", name, name)
	}
	if err := os.WriteFile(pagePath, []byte(empty.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	results := func(names ...string) error {
		told.Reset()
		args := []string{"-fkzoo", fkzoo, "-data", data, "-models", models, "-page", pagePath, "-curves", "none"}
		return command(context.Background(), append(args, names...), &told, &told)
	}
	if err := results("compact-s-1", "b", "flat", "half", "own"); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	text := read(t, pagePath)
	for _, name := range []string{"compact-s-1", "both", "half"} {
		r, _ := named(name)
		args := []string{"evaluate", "--data", data, "--json"}
		for _, m := range r.models() {
			args = append(args, filepath.Join(models, m+".fkz"))
		}
		var e measure.Evaluation
		if err := json.Unmarshal(output(t, fkzoo, args...), &e); err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(" | %.3f |", e.HeldOut.RMSEPixels); !strings.Contains(line(text, "| "+r.shows+" | "), want) {
			t.Errorf("%s: found %q, want%s in it, as evaluate says", name, line(text, "| "+r.shows+" | "), want)
		}
	}
	if whole, without := line(text, "| **the whole"), line(text, "| no calibration"); without == "" || strings.Contains(without, "| +0.000 |") {
		t.Errorf("found %q beside %q, want another error without calibration", without, whole)
	}
	for _, want := range []string{
		"| tiny | 37,018 | 0.000 | 3 | ", "| mean of both | 74,036 | ", "| half | 16 | 3 |", "| all | 32 | 3 |", "| net1 | the report: one hidden layer | 924,730 |",
		"|  | fkzoo: tiny |  |  | 3 |", "Not trained yet: `never`.", "| `b` | `fkzoo train net1 --set hidden=4 --set recipe.calibrate=true --epochs 3 --seed 1 --batch 16` |",
		"| left_eye_center_x | ", "![Error by column](page/columns.svg)", "![Error by the number of rows trained on](page/rows.svg)", "(page/networks.svg)", "(page/report.svg)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("found no %q in\n%s", want, text)
		}
	}
	for _, name := range []string{"columns", "rows", "networks", "report"} {
		if svg := read(t, filepath.Join(dir, "page", name+".svg")); !strings.Contains(svg, "<svg") {
			t.Errorf("%s.svg: found %.40q", name, svg)
		}
	}

	// A run that is lost goes on from its checkpoint, to the same model; the others are passed over.
	path := filepath.Join(models, "b.fkz")
	whole := read(t, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := results("compact-s-1", "b"); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	if !strings.Contains(told.String(), "compact-s-1 is there") || !strings.Contains(told.String(), "--resume "+filepath.Join(models, "b.best.fkz")) {
		t.Errorf("found in what was told:\n%s", told.String())
	}
	before, after := digest(t, []byte(whole)), digest(t, []byte(read(t, path)))
	if before != after {
		t.Errorf("found digest %s after going on, want %s", after, before)
	}
	if err := results("list"); err != nil || !regexp.MustCompile(`(?m)^b +done +[0-9.]+ +[0-9.]+ +fkzoo train net1`).MatchString(told.String()) {
		t.Errorf("list: %v\n%s", err, told.String())
	}

	// Without its model a run's record stands, and without both its row goes; a mean with it goes when it is trained anew.
	both := line(read(t, pagePath), "| mean of both")
	for _, file := range []string{path, model.BestPath(path)} {
		if err := os.Rename(file, file+".away"); err != nil {
			t.Fatal(err)
		}
	}
	if err := results("page"); err != nil || line(read(t, pagePath), "| mean of both") != both || both == "" {
		t.Errorf("found %q (%v) where a model is missing, want %q", line(read(t, pagePath), "| mean of both"), err, both)
	}
	if err := results("list"); err != nil || !regexp.MustCompile(`(?m)^b +recorded +[0-9.]+ +[0-9.]+ +fkzoo train net1`).MatchString(told.String()) {
		t.Errorf("list: %v\n%s", err, told.String())
	}
	kept := filepath.Join(dir, "page", "runs", "b.json")
	of := read(t, kept)
	for what, change := range map[string]func(string) string{
		"of another model":     func(s string) string { return regexp.MustCompile(`"digest":"...`).ReplaceAllString(s, `"digest":"xyz`) },
		"of other arguments":   func(s string) string { return strings.Replace(s, `"16"`, `"17"`, 1) },
		"of another blueprint": func(s string) string { return strings.Replace(s, `"blueprint":"`, `"blueprint":"0`, 1) },
	} {
		if err := os.WriteFile(kept, []byte(change(of)), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := results("page"); err != nil || strings.Contains(read(t, pagePath), "| mean of both") {
			t.Errorf("a record %s: found the row of the mean still (%v)", what, err)
		}
	}
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if err := results("page"); err != nil || strings.Contains(read(t, pagePath), "| mean of both") || !strings.Contains(read(t, pagePath), "`b`, ") {
		t.Errorf("without a record and a model (%v): found\n%s", err, read(t, pagePath))
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	if err := results("page"); err != nil || line(read(t, pagePath), "| mean of both") != both {
		t.Errorf("found %q (%v) with the model back, want %q", line(read(t, pagePath), "| mean of both"), err, both)
	}

	// Without the report's curves its picture of other models is neither kept nor drawn anew.
	text = read(t, pagePath)
	other := strings.Replace(text, "and in the report: ", "and in the report: another ", 1)
	if err := os.WriteFile(pagePath, []byte(other), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := results("page"); err == nil || !strings.Contains(err.Error(), "report.svg is of other models") || other == text || read(t, pagePath) != other {
		t.Errorf("a picture of other models: found the error %v", err)
	}
	if err := os.WriteFile(pagePath, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}

	// What other arguments made, or what isn't whole, is not passed off as the run's.
	runs[1].args = small + "1 --batch 8"
	if err := results("b"); err == nil || !strings.Contains(err.Error(), "was made by") {
		t.Errorf("other arguments: found the error %v", err)
	}
	runs[1].args = small + "1"
	if err := results("b"); err == nil || !strings.Contains(err.Error(), "was made by") {
		t.Errorf("fewer arguments: found the error %v", err)
	}
	runs[1].args = small + "1 --batch 16"
	if err := os.WriteFile(path, []byte(whole[:len(whole)-100]), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := results("b"); err == nil || !strings.Contains(err.Error(), "b.fkz") {
		t.Errorf("a broken file: found the error %v", err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// line is the first that begins so.
func line(text, start string) string {
	for l := range strings.Lines(text) {
		if strings.HasPrefix(l, start) {
			return l
		}
	}
	return ""
}

func digest(t *testing.T, file []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "m.fkz")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m.Digest
}
