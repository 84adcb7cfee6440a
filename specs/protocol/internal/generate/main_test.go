package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The committed code is what the sources give; and what they give does not
// change from one run to the next.
func TestGeneratedCodeIsCurrent(t *testing.T) {
	folder := filepath.Join("..", "..")
	first, err := generate(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	second, err := generate(t.Context(), folder)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range first {
		if !bytes.Equal(text, second[name]) {
			t.Errorf("%s: two runs gave different text", name)
		}
		committed, err := os.ReadFile(filepath.Join(folder, "wire", name))
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Equal(text, committed) {
			t.Errorf("wire/%s is stale: run `go generate ./specs/protocol`", name)
		}
	}
	found, err := filepath.Glob(filepath.Join(folder, "wire", "*.pb.go"))
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != len(first) {
		t.Errorf("wire has %d generated files %v, want %d", len(found), found, len(first))
	}
}
