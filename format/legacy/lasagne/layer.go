package lasagne

import (
	"fmt"
	"slices"

	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
)

// Layer is one layer of a Lasagne network.
type Layer struct {
	Name   string
	Class  string // as the file names it: lasagne.layers.conv.Conv2DLayer
	Inputs []int  // of the network's layers, earlier ones
	Op     Op
	// Ignored are settings that have no effect on answers and that Op doesn't say.
	Ignored []string
}

// Op is what a layer does: one of this package's types [Input] to [Identity].
// Images are [channels, height, width], as Lasagne has them.
type Op interface{ op() }

// Param is an array that a layer has learned.
type Param struct {
	Name  string // Lasagne's: conv1.W
	Array *ndarray.Array
}

// Params are the arrays that a layer has learned.
func Params(op Op) (out []*Param) {
	switch op := op.(type) {
	case Conv:
		out = []*Param{&op.Weights, op.Bias}
	case Dense:
		out = []*Param{&op.Weights, op.Bias}
	case BatchNorm:
		out = []*Param{&op.Mean, &op.InvStd, op.Beta, op.Gamma}
	}
	return slices.DeleteFunc(out, func(p *Param) bool { return p == nil })
}

// Activation is a layer's nonlinearity.
type Activation struct {
	Function string  // linear, relu, leaky_relu, tanh, sigmoid, elu, softmax
	Slope    float64 // of leaky_relu, below zero
}

// Input is the image.
type Input struct {
	Shape []int // without the batch: [channels, height, width], [height, width] or [pixels]
}

// Conv is a convolution.
type Conv struct {
	Kernel, Stride [2]int
	Pad            [2][2]int // zeros: [[top, bottom], [left, right]]
	Groups         int
	Flip           bool // a true convolution: filters are turned round; false: a cross-correlation
	Activation     Activation
	Weights        Param  // [filters, channels/groups, height, width]
	Bias           *Param // [filters], or untied [filters, height, width]; nil: none
}

// Dense is a fully connected layer, on all values of its input.
type Dense struct {
	Activation Activation
	Weights    Param  // [inputs, units]
	Bias       *Param // [units]; nil: none
}

// Pool is a pool over windows.
type Pool struct {
	Mode           string // max, average_inc_pad, average_exc_pad
	Window, Stride [2]int
	Pad            [2]int // above and below, left and right
	Partial        bool   // windows that stand out over the border count too
}

// GlobalPool is the mean of each channel.
type GlobalPool struct{}

// Dropout hides a share of the values in training.
type Dropout struct {
	Rate    float64
	Rescale bool // what is kept is divided by 1 - Rate in training
}

// BatchNorm normalizes each channel or feature:
// (x - mean) * inv_std * gamma + beta.
type BatchNorm struct {
	Alpha, Epsilon float64 // share of the new statistic in the running one; added to the variance
	Mean, InvStd   Param
	Beta, Gamma    *Param // nil: 0 and 1
	Axes           []int  // over which statistics are taken, the batch's among them
}

// Nonlinearity is a function of each value.
type Nonlinearity struct{ Activation Activation }

// Reshape is the same values in another shape.
type Reshape struct {
	Shape []int // without the batch; -1: what is left, -2 - i: axis i of the input (the batch is axis 0)
}

// Merge joins inputs: add, multiply, concat (along the channels).
type Merge struct{ How string }

// Upsample repeats rows and columns.
type Upsample struct{ Factor [2]int }

// Identity changes nothing outside training.
type Identity struct{ Reason string }

func (Input) op()        {}
func (Conv) op()         {}
func (Dense) op()        {}
func (Pool) op()         {}
func (GlobalPool) op()   {}
func (Dropout) op()      {}
func (BatchNorm) op()    {}
func (Nonlinearity) op() {}
func (Reshape) op()      {}
func (Merge) op()        {}
func (Upsample) op()     {}
func (Identity) op()     {}

// UnsupportedError is a layer, or a setting of one, that cannot be converted.
type UnsupportedError struct {
	Layer, Class string
	Reason       string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("layer %q (%s): %s", e.Layer, e.Class, e.Reason)
}
