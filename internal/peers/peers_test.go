package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/zoo"
)

// TestMain makes the test's own program a rival where it is started as one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == childMode {
		main()
		return
	}
	os.Exit(m.Run())
}

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
	for _, home := range []string{"XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"} {
		t.Setenv(home, t.TempDir())
	}
}

// The list is whole: names that are there once, rivals of the table, and tasks that peers can be given.
func TestContests(t *testing.T) {
	build(t, "baseline", "compact", "net11")
	a := &arena{folder: t.TempDir(), err: t.Output(), zoo: zoo.Open(zoo.Options{})}
	defer a.zoo.Close()
	seen := map[string]bool{}
	tasks := map[work]bool{}
	for _, c := range contests {
		if seen[c.name] || c.layers != (len(c.entrants) == 0) {
			t.Errorf("%s: want a name that is there once, and entrants or layers", c.name)
		}
		seen[c.name] = true
		for _, e := range c.entrants {
			if rivalNamed(e.rival) == nil {
				t.Errorf("%s: found the rival %q, want one of the table", c.name, e.rival)
			}
			if tasks[e.work] {
				continue
			}
			tasks[e.work] = true
			p, err := a.prepare(t.Context(), e.work, c.isa, false)
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
				continue
			}
			if last := p.task.Layers[len(p.task.Layers)-1]; p.task.Columns != 30 || p.task.Batch != e.work.batch || len(last.In) == 0 || p.task.Recipe.Optimizer.Rate <= 0 {
				t.Errorf("%s: found the task %+v", c.name, p.task)
			}
		}
	}
	if len(tasks) < 20 {
		t.Errorf("found %d tasks, want every contest's", len(tasks))
	}
}

// The page says what its record does.
func TestPageIsCurrent(t *testing.T) {
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../docs")); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "performance.md")
	old := read(t, path)
	if err := command(context.Background(), []string{"-page", path, "page"}, t.Output(), t.Output()); err != nil {
		t.Fatal(err)
	}
	if text := read(t, path); text != old {
		t.Error("docs/performance.md isn't what its record says: «make bench-peers PEERS=page» writes it")
	}
}

// A race from the command to the page: fkzoo trains in a process of its own, and a rival that isn't there is named.
func TestRace(t *testing.T) {
	build(t, "baseline")
	oldContests, oldNetworks, oldRivals := contests, networks, rivals
	t.Cleanup(func() { contests, networks, rivals = oldContests, oldNetworks, oldRivals })
	networks = []compared{{"net1", 8}}
	absent := *rivalNamed("torch")
	absent.start = func(context.Context, *arena, *rival, *prepared) (runner, error) {
		return nil, errors.New("no such | package")
	}
	rivals = []*rival{rivalNamed("go"), rivalNamed("cpu"), &absent, rivalNamed("torch-channels-last"), rivalNamed("torch-compiled"), rivalNamed("jax"), rivalNamed("onnxruntime")}
	of := work{"net1", 0, 8, true}
	contests = []contest{{name: "train-net1", entrants: []entrant{{"go", of}, {"torch", of}}}, {name: "one-net1"}}
	dir := t.TempDir()
	path := filepath.Join(dir, "performance.md")
	if err := os.WriteFile(path, []byte(read(t, "../../docs/performance.md")), 0o600); err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	args := []string{"-page", path, "-rounds", "2", "-piece", "1ms"}
	if err := command(t.Context(), append(args, "train-*"), &told, &told); err != nil {
		t.Fatalf("%v\n%s", err, told.String())
	}
	text := read(t, path)
	for _, want := range []string{"\n| net1 | 8 | ", "- PyTorch: `train-net1` lacks it: no such / package\n", "2 rounds, pieces of 0.001 s", "Not measured yet: `one-net1`.", "no rival used more than 0."} {
		if !strings.Contains(text, want) {
			t.Errorf("found no %q in\n%s", want, text)
		}
	}
	a := &arena{page: path}
	kept, err := a.record()
	if err != nil {
		t.Fatal(err)
	}
	if e := kept["train-net1"].of("go"); e == nil || len(e.Rates) != 2 || e.rate() <= 0 || e.Parameters != 924730 || e.Size != 96 {
		t.Errorf("found the entry %+v, want two rounds of net1", e)
	}
	if err := command(t.Context(), append(args, "-all", "train-*"), &told, &told); err == nil || !strings.Contains(err.Error(), "train-net1: PyTorch is missing: no such | package") {
		t.Errorf("where all are wanted: found the error %v", err)
	}
	if err := command(t.Context(), append(args, "none"), &told, &told); err == nil {
		t.Error("a contest that there isn't: found no error, want one")
	}
}

// A rival that ends before its time says why.
func TestRivalThatFails(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := launch(t.Context(), nil, self, childMode, "go", "nothing.json"); err == nil || !strings.Contains(err.Error(), "exit status 1: peers: open nothing.json") {
		t.Errorf("found the error %v, want the rival's own", err)
	}
	if _, err := launch(t.Context(), nil, filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("found no error of a program that isn't there, want one")
	}
}

func TestServe(t *testing.T) {
	var out bytes.Buffer
	steps := 0
	err := serve(func() error { steps++; return nil }, 2, said{Version: "v"}, strings.NewReader("0\n0\n"), &out)
	lines := strings.Split(out.String(), "\n")
	if err != nil || steps != 2 || len(lines) != 5 || lines[0] != `{"version":"v"}` || !strings.HasPrefix(lines[1], `{"steps":2,`) {
		t.Errorf("found %d steps and %q (%v), want one of two batches for each line", steps, lines, err)
	}
	if err := serve(func() error { return nil }, 1, said{}, strings.NewReader("soon\n"), &out); err == nil {
		t.Error("found no error of a line that is no number, want one")
	}
}

// What is said of rivals' figures, by hand.
func TestFigures(t *testing.T) {
	of := func(rival string, peak int64, rates ...float64) entry {
		return entry{Rival: rival, Network: "net6", Batch: 128, Rates: rates, Peak: peak}
	}
	r := new(result)
	r.Entries = append(r.Entries, of("go", 50e6, 200, 400, 900), of("cpu", 0, 100, 50, 100), of("torch", 100e6, 90, 90, 90), of("torch-compiled", 200e6, 100, 100, 300))
	text := page{map[string]*result{training + "net6": r}}.ratios()
	for _, want := range []string{
		"| training net6, batch 128 | 400 images/s | PyTorch, compiled | 100 images/s | 3.00 times as fast |",
		"| training net6, batch 128 | 400 images/s | fkzoo on XLA | 100 images/s | 8.00 times as fast |",
		"| memory of training net6, batch 128 | 50 MB | PyTorch | 100 MB | 0.50 times as much |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("found no %q in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "\n"); n != 5 {
		t.Errorf("found %d lines, want 5:\n%s", n, text)
	}
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 2}, 2}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v: found %v, want %v", c.values, got, c.want)
		}
	}
}

// The benchmark's lines, and every convolution of a network with those of its shape.
func TestLayers(t *testing.T) {
	build(t, "net11")
	z := zoo.Open(zoo.Options{})
	defer z.Close()
	about, err := z.Describe(t.Context(), zoo.DescribeRequest{Architecture: "net11"})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i, layer := range []string{"conv1_1", "conv1_2", "conv2_1", "conv2_2", "conv3_1", "conv3_2"} {
		for _, direction := range []string{"forward", "input", "filter"} {
			fmt.Fprintf(&text, "BenchmarkLayers/avx512/net11/%s/%s/threads=2-2 \t 20\t 0 ns/op\t %d GFLOP/s\t 8.000 images\t 0.%d of-peak\t 327 peak-GFLOP/s\n", layer, direction, 100+i, i+1)
		}
	}
	found, err := readLayers("goos: linux\n" + text.String() + "PASS\n")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := convolutions("net11", about.Plans[0], found)
	if err != nil || len(rows) != 9 {
		t.Fatalf("found %d rows (%v), want 9", len(rows), err)
	}
	if want := (convolution{"net11", "conv3_3", "24x24, 128 to 128, 3x3", 8, rate{105, 0.6}, rate{105, 0.6}, rate{105, 0.6}}); rows[8] != want {
		t.Errorf("found %+v, want %+v", rows[8], want)
	}
	if rows[0].Input != (rate{}) || rows[0].Filter.GFLOPS != 100 {
		t.Errorf("found %+v, want no gradient of the image", rows[0])
	}
	delete(found, "net11/conv2_2/forward")
	if _, err := convolutions("net11", about.Plans[0], found); err == nil || !strings.Contains(err.Error(), "conv2_2") {
		t.Errorf("without a shape: found the error %v", err)
	}
	for _, bad := range []string{"BenchmarkLayers/avx512/net11/conv1_1/forward-2 20 0 ns/op", "BenchmarkLayers/a/b/c/d/e 20 x ns/op", "BenchmarkLayers/a/b/c/d/e 20 1 ns/op"} {
		if _, err := readLayers(bad); err == nil {
			t.Errorf("%q: found no error, want one", bad)
		}
	}
}

// A record that isn't of today's contests and rivals is refused, and says what to do.
func TestRecord(t *testing.T) {
	a := &arena{page: filepath.Join(t.TempDir(), "performance.md")}
	for _, text := range []string{"[", `{"nobody": {"entries": [{"rival": "go"}]}}`, `{"train-net6": null}`, `{"train-net6": {}}`, `{"train-net6": {"entries": [{"rival": "nobody"}]}}`} {
		if err := os.WriteFile(a.recordPath(), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := a.record(); err == nil || !strings.Contains(err.Error(), "performance.json") {
			t.Errorf("%s: found the error %v, want one that names the file", text, err)
		}
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
