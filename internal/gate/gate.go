// Package gate lets in until it is closed: what is used by many goroutines is freed once, when the last has left.
package gate

import "sync"

// A Gate counts those who are in. The zero value is open.
type Gate struct {
	lock   sync.Mutex
	closed bool
	in     sync.WaitGroup
	free   sync.Once
}

// Enter lets in, until leave is called, once or more often; false: the gate is closed.
func (g *Gate) Enter() (leave func(), ok bool) {
	g.lock.Lock()
	defer g.lock.Unlock()
	if g.closed {
		return nil, false
	}
	g.in.Add(1)
	return sync.OnceFunc(g.in.Done), true
}

// Close lets nobody in any more, and, once all have left, frees: the first to close does, the others wait for it. It must
// not be called by who is in, who would wait for itself.
func (g *Gate) Close(free func()) {
	g.lock.Lock()
	g.closed = true
	g.lock.Unlock()
	g.in.Wait()
	g.free.Do(free)
}
