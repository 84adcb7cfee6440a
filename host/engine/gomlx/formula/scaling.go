package formula

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
)

// Scalings has a function for each of blueprint.Scalings, and for its default;
// a test compares the two.
var Scalings = map[string]func(x *Node) *Node{
	"":            unit,
	"unit":        unit,
	"raw":         func(x *Node) *Node { return x },
	"standardize": standardized,
}

func unit(x *Node) *Node { return MulScalar(x, 1.0/255) }

func standardized(x *Node) *Node {
	x = unit(x)
	// Line by line first: whoever adds one number after the other makes an error of 1e-6 over a
	// whole image, which a deep network makes 1e-3 pixels.
	mean := func(x *Node) *Node {
		return ReduceAndKeep(ReduceAndKeep(x, ReduceMean, 2, 3), ReduceMean, 1)
	}
	centred := Sub(x, mean(x))
	deviation := Sqrt(mean(Mul(centred, centred)))
	return Div(centred, MaxScalar(deviation, 1.0/255))
}

// Scaled turns pixels (float32, 0 to 255) into the network's input.
func Scaled(x *Node, scaling string) *Node {
	f, ok := Scalings[scaling]
	if !ok {
		panic(fmt.Errorf("scaling %s: %w", scaling, device.ErrUnsupported))
	}
	return f(x)
}
