// Package backendtest runs tests and benchmarks on every backend there is. It is for tests alone.
//
// FKZOO_BACKEND_TESTS names those that must be there, with commas between: "cpu" makes a test fail, not pass over it,
// where cpu isn't installed. Without it go always runs, and cpu and cuda where they are installed and work.
package backendtest

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
)

// Variable is the environment variable that names the backends that must be tested.
const Variable = "FKZOO_BACKEND_TESTS"

// Required says whether Variable names the backend.
func Required(name string) bool {
	return slices.ContainsFunc(strings.Split(os.Getenv(Variable), ","), func(s string) bool {
		return strings.TrimSpace(s) == name
	})
}

// A backend is opened once in a test process: making a client with its threads costs tens of milliseconds.
var opened = struct {
	sync.Mutex
	m map[string]func() (*backend.Backend, error)
}{m: map[string]func() (*backend.Backend, error){}}

func open(name string) (*backend.Backend, error) {
	opened.Lock()
	once, ok := opened.m[name]
	if !ok {
		once = sync.OnceValues(func() (*backend.Backend, error) { return backend.Open(context.Background(), name) })
		opened.m[name] = once
	}
	opened.Unlock()
	return once()
}

// Open opens a backend that stays open until the process ends; do not close it. Where it isn't installed and not
// required the test is skipped, where it is broken it fails.
func Open(t testing.TB, name string) *backend.Backend {
	t.Helper()
	b, err := open(name)
	if err == nil {
		return b
	}
	absent := errors.Is(err, backend.ErrNotInstalled) || errors.Is(err, backend.ErrUnsupported)
	if absent && !Required(name) {
		t.Skip(err)
	}
	t.Fatal(err)
	return nil
}

// Names are the backends to run on: those that are part of the program, the required, and the installed.
func Names() (all []string) {
	installable := backend.Installable()
	for _, name := range backend.Names()[1:] { // not auto
		if !slices.Contains(installable, name) {
			all = append(all, name)
			continue
		}
		_, err := open(name)
		absent := errors.Is(err, backend.ErrNotInstalled) || errors.Is(err, backend.ErrUnsupported)
		if !absent || Required(name) {
			all = append(all, name)
		}
	}
	return all
}

// Each runs f as a subtest on every backend available, each opened once for the whole process.
func Each(t *testing.T, f func(t *testing.T, b *backend.Backend)) {
	t.Helper()
	for _, name := range Names() {
		t.Run(name, func(t *testing.T) { f(t, Open(t, name)) })
	}
}

// EachBench runs f as a sub-benchmark on every backend available.
func EachBench(b *testing.B, f func(b *testing.B, on *backend.Backend)) {
	b.Helper()
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) { f(b, Open(b, name)) })
	}
}
