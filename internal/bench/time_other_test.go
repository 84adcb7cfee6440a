//go:build !unix

package bench

import (
	"os"
	"time"
)

// processorTime is not to be had here.
func processorTime() time.Duration { return 0 }

// peakMemory is not to be had here.
func peakMemory(*os.ProcessState) float64 { return 0 }
