package peakmemory

import "testing"

func TestHighest(t *testing.T) {
	for status, want := range map[string]int64{
		"Name:\tfkzoo\nVmPeak:\t  900 kB\nVmHWM:\t   12 kB\nVmRSS:\t   11 kB\n": 12 * 1024,
		"VmHWM:\tmany kB\n": 0, "VmHWM:": 0, "Name:\tfkzoo\n": 0, "": 0,
	} {
		if got := highest(status); got != want {
			t.Errorf("%q: found %d bytes, want %d", status, got, want)
		}
	}
}
