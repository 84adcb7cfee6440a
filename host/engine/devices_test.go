package engine

import (
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/gomlxtest"
	"github.com/fkzoo/fkzoo/host/engine/native"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
)

// nativeDevice is opened once in a test process, with more threads than some
// machines have processors.
var nativeDevice = sync.OnceValues(func() (device.Device, error) {
	set, err := kernel.FromEnvironment()
	if err != nil {
		return nil, err
	}
	return native.New(set, 3), nil
})

func openNative(t testing.TB) device.Device {
	t.Helper()
	d, err := nativeDevice()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// benchNative is a native device for benchmarks, a thread for each processor.
func benchNative(t testing.TB) device.Device {
	t.Helper()
	set, err := kernel.FromEnvironment()
	if err != nil {
		t.Fatal(err)
	}
	d := native.New(set, 0)
	t.Cleanup(d.Close)
	return d
}

// openReference gives GoMLX's pure-Go backend. Tests that need it alone are skipped where it can't run.
func openReference(t testing.TB) device.Device {
	t.Helper()
	if raced {
		t.Skip("GoMLX's products don't bear the race detector")
	}
	return gomlx.New(gomlxtest.Reference(t))
}

// eachDevice runs f on every device of GoMLX's, and on the native one.
func eachDevice(t *testing.T, f func(t *testing.T, on device.Device)) {
	t.Helper()
	if !raced {
		gomlxtest.Each(t, func(t *testing.T, b gomlx.Backend) { f(t, gomlx.New(b)) })
	}
	t.Run("go", func(t *testing.T) { f(t, openNative(t)) })
}

// Every library has a family of lowerings.
func TestTargets(t *testing.T) {
	for _, k := range backend.Kinds() {
		if _, ok := targets[k]; ok == (k == backend.Go) {
			t.Errorf("backend %s: found a target: %v", k, ok)
		}
	}
}
