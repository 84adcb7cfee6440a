//go:build !unix

package bench

import "os"

// peakMemory is not to be had here.
func peakMemory(*os.ProcessState) float64 { return 0 }
