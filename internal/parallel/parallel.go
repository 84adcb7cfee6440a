// Package parallel does the same thing many times on all processors. It knows nothing
// of what is done.
package parallel

import (
	"context"
	"runtime"
	"sync"

	"golang.org/x/sync/errgroup"
)

// InOrder calls do for 0 to n-1 on all processors, the lower numbers first, until
// one fails. The error is that of the lowest number that fails, whatever the order
// in which they end.
func InOrder(ctx context.Context, n int, do func(i int) error) error {
	var mutex sync.Mutex
	next, failed := 0, n
	var first error
	var group errgroup.Group
	for range min(n, runtime.GOMAXPROCS(0)) {
		group.Go(func() error {
			for {
				mutex.Lock()
				i := next
				next++
				done := i >= failed
				mutex.Unlock()
				if done || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(i); err != nil {
					mutex.Lock()
					if i < failed {
						failed, first = i, err
					}
					mutex.Unlock()
				}
			}
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return first
}
