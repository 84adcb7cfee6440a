// Package work divides work among workers that live as long as the engine: several callers at once share them fairly, one task of
// each in turn. It knows nothing of what tasks do. A task's number alone says what it computes, so results don't depend on how
// many workers there are; a call allocates nothing.
package work

import (
	"math/bits"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// Task is work in parts.
type Task interface {
	// Do does a part. Worker, from 0 to one less than [Pool.Threads], is a number that no other part has meanwhile, of
	// those of the same call of [Caller.Run].
	Do(part, worker int)
}

// MostParts is how many parts there should be at most whose sums are added at the end.
const MostParts = 16

// Parts is how many parts to make of at most so many, whose sums are added at the end: a power of two, so that few threads find as much
// to do each.
func Parts(most int) int { return 1 << (bits.Len(uint(max(1, min(MostParts, most)))) - 1) }

// Pool is a number of workers.
type Pool struct {
	threads int
	mu      sync.Mutex
	wake    *sync.Cond
	callers []*Caller // those with parts left, in the order of their turns
	turn    int
	closed  bool
	posted  atomic.Uint64 // counts calls, so that idle workers see one without the lock
	ended   sync.WaitGroup
}

// New starts a pool of so many threads, of which one is the caller's own; 0: as many as there are processors.
func New(threads int) *Pool {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	p := &Pool{threads: threads}
	p.wake = sync.NewCond(&p.mu)
	for worker := 1; worker < threads; worker++ {
		p.ended.Go(func() { p.serve(worker) })
	}
	return p
}

// Threads is how many parts are done at once for one caller, at most.
func (p *Pool) Threads() int { return p.threads }

// Close ends the workers. No call may be under way.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.posted.Add(1)
	p.wake.Broadcast()
	p.ended.Wait()
}

// Caller is someone who has work done. It must not be used from several goroutines at once; each has one of its own.
type Caller struct {
	p     *Pool
	task  Task
	parts int
	next  atomic.Int64 // part to be given out
	left  atomic.Int64 // parts not done
	done  chan struct{}
	fault atomic.Pointer[fault]
}

// fault is what a part panicked with.
type fault struct{ value any }

// Caller makes a caller.
func (p *Pool) Caller() *Caller { return &Caller{p: p, done: make(chan struct{}, 1)} }

// Threads is [Pool.Threads].
func (c *Caller) Threads() int { return c.p.threads }

// Run does all parts of a task, from 0 on, and returns when they are done. What a part panics with, Run panics with.
func (c *Caller) Run(parts int, t Task) {
	if parts <= 0 {
		return
	}
	if parts == 1 || c.p.threads == 1 {
		for i := range parts {
			t.Do(i, 0)
		}
		return
	}
	c.task, c.parts = t, parts
	c.next.Store(0)
	c.left.Store(int64(parts))
	c.p.enter(c)
	for c.do(0) {
	}
	c.p.leave(c)
	c.wait()
	c.task = nil
	if f := c.fault.Swap(nil); f != nil {
		panic(f.value)
	}
}

// wait is for the parts that workers have begun: a while awake, since they are short, then asleep.
func (c *Caller) wait() {
	stayAwake(func() bool { return c.left.Load() > 0 })
	<-c.done
}

// awake is how long the idle look again before they sleep: waking takes as long, and what lies between two calls mostly less.
const awake = 60 * time.Microsecond

// stayAwake looks until there is nothing to wait for any more, or it has for long enough.
func stayAwake(waiting func() bool) {
	const looks = 32
	for start := time.Now(); time.Since(start) < awake; runtime.Gosched() {
		for range looks {
			if !waiting() {
				return
			}
		}
	}
}

// do takes a part and does it; false: none is left.
func (c *Caller) do(worker int) bool {
	part := int(c.next.Add(1)) - 1
	if part >= c.parts {
		return false
	}
	c.finish(part, worker)
	return true
}

// guarded keeps a panic for the caller: in a worker it would end the program.
func (c *Caller) guarded(part, worker int) {
	defer func() {
		if r := recover(); r != nil {
			c.fault.CompareAndSwap(nil, &fault{r})
		}
	}()
	c.task.Do(part, worker)
}

func (p *Pool) enter(c *Caller) {
	p.mu.Lock()
	p.callers = append(p.callers, c)
	p.mu.Unlock()
	p.posted.Add(1)
	p.wake.Broadcast()
}

// leave takes a caller out of the turns, unless a worker did.
func (p *Pool) leave(c *Caller) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, other := range p.callers {
		if other == c {
			p.remove(i)
			return
		}
	}
}

func (p *Pool) remove(i int) {
	copy(p.callers[i:], p.callers[i+1:])
	p.callers[len(p.callers)-1] = nil
	p.callers = p.callers[:len(p.callers)-1]
	if p.turn > i {
		p.turn--
	}
}
