// Package kernel lowers the operations whose plain GoMLX form is slow or wrong
// to what each backend does well, forward and backward.
//
// GoMLX's input gradient of a convolution with an even kernel is wrong, its
// filter gradient and max-pool gradient are slow on XLA's CPU, and its Go
// backend has no fast convolution or pooling at all. So the engine goes back
// layer by layer, and asks this package for both directions of those layers.
//
// A Kernel belongs to one graph. Feature maps are passed as *Map, whose layout
// is the target's own affair; everything else is a plain *graph.Node. Data is
// float32, images NHWC, filters HWIO, dense weights [in, out].
//
// The package knows nothing of blueprints, layers or training. A combination it
// cannot build panics with an *Error, like GoMLX itself does while a graph is
// built.
package kernel

import (
	"fmt"
	"runtime"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"
)

// Target is the kind of backend that a graph is built for.
type Target int

const (
	// Go is GoMLX's pure-Go backend: fast products, slow everything else.
	Go Target = iota
	// XLACPU is XLA's CPU plugin.
	XLACPU
	// XLACUDA is XLA on NVIDIA GPUs.
	XLACUDA
)

func (t Target) String() string {
	switch t {
	case Go:
		return "go"
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
	// Shrink is by how much the network divides height and width before its
	// maps are flattened, the product of the strides of its pools and
	// convolutions (8 for three 2x2 pools). A hint: a wrong one costs time only.
	Shrink int
}

// Kernel builds operations in one graph. It must not be shared between graphs
// or goroutines.
type Kernel struct {
	Options
	turns [atOnce]*Node // the latest of those that need several workers
	count int           // of them
}

// New returns a Kernel for one graph.
func New(o Options) *Kernel {
	if o.Shrink < 1 {
		o.Shrink = 1
	}
	return &Kernel{Options: o}
}

// Error is what this package panics with: a combination that cannot be built.
type Error struct{ msg string }

func (e *Error) Error() string { return e.msg }

func fail(format string, args ...any) {
	panic(&Error{fmt.Sprintf(format, args...)})
}

// Dot contracts one axis of lhs with one axis of rhs and returns the remaining
// axes of lhs followed by those of rhs.
//
// On the Go backend the products of a graph run almost one after the other,
// whatever the graph's shape: its worker pool (compute v0.1.2) hangs for ever
// when as many products become ready at once as it has workers. Every product on that
// target must therefore come from here.
func (k *Kernel) Dot(lhs *Node, lhsAxis int, rhs *Node, rhsAxis int) *Node {
	lhsAxis, rhsAxis = MustAdjustAxis(lhsAxis, lhs), MustAdjustAxis(rhsAxis, rhs)
	if a, b := lhs.Shape().Dimensions[lhsAxis], rhs.Shape().Dimensions[rhsAxis]; a != b {
		fail("product of %s and %s: axes %d and %d have lengths %d and %d, want equal ones", lhs.Shape(), rhs.Shape(), lhsAxis, rhsAxis, a, b)
	}
	return k.dot(lhs, []int{lhsAxis}, nil, rhs, []int{rhsAxis}, nil)
}

// atOnce is how many operations that need several workers may run at the same
// time on the Go backend, where there is more than one processor: fewer than its
// workers, which are twice as many as the processors.
const atOnce = 2

// inTurn builds such an operation on the Go backend. It must depend on last,
// unless that is nil.
func (k *Kernel) inTurn(op func(last *Node) *Node) *Node {
	turn := k.count % min(atOnce, runtime.GOMAXPROCS(0))
	k.count++
	k.turns[turn] = op(k.turns[turn])
	return k.turns[turn]
}

// after is a node without elements that depends on another: with it,
// Concatenate waits for that at no cost.
func after(last *Node, dims ...int) *Node {
	return SchedulingBarrier(Zeros(last.Graph(), shapes.Make(dtypes.Float32, dims...)), last)
}

func (k *Kernel) dot(lhs *Node, lhsAxes, lhsBatch []int, rhs *Node, rhsAxes, rhsBatch []int) *Node {
	general := func() *Node { return Dot(lhs, rhs).General(lhsAxes, lhsBatch, rhsAxes, rhsBatch) }
	if k.Target != Go {
		return general()
	}
	return k.inTurn(func(last *Node) *Node {
		switch {
		case last == nil:
		case lhs.Shape().Size() < rhs.Shape().Size(): // the barrier may copy
			lhs = SchedulingBarrier(lhs, last)
		default:
			rhs = SchedulingBarrier(rhs, last)
		}
		return general()
	})
}

// Erf is the error function of each element. The Go backend computes large ones
// with its workers too, so there they take turns with the products.
func (k *Kernel) Erf(x *Node) *Node {
	if k.Target != Go {
		return Erf(x)
	}
	return k.inTurn(func(last *Node) *Node {
		if last != nil {
			x = SchedulingBarrier(x, last)
		}
		return Erf(x)
	})
}

// transposeDot is a's transpose times b, for a [m, p] and b [m, q]: [p, q].
func (k *Kernel) transposeDot(a, b *Node) *Node {
	if k.Target != Go {
		return k.Dot(a, 0, b, 0)
	}
	// The Go backend would transpose both, element by element: do what is least.
	m, p, q := a.Shape().Dimensions[0], a.Shape().Dimensions[1], b.Shape().Dimensions[1]
	if m*p <= m*q+p*q {
		return k.Dot(Transpose(a, 0, 1), 1, b, 0)
	}
	return Transpose(k.Dot(Transpose(b, 0, 1), 1, a, 0), 0, 1)
}

func zero(g *Graph) *Node { return ScalarZero(g, dtypes.Float32) }

func mustFloat32(what string, xs ...*Node) {
	for _, x := range xs {
		if x != nil && x.DType() != dtypes.Float32 {
			fail("%s: found %s, want float32", what, x.Shape())
		}
	}
}

// DotGeneral is [Kernel.Dot] over several axes, with batch axes, which come first in the result.
func (k *Kernel) DotGeneral(lhs *Node, lhsAxes, lhsBatch []int, rhs *Node, rhsAxes, rhsBatch []int) *Node {
	return k.dot(lhs, lhsAxes, lhsBatch, rhs, rhsAxes, rhsBatch)
}
