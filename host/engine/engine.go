// Package engine runs what a blueprint describes: it lowers a plan to a GoMLX
// graph, trains it and predicts with it on one of the backends.
//
// The reverse pass is the engine's own: it goes back layer by layer, and each
// layer kind may bring its own gradient for each backend; those that don't get
// GoMLX's. Weights are named as in a model file, member/layer/parameter.
//
// The package must not know where data, plugins or files come from, nor when
// training should stop: that is the zoo's.
package engine

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
)

// ErrUnsupported is returned for what a blueprint may ask and this engine can't do yet.
var ErrUnsupported = errors.New("not supported by this fkzoo")

// Array is a tensor on the host: float32 values in row-major order.
type Array struct {
	Shape []int
	Data  []float32
}

// Arrays are tensors by name: member/layer/parameter.
type Arrays map[string]Array

// Images are grey or colour pictures of one size, values 0 to 255 in the order
// [image, height, width, channel]. Exactly one of Bytes and Floats is set.
type Images struct {
	Count                   int
	Height, Width, Channels int
	Bytes                   []uint8
	Floats                  []float32
}

func (im Images) pixels() int { return im.Height * im.Width * im.Channels }

// check refuses images that a network of this input can't take.
func (im Images) check(height, width, channels int) error {
	if im.Height != height || im.Width != width || im.Channels != channels {
		return fmt.Errorf("images: found %dx%d with %d channels, want %dx%d with %d", im.Height, im.Width, im.Channels, height, width, channels)
	}
	want := im.Count * im.pixels()
	if im.Count < 0 || len(im.Bytes)+len(im.Floats) != want || (len(im.Bytes) > 0 && len(im.Floats) > 0) {
		return fmt.Errorf("images: found %d values, want %d for %d images", len(im.Bytes)+len(im.Floats), want, im.Count)
	}
	return nil
}

// checkRows refuses rows that are not there.
func (im Images) checkRows(rows []int) error {
	for _, r := range rows {
		if r < 0 || r >= im.Count {
			return fmt.Errorf("rows: found row %d, want 0 to %d", r, im.Count-1)
		}
	}
	return nil
}

// fill copies the images of these rows to dst as float32 values 0 to 255.
func (im Images) fill(dst []float32, rows []int) {
	n := im.pixels()
	for i, row := range rows {
		out := dst[i*n : (i+1)*n]
		if len(im.Floats) > 0 {
			copy(out, im.Floats[row*n:(row+1)*n])
			continue
		}
		for k, v := range im.Bytes[row*n : (row+1)*n] {
			out[k] = float32(v)
		}
	}
}

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

// upload puts host values on the device.
func upload[T float32 | float64 | int32 | uint8 | uint32 | uint64](b compute.Backend, data []T, dims ...int) (compute.Buffer, error) {
	return b.BufferFromFlatData(0, data, shapes.Make(dtypes.FromGenericsType[T](), dims...))
}

// download reads float32 values back from the device.
func download(buf compute.Buffer) (Array, error) {
	shape, err := buf.Shape()
	if err != nil {
		return Array{}, err
	}
	a := Array{Shape: append([]int(nil), shape.Dimensions...), Data: make([]float32, shape.Size())}
	return a, buf.ToFlatData(a.Data)
}

// free gives device memory back. A buffer that can't be freed is left to the
// backend's own end.
func free(bufs ...compute.Buffer) {
	for _, b := range bufs {
		if b != nil {
			_ = b.Finalize()
		}
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
