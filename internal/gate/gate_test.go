package gate_test

import (
	"context"
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
		_, l, ok := g.Enter(t.Context())
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
	if _, _, ok := g.Enter(t.Context()); ok || freed.Load() != 1 {
		t.Errorf("entered a closed gate: %v; freed %d times, want once", ok, freed.Load())
	}
}

// Who is in enters a closed gate again, any depth, until it leaves; its context then opens nothing, nor does another gate's.
func TestEnterAgain(t *testing.T) {
	var g, other gate.Gate
	enter := func(ctx context.Context) (context.Context, func()) {
		inside, leave, ok := g.Enter(ctx)
		if !ok {
			t.Fatal("found the gate closed to one who is in")
		}
		return inside, leave
	}
	elsewhere, _, _ := other.Enter(t.Context())
	first, leaveFirst := enter(t.Context())
	freed := make(chan bool)
	go g.Close(func() { close(freed) })
	for {
		_, leave, ok := g.Enter(t.Context())
		if !ok {
			break
		}
		leave()
	}
	second, leaveSecond := enter(first)
	third, leaveThird := enter(second)
	leaveFirst()
	leaveThird()
	for name, ctx := range map[string]context.Context{"who has left": first, "another who has left": third, "who is in elsewhere": elsewhere} {
		if _, _, ok := g.Enter(ctx); ok {
			t.Errorf("%s: entered a closed gate", name)
		}
	}
	select {
	case <-freed:
		t.Error("freed with one in")
	default:
	}
	leaveSecond()
	<-freed
}
