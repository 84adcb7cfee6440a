package kernel

import "fmt"

// Activation is a function of each value, with what kernels need to know of it.
type Activation struct {
	Name  string
	Slope float32 // of leaky_relu, below zero
	ops   *activationOps
}

type activationOps struct {
	name          string
	forward, back Op
	fromInput     bool // the gradient needs x; else y
}

var activations = []activationOps{
	{"relu", OpRelu, OpReluBack, false},
	{"gelu", OpGelu, OpGeluBack, true},
	{"silu", OpSilu, OpSiluBack, true},
	{"tanh", OpTanh, OpTanhBack, false},
	{"sigmoid", OpSigmoid, OpSigmoidBack, false},
	{"elu", OpElu, OpEluBack, false},
	{"leaky_relu", OpLeakyRelu, OpLeakyReluBack, true},
}

// NewActivation gives the function of a name, as blueprints have them; "linear" and "" are x itself.
func NewActivation(name string, slope float64) (Activation, error) {
	if name == "" || name == "linear" {
		return Activation{Name: "linear"}, nil
	}
	for i := range activations {
		if activations[i].name == name {
			return Activation{Name: name, Slope: float32(slope), ops: &activations[i]}, nil
		}
	}
	return Activation{}, fmt.Errorf("activation: found %q, want one of a blueprint's", name)
}

// Linear tells whether the function is x itself.
func (a Activation) Linear() bool { return a.ops == nil }

// Relu tells whether the function is max(x, 0).
func (a Activation) Relu() bool { return a.ops != nil && a.ops.forward == OpRelu }

// FromInput tells whether the gradient is computed from the function's input; else from its output.
func (a Activation) FromInput() bool { return a.ops != nil && a.ops.fromInput }

// Ops are the operations y = f(x) and dx = f'(x or y) * dy. The function must not be linear.
func (a Activation) Ops() (forward, back Op) { return a.ops.forward, a.ops.back }
