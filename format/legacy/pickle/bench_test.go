package pickle

import (
	"os"
	"path/filepath"
	"testing"
)

// BenchmarkRead reads a real pickle, of 6 MB and 900,000 opcodes.
func BenchmarkRead(b *testing.B) {
	folder := os.Getenv("FKZOO_TESTDATA")
	if folder == "" {
		b.Skip("FKZOO_TESTDATA not set")
	}
	data, err := os.ReadFile(filepath.Join(folder, "legacy/net11-small.p4.pickle"))
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Read(data); err != nil {
			b.Fatal(err)
		}
	}
}
