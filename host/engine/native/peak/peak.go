// Package peak measures what multiply-adds alone reach on this machine: what kernels and networks are compared with. It must not
// know what these compute.
package peak

import (
	"context"
	"time"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Task is multiply-adds and nothing else, a part for each thread.
type Task struct {
	set  *kernel.Set
	each int
	done []int
}

// NewTask makes a task of about so many multiply-adds for each thread.
func NewTask(set *kernel.Set, threads, each int) *Task { return &Task{set, each, make([]int, threads)} }

// Do does a thread's.
func (t *Task) Do(part, _ int) { t.done[part] = t.set.Peak(t.each) }

// Run does all once and tells the operations, a multiplication and an addition as two.
func (t *Task) Run(c *work.Caller) (operations float64) {
	c.Run(len(t.done), t)
	for _, n := range t.done {
		operations += 2 * float64(n)
	}
	return operations
}

// each is a millisecond or two with vectors: long beside the waking of a worker, short enough that one run of many has the
// processors for itself.
const each = 64 << 20

// Measure runs for so long, at least once, and gives the best run's operations a second: others may use the machine meanwhile.
func Measure(ctx context.Context, set *kernel.Set, threads int, long time.Duration) (most float64) {
	pool := work.New(threads)
	defer pool.Close()
	caller, task := pool.Caller(), NewTask(set, threads, each)
	for begin := time.Now(); ; {
		start := time.Now()
		operations := task.Run(caller)
		most = max(most, operations/time.Since(start).Seconds())
		if time.Since(begin) >= long || ctx.Err() != nil {
			return most
		}
	}
}
