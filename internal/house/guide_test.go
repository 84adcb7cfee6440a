package house

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// What the guide shows to those who program in Go is the zoo's Example, which is run, and short.
func TestGoOfTheGuide(t *testing.T) {
	const most = 30 // lines of code
	_, section, found := strings.Cut(read(t, "docs/guide.md"), "\n## From Go\n")
	_, shown, opened := strings.Cut(section, "\n```go\n")
	shown, _, closed := strings.Cut(shown, "\n```\n")
	if !found || !opened || !closed {
		t.Fatal("docs/guide.md: found no Go below From Go, want the zoo's Example")
	}
	_, body, found := strings.Cut(read(t, "zoo/example_test.go"), "\nfunc Example() {\n")
	body, _, closed = strings.Cut(body, "\n\t// Output:\n")
	if !found || !closed {
		t.Fatal("zoo/example_test.go: found no Example with an output")
	}
	var want []string
	lines := 0
	for line := range strings.Lines(body + "\n") {
		want = append(want, strings.TrimPrefix(line, "\t"))
		if strings.TrimSpace(line) != "" {
			lines++
		}
	}
	if shown+"\n" != strings.Join(want, "") {
		t.Errorf("docs/guide.md: what it shows below From Go isn't the body of zoo's Example:\n%s\nwant\n%s", shown, strings.Join(want, ""))
	}
	if lines > most {
		t.Errorf("zoo/example_test.go: found %d lines of code in the Example, want at most %d", lines, most)
	}
}

// The guide's plugin builds, runs, and offers what the host takes.
func TestPluginOfTheGuide(t *testing.T) {
	_, text, found := strings.Cut(read(t, "docs/guide.md"), "\n```go\n")
	text, _, closed := strings.Cut(text, "\n```\n")
	if !found || !closed {
		t.Fatal("docs/guide.md: found no Go program, want a plugin's")
	}
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "fkzoo-plugin-tiny")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", "build", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("the guide's plugin: %v\n%s", err, out)
	}
	h, err := host.New(host.Options{Dev: dir, Config: filepath.Join(dir, "config"), Cache: filepath.Join(dir, "cache")})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	answer, err := h.Blueprint(context.Background(), "tiny", host.Request{Settings: map[string]string{"hidden": "7"},
		Data: host.DataSummary{Columns: blueprint.KaggleColumns}})
	if err != nil {
		t.Fatal(err)
	}
	n, err := answer.Document.Parameters(blueprint.KaggleColumns)
	if want := int64(96*96*7 + 7 + 7*30 + 30); err != nil || n != want {
		t.Errorf("found %d parameters (%v), want %d", n, err, want)
	}
}
