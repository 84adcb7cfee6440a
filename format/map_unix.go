//go:build unix

package format

import (
	"os"

	"golang.org/x/sys/unix"
)

// openFlags keeps the opening of a pipe from waiting for its writer.
const openFlags = unix.O_NONBLOCK

// mapFile maps a file's first size bytes for reading.
func mapFile(f *os.File, size int64) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
}

func unmapFile(b []byte) error { return unix.Munmap(b) }
