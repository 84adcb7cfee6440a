// Package zoo is the front: what one asks of the zoo goes in as a request, and comes back as a typed result, with a
// watcher told on the way. The command line, programs in Go, and whatever else serves the zoo's models call it alike.
//
// It puts the rooms below it together: the host that asks plugins, data, models, training, answers. What one room does
// by itself, as comparing two model files, is asked there. The package must not know terminals, flags or exit codes,
// nor how any of it is done.
package zoo

import (
	"cmp"
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Options say what a [Zoo] works with. The zero value is what most programs want.
type Options struct {
	Backend string        // what networks run on, by name; "" or "auto": the best that works
	Plugins *host.Options // where plugins are looked for; nil: [host.Defaults]
	Watch   Watcher       // nil: nobody is told

	// For the record in the models that are made.
	Version string   // of the program
	Machine string   // "": system and architecture
	Command []string // the program's arguments
}

// A Zoo answers requests. Plugins are started and the backend is opened when first needed, and stay until Close. Its
// methods may be called from several goroutines at once.
type Zoo struct {
	o Options

	mu      sync.Mutex
	plugins *host.Host
	backend *backend.Backend
	closed  bool
}

// ErrClosed is returned for what is asked of a [Zoo] after Close.
var ErrClosed = errors.New("the zoo is closed")

// Open gives a Zoo. Nothing is started yet; Close it all the same.
func Open(o Options) *Zoo {
	if o.Watch == nil {
		o.Watch = Silent{}
	}
	o.Machine = cmp.Or(o.Machine, runtime.GOOS+"/"+runtime.GOARCH)
	return &Zoo{o: o}
}

// Close stops the plugins and frees the backend. What was opened on it must have been closed before.
func (z *Zoo) Close() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.closed = true
	if z.backend != nil {
		z.backend.Close()
	}
	var err error
	if z.plugins != nil {
		err = z.plugins.Close()
	}
	z.backend, z.plugins = nil, nil
	return err
}

// Plugins gives the host that finds and asks plugins; it is the Zoo's to close.
func (z *Zoo) Plugins() (*host.Host, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.closed {
		return nil, ErrClosed
	}
	if z.plugins != nil {
		return z.plugins, nil
	}
	o, err := host.Defaults()
	if z.o.Plugins != nil {
		o, err = *z.o.Plugins, nil
	}
	if err != nil {
		return nil, err
	}
	if o.Warn == nil {
		o.Warn = z.o.Watch.Warn
	}
	z.plugins, err = host.New(o)
	return z.plugins, err
}

// Backend gives what networks run on; it is the Zoo's to close. Whoever asks first has the watcher told which it is.
func (z *Zoo) Backend(ctx context.Context) (*backend.Backend, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.closed {
		return nil, ErrClosed
	}
	if z.backend != nil {
		return z.backend, nil
	}
	b, err := backend.Open(ctx, cmp.Or(z.o.Backend, backend.Auto))
	if err != nil {
		return nil, err
	}
	z.backend = b
	z.o.Watch.Backend(b)
	return b, nil
}

// run is the record of what makes a model now.
func (z *Zoo) run() model.Run {
	return model.Run{Started: time.Now().UTC().Format(time.RFC3339), Machine: z.o.Machine, Command: slices.Clone(z.o.Command)}
}
