package source

import (
	"archive/zip"
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// trainingZip is the real training.zip, or a generated one of the same form.
func trainingZip(b *testing.B) string {
	if dir := os.Getenv("FKZOO_TESTDATA"); dir != "" {
		return filepath.Join(dir, "data", "training.zip")
	}
	b.Log("FKZOO_TESTDATA not set: reading generated rows")
	path := filepath.Join(b.TempDir(), "training.zip")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	z := zip.NewWriter(f)
	w, err := z.Create("training.csv")
	if err != nil {
		b.Fatal(err)
	}
	writeRows(bufio.NewWriterSize(w, 1<<16), 1000)
	if err := z.Close(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// writeRows writes rows that compress about as well as faces do: grey values
// that wander.
func writeRows(w *bufio.Writer, n int) {
	random := rand.New(rand.NewPCG(1, 2))
	for c := range 30 {
		fmt.Fprintf(w, "point_%d,", c)
	}
	fmt.Fprintln(w, "Image")
	for range n {
		for range 30 {
			fmt.Fprintf(w, "%.7f,", random.Float64()*96)
		}
		v := 128
		for p := range 9216 {
			if p > 0 {
				w.WriteByte(' ')
			}
			v = min(max(v+random.IntN(9)-4, 0), 255)
			fmt.Fprint(w, v)
		}
		w.WriteByte('\n')
	}
	w.Flush()
}

func openMember(b *testing.B, path string) (io.ReadCloser, int64) {
	z, err := zip.OpenReader(path)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { z.Close() })
	r, err := z.File[0].Open()
	if err != nil {
		b.Fatal(err)
	}
	return r, int64(z.File[0].UncompressedSize64)
}

// BenchmarkRead/floor is what cannot be saved: unzipping, and one loop over the
// bytes that makes numbers of them, one after the other on one core.
// BenchmarkRead/read is the whole of Read; it should take at most 1.5 times that.
func BenchmarkRead(b *testing.B) {
	path := trainingZip(b)
	b.Run("unzip", func(b *testing.B) {
		for b.Loop() {
			r, size := openMember(b, path)
			b.SetBytes(size)
			if _, err := io.Copy(io.Discard, r); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("floor", func(b *testing.B) {
		buf := make([]byte, 1<<18)
		for b.Loop() {
			r, size := openMember(b, path)
			b.SetBytes(size)
			var sum, v, numbers int
			for {
				n, err := r.Read(buf)
				for _, c := range buf[:n] {
					if d := c - '0'; d <= 9 {
						v = v*10 + int(d)
					} else {
						sum += v
						v = 0
						numbers++
					}
				}
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			if numbers == 0 || sum == 0 {
				b.Fatal("found no numbers")
			}
		}
	})
	b.Run("read", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s, err := Read(context.Background(), path, Options{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(s.Len()), "rows")
			_, size := openMember(b, path)
			b.SetBytes(size)
		}
	})
	csv := filepath.Join(b.TempDir(), "training.csv")
	r, _ := openMember(b, path)
	f, err := os.Create(csv)
	if err != nil {
		b.Fatal(err)
	}
	size, err := io.Copy(f, r)
	if err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	b.Run("plain", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			if _, err := Read(context.Background(), csv, Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
