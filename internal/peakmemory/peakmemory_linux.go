package peakmemory

import (
	"os"
	"strconv"
	"strings"
)

// Bytes is the most memory that this process had, 0 where the system doesn't say. It isn't asked of getrusage, which counts what
// the process's parent had when it started this one.
func Bytes() int64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	return highest(string(text))
}

// highest reads VmHWM, which is in kB.
func highest(status string) int64 {
	for line := range strings.Lines(status) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kilobytes, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			if err != nil {
				return 0
			}
			return kilobytes * 1024
		}
	}
	return 0
}
