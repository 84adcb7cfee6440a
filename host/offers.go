package host

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Setting is something about an architecture that the user may choose.
type Setting struct {
	Name    string `json:"name"`
	Default string `json:"default"`
	Help    string `json:"help,omitempty"`
}

// Architecture is what a plugin offers, as it was answered or is remembered.
type Architecture struct {
	Name       string
	Summary    string
	Parameters int64    // of all members, for data with blueprint.KaggleColumns
	Members    []string // names of the members
	Settings   []Setting
	Plugin     PluginInfo
	Ambiguous  bool // another plugin offers the same name: only FullName finds it

	document []byte
}

// FullName is plugin/name, which is never ambiguous.
func (a Architecture) FullName() string { return a.Plugin.Name + "/" + a.Name }

// Document gives the blueprint for default settings and blueprint.KaggleColumns.
func (a Architecture) Document() (*blueprint.Document, error) {
	d, err := blueprint.Parse(a.document)
	if err != nil {
		return nil, fmt.Errorf("plugin %s: architecture %s: %w", a.Plugin.Name, a.Name, err)
	}
	return d, nil
}

// List says what all plugins offer, sorted by plugin, then in the plugin's
// order. Plugins that can't be asked give an error each (an [*Error]) and don't
// keep the others from being listed. No process is started for a plugin whose
// answers are remembered, nor twice for one that failed: until its file
// changes, this host gives the same error again.
func (h *Host) List(ctx context.Context) ([]Architecture, []error) {
	found, errs := h.find()
	offers := make([]*offer, len(found))
	failed := make([]error, len(found))
	var all sync.WaitGroup
	for i, p := range found {
		all.Go(func() { offers[i], failed[i] = h.offer(ctx, p) })
	}
	all.Wait()
	h.checksums.Save()

	var list []Architecture
	count := map[string]int{}
	for i, o := range offers {
		if failed[i] != nil {
			errs = append(errs, failed[i])
			continue
		}
		for _, a := range o.list() {
			count[a.Name]++
			list = append(list, a)
		}
	}
	for i := range list {
		list[i].Ambiguous = count[list[i].Name] > 1
	}
	return list, errs
}

// offer gives what one plugin offers, from memory if it can.
func (h *Host) offer(ctx context.Context, p file.File) (*offer, error) {
	o, sum, err := h.known(p)
	if o != nil || err != nil {
		return o, err
	}
	a := h.answered(asked{p.Name, p.Path, sum})
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return nil, p.Fail(fault.ErrTimeout, ctx.Err(), "not asked what it offers: %v", context.Cause(ctx))
	}
	if a.failed != nil {
		return nil, a.failed
	}
	if o, _, err := h.known(p); o != nil || err != nil { // somebody has asked meanwhile
		return o, err
	}
	defer h.waiting(p)()
	if o, err = h.askOffer(ctx, p); err != nil && ctx.Err() == nil && lasting(err) {
		a.failed = err
	}
	return o, err
}

// known gives what a plugin is remembered to offer, or nil, and its checksum.
// It fails if the plugin may not run.
func (h *Host) known(p file.File) (*offer, string, error) {
	sum, err := h.checksums.Of(p)
	if err != nil {
		return nil, "", err
	}
	trust, err := h.rules.Decide(p, sum)
	if err != nil {
		return nil, "", err
	}
	o := h.recall(p.Name, sum)
	if o != nil {
		o.plugin = PluginInfo{Name: p.Name, Path: p.Path, SHA256: sum, Trust: trust}
	}
	return o, sum, nil
}

// asked is a plugin's file with one content.
type asked struct{ name, path, sum string }

// answered is how asking such a file what it offers went.
type answered struct {
	turn   chan struct{} // held while it is asked; guards failed
	failed error
}

func (h *Host) answered(what asked) *answered {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.asked[what] == nil {
		h.asked[what] = &answered{turn: make(chan struct{}, 1)}
	}
	return h.asked[what]
}

// lasting tells whether a failure is the plugin's own, to be expected again.
// One that is not, a full disk say, may be gone the next time.
func lasting(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind != ErrStart
}

// waiting tells the user whom fkzoo waits for, if it is long; call stop.
func (h *Host) waiting(p file.File) (stop func() bool) {
	return time.AfterFunc(h.notice, func() { h.warn(fmt.Sprintf("plugin %s (%s): waiting for its answer", p.Name, p.Path)) }).Stop
}

// askOffer starts the plugin if need be, asks what it offers and each default
// blueprint, checks all of it and remembers it.
func (h *Host) askOffer(ctx context.Context, p file.File) (*offer, error) {
	running, err := h.start(ctx, p)
	if err != nil {
		return nil, err
	}
	o := &offer{plugin: running.plugin}
	listed, err := running.List(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range listed {
		d, text, err := running.Blueprint(ctx, a.GetName(), nil, DataSummary{Columns: blueprint.KaggleColumns})
		if err != nil {
			return nil, err
		}
		parameters, err := d.Parameters(blueprint.KaggleColumns)
		if err != nil {
			return nil, running.Bad(a.GetName(), err)
		}
		r := remembered{Name: a.GetName(), Summary: a.GetSummary(), Parameters: parameters, Document: text}
		for _, s := range a.GetSettings() {
			r.Settings = append(r.Settings, Setting{Name: s.GetName(), Default: s.GetDefault(), Help: s.GetHelp()})
		}
		for _, m := range d.Members {
			r.Members = append(r.Members, m.Name)
		}
		o.Architectures = append(o.Architectures, r)
	}
	h.remember(o)
	return o, nil
}
