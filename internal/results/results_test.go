package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/zoo"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/train"
)

// build builds the plugins that a test needs, and lets none of the user's be found.
func build(t *testing.T, plugins ...string) {
	t.Helper()
	dir := t.TempDir()
	for _, p := range plugins {
		if out, err := exec.Command("go", "build", "-o", filepath.Join(dir, "fkzoo-plugin-"+p), "../../plugins/"+p).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", p, err, out)
		}
	}
	t.Setenv("FKZOO_DEV_PLUGINS", dir)
	t.Setenv("FKZOO_PLUGIN_PATH", "")
	t.Setenv("FKZOO_BACKEND", "go")
	for _, home := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(home, t.TempDir())
	}
}

// The list is whole: names that are there once, tables that the page has, and recipes that fkzoo takes.
func TestRuns(t *testing.T) {
	build(t, "baseline", "compact", "specialists")
	seen := map[string]bool{}
	p := &places{err: t.Output()}
	p.zoo = p.open("", nil)
	defer p.zoo.Close()
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
	build(t, "baseline", "compact", "net7", "net9", "net10", "net11", "specialists")
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../docs")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "results.md")
	old := read(t, path)
	var told bytes.Buffer
	args := []string{"-models", "none", "-page", path, "page"}
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

// trial is a page of small trainings.
type trial struct {
	*testing.T
	dir, data, models, page string
	told                    told
}

// told is what the command prints. Once it has printed until, stop is called.
type told struct {
	mu    sync.Mutex
	text  bytes.Buffer
	until string
	stop  func()
}

func (w *told) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stop != nil && bytes.Contains(b, []byte(w.until)) {
		w.stop()
	}
	return w.text.Write(b)
}

func (w *told) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// smallArgs lack the seed.
const smallArgs = "net1 --set hidden=4 --set recipe.calibrate=true --epochs 3 --seed "

// try gives a trial in place of the real runs, with an empty page.
func try(t *testing.T) *trial {
	build(t, "baseline")
	oldRuns, oldReported := runs, reportedNetworks
	t.Cleanup(func() { runs, reportedNetworks = oldRuns, oldReported })
	runs = []run{
		{name: "compact-s-1", table: networks, shows: "tiny", args: smallArgs + "1"},
		{name: "b", table: networks, shows: "tiny", args: smallArgs + "1 --batch 16"},
		{name: "both", table: networks, shows: "mean of both", of: []string{"compact-s-1", "b"}},
		{name: "flat", table: choices, shows: "a constant rate", args: smallArgs + "1 --set recipe.rate=0.001"},
		{name: "unshifted", table: choices, shows: "no calibration", of: []string{"compact-s-1"}, noShift: true},
		{name: "half", table: rows, shows: "half", args: smallArgs + "1 --set recipe.subset.share=0.5"},
		{name: "all", table: rows, shows: "all", of: []string{"compact-s-1"}},
		{name: "own", table: report, shows: "tiny", args: smallArgs + "2"},
		{name: "never", table: report, shows: "not trained here", args: "net2"},
	}
	reportedNetworks = reportedNetworks[:1]
	dir := t.TempDir()
	out := &trial{T: t, dir: dir, data: "demo:40", models: filepath.Join(dir, "models"), page: filepath.Join(dir, "page.md")}
	var empty strings.Builder
	for _, name := range []string{networks, "columns", choices, rows, report, "made", "commands"} {
		fmt.Fprintf(&empty, "# %s\n<!-- results: %s -->\n<!-- end -->\n", name, name)
	}
	out.write(out.page, empty.String())
	return out
}

// results runs the command. Once it has printed until, where that isn't "", it is interrupted.
func (t *trial) results(until string, names ...string) error {
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	t.told = told{until: until}
	if until != "" {
		t.told.stop = stop
	}
	return command(ctx, append([]string{"-data", t.data, "-models", t.models, "-page", t.page, "-curves", "none"}, names...), &t.told, &t.told)
}

func (t *trial) must(names ...string) {
	t.Helper()
	if err := t.results("", names...); err != nil {
		t.Fatalf("%v\n%s", err, t.told.String())
	}
}

func (t *trial) model(name string) string { return filepath.Join(t.models, name+".fkz") }

func (t *trial) write(path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (t *trial) rename(from, to string) {
	t.Helper()
	if err := os.Rename(from, to); err != nil {
		t.Fatal(err)
	}
}

// Small trainings from the command to the page, again, after an interruption, and with other arguments.
func TestTrainAndPage(t *testing.T) {
	on := try(t)
	on.must("compact-s-1", "b", "flat", "half", "own")
	on.measuredAsTheZooDoes()
	on.showsAll()
	on.goesOn()
	on.interrupted()
	on.withoutModel()
	on.ofOtherCurves()
	on.ofOtherArguments()
}

func (t *trial) measuredAsTheZooDoes() {
	text := read(t.T, t.page)
	z := zoo.Open(zoo.Options{Backend: "go"})
	defer z.Close()
	for _, name := range []string{"compact-s-1", "both", "half"} {
		r, _ := named(name)
		var models []string
		for _, m := range r.models() {
			models = append(models, t.model(m))
		}
		e, err := z.Evaluate(t.Context(), zoo.EvaluateRequest{
			ModelsRequest: zoo.ModelsRequest{Models: models}, Data: zoo.DataRequest{Names: []string{t.data}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if want := fmt.Sprintf(" | %.3f |", e.HeldOut.RMSEPixels); !strings.Contains(line(text, "| "+r.shows+" | "), want) {
			t.Errorf("%s: found %q, want%s in it, as evaluating says", name, line(text, "| "+r.shows+" | "), want)
		}
	}
	if whole, without := line(text, "| **the whole"), line(text, "| no calibration"); without == "" || strings.Contains(without, "| +0.000 |") {
		t.Errorf("found %q beside %q, want another error without calibration", without, whole)
	}
}

func (t *trial) showsAll() {
	text := read(t.T, t.page)
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
		if svg := read(t.T, filepath.Join(t.dir, "page", name+".svg")); !strings.Contains(svg, "<svg") {
			t.Errorf("%s.svg: found %.40q", name, svg)
		}
	}
}

// A run that is lost goes on from its checkpoint, to the same model; the others are passed over.
func (t *trial) goesOn() {
	path := t.model("b")
	before := digest(t.T, path)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	t.must("compact-s-1", "b")
	if !strings.Contains(t.told.String(), "compact-s-1 is there") || !strings.Contains(t.told.String(), "b goes on from "+model.BestPath(path)) {
		t.Errorf("found in what was told:\n%s", t.told.String())
	}
	if after := digest(t.T, path); after != before {
		t.Errorf("found digest %s after going on, want %s", after, before)
	}
	if err := t.results("", "list"); err != nil || !regexp.MustCompile(`(?m)^b +done +[0-9.]+ +[0-9.]+ +fkzoo train net1`).MatchString(t.told.String()) {
		t.Errorf("list: %v\n%s", err, t.told.String())
	}
}

// A run that is interrupted keeps what it has learned, says where, and goes on from there to the same model.
func (t *trial) interrupted() {
	path := t.model("b")
	before := digest(t.T, path)
	for _, file := range []string{path, model.BestPath(path)} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	err := t.results("b: epoch 2 of 3", "b", "own")
	for _, want := range []string{"b: ", model.LastPath(path), "; the same command goes on"} {
		if err == nil || !errors.Is(err, train.ErrInterrupted) || !strings.Contains(err.Error(), want) {
			t.Errorf("found the error %v, want %q in it", err, want)
		}
	}
	if !strings.Contains(t.told.String(), "ending after the batch under way") {
		t.Errorf("found in what was told:\n%s", t.told.String())
	}
	if err := t.results("", "list"); err != nil || !regexp.MustCompile(`(?m)^b +2 epochs +[0-9.]+ `).MatchString(t.told.String()) {
		t.Errorf("list: %v\n%s", err, t.told.String())
	}
	t.must("b")
	if !strings.Contains(t.told.String(), "goes on from "+model.LastPath(path)) || strings.Contains(t.told.String(), "b: epoch 2 of 3") {
		t.Errorf("found in what was told:\n%s", t.told.String())
	}
	if after := digest(t.T, path); after != before {
		t.Errorf("found digest %s after going on, want %s", after, before)
	}
}

// Without its model a run's record stands, and without both its row goes; a mean with it goes when it is trained anew.
func (t *trial) withoutModel() {
	both := line(read(t.T, t.page), "| mean of both")
	path := t.model("b")
	for _, file := range []string{path, model.BestPath(path)} {
		t.rename(file, file+".away")
	}
	if err := t.results("", "page"); err != nil || line(read(t.T, t.page), "| mean of both") != both || both == "" {
		t.Errorf("found %q (%v) where a model is missing, want %q", line(read(t.T, t.page), "| mean of both"), err, both)
	}
	if err := t.results("", "list"); err != nil || !regexp.MustCompile(`(?m)^b +recorded +[0-9.]+ +[0-9.]+ +fkzoo train net1`).MatchString(t.told.String()) {
		t.Errorf("list: %v\n%s", err, t.told.String())
	}
	kept := filepath.Join(t.dir, "page", "runs", "b.json")
	of := read(t.T, kept)
	for what, change := range map[string]func(string) string{
		"of another model":     func(s string) string { return regexp.MustCompile(`"digest":"...`).ReplaceAllString(s, `"digest":"xyz`) },
		"of other arguments":   func(s string) string { return strings.Replace(s, `"16"`, `"17"`, 1) },
		"of another blueprint": func(s string) string { return strings.Replace(s, `"blueprint":"`, `"blueprint":"0`, 1) },
	} {
		t.write(kept, change(of))
		if err := t.results("", "page"); err != nil || strings.Contains(read(t.T, t.page), "| mean of both") {
			t.Errorf("a record %s: found the row of the mean still (%v)", what, err)
		}
	}
	if err := os.Remove(kept); err != nil {
		t.Fatal(err)
	}
	if err := t.results("", "page"); err != nil || strings.Contains(read(t.T, t.page), "| mean of both") || !strings.Contains(read(t.T, t.page), "`b`, ") {
		t.Errorf("without a record and a model (%v): found\n%s", err, read(t.T, t.page))
	}
	t.rename(path+".away", path)
	if err := t.results("", "page"); err != nil || line(read(t.T, t.page), "| mean of both") != both {
		t.Errorf("found %q (%v) with the model back, want %q", line(read(t.T, t.page), "| mean of both"), err, both)
	}
}

// Without the report's curves its picture of other models is neither kept nor drawn anew.
func (t *trial) ofOtherCurves() {
	text := read(t.T, t.page)
	other := strings.Replace(text, "and in the report: ", "and in the report: another ", 1)
	t.write(t.page, other)
	if err := t.results("", "page"); err == nil || !strings.Contains(err.Error(), "report.svg is of other models") || other == text || read(t.T, t.page) != other {
		t.Errorf("a picture of other models: found the error %v", err)
	}
	t.write(t.page, text)
}

// What other arguments made, or what isn't whole, is not passed off as the run's.
func (t *trial) ofOtherArguments() {
	was := runs[1].args
	for what, args := range map[string]string{"other arguments": smallArgs + "1 --batch 8", "fewer arguments": smallArgs + "1"} {
		runs[1].args = args
		if err := t.results("", "b"); err == nil || !strings.Contains(err.Error(), "was made by") {
			t.Errorf("%s: found the error %v", what, err)
		}
	}
	runs[1].args = was
	path := t.model("b")
	whole := read(t.T, path)
	t.write(path, whole[:len(whole)-100])
	if err := t.results("", "b"); err == nil || !strings.Contains(err.Error(), "b.fkz") {
		t.Errorf("a broken file: found the error %v", err)
	}
}

// The arguments of a run, typed, are what its request asks for; what the table doesn't know is refused.
func TestRequest(t *testing.T) {
	r := run{name: "r", args: "net6 --seed 3 --set recipe.rate=0.1 --epochs 60 --set hidden=7 --batch 32 --backend go"}
	found, err := r.request()
	if err != nil {
		t.Fatal(err)
	}
	seed := uint64(3)
	want := train.Request{Architecture: "net6", Seed: &seed, Epochs: 60, Batch: 32, Settings: []string{"recipe.rate=0.1", "hidden=7"}}
	if !reflect.DeepEqual(found, want) || r.backend() != "go" {
		t.Errorf("found %+v on %q, want %+v", found, r.backend(), want)
	}
	if got := strings.Join(settings(found), " "); got != "recipe.rate=0.1 hidden=7 recipe.epochs=60 recipe.batch=32 recipe.seed=3" {
		t.Errorf("found the settings %s", got)
	}
	for _, args := range []string{"", "net6 --folds 3", "net6 --seed", "net6 --seed x", "net6 --epochs 1.5", "net6 net7"} {
		if _, err := (run{name: "r", args: args}).request(); err == nil || !strings.HasPrefix(err.Error(), "r: ") {
			t.Errorf("%q: found the error %v, want one", args, err)
		}
	}
}

// A model's record is the run's whatever the places and the program's path.
func TestMadeBy(t *testing.T) {
	r := run{args: "net6 --seed 3"}
	for _, c := range []struct {
		command string
		want    bool
	}{
		{"fkzoo train net6 --seed 3 --data d -o m", true},
		{"bin/fkzoo train net6 --seed 3 --data /d/training.zip -o results/net6.fkz", true},
		{"fkzoo train net6 --seed 4 --data d -o m", false},
		{"fkzoo train net6 --seed 3 --batch 2 --data d -o m", false},
		{"fkzoo train net6 --data d -o m", false},
		{"fkzoo train net6 --seed 3 --start d -o m", false},
		{"fkzoo train net6 --seed 3", false},
		{"", false},
	} {
		if got := r.madeBy(strings.Fields(c.command)); got != c.want {
			t.Errorf("%s: found %v, want %v", c.command, got, c.want)
		}
	}
	if !r.madeBy(r.command("a place", "another")) {
		t.Error("its own command isn't found to be")
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

func digest(t *testing.T, path string) string {
	t.Helper()
	m, err := model.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	return m.Digest
}
