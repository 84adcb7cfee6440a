package gomlx

import (
	"slices"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/random"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// form is what the package must know of a layer kind.
type form struct {
	lower lowering
	// overBatch is set where an image's value depends on the other images of its
	// batch, in training.
	overBatch bool
}

// forms has a row for each row of [blueprint.Kinds]; a test compares the two.
var forms = map[string]form{
	"conv2d":          {lower: newConv2D},
	"max_pool":        {lower: func(n *blueprint.Node) op { return &pool{node: n, kind: kernel.PoolMax} }},
	"avg_pool":        {lower: func(n *blueprint.Node) op { return &pool{node: n, kind: kernel.PoolAvg} }},
	"global_avg_pool": {lower: auto(globalAvgPool)},
	"dense":           {lower: newDense},
	"dropout":         {lower: func(n *blueprint.Node) op { return &dropout{node: n} }},
	"batch_norm":      {lower: newBatchNorm, overBatch: true},
	"layer_norm":      {lower: func(n *blueprint.Node) op { return &layerNorm{node: n} }},
	"activation":      {lower: newActivation},
	"add":             {lower: newAdd},
	"multiply":        {lower: auto(func(_ *blueprint.Node, x []*Node) *Node { return fold(x, Mul) })},
	"concat":          {lower: auto(func(_ *blueprint.Node, x []*Node) *Node { return Concatenate(x, -1) })},
	"flatten":         {lower: func(n *blueprint.Node) op { return &reshape{out: n.Out} }},
	"reshape":         {lower: func(n *blueprint.Node) op { return &reshape{out: n.Out} }},
	"upsample":        {lower: auto(upsample)},
	"softmax":         {lower: auto(func(_ *blueprint.Node, x []*Node) *Node { return Softmax(x[0], -1) })},
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

// autoOp leaves the gradient to GoMLX: that of sum(y * dy). It has no parameters.
// It gets a copy of each input: where one input was computed from another, or both
// are the same value, GoMLX would otherwise follow that path too, which is the
// reverse pass's to do.
type autoOp struct {
	node *blueprint.Node
	f    func(n *blueprint.Node, x []*Node) *Node
	x    []*Node
	y    *Node
}

func auto(f func(n *blueprint.Node, x []*Node) *Node) lowering {
	return func(n *blueprint.Node) op { return &autoOp{node: n, f: f} }
}

func (o *autoOp) forward(_ *builder, x []*Node) *Node {
	o.x = make([]*Node, len(x))
	for i, v := range x {
		o.x[i] = Identity(v)
	}
	o.y = o.f(o.node, o.x)
	return o.y
}

func (o *autoOp) backward(_ *builder, dy *Node, need []bool) []*Node {
	var wanted []*Node
	for k, x := range o.x {
		if need[k] {
			wanted = append(wanted, x)
		}
	}
	got := vectorJacobian(o.y, dy, wanted...)
	out := make([]*Node, len(o.x))
	for k := range o.x {
		if need[k] {
			out[k], got = got[0], got[1:]
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

func (s sequence) forward(b *builder, x []*Node) *Node {
	for _, o := range s {
		x = []*Node{o.forward(b, x)}
	}
	return x[0]
}

func (s sequence) backward(b *builder, dy *Node, need []bool) []*Node {
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

func (o *convolution) forward(b *builder, x []*Node) *Node {
	v := o.node.Values
	in := o.node.In[0]
	stride, dilation := v.Pair("stride"), v.Pair("dilation")
	conv := kernel.Conv2D{
		Strides: stride, Dilations: dilation, Groups: v.Int("groups"),
		Padding: v.Padding("padding").Resolve([2]int{in[0], in[1]}, v.Pair("kernel"), stride, dilation),
	}
	y, pass := conv.Forward(b.target, x[0], b.param(o.node.Layer.Name, "weights"))
	o.pass = pass
	return y
}

func (o *convolution) backward(b *builder, dy *Node, need []bool) []*Node {
	dx, dw := o.pass.Backward(dy, need[0])
	b.addGradient(o.node.Layer.Name, "weights", dw)
	return []*Node{dx}
}

// pool is max_pool or avg_pool.
type pool struct {
	node *blueprint.Node
	kind kernel.PoolKind
	pass *kernel.PoolPass
}

func (o *pool) forward(_ *builder, x []*Node) *Node {
	v, in := o.node.Values, o.node.In[0]
	window, stride := v.Pair("window"), blueprint.PoolStride(v)
	p := kernel.Pool2D{
		Kind: o.kind, Window: window, Strides: stride,
		Padding: v.Padding("padding").Resolve([2]int{in[0], in[1]}, window, stride, [2]int{1, 1}),
	}
	if o.kind == kernel.PoolAvg {
		p.CountPadding = v.Bool("count_padding")
	}
	y, pass := p.Forward(x[0])
	o.pass = pass
	return y
}

func (o *pool) backward(_ *builder, dy *Node, need []bool) []*Node {
	if !need[0] {
		return make([]*Node, 1)
	}
	return []*Node{o.pass.Backward(dy)}
}

// matmul is dense without bias and activation, over the last axis.
type matmul struct {
	node *blueprint.Node
	rows *Node // [rows, in]
}

func newDense(n *blueprint.Node) op {
	return sequence{&matmul{node: n}, newBiasActivation(n)}
}

func (o *matmul) forward(b *builder, in []*Node) *Node {
	x, w := in[0], b.param(o.node.Layer.Name, "weights")
	o.rows = Reshape(x, -1, w.Shape().Dimensions[0])
	return Reshape(kernel.Dense(b.target, o.rows, w), batched(x, o.node.Out)...)
}

func (o *matmul) backward(b *builder, dy *Node, need []bool) []*Node {
	name := o.node.Layer.Name
	w := b.param(name, "weights")
	dx, dw := kernel.DenseBackward(o.rows, w, Reshape(dy, -1, w.Shape().Dimensions[1]), need[0])
	b.addGradient(name, "weights", dw)
	if !need[0] {
		return make([]*Node, 1)
	}
	return []*Node{Reshape(dx, batched(dy, o.node.In[0])...)}
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

func (o *reshape) forward(_ *builder, in []*Node) *Node {
	x := in[0]
	o.in = x.Shape().Dimensions
	return Reshape(x, batched(x, o.out)...)
}

func (o *reshape) backward(_ *builder, dy *Node, _ []bool) []*Node {
	return []*Node{Reshape(dy, o.in...)}
}

// dropout sets a random share of the values to zero, in training alone.
type dropout struct {
	node *blueprint.Node
	keep *Node // 0, or what a kept value is multiplied by; nil: nothing is dropped
}

func (o *dropout) forward(b *builder, x []*Node) *Node {
	v := o.node.Values
	d := random.Dropout{Rate: v.Float("rate"), Stream: b.stream(), First: b.first}
	if !b.training || d.Rate == 0 {
		return x[0]
	}
	o.keep = d.Mask(b.seed, x[0].Shape().Dimensions...)
	y := Mul(x[0], o.keep)
	if v.Bool("rescale") {
		return y
	}
	o.keep = MulScalar(o.keep, 1-d.Rate)
	return MulScalar(y, 1-d.Rate)
}

func (o *dropout) backward(_ *builder, dy *Node, _ []bool) []*Node {
	if o.keep == nil {
		return []*Node{dy}
	}
	return []*Node{Mul(dy, o.keep)}
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

func (o *add) forward(b *builder, x []*Node) *Node { return o.f.forward(b, []*Node{fold(x, Add)}) }

func (o *add) backward(b *builder, dy *Node, _ []bool) []*Node {
	d := o.f.backward(b, dy, []bool{true})[0]
	out := make([]*Node, len(o.shapes))
	for i, shape := range o.shapes {
		out[i] = d
		if !slices.Equal(shape, o.out) {
			out[i] = unbroadcast(d, batched(d, shape))
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
