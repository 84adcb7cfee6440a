package formula

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"
)

// Activation is an activation by its name in a blueprint.
type Activation struct {
	// Of gives y from x, and Reverse the gradient of x from x, y and that of y;
	// slope is leaky_relu's.
	Of      func(x *Node, slope float64) *Node
	Reverse func(x, y, dy *Node, slope float64) *Node
}

// Activations has a row for each of blueprint.Activations; a test compares the
// two. linear has no functions: x is y.
var Activations = map[string]Activation{
	"linear": {},
	"relu": {
		Of:      func(x *Node, _ float64) *Node { return MaxScalar(x, 0.0) },
		Reverse: func(_, y, dy *Node, _ float64) *Node { return Where(positive(y), dy, ScalarZero(y.Graph(), y.DType())) },
	},
	"gelu": {Of: gelu, Reverse: geluReverse},
	"silu": {
		Of: func(x *Node, _ float64) *Node { return Mul(x, Logistic(x)) },
		Reverse: func(x, _, dy *Node, _ float64) *Node {
			s := Logistic(x)
			return Mul(dy, Mul(s, AddScalar(Mul(x, OneMinus(s)), 1.0)))
		},
	},
	"tanh": {
		Of:      func(x *Node, _ float64) *Node { return Tanh(x) },
		Reverse: func(_, y, dy *Node, _ float64) *Node { return Mul(dy, OneMinus(Mul(y, y))) },
	},
	"sigmoid": {
		Of:      func(x *Node, _ float64) *Node { return Logistic(x) },
		Reverse: func(_, y, dy *Node, _ float64) *Node { return Mul(dy, Mul(y, OneMinus(y))) },
	},
	"elu": { // exp of what is above 0 may overflow, and is not wanted
		Of: func(x *Node, _ float64) *Node {
			return Add(MaxScalar(x, 0.0), Expm1(MinScalar(x, 0.0)))
		},
		Reverse: func(x, y, dy *Node, _ float64) *Node { // the derivative below 0 is exp(x) = y + 1
			return Where(positive(x), dy, Mul(dy, AddScalar(y, 1.0)))
		},
	},
	"leaky_relu": {
		Of: func(x *Node, slope float64) *Node {
			return Add(MaxScalar(x, 0.0), MulScalar(MinScalar(x, 0.0), slope))
		},
		Reverse: func(x, _, dy *Node, slope float64) *Node {
			return Where(positive(x), dy, MulScalar(dy, slope))
		},
	},
}

func positive(x *Node) *Node { return GreaterThan(x, ScalarZero(x.Graph(), x.DType())) }

func gelu(x *Node, _ float64) *Node {
	return MulScalar(Mul(x, AddScalar(Erf(MulScalar(x, 1/math.Sqrt2)), 1.0)), 0.5)
}

// geluReverse: the derivative is the normal distribution's function, plus x times
// its density.
func geluReverse(x, _, dy *Node, _ float64) *Node {
	phi := MulScalar(AddScalar(Erf(MulScalar(x, 1/math.Sqrt2)), 1.0), 0.5)
	density := MulScalar(Exp(MulScalar(Mul(x, x), -0.5)), 1/math.Sqrt(2*math.Pi))
	return Mul(dy, Add(phi, Mul(x, density)))
}
