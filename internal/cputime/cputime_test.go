package cputime

import (
	"testing"
	"time"
)

// What a busy loop uses is counted, what a pause takes is not.
func TestUsed(t *testing.T) {
	if Used() == 0 {
		t.Skip("the system doesn't say")
	}
	const most = time.Minute
	before, wall := Used(), time.Now()
	for Used()-before < 30*time.Millisecond {
		if time.Since(wall) > most {
			t.Fatalf("found %v after a minute of work, want 30ms at last", Used()-before)
		}
	}
	before, wall = Used(), time.Now()
	time.Sleep(200 * time.Millisecond)
	if used, slept := Used()-before, time.Since(wall); used > slept/2 {
		t.Errorf("found %v of processor time in a pause of %v, want next to none", used, slept)
	}
}
