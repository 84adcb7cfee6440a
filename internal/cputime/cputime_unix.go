//go:build unix

package cputime

import (
	"time"

	"golang.org/x/sys/unix"
)

// Used is the processor time of this process so far, over all cores; 0 where the system doesn't say.
func Used() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
