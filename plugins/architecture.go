package plugins

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/specs/protocol"
	"github.com/fkzoo/fkzoo/specs/protocol/wire"
)

// Architecture is one network that a plugin offers.
type Architecture struct {
	// Name is what people type: a to z, 0 to 9 and between them '.', '_' and '-'.
	Name string
	// Summary is one line for people.
	Summary string
	// Settings are what the user may choose with --set; others are refused.
	Settings []Setting
	// Blueprint describes the network. Asked the same, it must answer the
	// same. Its error is shown to the user as it is. A document without
	// version, name or summary gets them from here.
	Blueprint func(Request) (*blueprint.Document, error)
}

// Setting is something that the user may choose, as in --set hidden=500.
type Setting struct {
	Name    string // written like an architecture's name
	Default string // stands if the user gives none
	Help    string // one line for people
}

// DataSummary says what the training data holds: its columns, and in how many
// rows which of them are filled.
type DataSummary = protocol.DataSummary

// Request is what a blueprint may depend on.
type Request struct {
	// Settings has a value for each of the architecture's settings: the
	// user's or the default.
	Settings map[string]string
	// Data sums up the training data. Its columns are always there; its rows
	// are 0 if no data is at hand.
	Data DataSummary
}

// Int gives a setting as a whole number of at least 1.
func (r Request) Int(name string) (int, error) {
	n, err := strconv.Atoi(r.Settings[name])
	if err != nil || n < 1 {
		return 0, fmt.Errorf("setting %s: found %q, want a whole number of at least 1", name, r.Settings[name])
	}
	return n, nil
}

// Float gives a setting as a number.
func (r Request) Float(name string) (float64, error) {
	x, err := strconv.ParseFloat(r.Settings[name], 64)
	if err != nil || x-x != 0 { // x-x is not 0 for infinities and NaN
		return 0, fmt.Errorf("setting %s: found %q, want a number", name, r.Settings[name])
	}
	return x, nil
}

// Document gives the blueprint for the user's settings and a summary of the
// data, as the host would get it: defaults filled in, unknown settings
// refused, a panic turned into an error. It is how a plugin's tests look at
// what it offers.
func (a Architecture) Document(settings map[string]string, data DataSummary) (d *blueprint.Document, err error) {
	request := Request{Settings: map[string]string{}, Data: data}
	for _, s := range a.Settings {
		request.Settings[s.Name] = s.Default
	}
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		if _, known := request.Settings[name]; !known {
			return nil, fmt.Errorf("setting %q: unknown, want %s", name, a.wanted())
		}
		request.Settings[name] = settings[name]
	}
	defer func() {
		if problem := recover(); problem != nil {
			d, err = nil, &panicked{problem, whereItPanicked()}
		}
	}()
	if d, err = a.Blueprint(request); err != nil {
		return nil, err
	}
	if d == nil {
		return nil, errors.New("found no blueprint and no error, want one of them")
	}
	filled := *d // the plugin may hand out the same document again
	if filled.Version == 0 {
		filled.Version = blueprint.Version
	}
	if filled.Name == "" {
		filled.Name = a.Name
	}
	if filled.Summary == "" {
		filled.Summary = a.Summary
	}
	return &filled, nil
}

func (a Architecture) wanted() string {
	if len(a.Settings) == 0 {
		return "none: " + a.Name + " has no settings"
	}
	names := make([]string, len(a.Settings))
	for i, s := range a.Settings {
		names[i] = s.Name
	}
	return "one of " + strings.Join(names, ", ")
}

// panicked is a panic in a plugin's function.
type panicked struct {
	problem any
	place   string
}

func (p *panicked) Error() string {
	return fmt.Sprintf("the plugin's function panicked at %s: %v", p.place, p.problem)
}

// whereItPanicked gives file and line, called from a deferred function.
func whereItPanicked() string {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(3, pcs)]) // without Callers, this and the deferred function
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf("%s:%d", filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return "an unknown place"
		}
	}
}

// check finds what the host would refuse about the architectures themselves.
func check(architectures []Architecture) error {
	if err := protocol.CheckOffer(offer(architectures)); err != nil {
		return err
	}
	for _, a := range architectures {
		if a.Blueprint == nil {
			return fmt.Errorf("architecture %s: found no function Blueprint, want one", a.Name)
		}
	}
	return nil
}

// offer is what the host is told of the architectures.
func offer(architectures []Architecture) []*wire.Architecture {
	var all []*wire.Architecture
	for _, a := range architectures {
		w := &wire.Architecture{Name: a.Name, Summary: a.Summary}
		for _, s := range a.Settings {
			w.Settings = append(w.Settings, &wire.Setting{Name: s.Name, Default: s.Default, Help: s.Help})
		}
		all = append(all, w)
	}
	return all
}
