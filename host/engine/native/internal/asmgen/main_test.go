package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// What lies in the package is what is generated.
func TestUpToDate(t *testing.T) {
	folder := t.TempDir()
	if err := generate(folder); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 7 {
		t.Fatalf("found %d files (%v), want 7", len(files), err)
	}
	for _, f := range files {
		want, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../kernel", f.Name()))
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("kernel/%s (%v): found other text than asmgen writes, want `go generate` run", f.Name(), err)
		}
	}
}
