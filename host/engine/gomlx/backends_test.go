package gomlx

import (
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
)

func opened(b backendtest.GoMLX) Backend {
	target := XLACPU
	if b.CUDA {
		target = XLACUDA
	}
	return Backend{Name: b.Name, Compute: b.Compute, Target: target}
}

// reference is GoMLX's pure-Go backend, with the lowerings for XLA on the processor.
func reference(t testing.TB) Backend { return opened(backendtest.Reference(t)) }

// eachBackend runs f on the reference and on every backend of XLA that there is.
func eachBackend(t *testing.T, f func(t *testing.T, on Backend)) {
	t.Helper()
	for _, b := range backendtest.AllGoMLX(t) {
		t.Run(b.Name, func(t *testing.T) { f(t, opened(b)) })
	}
}
