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
	"runtime"
	"slices"
	"time"

	"github.com/fkzoo/fkzoo/host"
	"github.com/fkzoo/fkzoo/zoo/internal/opened"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// Options say what a [Zoo] works with. The zero value is what most programs want.
type Options struct {
	Backend string        // what networks run on, by name; "" or "auto": the best that works
	Plugins *host.Options // where plugins are looked for; nil: [host.Defaults]
	Watch   Watcher       // of what no [Zoo.Watched] asks; nil: nobody is told

	// For the record in the models that are made.
	Version string   // of the program
	Machine string   // "": system and architecture
	Command []string // the program's arguments
}

// A Zoo answers requests. Plugins are started and the backend is opened when first needed, and stay until Close. Its
// methods may be called from several goroutines at once.
type Zoo struct {
	o     Options // as it was opened
	watch Watcher
	open  *opened.Things
}

// ErrClosed is returned for what is asked of a [Zoo] after Close.
var ErrClosed = opened.ErrClosed

// Open gives a Zoo. Nothing is started yet; Close it all the same.
func Open(o Options) *Zoo {
	o.Watch = orSilent(o.Watch)
	o.Machine = cmp.Or(o.Machine, runtime.GOOS+"/"+runtime.GOARCH)
	warn := func(text string) { o.Watch.Warn(Warning{Text: text}) }
	return &Zoo{o, o.Watch, &opened.Things{Name: o.Backend, Host: o.Plugins, Warn: warn}}
}

// Watched is the same zoo with another watcher for what is asked of it: so each of several requests at once has its own.
// nil: nobody is told. What is opened is shared, and closing either closes both.
func (z *Zoo) Watched(w Watcher) *Zoo { return &Zoo{z.o, orSilent(w), z.open} }

// Close refuses what is asked from now on, waits for the requests under way, closes the ensembles that are open, stops the
// plugins and frees the backend. Closing it again does nothing. A watcher must not call it.
func (z *Zoo) Close() error { return z.open.Close() }

// Plugins gives the host that finds and asks plugins; it is the Zoo's to close.
func (z *Zoo) Plugins() (*host.Host, error) { return z.open.Plugins(context.Background()) }

// Record is what a model that is made now keeps of it.
func (z *Zoo) Record() model.Run {
	return model.Run{Started: time.Now().UTC().Format(time.RFC3339), Machine: z.o.Machine, Command: slices.Clone(z.o.Command)}
}
