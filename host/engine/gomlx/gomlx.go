// Package gomlx is the device that runs plans with GoMLX, on any of its
// backends: it lowers a plan to a graph, and keeps images and state in the
// backend's memory.
//
// The reverse pass is its own: it goes back layer by layer, and each layer kind
// may bring its own gradient for each backend; those that don't get GoMLX's. A
// program takes a fixed number of rows: what a slice lacks is filled with copies
// of its rows that no label is filled of, so that they teach nothing, and that
// batch statistics leave out.
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

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// trait is what the package must know of a kind of backend.
type trait struct {
	target     kernel.Target // the family of lowerings that suits it
	sliceBytes int64         // the estimated memory of a slice's maps; 0: batches are taken whole
}

// traits has a row for each kind of backend. XLA reuses memory, and its programs
// take long to compile.
var traits = map[backend.Kind]trait{
	backend.Go:      {target: kernel.Go, sliceBytes: 384 << 20},
	backend.XLACPU:  {target: kernel.XLACPU},
	backend.XLACUDA: {target: kernel.XLACUDA},
}

// Device runs plans on a backend of GoMLX's. It implements [device.Device].
type Device struct{ b *backend.Backend }

// New gives the device of an open backend, which is the caller's to close.
func New(b *backend.Backend) *Device { return &Device{b} }

// Check refuses what can't be trained. The graph is built for one image and not
// compiled.
func (d *Device) Check(plan *blueprint.Plan) error {
	all, err := steps(plan)
	if err != nil {
		return err
	}
	net, err := newNetwork(d.b, plan)
	if err != nil {
		return err
	}
	name := trainingName(plan)
	return guard("cannot build the "+name+" graph for backend "+d.b.Name(), func() error {
		g := NewGraph(d.b.Compute(), name)
		defer g.Finalize()
		in := plan.Document.Input
		build := net.builder(g, true, net.declare(g))
		build.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		x := floats(g, "images", 1, in.Height, in.Width, in.Channels)
		labels := floats(g, "labels", 1, 2*len(plan.Columns))
		pass(build, all, plan, batchNodes{images: x, labels: labels})
		return nil
	})
}

// SliceRows is how many rows of a batch are taken at once, so that the slice's
// maps take no more memory than the backend's trait says.
func (d *Device) SliceRows(plan *blueprint.Plan) int { return sliceRows(plan, d.b.Kind()) }

func sliceRows(plan *blueprint.Plan, kind backend.Kind) int {
	batch, limit := plan.Member.Recipe.Batch, traits[kind].sliceBytes
	if limit == 0 || batchStatistics(plan) {
		return batch
	}
	var row int64
	for i := range plan.Nodes {
		row += rowBytes(&plan.Nodes[i])
	}
	count := 1
	for count < batch && int64((batch+count-1)/count)*row > limit {
		count *= 2
	}
	return (batch + count - 1) / count
}

// rowBytes estimates what a layer keeps for one image in a training step.
func rowBytes(n *blueprint.Node) int64 {
	const copies = 3
	return copies * 4 * n.Out.Size()
}

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
		k.buffer, err = upload(d.b.Compute(), images.Floats, images.Count, images.Height, images.Width, images.Channels)
	} else {
		k.buffer, err = upload(d.b.Compute(), images.Bytes, images.Count, images.Height, images.Width, images.Channels)
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
