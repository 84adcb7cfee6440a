// Package kernel lowers the operations whose plain GoMLX form is slow or wrong to
// what XLA does well, forward and backward.
//
// GoMLX's input gradient of a convolution with an even kernel is wrong; XLA's
// gradients of filters and of max-pools are slow on its CPU. So the device goes
// back layer by layer, and asks this package for both directions of those layers.
//
// Data is float32, images NHWC, filters HWIO, dense weights [in, out].
//
// The package knows nothing of blueprints, layers or training. A combination it
// cannot build panics with an *Error, like GoMLX itself does while a graph is
// built.
package kernel

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Target is the kind of backend that a graph is built for.
type Target int

const (
	// XLACPU is XLA's CPU plugin.
	XLACPU Target = iota
	// XLACUDA is XLA on NVIDIA GPUs.
	XLACUDA
)

// Backend is a GoMLX backend that is open, and the family of lowerings that suits it.
type Backend struct {
	Name    string
	Compute compute.Backend
	Target  Target
}

// Error is what this package panics with: a combination that cannot be built.
type Error struct{ msg string }

func (e *Error) Error() string { return e.msg }

func fail(format string, args ...any) {
	panic(&Error{fmt.Sprintf(format, args...)})
}

func zero(g *Graph) *Node { return ScalarZero(g, dtypes.Float32) }

func mustFloat32(what string, xs ...*Node) {
	for _, x := range xs {
		if x.DType() != dtypes.Float32 {
			fail("%s: found %s, want float32", what, x.Shape())
		}
	}
}

// maps are the dimensions of a batch of feature maps: n images of h by w pixels and
// c channels.
type maps struct{ n, h, w, c int }

func mapsOf(x *Node) maps {
	mustFloat32("feature map", x)
	if x.Rank() != 4 {
		fail("feature map: found shape %s, want [images, height, width, channels]", x.Shape())
	}
	d := x.Shape().Dimensions
	return maps{d[0], d[1], d[2], d[3]}
}

func (m maps) size() [2]int { return [2]int{m.h, m.w} }

// mustBe refuses a gradient of another shape than its output.
func (m maps) mustBe(what string, dy *Node) {
	if found := mapsOf(dy); found != m {
		fail("%s: found a gradient of %v, want %v", what, found, m)
	}
}
