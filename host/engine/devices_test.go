package engine

import (
	"sync"
	"testing"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/backend/backendtest"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx"
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

// openGo opens GoMLX's pure-Go backend. Tests that need it alone are skipped where it can't run.
func openGo(t testing.TB) device.Device {
	t.Helper()
	if raced {
		t.Skip("GoMLX's products don't bear the race detector")
	}
	return gomlx.New(backendtest.Open(t, "go"))
}

// eachDevice runs f on every backend's device, and on the native one.
func eachDevice(t *testing.T, f func(t *testing.T, on device.Device)) {
	t.Helper()
	if !raced {
		backendtest.Each(t, func(t *testing.T, b *backend.Backend) { f(t, gomlx.New(b)) })
	}
	t.Run("native", func(t *testing.T) { f(t, openNative(t)) })
}
