package dataset_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

// What is written is read back the same.
func TestExport(t *testing.T) {
	s, err := read("testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var text, zipped, again bytes.Buffer
	if err := s.WriteCSV(ctx, &text); err != nil {
		t.Fatal(err)
	}
	for _, b := range []*bytes.Buffer{&zipped, &again} {
		if err := s.WriteZip(ctx, b, "a.csv"); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(zipped.Bytes(), again.Bytes()) {
		t.Error("two zips of one set differ")
	}
	if err := s.WriteFolder(ctx, filepath.Join(dir, "faces"), false); err != nil {
		t.Fatal(err)
	}
	for path, data := range map[string][]byte{"a.csv": text.Bytes(), "a.zip": zipped.Bytes(), "faces": nil} {
		path := filepath.Join(dir, path)
		if data != nil {
			if err := os.WriteFile(path, data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		back, err := source.Read(ctx, path, source.Options{Height: 4, Width: 4})
		if err != nil || back.Checksum != s.Checksum || len(back.Notes) > 0 {
			t.Errorf("%s: found %+v, %v, want the same set", path, back, err)
		}
	}
	if err := s.WriteFolder(ctx, filepath.Join(dir, "faces"), false); !errors.Is(err, atomicfile.ErrExists) {
		t.Errorf("a folder with files: found %v", err)
	}
	if err := s.WriteFolder(ctx, filepath.Join(dir, "faces"), true); err != nil {
		t.Errorf("with force: found %v", err)
	}

	// Without points, the test form; its names with commas.
	bare := &dataset.Set{Height: 1, Width: 1, Channels: 1, Bytes: []uint8{7, 8}, IDs: []string{"a,b", "2"}}
	text.Reset()
	if err := bare.WriteCSV(ctx, &text); err != nil || text.String() != "ImageId,Image\n\"a,b\",7\n2,8\n" {
		t.Errorf("found %q, %v", text.String(), err)
	}
	if back, err := readString(t, text.String()); err != nil || !slices.Equal(back.IDs, bare.IDs) || !bytes.Equal(back.Bytes, bare.Bytes) {
		t.Errorf("found %+v, %v", back, err)
	}
	if err := bare.Resized(1, 2).WriteCSV(ctx, &text); err == nil || !strings.Contains(err.Error(), "found images of 2x1, want squares") {
		t.Errorf("found %v", err)
	}
}
