package blueprint

import (
	"fmt"
	"math/bits"
	"slices"
)

// Shape is the shape of one image's values, without the batch: [height, width,
// channels] or [features].
type Shape []int

// Size is the number of values.
func (s Shape) Size() int64 {
	n := int64(1)
	for _, d := range s {
		n *= int64(d)
	}
	return n
}

// Param is one array of numbers that a layer owns.
type Param struct {
	Name      string
	Shape     Shape
	Init      string // one of [Initializers]
	FanIn     int    // values that one output sums over, and
	FanOut    int    // outputs that one input reaches: the initializers' bounds follow from both
	Trainable bool   // false: a running statistic
	Decay     bool   // weight decay applies
}

// Kind is one row of the table of layer kinds.
type Kind struct {
	Name      string
	Help      string
	MinInputs int
	MaxInputs int // -1: any number
	Settings  []Setting
	// Shape gives the output's shape, or an error that names the shapes that disagree.
	Shape func(v Values, in []Shape) (Shape, error)
	// Params gives the layer's parameters in their order in a file; nil: none.
	Params func(v Values, in []Shape) []Param
	// FLOPs counts the forward pass of one image, a multiplication and an
	// addition as two; nil: one for each output value. What the setting
	// activation adds (one for each output value) is not in it: see [Node.FLOPs].
	FLOPs func(v Values, in []Shape, out Shape) int64
}

func (k Kind) row() Row { return Row{k.Name, k.Help, k.Settings} }

const (
	maxRank      = 4
	maxDim       = 1 << 20
	maxNumber    = 1 << 20
	maxWindow    = 1 << 10
	hugePositive = 1e30
)

func required(name string, t SettingType, help string) Setting {
	return Setting{Name: name, Type: t, Min: 1, Max: maxNumber, Help: help}
}

// scheduled is a setting that may change in the course of training.
func scheduled(name string, def, lo, hi float64, help string) Setting {
	return Setting{Name: name, Type: TypeSchedule, Default: def, Min: lo, Max: hi, Help: help}
}

// says is the setting where it means something else.
func (s Setting) says(help string) Setting {
	s.Help = help
	return s
}

func pair(name string, def int, help string) Setting {
	return Setting{Name: name, Type: TypePair, Default: [2]int{def, def}, Min: 1, Max: maxWindow, Help: help}
}

func number(name string, def, lo, hi float64, help string) Setting {
	return Setting{Name: name, Type: TypeFloat, Default: def, Min: lo, Max: hi, Help: help}
}

func flag(name string, def bool, help string) Setting {
	return Setting{Name: name, Type: TypeBool, Default: def, Help: help}
}

func choice(name, def string, options []string, help string) Setting {
	return Setting{Name: name, Type: TypeEnum, Default: def, Options: options, Help: help}
}

func padded(help string) Setting {
	return Setting{Name: "padding", Type: TypePadding, Default: Padding{Mode: "valid"}, Max: maxWindow, Help: help}
}

var (
	padding    = padded(`"valid" (none), "same", or zeros added at the borders`)
	poolWindow = pair("window", 2, "height and width of a window")
	poolStride = Setting{Name: "stride", Type: TypePair, Default: [2]int{0, 0}, Max: maxWindow,
		Help: "step between windows; 0: the window's size"}
	initializer = choice("initializer", "glorot_uniform", drawn(), "how the weights get their first values")
	fused       = choice("activation", Activations[0].Name, Activations.Names(), "function applied to the result")
)

// Kinds is the table of layer kinds, in the order of the documentation.
var Kinds = Table[Kind]{
	{
		Name: "conv2d", MinInputs: 1, MaxInputs: 1,
		Help: "cross-correlation of [h, w, in] with filters [kernel h, kernel w, in/groups, filters], plus a bias",
		Settings: []Setting{
			required("filters", TypeCount, "number of output channels"),
			pair("kernel", 3, "height and width of a filter"),
			pair("stride", 1, "step between positions"), padding,
			pair("dilation", 1, "distance between a filter's taps"),
			{Name: "groups", Type: TypeInt, Default: 1, Min: 1, Max: maxNumber, Help: "parts into which channels are divided, each convolved by itself"},
			choice("bias", "shared", []string{"shared", "untied", "none"}, "one a channel; one a channel and position; or none"),
			fused, initializer,
		},
		Shape: convShape,
		Params: func(v Values, in []Shape) []Param {
			k, filters, groups := v.Pair("kernel"), v.Int("filters"), v.Int("groups")
			area := k[0] * k[1]
			out := []Param{{Name: "weights", Shape: Shape{k[0], k[1], in[0][2] / groups, filters}, Init: v.Text("initializer"),
				FanIn: in[0][2] / groups * area, FanOut: filters / groups * area, Trainable: true, Decay: true}}
			switch v.Text("bias") {
			case "shared":
				out = append(out, bias(Shape{filters}))
			case "untied":
				shape, _ := convShape(v, in)
				out = append(out, bias(shape))
			}
			return out
		},
		FLOPs: func(v Values, in []Shape, out Shape) int64 {
			k := v.Pair("kernel")
			n := times(2, out.Size(), k[0]*k[1], in[0][2]/v.Int("groups"))
			if v.Text("bias") != "none" {
				n += out.Size()
			}
			return n
		},
	},
	{
		Name: "max_pool", MinInputs: 1, MaxInputs: 1,
		Help:     "the largest value of each window; positions that do not fill a window are dropped",
		Settings: []Setting{poolWindow, poolStride, padded(`"valid" (none), "same", or positions added at the borders, which are never the largest`)},
		Shape:    poolShape, FLOPs: poolFLOPs,
	},
	{
		Name: "avg_pool", MinInputs: 1, MaxInputs: 1,
		Help: "the mean of each window; positions that do not fill a window are dropped",
		Settings: []Setting{poolWindow, poolStride, padding,
			flag("count_padding", false, "whether added zeros count in the mean")},
		Shape: poolShape, FLOPs: poolFLOPs,
	},
	{
		Name: "global_avg_pool", MinInputs: 1, MaxInputs: 1, Help: "the mean of each channel: [h, w, c] to [c]",
		Shape: func(_ Values, in []Shape) (Shape, error) {
			if err := wantImage(in[0]); err != nil {
				return nil, err
			}
			return Shape{in[0][2]}, nil
		},
		FLOPs: func(_ Values, in []Shape, _ Shape) int64 { return in[0].Size() },
	},
	{
		Name: "dense", MinInputs: 1, MaxInputs: 1,
		Help: "product of the last axis with weights [in, units], plus a bias",
		Settings: []Setting{required("units", TypeCount, "length of the output's last axis"),
			choice("bias", "shared", []string{"shared", "none"}, "one a unit, or none"), fused, initializer},
		Shape: func(v Values, in []Shape) (Shape, error) {
			out := slices.Clone(in[0])
			out[len(out)-1] = v.Int("units")
			return out, nil
		},
		Params: func(v Values, in []Shape) []Param {
			n, units := in[0][len(in[0])-1], v.Int("units")
			out := []Param{{Name: "weights", Shape: Shape{n, units}, Init: v.Text("initializer"), FanIn: n, FanOut: units, Trainable: true, Decay: true}}
			if v.Text("bias") == "shared" {
				out = append(out, bias(Shape{units}))
			}
			return out
		},
		FLOPs: func(v Values, in []Shape, out Shape) int64 {
			n := times(2, out.Size(), in[0][len(in[0])-1])
			if v.Text("bias") == "shared" {
				n += out.Size()
			}
			return n
		},
	},
	{
		Name: "dropout", MinInputs: 1, MaxInputs: 1, Shape: sameShape, FLOPs: noFLOPs,
		Help: "in training, sets a random share of the values to zero; otherwise nothing",
		Settings: []Setting{number("rate", 0.5, 0, 0.999, "share of the values"),
			flag("rescale", true, "divide the kept values by 1 - rate in training")},
	},
	{
		Name: "batch_norm", MinInputs: 1, MaxInputs: 1, Shape: sameShape,
		Help: "each channel (last axis) minus its mean, divided by its standard deviation, over the batch in training and by running statistics otherwise; then times a scale, plus an offset",
		Settings: []Setting{number("momentum", 0.9, 0, 1, "share of the old running statistic kept at each step"),
			number("epsilon", 1e-5, 1e-12, 1, "added to the variance"),
			fused},
		Params: func(_ Values, in []Shape) []Param {
			c := Shape{in[0][len(in[0])-1]}
			return []Param{
				{Name: "scale", Shape: c, Init: "ones", Trainable: true}, {Name: "offset", Shape: c, Init: "zeros", Trainable: true},
				{Name: "mean", Shape: c, Init: "zeros"}, {Name: "variance", Shape: c, Init: "ones"},
			}
		},
		FLOPs: func(_ Values, in []Shape, _ Shape) int64 { return 2 * in[0].Size() },
	},
	{
		Name: "layer_norm", MinInputs: 1, MaxInputs: 1, Shape: sameShape,
		Help:     "each vector along the last axis minus its mean, divided by its standard deviation; then times a scale, plus an offset",
		Settings: []Setting{number("epsilon", 1e-5, 1e-12, 1, "added to the variance")},
		Params: func(_ Values, in []Shape) []Param {
			c := Shape{in[0][len(in[0])-1]}
			return []Param{{Name: "scale", Shape: c, Init: "ones", Trainable: true}, {Name: "offset", Shape: c, Init: "zeros", Trainable: true}}
		},
		FLOPs: func(_ Values, in []Shape, _ Shape) int64 { return 7 * in[0].Size() },
	},
	{
		Name: "activation", MinInputs: 1, MaxInputs: 1, Shape: sameShape, Help: "a function of each value",
		Settings: []Setting{choice("function", "relu", Activations.Names(), "which function"),
			number("slope", DefaultSlope, 0, 1, "of leaky_relu, below zero")},
	},
	{
		Name: "add", MinInputs: 2, MaxInputs: -1, Shape: broadcastShape, Help: "sum of the inputs, value by value; an axis of length 1 is repeated",
		Settings: []Setting{fused},
		FLOPs:    func(_ Values, in []Shape, out Shape) int64 { return int64(len(in)-1) * out.Size() },
	},
	{
		Name: "multiply", MinInputs: 2, MaxInputs: -1, Shape: broadcastShape, Help: "product of the inputs, value by value; an axis of length 1 is repeated",
		FLOPs: func(_ Values, in []Shape, out Shape) int64 { return int64(len(in)-1) * out.Size() },
	},
	{
		Name: "concat", MinInputs: 2, MaxInputs: -1, Help: "inputs side by side along the last axis", FLOPs: noFLOPs,
		Shape: func(_ Values, in []Shape) (Shape, error) {
			out := slices.Clone(in[0])
			last := len(out) - 1
			for i, s := range in[1:] {
				if len(s) != len(out) || !slices.Equal(s[:last], in[0][:last]) {
					return nil, fmt.Errorf("found inputs of shapes %v and %v (input %d), want shapes that differ in the last axis alone", in[0], s, i+2)
				}
				out[last] += s[last]
			}
			return out, nil
		},
	},
	{
		Name: "flatten", MinInputs: 1, MaxInputs: 1, FLOPs: noFLOPs, Help: "all values as one vector, in the order height, width, channels",
		Shape: func(_ Values, in []Shape) (Shape, error) {
			if n := in[0].Size(); n <= maxParameters {
				return Shape{int(n)}, nil
			}
			return nil, fmt.Errorf("found an input of shape %v, want at most %d values", in[0], int64(maxParameters))
		},
	},
	{
		Name: "reshape", MinInputs: 1, MaxInputs: 1, FLOPs: noFLOPs, Help: "the same values in another shape",
		Settings: []Setting{{Name: "shape", Type: TypeShape, Min: -1, Max: maxDim, Help: "the new shape; one axis may be -1: what is left"}},
		Shape:    reshapeShape,
	},
	{
		Name: "upsample", MinInputs: 1, MaxInputs: 1, Help: "height and width enlarged by whole factors",
		Settings: []Setting{pair("factor", 2, "of height and width"),
			choice("method", "nearest", []string{"nearest", "bilinear"}, "repeats values, or interpolates between pixel centres")},
		Shape: func(v Values, in []Shape) (Shape, error) {
			if err := wantImage(in[0]); err != nil {
				return nil, err
			}
			f := v.Pair("factor")
			return Shape{in[0][0] * f[0], in[0][1] * f[1], in[0][2]}, nil
		},
		FLOPs: func(v Values, _ []Shape, out Shape) int64 {
			if v.Text("method") == "nearest" {
				return 0
			}
			return 8 * out.Size()
		},
	},
	{
		Name: "softmax", MinInputs: 1, MaxInputs: 1, Shape: sameShape, Help: "exp(x) divided by its sum along the last axis",
		FLOPs: func(_ Values, in []Shape, _ Shape) int64 { return 4 * in[0].Size() },
	},
	{
		Name: "soft_argmax", MinInputs: 1, MaxInputs: 1,
		Help: "heat maps [h, w, c] to coordinates [2c]: x and y of map after map, the mean of pixel centres (2i + 1)/n - 1 weighted by the map's softmax",
		Settings: []Setting{
			number("temperature", 1, 1e-6, hugePositive, "heat maps are divided by it before the softmax")},
		Shape: func(_ Values, in []Shape) (Shape, error) {
			if err := wantImage(in[0]); err != nil {
				return nil, err
			}
			return Shape{2 * in[0][2]}, nil
		},
		FLOPs: func(_ Values, in []Shape, _ Shape) int64 { return 8 * in[0].Size() },
	},
	{
		Name: "attention", MinInputs: 1, MaxInputs: 1, Shape: func(v Values, in []Shape) (Shape, error) {
			if len(in[0]) < 2 {
				return nil, fmt.Errorf("found an input of shape %v, want [tokens, features] or [h, w, features]", in[0])
			}
			if c, heads := in[0][len(in[0])-1], v.Int("heads"); c%heads != 0 {
				return nil, fmt.Errorf("found %d features (input %v) and %d heads, want a multiple of the heads", c, in[0], heads)
			}
			return slices.Clone(in[0]), nil
		},
		Help:     "multi-head self-attention over all positions: softmax(QK' / sqrt(features/heads)) V, projected; Vaswani et al. 2017",
		Settings: []Setting{{Name: "heads", Type: TypeInt, Default: 1, Min: 1, Max: maxNumber, Help: "parts into which the features are divided"}, initializer},
		Params: func(v Values, in []Shape) []Param {
			c := in[0][len(in[0])-1]
			var out []Param
			for _, name := range []string{"query", "key", "value", "output"} {
				out = append(out, Param{Name: name, Shape: Shape{c, c}, Init: v.Text("initializer"), FanIn: c, FanOut: c, Trainable: true, Decay: true})
				b := bias(Shape{c})
				b.Name = name + "_bias"
				out = append(out, b)
			}
			return out
		},
		// Four projections with their biases, the scaled scores, their softmax, the weighted sum.
		FLOPs: func(v Values, in []Shape, _ Shape) int64 {
			c := in[0][len(in[0])-1]
			tokens := int(in[0].Size()) / c
			projections := times(8, int64(tokens), c, c) + times(4, int64(tokens), c)
			return projections + times(4, int64(tokens), tokens, c) + times(5, int64(tokens), tokens, v.Int("heads"))
		},
	},
}

// KindByName gives the row of that name, nil if there is none.
func KindByName(name string) *Kind {
	for i := range Kinds { // asked for each layer many times: without a copy of each row
		if Kinds[i].Name == name {
			return &Kinds[i]
		}
	}
	return nil
}

func bias(shape Shape) Param {
	return Param{Name: "bias", Shape: shape, Init: "zeros", Trainable: true}
}

func sameShape(_ Values, in []Shape) (Shape, error) { return slices.Clone(in[0]), nil }

func noFLOPs(Values, []Shape, Shape) int64 { return 0 }

func wantImage(s Shape) error {
	if len(s) != 3 {
		return fmt.Errorf("found an input of shape %v, want [height, width, channels]", s)
	}
	return nil
}

var axisNames = [2]string{"height", "width"}

// windowShape is the shape that a window leaves of an image:
// (size + padding - ((window-1)*dilation + 1)) / stride + 1, rounded down.
func windowShape(in Shape, window, stride, dilation [2]int, p Padding) ([2]int, error) {
	amount := p.Resolve([2]int{in[0], in[1]}, window, stride, dilation)
	var out [2]int
	for i := range 2 {
		extent := (window[i]-1)*dilation[i] + 1
		size := in[i] + amount[i][0] + amount[i][1]
		if size < extent {
			return out, fmt.Errorf("found an input of shape %v, with padding %d along axis %d (%s), and a window of %d there, want one that fits", in, size, i, axisNames[i], extent)
		}
		out[i] = (size-extent)/stride[i] + 1
	}
	return out, nil
}

func convShape(v Values, in []Shape) (Shape, error) {
	if err := wantImage(in[0]); err != nil {
		return nil, err
	}
	filters, groups := v.Int("filters"), v.Int("groups")
	if in[0][2]%groups != 0 || filters%groups != 0 {
		return nil, fmt.Errorf("found %d input channels (input %v), %d filters and %d groups, want multiples of the groups", in[0][2], in[0], filters, groups)
	}
	hw, err := windowShape(in[0], v.Pair("kernel"), v.Pair("stride"), v.Pair("dilation"), v.Padding("padding"))
	return Shape{hw[0], hw[1], filters}, err
}

// PoolStride is a pool's stride, by default its window.
func PoolStride(v Values) [2]int {
	window, stride := v.Pair("window"), v.Pair("stride")
	for i := range stride {
		if stride[i] == 0 {
			stride[i] = window[i]
		}
	}
	return stride
}

func poolShape(v Values, in []Shape) (Shape, error) {
	if err := wantImage(in[0]); err != nil {
		return nil, err
	}
	window := v.Pair("window")
	p := v.Padding("padding")
	for i, a := range p.Resolve([2]int{in[0][0], in[0][1]}, window, PoolStride(v), [2]int{1, 1}) {
		if a[0] >= window[i] || a[1] >= window[i] {
			return nil, fmt.Errorf("found padding %v and a window of %d along axis %d, want padding smaller than the window: else some windows hold padding alone", a, window[i], i)
		}
	}
	hw, err := windowShape(in[0], window, PoolStride(v), [2]int{1, 1}, p)
	return Shape{hw[0], hw[1], in[0][2]}, err
}

func poolFLOPs(v Values, _ []Shape, out Shape) int64 {
	window := v.Pair("window")
	return times(1, out.Size(), window[0]*window[1])
}

// times is a product of numbers of at least 0, or more than any limit where
// that is too large to be counted.
func times(n, size int64, factors ...int) int64 {
	const huge = 1 << 60 // a few of these can still be added
	product := uint64(n)
	for _, f := range append([]int{int(size)}, factors...) {
		high, low := bits.Mul64(product, uint64(f))
		if high != 0 || low > huge {
			return huge
		}
		product = low
	}
	return int64(product)
}

func broadcastShape(_ Values, in []Shape) (Shape, error) {
	out := slices.Clone(in[0])
	for i, s := range in[1:] {
		if len(s) != len(out) {
			return nil, fmt.Errorf("found inputs of shapes %v and %v (input %d), want the same number of axes", in[0], s, i+2)
		}
		for axis, n := range s {
			switch {
			case out[axis] == n || n == 1:
			case out[axis] == 1:
				out[axis] = n
			default:
				return nil, fmt.Errorf("found inputs of shapes %v and %v (input %d), want equal lengths along axis %d", in[0], s, i+2, axis)
			}
		}
	}
	return out, nil
}

func reshapeShape(v Values, in []Shape) (Shape, error) {
	out := slices.Clone(Shape(v.Shape("shape")))
	known, rest := int64(1), -1
	for i, n := range out {
		if n == -1 {
			rest = i
			continue
		}
		if known *= int64(n); known > maxParameters {
			break
		}
	}
	size := in[0].Size()
	if rest >= 0 && size%known == 0 {
		out[rest] = int(size / known)
		return out, nil
	}
	if rest >= 0 || known != size {
		return nil, fmt.Errorf("found an input of shape %v and the new shape %v, want as many values (%d)", in[0], v.Shape("shape"), size)
	}
	return out, nil
}
