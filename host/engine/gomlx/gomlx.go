// Package gomlx is the device that runs plans with GoMLX, on XLA: it lowers a plan
// to a graph, and keeps images and state in the backend's memory.
//
// The reverse pass is its own: it goes back layer by layer, and each layer kind
// may bring its own gradient; those that don't get GoMLX's. A program takes a fixed
// number of rows: what a slice lacks is filled with copies of its rows that no
// label is filled of, so that they teach nothing, and that batch statistics leave
// out.
//
// The package must not know what a batch is made of, nor when and for how long
// training goes on: that is the engine's.
package gomlx

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Backend is a GoMLX backend that is open, and the family of lowerings that suits it.
type Backend = kernel.Backend

// Target is the family of lowerings that suits a backend.
type Target = kernel.Target

// The targets: XLA on the processor, and on NVIDIA's GPUs.
const (
	XLACPU  = kernel.XLACPU
	XLACUDA = kernel.XLACUDA
)

// Device runs plans on a backend of GoMLX's. It implements [device.Device].
type Device struct{ b Backend }

// New gives the device of an open backend, which is the caller's to close.
func New(b Backend) *Device { return &Device{b} }

// Check refuses what can't be trained. The graph is built for one image and not
// compiled.
func (d *Device) Check(plan *blueprint.Plan) error {
	all, err := steps(plan)
	if err != nil {
		return err
	}
	net := newNetwork(d.b, plan)
	name := trainingName(plan)
	return guard("cannot build the "+name+" graph for backend "+d.b.Name, func() error {
		g := NewGraph(d.b.Compute, name)
		defer g.Finalize()
		in := plan.Document.Input
		build := net.builder(g, true, net.declare(g))
		build.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		x := floats(g, "images", 1, in.Height, in.Width, in.Channels)
		labels := floats(g, "labels", 1, 2*plan.Answers())
		pass(build, all, plan, batchNodes{images: x, labels: labels})
		return nil
	})
}

// SliceRows is the whole batch: XLA reuses memory, and each of a training's programs
// takes it long to compile.
func (d *Device) SliceRows(plan *blueprint.Plan) int { return plan.Member.Recipe.Batch }

// kept are images in the backend's memory.
type kept struct {
	images device.Images  // without their values
	buffer compute.Buffer // [rows, height, width, channels], uint8 or float32
	dtype  dtypes.DType
}

// Keep uploads images.
func (d *Device) Keep(images device.Images) (device.Kept, error) {
	k := &kept{images: images, dtype: dtypes.Uint8}
	var err error
	if len(images.Floats) > 0 {
		k.dtype = dtypes.Float32
		k.buffer, err = upload(d.b.Compute, images.Floats, images.Count, images.Height, images.Width, images.Channels)
	} else {
		k.buffer, err = upload(d.b.Compute, images.Bytes, images.Count, images.Height, images.Width, images.Channels)
	}
	k.images.Bytes, k.images.Floats = nil, nil
	return k, err
}

// Close frees the images' memory.
func (k *kept) Close() { free(k.buffer) }

// guard turns a panic of GoMLX, which is how its graph building reports, into
// an error that says what was being done.
func guard(doing string, f func() error) (err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case runtime.Error:
			err = fmt.Errorf("%s: internal fault: %w", doing, r)
		case error:
			err = &failure{doing + ": " + firstLine(r.Error()), r}
		default:
			err = &failure{doing + ": " + firstLine(fmt.Sprint(r)), nil}
		}
	}()
	if err := f(); err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	return nil
}

// failure is an error of GoMLX's without the stack trace in its text.
type failure struct {
	text  string
	cause error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.cause }

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// upload puts host values into the backend's memory.
func upload[T float32 | float64 | int32 | uint8 | uint32 | uint64](b compute.Backend, data []T, dims ...int) (compute.Buffer, error) {
	return b.BufferFromFlatData(0, data, shapes.Make(dtypes.FromGenericsType[T](), dims...))
}

// download reads a buffer back.
func download(buf compute.Buffer) ([]float32, error) {
	shape, err := buf.Shape()
	if err != nil {
		return nil, err
	}
	out := make([]float32, shape.Size())
	return out, buf.ToFlatData(out)
}

// free gives memory back. A buffer that can't be freed is left to the backend's
// own end.
func free(bufs ...compute.Buffer) {
	for _, b := range bufs {
		if b != nil {
			_ = b.Finalize()
		}
	}
}
