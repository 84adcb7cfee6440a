// Package gomlxtest runs tests on GoMLX's backends: XLA's, where they are installed, and the pure-Go one,
// which nothing else runs on: a reference that needs nothing. It is for tests alone.
package gomlxtest

import (
	"slices"
	"sync"
	"testing"

	"github.com/gomlx/compute/gobackend"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
)

// Name is the reference's.
const Name = "reference"

// One operation after the other: as many products at once as GoMLX's pool has workers wait for each other for ever
// (compute v0.1.2), be they of one graph or of several.
var reference = sync.OnceValues(func() (kernel.Backend, error) {
	c, err := gobackend.New("ops_sequential")
	return kernel.Backend{Name: Name, Compute: c, Target: kernel.XLACPU}, err
})

// Reference is GoMLX's pure-Go backend, with the lowerings for XLA's CPU. It stays open until the process ends.
func Reference(t testing.TB) kernel.Backend {
	t.Helper()
	b, err := reference()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// targets are the lowerings for each library.
var targets = map[backend.Kind]kernel.Target{backend.XLACPU: kernel.XLACPU, backend.XLACUDA: kernel.XLACUDA}

// xla are the names of XLA's backends to run on, as backendtest has them.
func xla() (names []string) {
	installable := backend.Installable()
	for _, name := range backendtest.Names() {
		if slices.Contains(installable, name) {
			names = append(names, name)
		}
	}
	return names
}

func open(t testing.TB, name string) kernel.Backend {
	t.Helper()
	b := backendtest.Open(t, name)
	target, ok := targets[b.Kind()]
	if !ok {
		t.Fatalf("backend %s: found no lowerings, want some", name)
	}
	return kernel.Backend{Name: name, Compute: b.Compute(), Target: target}
}

// Each runs f as a subtest on the reference, first, and on every backend of XLA's.
func Each(t *testing.T, f func(t *testing.T, on kernel.Backend)) {
	t.Helper()
	t.Run(Name, func(t *testing.T) { f(t, Reference(t)) })
	for _, name := range xla() {
		t.Run(name, func(t *testing.T) { f(t, open(t, name)) })
	}
}
