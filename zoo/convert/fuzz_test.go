package convert

import (
	"context"
	"os"
	"path/filepath"
	"testing"
)

// FuzzConvert: no bytes may panic, and what is converted is a model.
func FuzzConvert(f *testing.F) {
	paths, err := filepath.Glob(filepath.Join(ownFiles, "*.pickle"))
	if err != nil || len(paths) == 0 {
		f.Fatalf("found no pickle: %v", err)
	}
	for _, path := range append(paths, own("plain.p0")+".bz2") {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := Bytes(context.Background(), "fuzz", data, Options{})
		if err != nil {
			return // an unusual recipe or name is refused, too
		}
		if err := r.Model.Check(); err != nil {
			t.Error(err)
		}
	})
}
