// Package backend opens what a network runs on, and installs it.
//
// Each is a row of one table: [Go], fkzoo's own engine, always there; [XLACPU] and [XLACUDA], XLA
// behind a PJRT library that [Store.Install] fetches into the user's data folder. [Open] takes one by name, "auto" the
// best that works.
//
// A library is foreign code, so it is first tried in a child process: one that does not load, crashes, hangs or
// computes wrong numbers is an error with text, never the end of this process. What was tried is remembered.
// The child is this same executable; this package's init function answers it before any of main runs.
//
// Nothing is ever downloaded except by Install. The package knows nothing of networks, blueprints or training.
package backend

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gomlx/compute"

	_ "github.com/fkzoo/fkzoo/host/engine/backend/quiet" // before go-xla logs
	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
)

// What a caller may branch on.
var (
	// ErrUnknown: no backend has that name.
	ErrUnknown = errors.New("unknown backend")
	// ErrUnsupported: this build of the program, or this system, can't run that backend.
	ErrUnsupported = errors.New("not supported by this build")
	// ErrNotInstalled: Install has not been run for that backend.
	ErrNotInstalled = errors.New("not installed")
	// ErrBroken: an installed library doesn't load, crashes, hangs, computes wrong numbers or is not what was installed.
	ErrBroken = errors.New("does not work")
	// ErrChecksum: a file is not the one whose SHA-256 is pinned.
	ErrChecksum = wheel.ErrChecksum
)

// InstallError tells of a backend that isn't there, or not as it was installed: to install it, once more, helps. It wraps
// ErrNotInstalled or ErrBroken.
type InstallError struct {
	Backend string
	Err     error
}

func (e *InstallError) Error() string { return "backend " + e.Backend + ": " + e.Err.Error() }
func (e *InstallError) Unwrap() error { return e.Err }

// NoPackageError tells that no package has the library for a system: whoever has one may install that.
type NoPackageError struct{ System string }

func (e *NoPackageError) Error() string {
	return "no package is known for " + e.System + ", want a PJRT library of your own"
}

// Backend is an open backend. It may be used from several goroutines.
type Backend struct {
	kind    Kind
	compute compute.Backend // nil: kernels compute
	kernels string
	info    Info
	reason  string
	missed  []error
	threads int
}

// Compute is what GoMLX takes; nil for a backend that is none of GoMLX's.
func (b *Backend) Compute() compute.Backend { return b.compute }

// Kernels names the set of kernels that the program's own engine computes with on this machine; "" where another does.
// A training on another set gives other last digits.
func (b *Backend) Kernels() string { return b.kernels }

// Compiles tells whether networks are compiled for the backend, which takes seconds.
func (b *Backend) Compiles() bool { return b.compute != nil }

// Kind says what computes.
func (b *Backend) Kind() Kind { return b.kind }

// Name is the backend's, never "auto".
func (b *Backend) Name() string { return b.kind.String() }

// Info tells library, version and provenance.
func (b *Backend) Info() Info { return b.info }

// Reason says why "auto" took this backend: what became of each better one. Empty when it was asked for by name.
func (b *Backend) Reason() string { return b.reason }

// Missed are the errors of the better ones that [Backend.Reason] tells of, which may say that one need only be installed.
func (b *Backend) Missed() []error { return b.missed }

// NumThreads is how many threads the backend computes with on the host: GOMAXPROCS for go, the cores this process may
// use (as taskset sets them; XLA heeds nothing else) for cpu, 1 where the work is on a device.
func (b *Backend) NumThreads() int { return b.threads }

// OnHost tells whether the backend computes on the host's own processors.
func (b *Backend) OnHost() bool { return b.kind.known().onHost() }

// Description is one line for people: name, version, threads, provenance, library.
func (b *Backend) Description() string {
	var s strings.Builder
	s.WriteString(b.info.Name + ": " + b.info.Version)
	if b.OnHost() {
		fmt.Fprintf(&s, ", threads: %d", b.threads)
	}
	if p := b.info.Provenance; p != nil {
		s.WriteString(", " + p.String())
	}
	if b.info.Library != "" {
		s.WriteString(", " + b.info.Library)
	}
	return s.String()
}

// Close frees the backend; nothing that was made on it may be used afterwards.
func (b *Backend) Close() error {
	if b.compute != nil && !b.compute.IsFinalized() {
		b.compute.Finalize()
	}
	return nil
}

// Open opens a backend of the default store: one of [Names]. See [Store.Open].
func Open(ctx context.Context, name string) (*Backend, error) {
	s, err := DefaultStore()
	if err != nil {
		return openWithoutStore(name, err)
	}
	return s.Open(ctx, name)
}

// openWithoutStore opens what needs no store, where there is none for that reason.
func openWithoutStore(name string, why error) (*Backend, error) {
	var missed []string
	for _, k := range Kinds() {
		if name != Auto && name != k.String() {
			continue
		}
		if k.known().part == nil {
			missed = append(missed, k.String())
			continue
		}
		b, err := openPart(k)
		if err == nil && name == Auto {
			b.reason = strings.Join(missed, ", ") + ": " + why.Error()
		}
		return b, err
	}
	return nil, why
}

// Open opens the backend of that name; "auto" is the first of [Kinds] that works, and Reason then says what was wrong
// with those before it. Errors wrap ErrUnknown, ErrUnsupported, ErrNotInstalled or ErrBroken.
func (s *Store) Open(ctx context.Context, name string) (*Backend, error) {
	if name != Auto {
		k, err := parseKind(name)
		if err != nil {
			return nil, err
		}
		return s.open(ctx, k)
	}
	var missed noneWorks
	for _, k := range Kinds() {
		b, err := s.open(ctx, k)
		if err == nil {
			b.reason, b.missed = strings.Join(append(missed.reasons(), "took "+k.String()), "; "), missed
			return b, nil
		}
		if ctx.Err() != nil {
			return nil, err
		}
		if errors.Is(err, ErrNotInstalled) && !s.device(k) {
			continue // nobody without the device misses it
		}
		missed = append(missed, err)
	}
	return nil, missed
}

// noneWorks are the errors of all backends.
type noneWorks []error

func (e noneWorks) Error() string   { return "no backend works: " + strings.Join(e.reasons(), "; ") }
func (e noneWorks) Unwrap() []error { return e }

func (e noneWorks) reasons() (all []string) {
	for _, err := range e {
		all = append(all, strings.TrimPrefix(err.Error(), "backend "))
	}
	return all
}

func (s *Store) open(ctx context.Context, k Kind) (*Backend, error) {
	if k.known().part != nil {
		return openPart(k)
	}
	info, err := s.check(ctx, k)
	if err != nil {
		return nil, err
	}
	b, err := openXLA(k, info)
	if err != nil {
		return nil, fmt.Errorf("backend %s: %s: %w: %v", k, info.Library, ErrBroken, err)
	}
	return b, nil
}

func openPart(k Kind) (*Backend, error) {
	r := k.known()
	set, err := r.part.kernels()
	if err != nil {
		return nil, fmt.Errorf("backend %s: %w: %v", k, ErrBroken, err)
	}
	return &Backend{kind: k, kernels: set.Name, info: partInfo(k), threads: r.threads()}, nil
}

func partInfo(k Kind) Info {
	info := Info{Name: k.String(), Kind: k, State: Ready}
	set, err := k.known().part.kernels()
	if err != nil {
		info.State, info.Why = Broken, err.Error()
		return info
	}
	info.Version = k.known().help + ", kernels: " + set.Name
	return info
}
