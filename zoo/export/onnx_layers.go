package export

import (
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/format/onnx"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// operators has a row for each row of [blueprint.Kinds] that ONNX can say; a test goes through both.
var operators = map[string]func(l *layer) value{
	"conv2d":   conv2D,
	"max_pool": func(l *layer) value { return l.pool("MaxPool") },
	"avg_pool": func(l *layer) value {
		return l.pool("AveragePool", integer("count_include_pad", bit(l.Values.Bool("count_padding"))))
	},
	"global_avg_pool": globalAvgPool,
	"dense":           dense,
	"dropout":         func(l *layer) value { return *l.in[0] },
	"batch_norm":      batchNorm,
	"layer_norm":      layerNorm,
	"activation":      func(l *layer) value { return l.activate(l.any(0), l.Values.Text("function"), l.Values.Float("slope")) },
	"add": func(l *layer) value {
		return l.activate(l.fold("Add"), l.Values.Text("activation"), blueprint.DefaultSlope)
	},
	"multiply":    func(l *layer) value { return l.fold("Mul") },
	"concat":      concat,
	"flatten":     reshape,
	"reshape":     reshape,
	"upsample":    upsample,
	"softmax":     softmax,
	"soft_argmax": softArgmax,
	"attention":   attention,
}

// layer is a node of the plan whose turn it is.
type layer struct {
	*builder
	*blueprint.Node
	plan *blueprint.Plan
	in   []*value
}

// first gives input i as [N, c, h, w].
func (l *layer) first(i int) string {
	if v := l.in[i]; v.first == "" {
		v.first = l.op("Transpose", []string{v.last}, ints("perm", 0, 3, 1, 2))
	}
	return l.in[i].first
}

// last gives input i in the blueprint's order, [N, ...shape].
func (l *layer) last(i int) string {
	if v := l.in[i]; v.last == "" {
		v.last = l.op("Transpose", []string{v.first}, ints("perm", 0, 2, 3, 1))
	}
	return l.in[i].last
}

// any gives input i in the order that it has, channels first where it has both.
func (l *layer) any(i int) value {
	if v := l.in[i]; v.first != "" {
		return value{first: v.first}
	}
	return value{last: l.in[i].last}
}

// each applies f to the value in the order that it has.
func (v value) each(f func(x string) string) value {
	if v.first != "" {
		return value{first: f(v.first)}
	}
	return value{last: f(v.last)}
}

// param adds a parameter under the name that it has in a model file.
func (l *layer) param(name string) string {
	full := l.plan.TensorName(l.Node, name)
	a := l.model.Weights[full]
	return add(l.builder, full, tensor.Float32, a.Shape, a.Data)
}

// values gives a parameter's numbers.
func (l *layer) values(name string) []float32 {
	return l.model.Weights[l.plan.TensorName(l.Node, name)].Data
}

// shaped is a shape with the batch before it, as Reshape wants it: 0 keeps the axis that is there.
func (l *layer) shaped(x string, shape ...int) string {
	return l.call("Reshape", x, l.integers("shape", append([]int{0}, shape...)...))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// pads are a padding's amounts as ONNX has them: all begins, then all ends.
func pads(p [2][2]int) onnx.Attribute { return ints("pads", p[0][0], p[1][0], p[0][1], p[1][1]) }

func conv2D(l *layer) value {
	v, in := l.Values, l.In[0]
	kernel, stride, dilation := v.Pair("kernel"), v.Pair("stride"), v.Pair("dilation")
	weights := l.plan.TensorName(l.Node, "weights")
	a := l.model.Weights[weights]
	shape := []int{a.Shape[3], a.Shape[2], a.Shape[0], a.Shape[1]} // [filters, in, h, w]
	inputs := []string{l.first(0), add(l.builder, weights, tensor.Float32, shape, permuted(a.Data, a.Shape, 3, 2, 0, 1))}
	if v.Text("bias") == "shared" {
		inputs = append(inputs, l.param("bias"))
	}
	y := l.op("Conv", inputs, ints("kernel_shape", kernel[:]...), ints("strides", stride[:]...), ints("dilations", dilation[:]...),
		integer("group", v.Int("groups")), pads(v.Padding("padding").Resolve([2]int{in[0], in[1]}, kernel, stride, dilation)))
	if v.Text("bias") == "untied" {
		s := l.Out
		bias := permuted(l.values("bias"), s, 2, 0, 1)
		y = l.call("Add", y, add(l.builder, l.plan.TensorName(l.Node, "bias"), tensor.Float32, []int{1, s[2], s[0], s[1]}, bias))
	}
	return l.activate(value{first: y}, v.Text("activation"), blueprint.DefaultSlope)
}

// permuted gives numbers with axis order[0] first, then order[1] and so on.
func permuted(data []float32, shape []int, order ...int) []float32 {
	step := make([]int, len(shape))
	for i, n := len(shape)-1, 1; i >= 0; i-- {
		step[i] = n
		n *= shape[i]
	}
	out := make([]float32, 0, len(data))
	index := make([]int, len(shape)) // along order
	for at := 0; len(out) < len(data); {
		out = append(out, data[at])
		for i := len(order) - 1; i >= 0; i-- {
			axis := order[i]
			index[i]++
			if at += step[axis]; index[i] < shape[axis] {
				break
			}
			at -= step[axis] * shape[axis]
			index[i] = 0
		}
	}
	return out
}

func (l *layer) pool(op string, attributes ...onnx.Attribute) value {
	in, window, stride := l.In[0], l.Values.Pair("window"), blueprint.PoolStride(l.Values)
	p := l.Values.Padding("padding").Resolve([2]int{in[0], in[1]}, window, stride, [2]int{1, 1})
	return value{first: l.op(op, []string{l.first(0)}, append(attributes,
		ints("kernel_shape", window[:]...), ints("strides", stride[:]...), pads(p))...)}
}

func globalAvgPool(l *layer) value {
	return value{last: l.op("ReduceMean", []string{l.first(0)}, ints("axes", 2, 3), integer("keepdims", 0))}
}

func dense(l *layer) value {
	var y string
	bias := l.Values.Text("bias") == "shared"
	if len(l.In[0]) == 1 {
		inputs := []string{l.last(0), l.param("weights")}
		if bias {
			inputs = append(inputs, l.param("bias"))
		}
		y = l.call("Gemm", inputs...)
	} else if y = l.call("MatMul", l.last(0), l.param("weights")); bias {
		y = l.call("Add", y, l.param("bias"))
	}
	return l.activate(value{last: y}, l.Values.Text("activation"), blueprint.DefaultSlope)
}

// activations has a row for each row of [blueprint.Activations] that ONNX can say; a test goes through both.
var activations = map[string]func(l *layer, x string, slope float64) string{
	"linear": func(_ *layer, x string, _ float64) string { return x },
	"relu":   func(l *layer, x string, _ float64) string { return l.call("Relu", x) },
	"gelu": func(l *layer, x string, _ float64) string {
		half := l.call("Mul", x, l.scalar("half", 0.5))
		return l.call("Mul", half, l.call("Add", l.call("Erf", l.call("Mul", x, l.scalar("root", 1/math.Sqrt2))), l.scalar("one", 1)))
	},
	"silu":    func(l *layer, x string, _ float64) string { return l.call("Mul", x, l.call("Sigmoid", x)) },
	"tanh":    func(l *layer, x string, _ float64) string { return l.call("Tanh", x) },
	"sigmoid": func(l *layer, x string, _ float64) string { return l.call("Sigmoid", x) },
	"elu":     func(l *layer, x string, _ float64) string { return l.op("Elu", []string{x}, number("alpha", 1)) },
	"leaky_relu": func(l *layer, x string, slope float64) string {
		return l.op("LeakyRelu", []string{x}, number("alpha", slope))
	},
}

// activate applies a row of activations.
func (l *layer) activate(v value, function string, slope float64) value {
	of, ok := activations[function]
	if !ok {
		l.fail(fmt.Errorf("layer %q: activation %s: %w", l.Layer.Name, function, ErrUnsupported))
		return v
	}
	return v.each(func(x string) string { return of(l, x, slope) })
}

// batchNorm is a factor and a summand for each channel: scale/deviation and offset - mean*factor, by running statistics.
func batchNorm(l *layer) value {
	scale, offset, mean, variance := l.values("scale"), l.values("offset"), l.values("mean"), l.values("variance")
	v := l.any(0)
	shape := []int{len(scale)}
	if v.first != "" {
		shape = []int{len(scale), 1, 1}
	}
	factors, summands := make([]float32, len(scale)), make([]float32, len(scale))
	for i := range scale {
		f := float64(scale[i]) / math.Sqrt(float64(variance[i])+l.Values.Float("epsilon"))
		factors[i], summands[i] = float32(f), float32(float64(offset[i])-float64(mean[i])*f)
	}
	factor, summand := l.floats("factor", shape, factors...), l.floats("summand", shape, summands...)
	v = v.each(func(x string) string { return l.call("Add", l.call("Mul", x, factor), summand) })
	return l.activate(v, l.Values.Text("activation"), blueprint.DefaultSlope)
}

func layerNorm(l *layer) value {
	mean := func(x string) string {
		return l.op("ReduceMean", []string{x}, ints("axes", -1), integer("keepdims", 1))
	}
	x := l.last(0)
	centred := l.call("Sub", x, mean(x))
	variance := l.call("Add", mean(l.call("Mul", centred, centred)), l.scalar("epsilon", l.Values.Float("epsilon")))
	y := l.call("Mul", l.call("Div", centred, l.call("Sqrt", variance)), l.param("scale"))
	return value{last: l.call("Add", y, l.param("offset"))}
}

// alike gives all inputs in one order, channels first where they are maps: their ranks are equal.
func (l *layer) alike() (names []string, first bool) {
	first = len(l.Out) == 3
	for i := range l.in {
		if first {
			names = append(names, l.first(i))
		} else {
			names = append(names, l.last(i))
		}
	}
	return names, first
}

func ordered(name string, first bool) value {
	if first {
		return value{first: name}
	}
	return value{last: name}
}

func (l *layer) fold(op string) value {
	names, first := l.alike()
	x := names[0]
	for _, y := range names[1:] {
		x = l.call(op, x, y)
	}
	return ordered(x, first)
}

func concat(l *layer) value {
	names, first := l.alike()
	axis := -1
	if first {
		axis = 1
	}
	return ordered(l.op("Concat", names, integer("axis", axis)), first)
}

// reshape is reshape and flatten.
func reshape(l *layer) value { return value{last: l.shaped(l.last(0), l.Out...)} }

func upsample(l *layer) value {
	f := l.Values.Pair("factor")
	attributes := []onnx.Attribute{text("mode", "nearest"), text("coordinate_transformation_mode", "asymmetric"), text("nearest_mode", "floor")}
	if l.Values.Text("method") == "bilinear" {
		attributes = []onnx.Attribute{text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")}
	}
	scales := l.floats("scales", []int{4}, 1, 1, float32(f[0]), float32(f[1]))
	return value{first: l.op("Resize", []string{l.first(0), "", scales}, attributes...)}
}

func softmax(l *layer) value {
	return l.any(0).eachAxis(func(x string, axis int) string { return l.op("Softmax", []string{x}, integer("axis", axis)) })
}

// eachAxis is each, f being told which axis is the blueprint's last.
func (v value) eachAxis(f func(x string, axis int) string) value {
	axis := -1
	if v.first != "" {
		axis = 1
	}
	return v.each(func(x string) string { return f(x, axis) })
}

// softArgmax: each map's softmax times the pixels' centres.
func softArgmax(l *layer) value {
	s := l.In[0]
	centres := make([]float32, 0, 2*s[0]*s[1])
	for i := range s[0] * s[1] {
		centres = append(centres, float32(2*(i%s[1])+1)/float32(s[1])-1, float32(2*(i/s[1])+1)/float32(s[0])-1)
	}
	x := l.shaped(l.first(0), s[2], s[0]*s[1])
	x = l.op("Softmax", []string{l.call("Div", x, l.scalar("temperature", l.Values.Float("temperature")))}, integer("axis", -1))
	x = l.call("MatMul", x, l.floats("centres", []int{s[0] * s[1], 2}, centres...))
	return value{last: l.shaped(x, 2*s[2])}
}

func attention(l *layer) value {
	s, heads := l.In[0], l.Values.Int("heads")
	c := s[len(s)-1]
	tokens := int(s.Size()) / c
	x := l.last(0)
	if len(s) > 2 {
		x = l.shaped(x, tokens, c)
	}
	project := func(x, what string) string {
		return l.call("Add", l.call("MatMul", x, l.param(what)), l.param(what+"_bias"))
	}
	// [N, heads, tokens, c/heads], keys with the last two the other way round.
	split := func(what string, perm ...int) string {
		return l.op("Transpose", []string{l.shaped(project(x, what), tokens, heads, c/heads)}, ints("perm", perm...))
	}
	q, k, v := split("query", 0, 2, 1, 3), split("key", 0, 2, 3, 1), split("value", 0, 2, 1, 3)
	scores := l.call("Mul", l.call("MatMul", q, k), l.scalar("scale", 1/math.Sqrt(float64(c/heads))))
	mixed := l.call("MatMul", l.op("Softmax", []string{scores}, integer("axis", -1)), v)
	y := project(l.shaped(l.op("Transpose", []string{mixed}, ints("perm", 0, 2, 1, 3)), tokens, c), "output")
	if len(s) > 2 {
		y = l.shaped(y, slices.Clone(s)...)
	}
	return value{last: y}
}
