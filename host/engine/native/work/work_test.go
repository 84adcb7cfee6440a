package work

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// counter counts each part, and that no two of a call have a worker's number at once.
type counter struct {
	times []atomic.Int32
	busy  [16]atomic.Bool
	twice atomic.Bool
}

func (c *counter) Do(part, worker int) {
	if c.busy[worker].Swap(true) {
		c.twice.Store(true)
	}
	c.times[part].Add(1)
	c.busy[worker].Store(false)
}

// Every part of every caller is done once, with any number of threads and callers.
func TestRun(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 8} {
		p := New(threads)
		var callers sync.WaitGroup
		for range 3 {
			callers.Go(func() {
				c := p.Caller()
				for parts := range 50 {
					n := &counter{times: make([]atomic.Int32, parts)}
					c.Run(parts, n)
					for i := range n.times {
						if got := n.times[i].Load(); got != 1 {
							t.Errorf("%d threads, %d parts: part %d done %d times, want once", threads, parts, i, got)
						}
					}
					if n.twice.Load() {
						t.Errorf("%d threads: two parts with one worker's number at once", threads)
					}
				}
			})
		}
		callers.Wait()
		p.Close()
	}
}

// slow takes a while, or fails.
type slow struct {
	d     time.Duration
	fails int
	done  atomic.Int32
}

func (s *slow) Do(part, _ int) {
	time.Sleep(s.d)
	s.done.Add(1)
	if part == s.fails {
		panic("part fails")
	}
}

// Callers share the workers: one with little work isn't kept waiting until another's much is done.
func TestFair(t *testing.T) {
	p := New(4)
	defer p.Close()
	long := &slow{d: time.Millisecond, fails: -1}
	var wait sync.WaitGroup
	wait.Go(func() { p.Caller().Run(400, long) })
	for long.done.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	short := &slow{d: time.Millisecond, fails: -1}
	p.Caller().Run(8, short)
	if n := long.done.Load(); n == 400 {
		t.Error("400 parts of another caller were done before 8 of this one, want them to take turns")
	}
	wait.Wait()
}

// A panic in a part reaches the caller, and the pool goes on.
func TestPanic(t *testing.T) {
	p := New(3)
	defer p.Close()
	c := p.Caller()
	for _, fails := range []int{0, 7, 29} {
		func() {
			defer func() {
				if r := recover(); r != "part fails" {
					t.Errorf("found %v, want the part's panic", r)
				}
			}()
			c.Run(30, &slow{d: time.Microsecond, fails: fails})
		}()
	}
	n := &counter{times: make([]atomic.Int32, 20)}
	c.Run(20, n)
	for i := range n.times {
		if n.times[i].Load() != 1 {
			t.Fatal("after a panic: parts weren't done once each")
		}
	}
}

func TestNoAllocation(t *testing.T) {
	p := New(2)
	defer p.Close()
	c, n := p.Caller(), &counter{times: make([]atomic.Int32, 10)}
	if got := testing.AllocsPerRun(100, func() { c.Run(10, n) }); got > 0 {
		t.Errorf("a call allocated %v times, want none", got)
	}
}

// What a call costs whose parts do nothing.
func BenchmarkRun(b *testing.B) {
	p := New(2)
	defer p.Close()
	c, n := p.Caller(), &counter{times: make([]atomic.Int32, 16)}
	for b.Loop() {
		c.Run(16, n)
	}
}

// Parts are powers of two, as many as there may be.
func TestParts(t *testing.T) {
	for most, want := range map[int]int{-1: 1, 0: 1, 1: 1, 2: 2, 3: 2, 7: 4, 8: 8, 15: 8, 16: 16, 17: 16, 1000: MostParts} {
		if found := Parts(most); found != want {
			t.Errorf("of at most %d: found %d, want %d", most, found, want)
		}
	}
}
