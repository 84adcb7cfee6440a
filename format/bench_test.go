package format

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// net11Sized gives 80 MB in 24 tensors: a few large ones and many small, as in net11.
func net11Sized() []Tensor {
	rnd := rand.NewChaCha8([32]byte{1})
	sizes := []int{36 << 20, 18 << 20, 9 << 20, 5 << 20, 4 << 20, 2 << 20, 1 << 20, 500_000}
	var list []Tensor
	for i := range 24 {
		n := 1024
		if i < len(sizes) {
			n = sizes[i] / 4 * 4
		}
		data := make([]byte, n)
		_, _ = rnd.Read(data)
		list = append(list, Tensor{Name: fmt.Sprintf("layer%02d/weights", i), Type: Float32, Shape: []int{n / 4}, Data: data})
	}
	return list
}

func benchFile(b *testing.B) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "net11.fkz")
	if err := Write(path, Meta{Blueprint: map[string]any{"name": "net11"}}, net11Sized(), Options{}); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(size(b, path))
	return path
}

func size(b *testing.B, path string) int64 {
	b.Helper()
	info, err := os.Stat(path)
	if err != nil {
		b.Fatal(err)
	}
	return info.Size()
}

func must(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func BenchmarkOpen(b *testing.B) {
	path := benchFile(b)
	b.SetBytes(0)
	for b.Loop() {
		f, err := Open(path)
		must(b, err)
		f.Close()
	}
}

// One tensor of 1 MB of a file just opened.
func BenchmarkOneTensor(b *testing.B) {
	path := benchFile(b)
	b.SetBytes(1 << 20)
	for _, view := range []bool{true, false} {
		b.Run(map[bool]string{true: "view", false: "copy"}[view], func(b *testing.B) {
			for b.Loop() {
				f, err := Open(path)
				must(b, err)
				if view {
					_, err = f.Tensor("layer06/weights")
				} else {
					_, err = f.Copy("layer06/weights")
				}
				must(b, err)
				f.Close()
			}
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	path := benchFile(b)
	n := size(b, path)
	b.Run("copies", func(b *testing.B) {
		b.SetBytes(n)
		for b.Loop() {
			_, _, err := Load(path)
			must(b, err)
		}
	})
	b.Run("views", func(b *testing.B) {
		b.SetBytes(n)
		for b.Loop() {
			f, err := Open(path)
			must(b, err)
			for _, t := range f.Infos() {
				_, err := f.Tensor(t.Name)
				must(b, err)
			}
			f.Close()
		}
	})
	b.Run("ReadFile", func(b *testing.B) { // to compare with: the bytes alone
		b.SetBytes(n)
		for b.Loop() {
			_, err := os.ReadFile(path)
			must(b, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	f, err := Open(benchFile(b))
	must(b, err)
	defer f.Close()
	for b.Loop() {
		must(b, f.Verify())
	}
}

func BenchmarkSave(b *testing.B) {
	tensors := net11Sized()
	total := int64(0)
	for _, t := range tensors {
		total += int64(len(t.Data))
	}
	path := filepath.Join(b.TempDir(), "net11.fkz")
	b.Run("fkz", func(b *testing.B) {
		b.SetBytes(total)
		for b.Loop() {
			must(b, Write(path, Meta{}, tensors, Options{Force: true}))
		}
	})
	b.Run("bytes", func(b *testing.B) { // to compare with: the same bytes, written and synced
		b.SetBytes(total)
		for b.Loop() {
			f, err := os.Create(path + ".raw")
			must(b, err)
			w := bufio.NewWriter(f)
			for _, t := range tensors {
				_, err := w.Write(t.Data)
				must(b, err)
			}
			must(b, w.Flush())
			must(b, f.Sync())
			must(b, f.Close())
		}
	})
}

func BenchmarkRewrite(b *testing.B) {
	f, err := Open(benchFile(b))
	must(b, err)
	defer f.Close()
	path := filepath.Join(b.TempDir(), "other.fkz")
	for b.Loop() {
		must(b, f.Rewrite(path, Meta{Run: "other"}, Options{Force: true}))
	}
}
