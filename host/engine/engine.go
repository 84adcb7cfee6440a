// Package engine trains what a blueprint describes, and predicts with it, on one
// of the backends.
//
// It has what is the same wherever a network is computed: the order of rows,
// labels, augmented batches, random positions, slices, the state's names, the
// divergence watch. What computes is a [device.Device]; [deviceOf] chooses it.
// Weights are named as in a model file, member/layer/parameter.
//
// The package must not know how a layer is computed, nor where data, plugins or
// files come from, nor when training should stop: that is the zoo's.
package engine

import (
	"math"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx"
	"github.com/fkzoo/fkzoo/host/engine/native"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// ErrUnsupported is returned for what a blueprint may ask and this engine can't do yet.
var ErrUnsupported = device.ErrUnsupported

// ErrClosed is returned for what is asked of a Predictor or Trainer after its Close.
var ErrClosed = device.ErrClosed

// MemoryError tells that so many images at once need more memory than there is.
type MemoryError = device.MemoryError

// Images are grey or colour pictures of one size; see [device.Images].
type Images = device.Images

// Array is a tensor on the host: float32 values in row-major order.
type Array struct {
	Shape []int
	Data  []float32
}

// Arrays are tensors by name: member/layer/parameter.
type Arrays map[string]Array

// deviceOf is what computes for a backend. Nothing else depends on the kind of
// backend here.
func deviceOf(b *backend.Backend) device.Device {
	if set := b.Kernels(); set != "" {
		return processor(set)
	}
	return gomlx.New(gomlx.Backend{Name: b.Name(), Compute: b.Compute(), Target: targets[b.Kind()]})
}

// targets are the lowerings for the kinds of backends that GoMLX has.
var targets = map[backend.Kind]gomlx.Target{backend.XLACPU: gomlx.XLACPU, backend.XLACUDA: gomlx.XLACUDA}

// processors are the native devices by their kernels' names. Each is made once:
// all networks share its workers, which live as long as the program.
var processors = struct {
	sync.Mutex
	m map[string]device.Device
}{m: map[string]device.Device{}}

func processor(name string) device.Device {
	processors.Lock()
	defer processors.Unlock()
	d, ok := processors.m[name]
	if !ok {
		set, err := kernel.Choose(name)
		if err != nil {
			panic(err) // the backend is open with it
		}
		d = native.New(set, 0)
		processors.m[name] = d
	}
	return d
}

// Check refuses a plan that this engine can't train on the backend: with an
// error that wraps ErrUnsupported where its recipe or a layer kind is not
// supported, else with what refused its graph. This takes milliseconds.
func Check(b *backend.Backend, plan *blueprint.Plan) error { return deviceOf(b).Check(plan) }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
