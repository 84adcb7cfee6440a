//go:build unix

package bench

import (
	"os"
	"runtime"
	"syscall"
)

// peakMemory is the most memory that a process had, in bytes.
func peakMemory(s *os.ProcessState) float64 {
	u, ok := s.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" { // there it is in bytes
		return float64(u.Maxrss)
	}
	return 1024 * float64(u.Maxrss)
}
