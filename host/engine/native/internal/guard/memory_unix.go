//go:build unix

package guard

import (
	"testing"

	"golang.org/x/sys/unix"
)

// memory is at least so many bytes, to the end of a page before one that can't be reached.
func memory(t testing.TB, bytes int) []byte {
	t.Helper()
	page := unix.Getpagesize()
	size := (bytes + page - 1) / page * page
	m, err := unix.Mmap(-1, 0, size+page, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := unix.Munmap(m); err != nil {
			t.Error(err)
		}
	})
	if err := unix.Mprotect(m[size:], unix.PROT_NONE); err != nil {
		t.Fatal(err)
	}
	return m[:size]
}
