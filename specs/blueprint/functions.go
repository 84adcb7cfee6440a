package blueprint

import "math"

// Scalings are the ways in which pixels (0 to 255) become a network's input.
// The first is the default.
var Scalings = Table[Row]{
	{Name: "unit", Help: "divided by 255"},
	{Name: "raw", Help: "as they are"},
	{Name: "standardize", Help: "of each image: minus its mean, divided by its standard deviation (at least 1/255)"},
}

// Activation is one row of [Activations].
type Activation struct {
	Row
	FLOPs int64 // operations for each value
	// Rises says that a larger x never gives a smaller value: the function of the
	// largest is the largest of the function.
	Rises bool
}

// Activations are the functions of the setting activation and the layer kind
// of that name. slope is the kind's setting; elsewhere it is [DefaultSlope].
var Activations = Table[Activation]{
	{Row: Row{Name: "linear", Help: "x"}, Rises: true},
	{Row: Row{Name: "relu", Help: "max(x, 0)"}, FLOPs: 1, Rises: true},
	{Row: Row{Name: "gelu", Help: "x * (1 + erf(x / sqrt 2)) / 2"}, FLOPs: 1},
	{Row: Row{Name: "silu", Help: "x / (1 + exp(-x))"}, FLOPs: 1},
	{Row: Row{Name: "tanh", Help: "tanh x"}, FLOPs: 1, Rises: true},
	{Row: Row{Name: "sigmoid", Help: "1 / (1 + exp(-x))"}, FLOPs: 1, Rises: true},
	{Row: Row{Name: "elu", Help: "x, below 0: exp(x) - 1"}, FLOPs: 1, Rises: true},
	{Row: Row{Name: "leaky_relu", Help: "x, below 0: slope * x"}, FLOPs: 1, Rises: true},
}

// DefaultSlope is leaky_relu's slope where a layer has no setting for it, and that
// setting's default.
const DefaultSlope = 0.01

// Distribution is what a parameter's first values are drawn from.
type Distribution int

const (
	Fixed   Distribution = iota // all are the spread itself
	Uniform                     // from [-spread, spread]
	Normal                      // with a mean of 0 and the spread as standard deviation
)

// Initializer is one row of [Initializers].
type Initializer struct {
	Row
	Distribution Distribution
	Spread       func(in, out float64) float64 // by the parameter's fans, see [Param]
}

// Initializers are the ways in which parameters get their first values.
// Uniform ones draw from [-b, b]; in and out are the fans.
var Initializers = Table[Initializer]{
	{Row{Name: "glorot_uniform", Help: "b = sqrt(6 / (in + out)): Glorot and Bengio 2010"}, Uniform,
		func(in, out float64) float64 { return math.Sqrt(6 / (in + out)) }},
	{Row{Name: "glorot_normal", Help: "standard deviation sqrt(2 / (in + out))"}, Normal,
		func(in, out float64) float64 { return math.Sqrt(2 / (in + out)) }},
	{Row{Name: "he_uniform", Help: "b = sqrt(6 / in): He et al. 2015"}, Uniform,
		func(in, _ float64) float64 { return math.Sqrt(6 / in) }},
	{Row{Name: "he_normal", Help: "standard deviation sqrt(2 / in)"}, Normal,
		func(in, _ float64) float64 { return math.Sqrt(2 / in) }},
	{Row{Name: "zeros", Help: "all zeros"}, Fixed, func(_, _ float64) float64 { return 0 }},
	{Row{Name: "ones", Help: "all ones"}, Fixed, func(_, _ float64) float64 { return 1 }},
}

// drawn are the initializers of weights: those that draw, since weights that are
// all the same would stay so.
func drawn() (names []string) {
	for _, i := range Initializers {
		if i.Distribution != Fixed {
			names = append(names, i.Name)
		}
	}
	return names
}
