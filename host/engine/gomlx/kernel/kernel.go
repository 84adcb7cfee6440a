// Package kernel lowers the operations whose plain GoMLX form is slow or wrong
// to what each backend does well, forward and backward.
//
// GoMLX's input gradient of a convolution with an even kernel is wrong, its
// filter gradient and max-pool gradient are slow on XLA's CPU. So the engine goes
// back layer by layer, and asks this package for both directions of those layers.
//
// A Kernel belongs to one graph. Data is float32, feature maps NHWC, filters
// HWIO, dense weights [in, out].
//
// The package knows nothing of blueprints, layers or training. A combination it
// cannot build panics with an *Error, like GoMLX itself does while a graph is
// built.
package kernel

import (
	"fmt"

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

func (t Target) String() string {
	switch t {
	case XLACPU:
		return "cpu"
	case XLACUDA:
		return "cuda"
	}
	return fmt.Sprintf("Target(%d)", int(t))
}

// Options say what a graph is for.
type Options struct {
	Target Target
	// Training is set where Backward will be called: the fastest forward
	// lowering then is another one than for prediction alone.
	Training bool
}

// Kernel builds operations in one graph. It must not be shared between graphs
// or goroutines.
type Kernel struct{ Options }

// New returns a Kernel for one graph.
func New(o Options) *Kernel { return &Kernel{o} }

// Error is what this package panics with: a combination that cannot be built.
type Error struct{ msg string }

func (e *Error) Error() string { return e.msg }

func fail(format string, args ...any) {
	panic(&Error{fmt.Sprintf(format, args...)})
}

// Dot contracts one axis of lhs with one axis of rhs and returns the remaining
// axes of lhs followed by those of rhs.
func (k *Kernel) Dot(lhs *Node, lhsAxis int, rhs *Node, rhsAxis int) *Node {
	lhsAxis, rhsAxis = MustAdjustAxis(lhsAxis, lhs), MustAdjustAxis(rhsAxis, rhs)
	if a, b := lhs.Shape().Dimensions[lhsAxis], rhs.Shape().Dimensions[rhsAxis]; a != b {
		fail("product of %s and %s: axes %d and %d have lengths %d and %d, want equal ones", lhs.Shape(), rhs.Shape(), lhsAxis, rhsAxis, a, b)
	}
	return Dot(lhs, rhs).General([]int{lhsAxis}, nil, []int{rhsAxis}, nil)
}

func zero(g *Graph) *Node { return ScalarZero(g, dtypes.Float32) }

func mustFloat32(what string, xs ...*Node) {
	for _, x := range xs {
		if x != nil && x.DType() != dtypes.Float32 {
			fail("%s: found %s, want float32", what, x.Shape())
		}
	}
}
