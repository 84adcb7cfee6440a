package peak

import (
	"context"
	"testing"
	"time"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// A run does about what is asked of each thread, and counts two operations for each.
func TestTask(t *testing.T) {
	const each = 1 << 16
	for _, set := range kernel.Sets() {
		for threads := 1; threads <= 3; threads++ {
			pool := work.New(threads)
			got := NewTask(set, threads, each).Run(pool.Caller())
			pool.Close()
			if most := float64(2 * threads * each); got < most/2 || got > most {
				t.Errorf("%s, %d threads: found %g operations, want about %g", set.Name, threads, got, most)
			}
		}
	}
}

// Measuring ends with its context, and has measured once all the same.
func TestMeasure(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Measure(ctx, kernel.Sets()[0], 2, time.Hour); got <= 0 {
		t.Errorf("found %g operations a second, want more", got)
	}
}
