package host

import (
	"context"
	"errors"
	"strings"

	"github.com/fkzoo/fkzoo/host/file"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

// DataSummary says what training data holds; [Summarize] makes one.
type DataSummary = protocol.DataSummary

// Summarize sums up points: a row of len(columns) numbers after the other,
// where NaN stands for an empty cell.
func Summarize(columns []string, points []float32) (DataSummary, error) {
	return protocol.Summarize(columns, points)
}

// Request is what a blueprint may depend on.
type Request struct {
	Settings map[string]string // what the user chose, by name
	Data     DataSummary       // without columns: blueprint.KaggleColumns
}

// Answer is a blueprint and where it came from.
type Answer struct {
	Document *blueprint.Document
	Plugin   PluginInfo
}

// Blueprint asks for the blueprint of the architecture called name, or
// plugin/name. The document is valid for the request's columns. It fails with
// an [*UnknownError] if no plugin offers it, an [*AmbiguousError] if several
// do, and an [*Error] naming the plugin for everything the plugin does wrong;
// errors.Is with [ErrRefused] tells that the plugin refused the settings or
// the data.
func (h *Host) Blueprint(ctx context.Context, name string, r Request) (Answer, error) {
	if len(r.Data.Columns) == 0 {
		r.Data.Columns = blueprint.KaggleColumns
	}
	a, err := h.Architecture(ctx, name)
	if err != nil {
		return Answer{}, err
	}
	p := file.File{Name: a.Plugin.Name, Path: a.Plugin.Path, Dev: a.Plugin.Trust == Development}
	defer h.waiting(p)()
	running, err := h.start(ctx, p)
	if err != nil {
		return Answer{}, err
	}
	d, _, err := running.Blueprint(ctx, a.Name, r.Settings, r.Data)
	if err != nil {
		return Answer{}, err
	}
	return Answer{Document: d, Plugin: running.plugin}, nil
}

// Architecture finds the architecture called name, or plugin/name, and fails
// as [Host.Blueprint] does. What is remembered comes first: plugins whose
// offers aren't are started only if no remembered one has that name, so that
// one that hangs delays nobody who doesn't need it.
func (h *Host) Architecture(ctx context.Context, name string) (Architecture, error) {
	if plugin, _, full := strings.Cut(name, "/"); full {
		return h.fullName(ctx, plugin, name)
	}
	var remembered []Architecture
	all, _ := h.find()
	for _, p := range all {
		if o, _, err := h.known(p); o != nil && err == nil {
			remembered = append(remembered, o.list()...)
		}
	}
	h.checksums.Save()
	a, err := choose(remembered, name)
	var unknown *UnknownError
	if !errors.As(err, &unknown) {
		return a, err
	}
	list, errs := h.List(ctx)
	a, err = choose(list, name)
	if errors.As(err, &unknown) {
		unknown.Failed = errs
	}
	return a, err
}

// fullName finds plugin/name by asking that plugin alone.
func (h *Host) fullName(ctx context.Context, plugin, name string) (Architecture, error) {
	all, _ := h.find()
	for _, p := range all {
		if p.Name != plugin {
			continue
		}
		o, err := h.offer(ctx, p)
		if err != nil {
			return Architecture{}, err
		}
		unknown := &UnknownError{Name: name}
		for _, a := range o.list() {
			if a.FullName() == name {
				return a, nil
			}
			unknown.Offered = append(unknown.Offered, a.FullName())
		}
		return Architecture{}, unknown
	}
	return Architecture{}, &Error{Plugin: plugin, Kind: ErrMissing, Problem: "missing, want " + h.whereToLook(plugin)}
}

// choose gives the one architecture of that name.
func choose(from []Architecture, name string) (Architecture, error) {
	var offering []Architecture
	unknown := &UnknownError{Name: name}
	for _, a := range from {
		unknown.Offered = append(unknown.Offered, a.Name)
		if a.Name == name {
			offering = append(offering, a)
		}
	}
	switch len(offering) {
	case 0:
		return Architecture{}, unknown
	case 1:
		return offering[0], nil
	}
	ambiguous := &AmbiguousError{Name: name}
	for _, a := range offering {
		ambiguous.Offered = append(ambiguous.Offered, a.FullName())
	}
	return Architecture{}, ambiguous
}
