package gate_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fkzoo/fkzoo/internal/gate"
)

// Whoever is in is waited for, each once, whoever comes later is refused, and what is closed by many is freed once.
func TestGate(t *testing.T) {
	var g gate.Gate
	var in, freed atomic.Int32
	var leave []func()
	for range 8 {
		l, ok := g.Enter()
		if !ok {
			t.Fatal("found the gate closed, want it open")
		}
		in.Add(1)
		leave = append(leave, l)
	}
	var all sync.WaitGroup
	for range 3 {
		all.Go(func() {
			g.Close(func() {
				if n := in.Load(); n != 0 {
					t.Errorf("freed with %d in", n)
				}
				freed.Add(1)
			})
			if freed.Load() != 1 {
				t.Error("closed before it was freed")
			}
		})
	}
	for _, l := range leave {
		all.Go(func() { in.Add(-1); l(); l() })
	}
	all.Wait()
	if _, ok := g.Enter(); ok || freed.Load() != 1 {
		t.Errorf("entered a closed gate: %v; freed %d times, want once", ok, freed.Load())
	}
}
