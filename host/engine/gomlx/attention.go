package gomlx

import (
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/gomlx/kernel"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

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

func (o *attention) forward(b *builder, in []*Node) *Node {
	x, s, name := in[0], o.node.In[0], o.node.Layer.Name
	o.heads, o.c = o.node.Values.Int("heads"), s[len(s)-1]
	o.tokens = int(s.Size()) / o.c
	o.x = Reshape(x, -1, o.c)
	project := func(x *Node, what string) *Node {
		return kernel.AddRows(kernel.Dense(b.target, x, b.param(name, what)), b.param(name, what+"_bias"))
	}
	o.q, o.k, o.v = o.split(project(o.x, "query")), o.split(project(o.x, "key")), o.split(project(o.x, "value"))
	scores := MulScalar(DotGeneral(o.q, []int{3}, []int{0, 2}, o.k, []int{3}, []int{0, 2}), o.scale())
	o.weights = Softmax(scores, -1)
	mixed := DotGeneral(o.weights, []int{3}, []int{0, 1}, o.v, []int{1}, []int{0, 2}) // [batch, heads, tokens, c/heads]
	o.mixed = Reshape(TransposeAllAxes(mixed, 0, 2, 1, 3), -1, o.c)
	return Reshape(project(o.mixed, "output"), x.Shape().Dimensions...)
}

func (o *attention) backward(b *builder, dy *Node, need []bool) []*Node {
	name, shape := o.node.Layer.Name, dy.Shape().Dimensions
	unproject := func(x *Node, what string, d *Node) *Node {
		dx, dw := kernel.DenseBackward(x, b.param(name, what), d, true)
		b.addGradient(name, what, dw)
		b.addGradient(name, what+"_bias", kernel.SumRows(d, nil))
		return dx
	}
	dMixed := o.split(unproject(o.mixed, "output", Reshape(dy, -1, o.c)))                            // [b, t, h, d]
	dWeights := DotGeneral(dMixed, []int{3}, []int{0, 2}, o.v, []int{3}, []int{0, 2})                // [b, h, t, t]
	dv := DotGeneral(o.weights, []int{2}, []int{0, 1}, dMixed, []int{1}, []int{0, 2})                // [b, h, t, d]
	dScores := Mul(o.weights, Sub(dWeights, ReduceAndKeep(Mul(dWeights, o.weights), ReduceSum, -1))) // softmax's gradient
	dScores = MulScalar(dScores, o.scale())
	dq := DotGeneral(dScores, []int{3}, []int{0, 1}, o.k, []int{1}, []int{0, 2}) // [b, h, t, d]
	dk := DotGeneral(dScores, []int{2}, []int{0, 1}, o.q, []int{1}, []int{0, 2})
	join := func(x *Node) *Node { return Reshape(TransposeAllAxes(x, 0, 2, 1, 3), -1, o.c) }
	dx := unproject(o.x, "query", join(dq))
	dx = Add(dx, unproject(o.x, "key", join(dk)))
	dx = Add(dx, unproject(o.x, "value", join(dv)))
	if !need[0] {
		return make([]*Node, 1)
	}
	return []*Node{Reshape(dx, shape...)}
}
