package work

// serve does parts until the pool is closed.
func (p *Pool) serve(worker int) {
	for {
		seen := p.posted.Load()
		c, part, ok := p.take()
		if ok {
			c.finish(part, worker)
			continue
		}
		if !p.idle(seen) {
			return
		}
	}
}

// take gives a part of the caller whose turn it is. Parts are taken with the lock held, so that a caller that leaves knows that no
// worker will begin another.
func (p *Pool) take() (c *Caller, part int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.callers) > 0 {
		if p.turn >= len(p.callers) {
			p.turn = 0
		}
		c := p.callers[p.turn]
		if part := int(c.next.Add(1)) - 1; part < c.parts {
			p.turn++
			return c, part, true
		}
		p.remove(p.turn)
	}
	return nil, 0, false
}

func (c *Caller) finish(part, worker int) {
	c.guarded(part, worker)
	if c.left.Add(-1) == 0 {
		c.done <- struct{}{}
	}
}

// idle waits until something was posted after what the worker has seen; false: the pool is closed.
func (p *Pool) idle(seen uint64) bool {
	stayAwake(func() bool { return p.posted.Load() == seen })
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.posted.Load() == seen && !p.closed {
		p.wake.Wait()
	}
	return !p.closed
}
