// Package python tests the reader in Python, which shares nothing with fkzoo's own, against every test vector.
package python

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/internal/pyenv"
)

const vectors = "../../testdata/fkz/v1"

func TestVectors(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(vectors, "vectors.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []any
	if err := json.Unmarshal(text, &list); err != nil || len(list) < 100 {
		t.Fatalf("vectors.json: found %d vectors (%v), want at least 100", len(list), err)
	}
	out, err := exec.Command(pyenv.Python(t, "requirements.txt"), "vectors.py", vectors).CombinedOutput()
	if want := fmt.Sprintf("%d passed, 0 failed", len(list)); err != nil || !strings.Contains(string(out), want) {
		t.Errorf("want %s, found (%v):\n%s", want, err, out)
	}
}

// The program in the format's text runs as it stands there, on the good vectors.
func TestProgramOfTheText(t *testing.T) {
	python := pyenv.Python(t, "requirements.txt")
	text, err := os.ReadFile("../../fkz.md")
	if err != nil {
		t.Fatal(err)
	}
	_, program, found := strings.Cut(string(text), "\n```python\n")
	program, _, closed := strings.Cut(program, "\n```\n")
	if !found || !closed {
		t.Fatal("specs/fkz.md: found no Python program, want one")
	}
	files, err := filepath.Glob(vectors + "/*.fkz")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no good vectors: %v", err)
	}
	for _, file := range files {
		if out, err := exec.Command(python, "-c", program, file).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
	}
}
