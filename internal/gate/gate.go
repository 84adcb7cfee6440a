// Package gate lets in until it is closed: what is used by many goroutines is freed once, when the last has left. Who is in
// may enter again, by the context that entering gave.
package gate

import (
	"context"
	"sync"
)

// A Gate counts those who are in. The zero value is open.
type Gate struct {
	lock   sync.Mutex
	closed bool
	in     sync.WaitGroup
	free   sync.Once
}

// key finds a gate's pass in a context.
type key struct{ gate *Gate }

// pass is that of one who entered; the gate's lock guards it.
type pass struct{ in bool }

// Enter lets in, until leave is called, once or more often; false: the gate is closed. With inside, the context that it
// gives, one enters again, through a closed gate too, as long as the one has not left: so what was let in is done to its end.
func (g *Gate) Enter(ctx context.Context) (inside context.Context, leave func(), ok bool) {
	g.lock.Lock()
	defer g.lock.Unlock()
	outer, _ := ctx.Value(key{g}).(*pass)
	if g.closed && (outer == nil || !outer.in) {
		return nil, nil, false
	}
	g.in.Add(1)
	own := &pass{in: true}
	return context.WithValue(ctx, key{g}, own), sync.OnceFunc(func() { g.leave(own) }), true
}

func (g *Gate) leave(p *pass) {
	g.lock.Lock()
	p.in = false
	g.lock.Unlock()
	g.in.Done()
}

// Close lets nobody in any more but those who are in, and, once all have left, frees: the first to close does, the others
// wait for it. It must not be called by who is in, who would wait for itself.
func (g *Gate) Close(free func()) {
	g.lock.Lock()
	g.closed = true
	g.lock.Unlock()
	g.in.Wait()
	g.free.Do(free)
}
