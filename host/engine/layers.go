package engine

import (
	"fmt"
	"math"
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// lowerings has a row for each row of [blueprint.Kinds]; a test compares the two.
var lowerings = map[string]lowering{
	"conv2d":          newConv2D,
	"max_pool":        newPool,
	"avg_pool":        newPool,
	"global_avg_pool": auto(globalAvgPool),
	"dense":           newDense,
	"dropout":         func(n *blueprint.Node) op { return &dropout{node: n} },
	"batch_norm":      newBatchNorm,
	"layer_norm":      func(n *blueprint.Node) op { return &layerNorm{node: n} },
	"activation":      newActivation,
	"add":             newAdd,
	"multiply":        auto(func(_ *builder, _ *blueprint.Node, x []*Node) *Node { return fold(x, Mul) }),
	"concat":          auto(func(_ *builder, _ *blueprint.Node, x []*Node) *Node { return Concatenate(x, -1) }),
	"flatten":         func(n *blueprint.Node) op { return &reshape{out: n.Out} },
	"reshape":         func(n *blueprint.Node) op { return &reshape{out: n.Out} },
	"upsample":        auto(upsample),
	"softmax":         auto(func(_ *builder, _ *blueprint.Node, x []*Node) *Node { return Softmax(x[0], -1) }),
	"soft_argmax":     func(n *blueprint.Node) op { return &softArgmax{node: n} },
	"attention":       func(n *blueprint.Node) op { return &attention{node: n} },
}

// autoOp leaves the gradient to GoMLX: that of sum(y * dy). It has no parameters,
// and its function must not contain products (see [kernel.Kernel.Dot]). It gets a copy of each input:
// where one input was computed from another, or both are the same value, GoMLX
// would otherwise follow that path too, which is the reverse pass's to do.
type autoOp struct {
	node *blueprint.Node
	f    func(b *builder, n *blueprint.Node, x []*Node) *Node
	x    []*Node
	y    *Node
}

func auto(f func(b *builder, n *blueprint.Node, x []*Node) *Node) lowering {
	return func(n *blueprint.Node) op { return &autoOp{node: n, f: f} }
}

func (o *autoOp) forward(b *builder, x []value) value {
	o.x = make([]*Node, len(x))
	for i, v := range x {
		o.x[i] = Identity(v.node())
	}
	o.y = o.f(b, o.node, o.x)
	return b.value(o.y)
}

func (o *autoOp) backward(b *builder, dy value, need []bool) []value {
	var wanted []*Node
	for k, x := range o.x {
		if need[k] {
			wanted = append(wanted, x)
		}
	}
	got := vectorJacobian(o.y, dy.node(), wanted...)
	out := make([]value, len(o.x))
	for k := range o.x {
		if need[k] {
			out[k], got = b.value(got[0]), got[1:]
		}
	}
	return out
}

// vectorJacobian is the gradient of sum(y * dy) with respect to each of x.
func vectorJacobian(y, dy *Node, x ...*Node) []*Node {
	if len(x) == 0 {
		return nil
	}
	return Gradient(ReduceAllSum(Mul(y, StopGradient(dy))), x...)
}

// sequence is one op after another.
type sequence []op

func (s sequence) forward(b *builder, x []value) value {
	for _, o := range s {
		x = []value{o.forward(b, x)}
	}
	return x[0]
}

func (s sequence) backward(b *builder, dy value, need []bool) []value {
	for i := len(s) - 1; i > 0; i-- {
		dy = s[i].backward(b, dy, []bool{true})[0]
	}
	return s[0].backward(b, dy, need)
}

// convolution is conv2d without bias and activation.
type convolution struct {
	node *blueprint.Node
	pass *kernel.ConvPass
}

func newConv2D(n *blueprint.Node) op {
	return sequence{&convolution{node: n}, newBiasActivation(n)}
}

func (o *convolution) forward(b *builder, x []value) value {
	v := o.node.Values
	in := o.node.In[0]
	stride, dilation := v.Pair("stride"), v.Pair("dilation")
	conv := kernel.Conv2D{
		Strides: stride, Dilations: dilation, Groups: v.Int("groups"),
		Padding: v.Padding("padding").Resolve([2]int{in[0], in[1]}, v.Pair("kernel"), stride, dilation),
	}
	y, pass := conv.Forward(x[0].maps, b.param(o.node.Layer.Name, "weights"), nil)
	o.pass = pass
	return value{maps: y}
}

func (o *convolution) backward(b *builder, dy value, need []bool) []value {
	dx, dw, _ := o.pass.Backward(dy.maps, need[0])
	b.addGradient(o.node.Layer.Name, "weights", dw)
	return []value{{maps: dx}}
}

// biasActivation is y = f(x + bias), with a bias for each channel or for each value.
type biasActivation struct {
	layer string
	bias  string // "shared", "untied" or "none"
	f     activation
}

func newBiasActivation(n *blueprint.Node) op {
	return &biasActivation{layer: n.Layer.Name, bias: n.Values.Text("bias"), f: activation{name: n.Values.Text("activation"), slope: defaultSlope}}
}

func (o *biasActivation) forward(b *builder, x []value) value {
	y := x[0]
	switch {
	case o.bias == "shared" && y.maps != nil:
		y.maps = b.AddChannels(y.maps, b.param(o.layer, "bias"))
	case o.bias == "shared":
		y.flat = b.AddRows(y.flat, b.param(o.layer, "bias"))
	case o.bias == "untied":
		y = b.value(Add(y.node(), ExpandLeftToRank(b.param(o.layer, "bias"), y.node().Rank())))
	}
	return o.f.forward(b, []value{y})
}

func (o *biasActivation) backward(b *builder, dy value, _ []bool) []value {
	d := o.f.backward(b, dy, []bool{true})[0]
	switch {
	case o.bias == "shared" && d.maps != nil:
		b.addGradient(o.layer, "bias", b.SumChannels(d.maps))
	case o.bias == "shared":
		b.addGradient(o.layer, "bias", b.SumRows(d.flat))
	case o.bias == "untied":
		b.addGradient(o.layer, "bias", ReduceSum(d.node(), 0))
	}
	return []value{d}
}

// activation is a function of each value.
type activation struct {
	name  string
	slope float64
	x, y  value
}

// defaultSlope is leaky_relu's where a layer has no setting for it.
const defaultSlope = 0.01

func newActivation(n *blueprint.Node) op {
	return &activation{name: n.Values.Text("function"), slope: n.Values.Float("slope")}
}

func (o *activation) forward(b *builder, in []value) value {
	o.x, o.y = in[0], in[0]
	if o.name != "linear" {
		o.y = b.each(func(x ...*Node) *Node { return o.apply(b, x[0]) }, o.x)
	}
	return o.y
}

func (o *activation) apply(b *builder, x *Node) *Node {
	switch o.name {
	case "relu":
		return MaxScalar(x, 0.0)
	case "gelu":
		return MulScalar(Mul(x, AddScalar(b.Erf(MulScalar(x, 1/math.Sqrt2)), 1.0)), 0.5)
	case "silu":
		return Mul(x, Logistic(x))
	case "tanh":
		return Tanh(x)
	case "sigmoid":
		return Logistic(x)
	case "elu": // exp of what is above 0 may overflow, and is not wanted
		return Add(MaxScalar(x, 0.0), Expm1(MinScalar(x, 0.0)))
	case "leaky_relu":
		return Add(MaxScalar(x, 0.0), MulScalar(MinScalar(x, 0.0), o.slope))
	}
	panic(fmt.Errorf("activation %s: %w", o.name, ErrUnsupported))
}

func (o *activation) backward(b *builder, dy value, _ []bool) []value {
	if o.name == "linear" {
		return []value{dy}
	}
	return []value{b.each(func(v ...*Node) *Node {
		x, y, dy := v[0], v[1], v[2]
		zero := ScalarZero(b.g, dy.DType())
		switch o.name {
		case "relu":
			return b.Gate(GreaterThan(y, zero), dy)
		case "leaky_relu":
			return Where(GreaterThan(x, zero), dy, MulScalar(dy, o.slope))
		case "elu": // the derivative below 0 is exp(x) = y + 1
			return Where(GreaterThan(x, zero), dy, Mul(dy, AddScalar(y, 1.0)))
		case "tanh":
			return Mul(dy, OneMinus(Mul(y, y)))
		case "sigmoid":
			return Mul(dy, Mul(y, OneMinus(y)))
		case "silu":
			s := Logistic(x)
			return Mul(dy, Mul(s, AddScalar(Mul(x, OneMinus(s)), 1.0)))
		}
		// gelu: the normal distribution's function, plus x times its density.
		phi := MulScalar(AddScalar(b.Erf(MulScalar(x, 1/math.Sqrt2)), 1.0), 0.5)
		density := MulScalar(Exp(MulScalar(Mul(x, x), -0.5)), 1/math.Sqrt(2*math.Pi))
		return Mul(dy, Add(phi, Mul(x, density)))
	}, o.x, o.y, dy)}
}

// pool is max_pool or avg_pool.
type pool struct {
	node *blueprint.Node
	pass *kernel.PoolPass
}

func newPool(n *blueprint.Node) op { return &pool{node: n} }

func (o *pool) forward(_ *builder, x []value) value {
	v, in := o.node.Values, o.node.In[0]
	window, stride := v.Pair("window"), blueprint.PoolStride(v)
	p := kernel.Pool2D{
		Kind: kernel.PoolMax, Window: window, Strides: stride,
		Padding: v.Padding("padding").Resolve([2]int{in[0], in[1]}, window, stride, [2]int{1, 1}),
	}
	if o.node.Kind.Name == "avg_pool" {
		p.Kind, p.CountPadding = kernel.PoolAvg, v.Bool("count_padding")
	}
	y, pass := p.Forward(x[0].maps)
	o.pass = pass
	return value{maps: y}
}

func (o *pool) backward(_ *builder, dy value, need []bool) []value {
	if !need[0] {
		return make([]value, 1)
	}
	return []value{{maps: o.pass.Backward(dy.maps)}}
}

// matmul is dense without bias and activation, over the last axis.
type matmul struct {
	node *blueprint.Node
	rows *Node // [rows, in]
}

func newDense(n *blueprint.Node) op {
	return sequence{&matmul{node: n}, newBiasActivation(n)}
}

func (o *matmul) forward(b *builder, in []value) value {
	x, w := in[0].node(), b.param(o.node.Layer.Name, "weights")
	o.rows = Reshape(x, -1, w.Shape().Dimensions[0])
	return b.value(Reshape(b.Dense(o.rows, w, nil), batched(x, o.node.Out)...))
}

func (o *matmul) backward(b *builder, dy value, need []bool) []value {
	name := o.node.Layer.Name
	w := b.param(name, "weights")
	dx, dw, _ := b.DenseBackward(o.rows, w, Reshape(dy.node(), -1, w.Shape().Dimensions[1]), need[0])
	b.addGradient(name, "weights", dw)
	if !need[0] {
		return make([]value, 1)
	}
	return []value{b.value(Reshape(dx, batched(dy.node(), o.node.In[0])...))}
}

// batched is a shape with the batch of x before it.
func batched(x *Node, s blueprint.Shape) []int {
	return append([]int{x.Shape().Dimensions[0]}, s...)
}

// reshape is flatten and reshape.
type reshape struct {
	out blueprint.Shape
	in  []int // with the batch
}

func (o *reshape) forward(b *builder, in []value) value {
	x := in[0].node()
	o.in = x.Shape().Dimensions
	return b.value(Reshape(x, batched(x, o.out)...))
}

func (o *reshape) backward(b *builder, dy value, _ []bool) []value {
	return []value{b.value(Reshape(dy.node(), o.in...))}
}

// dropout sets a random share of the values to zero, in training alone.
type dropout struct {
	node *blueprint.Node
	keep value // 0, or what a kept value is multiplied by; not ok: nothing is dropped
}

func (o *dropout) forward(b *builder, x []value) value {
	v := o.node.Values
	d := kernel.Dropout{Rate: v.Float("rate"), Stream: b.stream(), First: b.first}
	if !b.Training || d.Rate == 0 {
		return x[0]
	}
	var y value
	if x[0].maps != nil {
		y.maps, o.keep.maps = d.ApplyMap(x[0].maps, b.seed)
	} else {
		y.flat, o.keep.flat = d.Apply(x[0].flat, b.seed)
	}
	if v.Bool("rescale") {
		return y
	}
	unscale := func(x ...*Node) *Node { return MulScalar(x[0], 1-d.Rate) }
	o.keep = b.each(unscale, o.keep)
	return b.each(unscale, y)
}

func (o *dropout) backward(b *builder, dy value, _ []bool) []value {
	if !o.keep.ok() {
		return []value{dy}
	}
	return []value{b.each(func(x ...*Node) *Node { return Mul(x[0], x[1]) }, dy, o.keep)}
}

// add sums its inputs, then applies the activation.
type add struct {
	shapes []blueprint.Shape
	out    blueprint.Shape
	f      activation
}

func newAdd(n *blueprint.Node) op {
	return &add{shapes: n.In, out: n.Out, f: activation{name: n.Values.Text("activation"), slope: defaultSlope}}
}

func (o *add) forward(b *builder, x []value) value {
	sum := x[0]
	for i, v := range x[1:] {
		if slices.Equal(o.shapes[i+1], o.out) && slices.Equal(o.shapes[0], o.out) {
			sum = b.each(func(x ...*Node) *Node { return Add(x[0], x[1]) }, sum, v)
		} else {
			sum = b.value(Add(sum.node(), v.node()))
		}
	}
	return o.f.forward(b, []value{sum})
}

func (o *add) backward(b *builder, dy value, _ []bool) []value {
	d := o.f.backward(b, dy, []bool{true})[0]
	out := make([]value, len(o.shapes))
	for i, shape := range o.shapes {
		out[i] = d
		if !slices.Equal(shape, o.out) {
			out[i] = b.value(unbroadcast(d.node(), batched(d.node(), shape)))
		}
	}
	return out
}

// unbroadcast sums over the axes along which a value was repeated.
func unbroadcast(d *Node, shape []int) *Node {
	var axes []int
	for i, n := range shape {
		if n == 1 && d.Shape().Dimensions[i] != 1 {
			axes = append(axes, i)
		}
	}
	return Reshape(ReduceSum(d, axes...), shape...)
}

func fold(x []*Node, f func(a, b *Node) *Node) *Node {
	out := x[0]
	for _, x := range x[1:] {
		out = f(out, x)
	}
	return out
}

// batchNorm normalizes each channel over all else: Ioffe and Szegedy 2015. The
// running variance is that of the batch as a whole (divided by n, not n-1).
type batchNorm struct {
	node *blueprint.Node
	norm value // (x - mean) / deviation
	inv  *Node // [c]: 1 / deviation
	n    float64
	f    activation
}

func newBatchNorm(n *blueprint.Node) op {
	return &batchNorm{node: n, f: activation{name: n.Values.Text("activation"), slope: defaultSlope}}
}

// add, mul and sum work along the channels of a value.
func (b *builder) add(x value, v *Node) value {
	if x.maps != nil {
		return value{maps: b.AddChannels(x.maps, v)}
	}
	return value{flat: b.AddRows(x.flat, v)}
}

func (b *builder) mul(x value, v *Node) value {
	if x.maps != nil {
		return value{maps: b.MulChannels(x.maps, v)}
	}
	return value{flat: b.MulRows(x.flat, v)}
}

func (b *builder) sum(x value) *Node {
	if x.maps != nil {
		return b.SumChannels(x.maps)
	}
	return b.SumRows(x.flat)
}

func product(x ...*Node) *Node { return Mul(x[0], x[1]) }

func (o *batchNorm) forward(b *builder, in []value) value {
	name, v := o.node.Layer.Name, o.node.Values
	scale, offset := b.param(name, "scale"), b.param(name, "offset")
	mean, variance := b.param(name, "mean"), b.param(name, "variance")
	x, epsilon := in[0], v.Float("epsilon")
	if !b.Training {
		factor := Mul(scale, Rsqrt(AddScalar(variance, epsilon)))
		return o.f.forward(b, []value{b.add(b.mul(x, factor), Sub(offset, Mul(mean, factor)))})
	}
	shape := x.node().Shape()
	o.n = float64(shape.Size() / shape.Dimensions[shape.Rank()-1])
	oldMean, oldVariance := mean, variance
	mean = DivScalar(b.sum(x), o.n)
	centred := b.add(x, Neg(mean))
	variance = DivScalar(b.sum(b.each(product, centred, centred)), o.n)
	m := v.Float("momentum")
	b.updates[name+"/mean"] = Add(MulScalar(oldMean, m), MulScalar(mean, 1-m))
	b.updates[name+"/variance"] = Add(MulScalar(oldVariance, m), MulScalar(variance, 1-m))
	o.inv = Rsqrt(AddScalar(variance, epsilon))
	o.norm = b.mul(centred, o.inv)
	return o.f.forward(b, []value{b.add(b.mul(o.norm, scale), offset)})
}

// backward: dx = scale/deviation * (dy - mean(dy) - norm * mean(dy * norm)).
func (o *batchNorm) backward(b *builder, dy value, need []bool) []value {
	name := o.node.Layer.Name
	d := o.f.backward(b, dy, []bool{true})[0]
	dScale, dOffset := b.sum(b.each(product, d, o.norm)), b.sum(d)
	b.addGradient(name, "scale", dScale)
	b.addGradient(name, "offset", dOffset)
	if !need[0] {
		return make([]value, 1)
	}
	dx := b.each(func(x ...*Node) *Node { return Sub(x[0], x[1]) },
		b.add(d, DivScalar(dOffset, -o.n)), b.mul(o.norm, DivScalar(dScale, o.n)))
	return []value{b.mul(dx, Mul(b.param(name, "scale"), o.inv))}
}

func globalAvgPool(_ *builder, _ *blueprint.Node, x []*Node) *Node { return ReduceMean(x[0], 1, 2) }

// layerNorm: Ba, Kiros and Hinton 2016, over the last axis.
type layerNorm struct {
	node *blueprint.Node
	norm *Node // (x - mean) / deviation
	inv  *Node // 1 / deviation, [..., 1]
}

func (o *layerNorm) forward(b *builder, in []value) value {
	x, name := in[0].node(), o.node.Layer.Name
	centred := Sub(x, ReduceAndKeep(x, ReduceMean, -1))
	variance := ReduceAndKeep(Mul(centred, centred), ReduceMean, -1)
	o.inv = Rsqrt(AddScalar(variance, o.node.Values.Float("epsilon")))
	o.norm = Mul(centred, o.inv)
	return b.value(b.AddRows(b.MulRows(o.norm, b.param(name, "scale")), b.param(name, "offset")))
}

// backward: dx = (d - mean(d) - norm * mean(d * norm)) / deviation, d = dy * scale.
func (o *layerNorm) backward(b *builder, dy value, need []bool) []value {
	name, d := o.node.Layer.Name, dy.node()
	b.addGradient(name, "scale", b.SumRows(Mul(d, o.norm)))
	b.addGradient(name, "offset", b.SumRows(d))
	if !need[0] {
		return make([]value, 1)
	}
	d = b.MulRows(d, b.param(name, "scale"))
	along := ReduceAndKeep(Mul(d, o.norm), ReduceMean, -1)
	d = Sub(Sub(d, ReduceAndKeep(d, ReduceMean, -1)), Mul(o.norm, along))
	return []value{b.value(Mul(d, o.inv))}
}

// upsample repeats values, or interpolates between pixel centres, along one axis
// after the other.
func upsample(_ *builder, n *blueprint.Node, in []*Node) *Node {
	x, f, s := in[0], n.Values.Pair("factor"), n.In[0]
	batch := x.Shape().Dimensions[0]
	if n.Values.Text("method") == "nearest" {
		// Copies side by side: the Go backend walks a broadcast value by value.
		x = Concatenate(slices.Repeat([]*Node{Reshape(x, batch, s[0], s[1], 1, s[2])}, f[1]), 3)
		x = Concatenate(slices.Repeat([]*Node{Reshape(x, batch, s[0], 1, s[1]*f[1], s[2])}, f[0]), 2)
		return Reshape(x, batch, s[0]*f[0], s[1]*f[1], s[2])
	}
	return interpolate(interpolate(x, 1, f[0]), 2, f[1])
}

// interpolate enlarges an axis. Of the factor values that take a pixel's place,
// number i lies at (i + 1/2)/factor - 1/2 from its centre: between it and the
// neighbour on that side, or, at the border, at its own value.
func interpolate(x *Node, axis, factor int) *Node {
	if factor == 1 {
		return x
	}
	dims := slices.Clone(x.Shape().Dimensions)
	n := dims[axis]
	before, after := x, x
	if n > 1 {
		part := func(from, to int) *Node { return SliceAxis(x, axis, AxisRange(from, to)) }
		before = Concatenate([]*Node{part(0, 1), part(0, n-1)}, axis)
		after = Concatenate([]*Node{part(1, n), part(n-1, n)}, axis)
	}
	wide := slices.Insert(slices.Clone(dims), axis+1, 1)
	values := make([]*Node, factor)
	for i := range values {
		at := (float64(i)+0.5)/float64(factor) - 0.5
		neighbour := after
		if at < 0 {
			at, neighbour = -at, before
		}
		values[i] = Reshape(Add(MulScalar(x, 1-at), MulScalar(neighbour, at)), wide...)
	}
	dims[axis] *= factor
	return Reshape(Concatenate(values, axis+1), dims...)
}

// softArgmax gives the expected position under each map's softmax (Luvizon et
// al. 2019): (sum e*x) / (sum e) and the same for y, e = exp(map - its maximum).
// Sums over a map, and numbers spread over one, are products with a matrix of
// ones and the pixels' centres, which every backend does fast.
type softArgmax struct {
	node    *blueprint.Node
	centres *Node // [pixels, 3]: 1, x and y of each pixel's centre
	e       *Node // [rows, pixels], a row for each image and map
	sum     *Node // [rows, 1]: of e
	xy      *Node // [rows, 2]
}

func (o *softArgmax) forward(b *builder, in []value) value {
	s := o.node.In[0]
	pixels := s[0] * s[1]
	table := make([][]float32, pixels)
	for i := range table {
		table[i] = []float32{1, float32(2*(i%s[1])+1)/float32(s[1]) - 1, float32(2*(i/s[1])+1)/float32(s[0]) - 1}
	}
	o.centres = Const(b.g, table)
	maps := TransposeAllAxes(Reshape(in[0].node(), -1, pixels, s[2]), 0, 2, 1)
	x := DivScalar(Reshape(maps, -1, pixels), o.node.Values.Float("temperature"))
	top := ReduceAndKeep(x, ReduceMax, 1)
	nothing := ZerosLike(top)
	o.e = Exp(Sub(x, b.Dot(Concatenate([]*Node{top, nothing, nothing}, 1), 1, o.centres, 1)))
	sums := b.Dot(o.e, 1, o.centres, 0) // [rows, 3]
	o.sum = Slice(sums, AxisRange(), AxisRange(0, 1))
	o.xy = Div(Slice(sums, AxisRange(), AxisRange(1, 3)), o.sum)
	return b.value(Reshape(o.xy, -1, 2*s[2]))
}

// backward: the derivative of an expected position with respect to a pixel is
// p * (the pixel's centre - the expected position), p = e / sum.
func (o *softArgmax) backward(b *builder, dy value, need []bool) []value {
	if !need[0] {
		return make([]value, 1)
	}
	s := o.node.In[0]
	slope := Div(Reshape(dy.node(), o.xy.Shape().Dimensions...), MulScalar(o.sum, o.node.Values.Float("temperature")))
	constant := Neg(ReduceAndKeep(Mul(slope, o.xy), ReduceSum, 1))
	d := Mul(o.e, b.Dot(Concatenate([]*Node{constant, slope}, 1), 1, o.centres, 1))
	d = TransposeAllAxes(Reshape(d, -1, s[2], s[0]*s[1]), 0, 2, 1)
	return []value{b.value(Reshape(d, -1, s[0], s[1], s[2]))}
}

// attention: scaled dot-product attention of every position over all (Vaswani et al. 2017).
type attention struct {
	node             *blueprint.Node
	x                *Node // [rows, c]
	q, k, v          *Node // [batch, tokens, heads, c/heads]
	weights          *Node // [batch, heads, tokens, tokens]
	mixed            *Node // [rows, c]
	tokens, heads, c int
}

func (o *attention) scale() float64 { return 1 / math.Sqrt(float64(o.c/o.heads)) }

func (o *attention) split(x *Node) *Node { return Reshape(x, -1, o.tokens, o.heads, o.c/o.heads) }

func (o *attention) forward(b *builder, in []value) value {
	x, s, name := in[0].node(), o.node.In[0], o.node.Layer.Name
	o.heads, o.c = o.node.Values.Int("heads"), s[len(s)-1]
	o.tokens = int(s.Size()) / o.c
	o.x = Reshape(x, -1, o.c)
	project := func(x *Node, what string) *Node {
		return b.AddRows(b.Dense(x, b.param(name, what), nil), b.param(name, what+"_bias"))
	}
	o.q, o.k, o.v = o.split(project(o.x, "query")), o.split(project(o.x, "key")), o.split(project(o.x, "value"))
	scores := MulScalar(b.DotGeneral(o.q, []int{3}, []int{0, 2}, o.k, []int{3}, []int{0, 2}), o.scale())
	o.weights = Softmax(scores, -1)
	mixed := b.DotGeneral(o.weights, []int{3}, []int{0, 1}, o.v, []int{1}, []int{0, 2}) // [batch, heads, tokens, c/heads]
	o.mixed = Reshape(TransposeAllAxes(mixed, 0, 2, 1, 3), -1, o.c)
	return b.value(Reshape(project(o.mixed, "output"), x.Shape().Dimensions...))
}

func (o *attention) backward(b *builder, dy value, need []bool) []value {
	name, shape := o.node.Layer.Name, dy.node().Shape().Dimensions
	unproject := func(x *Node, what string, d *Node) *Node {
		dx, dw, _ := b.DenseBackward(x, b.param(name, what), d, true)
		b.addGradient(name, what, dw)
		b.addGradient(name, what+"_bias", b.SumRows(d))
		return dx
	}
	dMixed := o.split(unproject(o.mixed, "output", Reshape(dy.node(), -1, o.c)))                     // [b, t, h, d]
	dWeights := b.DotGeneral(dMixed, []int{3}, []int{0, 2}, o.v, []int{3}, []int{0, 2})              // [b, h, t, t]
	dv := b.DotGeneral(o.weights, []int{2}, []int{0, 1}, dMixed, []int{1}, []int{0, 2})              // [b, h, t, d]
	dScores := Mul(o.weights, Sub(dWeights, ReduceAndKeep(Mul(dWeights, o.weights), ReduceSum, -1))) // softmax's gradient
	dScores = MulScalar(dScores, o.scale())
	dq := b.DotGeneral(dScores, []int{3}, []int{0, 1}, o.k, []int{1}, []int{0, 2}) // [b, h, t, d]
	dk := b.DotGeneral(dScores, []int{2}, []int{0, 1}, o.q, []int{1}, []int{0, 2})
	join := func(x *Node) *Node { return Reshape(TransposeAllAxes(x, 0, 2, 1, 3), -1, o.c) }
	dx := unproject(o.x, "query", join(dq))
	dx = Add(dx, unproject(o.x, "key", join(dk)))
	dx = Add(dx, unproject(o.x, "value", join(dv)))
	if !need[0] {
		return make([]value, 1)
	}
	return []value{b.value(Reshape(dx, shape...))}
}

// scaled turns pixels (float32, 0 to 255) into the network's input.
func scaled(x *Node, scaling string) *Node {
	switch scaling {
	case "raw":
		return x
	case "standardize":
		x = MulScalar(x, 1.0/255)
		// Line by line first: the Go backend adds one number after the other, and over a whole
		// image that leaves an error of 1e-6, which a deep network makes 1e-3 pixels.
		mean := func(x *Node) *Node {
			return ReduceAndKeep(ReduceAndKeep(x, ReduceMean, 2, 3), ReduceMean, 1)
		}
		centred := Sub(x, mean(x))
		deviation := Sqrt(mean(Mul(centred, centred)))
		return Div(centred, MaxScalar(deviation, 1.0/255))
	}
	return MulScalar(x, 1.0/255)
}
