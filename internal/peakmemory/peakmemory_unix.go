//go:build unix && !linux

package peakmemory

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// Bytes is the most memory that this process had, 0 where the system doesn't say.
func Bytes() int64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	if runtime.GOOS == "darwin" || runtime.GOOS == "ios" { // there it is in bytes
		return int64(u.Maxrss)
	}
	return 1024 * int64(u.Maxrss)
}
