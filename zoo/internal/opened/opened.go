// Package opened is what a zoo has open, for all that is asked of it at once: plugins, the backend, ensembles, each opened
// when first needed, and closed together when nobody asks any more. It must not know what is asked.
package opened

import (
	"cmp"
	"context"
	"errors"
	"sync"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/internal/gate"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// ErrClosed is returned for what is asked after Close.
var ErrClosed = errors.New("the zoo is closed")

// Things are those of one zoo. Their methods may be called from several goroutines at once.
type Things struct {
	Name  string            // of the backend; "": the best that works
	Host  *host.Options     // where plugins are looked for; nil: [host.Defaults]
	Warn  func(text string) // of the plugins
	asked gate.Gate         // requests under way

	mu        sync.Mutex
	plugins   *host.Host
	backend   *backend.Backend
	opening   chan struct{} // closed when somebody has opened the backend, or failed to; nil: nobody does
	ensembles map[*answer.Ensemble]bool
}

// Enter begins a request; leave ends it. What is asked with inside, the context that it gives, is a part of it, and answered
// even while [Things.Close] waits for it.
func (t *Things) Enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	inside, leave, ok := t.asked.Enter(ctx)
	if !ok {
		return nil, nil, ErrClosed
	}
	return inside, leave, nil
}

// EnterOn is [Things.Enter] of a request that begins with what networks run on: see [Things.Backend].
func (t *Things) EnterOn(ctx context.Context, told func(*backend.Backend)) (b *backend.Backend, inside context.Context, leave func(), err error) {
	if inside, leave, err = t.Enter(ctx); err != nil {
		return nil, nil, nil, err
	}
	if b, err = t.Backend(inside, told); err != nil {
		leave()
		return nil, nil, nil, err
	}
	return b, inside, leave, nil
}

// EnterWith is [Things.Enter] of a request to models: they are read, and those that are open stay so until it ends.
func (t *Things) EnterWith(ctx context.Context, r answer.Request) (all []*model.Model, inside context.Context, leave func(), err error) {
	inside, leave, err = t.Enter(ctx)
	if err != nil {
		return nil, nil, nil, err
	}
	if all, err = r.Read(); err == nil && r.Open != nil {
		var done func()
		if inside, done, err = r.Open.Enter(inside); err == nil {
			zoo := leave
			leave = func() { done(); zoo() }
		}
	}
	if err != nil {
		leave()
		return nil, nil, nil, err
	}
	return all, inside, leave, nil
}

// Close refuses requests from now on, waits for those under way, and closes the ensembles, the plugins and the backend.
func (t *Things) Close() (err error) {
	t.asked.Close(func() {
		for _, e := range t.kept() {
			_ = e.Close()
		}
		if t.backend != nil {
			t.backend.Close()
		}
		if t.plugins != nil {
			err = t.plugins.Close()
		}
	})
	return err
}

// Plugins gives the host.
func (t *Things) Plugins(ctx context.Context) (*host.Host, error) {
	_, leave, err := t.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.plugins != nil {
		return t.plugins, nil
	}
	o, err := host.Defaults()
	if t.Host != nil {
		o, err = *t.Host, nil
	}
	if err != nil {
		return nil, err
	}
	if o.Warn == nil {
		o.Warn = t.Warn
	}
	t.plugins, err = host.New(o)
	return t.plugins, err
}

// Backend gives what networks run on, to who is within a request. One request opens it, and calls told; the others wait for it, or for
// the end of their own contexts.
func (t *Things) Backend(ctx context.Context, told func(*backend.Backend)) (*backend.Backend, error) {
	for {
		t.mu.Lock()
		b, opening := t.backend, t.opening
		if b == nil && opening == nil {
			t.opening = make(chan struct{})
		}
		t.mu.Unlock()
		switch {
		case b != nil:
			return b, nil
		case opening == nil:
			return t.open(ctx, told)
		}
		select {
		case <-opening:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (t *Things) open(ctx context.Context, told func(*backend.Backend)) (*backend.Backend, error) {
	b, err := backend.Open(ctx, cmp.Or(t.Name, backend.Auto))
	t.mu.Lock()
	if err == nil {
		t.backend = b
	}
	close(t.opening)
	t.opening = nil
	t.mu.Unlock()
	if err == nil {
		told(b)
	}
	return b, err
}

// Told is called with what is found on the way.
type Told struct {
	Backend       func(*backend.Backend)
	Miscalibrated func() // some members are calibrated for the mean with the answer for the mirror image, which isn't given
}

// Ensemble opens models, to be closed with the rest, unless they are closed before.
func (t *Things) Ensemble(ctx context.Context, all []*model.Model, r answer.Request, told Told) (*answer.Ensemble, error) {
	ctx, leave, err := t.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	o, miscalibrated, err := r.Options(all)
	if err != nil {
		return nil, err
	}
	if o.Backend, err = t.Backend(ctx, told.Backend); err != nil {
		return nil, err
	}
	if miscalibrated {
		told.Miscalibrated()
	}
	e, err := answer.Open(ctx, all, o)
	if err != nil {
		return nil, err
	}
	t.keep(e)
	return e, nil
}

// EnsembleFor is the ensemble that the request brings, or one that done closes.
func (t *Things) EnsembleFor(ctx context.Context, all []*model.Model, r answer.Request, told Told) (e *answer.Ensemble, done func(), err error) {
	if r.Open != nil {
		return r.Open, func() {}, nil
	}
	if e, err = t.Ensemble(ctx, all, r, told); err != nil {
		return nil, nil, err
	}
	return e, func() { _ = e.Close() }, nil
}

// keep has an ensemble closed with the rest, unless it is closed before.
func (t *Things) keep(e *answer.Ensemble) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ensembles == nil {
		t.ensembles = map[*answer.Ensemble]bool{}
	}
	t.ensembles[e] = true
	e.OnClose(func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.ensembles, e)
	})
}

// kept are the ensembles that weren't closed yet.
func (t *Things) kept() (all []*answer.Ensemble) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for e := range t.ensembles {
		all = append(all, e)
	}
	return all
}
