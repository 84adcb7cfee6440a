package crc32

import (
	"hash/crc32"
	"math/rand/v2"
	"testing"
)

// Every length around the blocks, at every place of a cache line, whole and in two parts, as hash/crc32 has it.
func TestAgreesWithTheStandardLibrary(t *testing.T) {
	data := make([]byte, 5000)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data)
	for from := range 64 {
		for n := 0; from+n < 1400; n += 1 + from%3 {
			p := data[from : from+n]
			want := crc32.ChecksumIEEE(p)
			if got := Checksum(p); got != want {
				t.Fatalf("%d bytes from %d: found %08x, want %08x", n, from, got, want)
			}
			cut := (n * (from + 1)) / 65
			if got := Update(Checksum(p[:cut]), p[cut:]); got != want {
				t.Fatalf("%d bytes from %d, cut at %d: found %08x, want %08x", n, from, cut, got, want)
			}
		}
	}
	for _, p := range [][]byte{make([]byte, 4096), data} {
		if got, want := Checksum(p), crc32.ChecksumIEEE(p); got != want {
			t.Errorf("found %08x, want %08x", got, want)
		}
	}
}

func FuzzUpdate(f *testing.F) {
	f.Add(make([]byte, 700), uint16(3))
	f.Fuzz(func(t *testing.T, p []byte, cut uint16) {
		n := min(int(cut), len(p))
		if got, want := Update(Checksum(p[:n]), p[n:]), crc32.ChecksumIEEE(p); got != want {
			t.Fatalf("found %08x, want %08x", got, want)
		}
	})
}

func BenchmarkChecksum(b *testing.B) {
	p := make([]byte, 600<<10)
	for _, way := range []struct {
		name string
		sum  func([]byte) uint32
	}{{"here", Checksum}, {"hash-crc32", crc32.ChecksumIEEE}} {
		b.Run(way.name, func(b *testing.B) {
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				way.sum(p)
			}
		})
	}
}
