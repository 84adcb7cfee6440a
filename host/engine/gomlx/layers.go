package gomlx

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// form is what the package must know of a layer kind.
type form struct {
	lower  lowering
	stride func(v blueprint.Values) [2]int // by which height and width are divided; nil: they aren't
	// overBatch is set where an image's value depends on the other images of its
	// batch, in training.
	overBatch bool
}

// forms has a row for each row of [blueprint.Kinds]; a test compares the two.
var forms = map[string]form{
	"conv2d":          {lower: newConv2D, stride: func(v blueprint.Values) [2]int { return v.Pair("stride") }},
	"max_pool":        {lower: func(n *blueprint.Node) op { return &pool{node: n, kind: kernel.PoolMax} }, stride: blueprint.PoolStride},
	"avg_pool":        {lower: func(n *blueprint.Node) op { return &pool{node: n, kind: kernel.PoolAvg} }, stride: blueprint.PoolStride},
	"global_avg_pool": {lower: auto(globalAvgPool)},
	"dense":           {lower: newDense},
	"dropout":         {lower: func(n *blueprint.Node) op { return &dropout{node: n} }},
	"batch_norm":      {lower: newBatchNorm, overBatch: true},
	"layer_norm":      {lower: func(n *blueprint.Node) op { return &layerNorm{node: n} }},
	"activation":      {lower: newActivation},
	"add":             {lower: newAdd},
	"multiply":        {lower: auto(func(_ *builder, _ *blueprint.Node, x []*Node) *Node { return fold(x, Mul) })},
	"concat":          {lower: auto(func(_ *builder, _ *blueprint.Node, x []*Node) *Node { return Concatenate(x, -1) })},
	"flatten":         {lower: func(n *blueprint.Node) op { return &reshape{out: n.Out} }},
	"reshape":         {lower: func(n *blueprint.Node) op { return &reshape{out: n.Out} }},
	"upsample":        {lower: auto(upsample)},
	"softmax":         {lower: auto(func(_ *builder, _ *blueprint.Node, x []*Node) *Node { return Softmax(x[0], -1) })},
	"soft_argmax":     {lower: func(n *blueprint.Node) op { return &softArgmax{node: n} }},
	"attention":       {lower: func(n *blueprint.Node) op { return &attention{node: n} }},
}

// batchStatistics tells whether a plan's training takes statistics over a batch.
func batchStatistics(plan *blueprint.Plan) bool {
	for i := range plan.Nodes {
		if forms[plan.Nodes[i].Kind.Name].overBatch {
			return true
		}
	}
	return false
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

// pool is max_pool or avg_pool.
type pool struct {
	node *blueprint.Node
	kind kernel.PoolKind
	pass *kernel.PoolPass
}

func (o *pool) forward(_ *builder, x []value) value {
	v, in := o.node.Values, o.node.In[0]
	window, stride := v.Pair("window"), blueprint.PoolStride(v)
	p := kernel.Pool2D{
		Kind: o.kind, Window: window, Strides: stride,
		Padding: v.Padding("padding").Resolve([2]int{in[0], in[1]}, window, stride, [2]int{1, 1}),
	}
	if o.kind == kernel.PoolAvg {
		p.CountPadding = v.Bool("count_padding")
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
	return &add{shapes: n.In, out: n.Out, f: named(n.Values.Text("activation"))}
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
