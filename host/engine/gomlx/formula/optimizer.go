package formula

import (
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Rule is one parameter's update, from its value w, its gradient g and its slots:
// the new value and the new slots. h gives a setting of the step; decays tells
// whether weight decay applies to the parameter.
type Rule func(o blueprint.Optimizer, decays bool, w, g *Node, slots []*Node, h func(setting int) *Node) (*Node, []*Node)

// Rules has a row for each of [blueprint.Optimizers], whose formulas these are; a
// test compares the two. Their slots are [device.Slots].
var Rules = map[string]Rule{
	"sgd":   sgd,
	"adam":  adam,
	"adamw": adamW,
}

func sgd(o blueprint.Optimizer, _ bool, w, g *Node, slots []*Node, h func(int) *Node) (*Node, []*Node) {
	momentum, step := h(device.Momentum), Mul(g, h(device.Rate))
	v := Sub(Mul(slots[0], momentum), step)
	if o.Nesterov {
		return Add(w, Sub(Mul(v, momentum), step)), []*Node{v}
	}
	return Add(w, v), []*Node{v}
}

func adam(_ blueprint.Optimizer, _ bool, w, g *Node, slots []*Node, h func(int) *Node) (*Node, []*Node) {
	m := Add(Mul(slots[0], h(device.Beta1)), Mul(g, h(device.Rest1)))
	v := Add(Mul(slots[1], h(device.Beta2)), Mul(Mul(g, g), h(device.Rest2)))
	step := Div(Mul(m, Div(h(device.Rate), h(device.Correct1))), Add(Sqrt(Div(v, h(device.Correct2))), h(device.Epsilon)))
	return Sub(w, step), []*Node{m, v}
}

func adamW(o blueprint.Optimizer, decays bool, w, g *Node, slots []*Node, h func(int) *Node) (*Node, []*Node) {
	if decays {
		w = Sub(w, Mul(w, Mul(h(device.Rate), h(device.Decay))))
	}
	return adam(o, decays, w, g, slots, h)
}

// ClipNorm scales all gradients so that their norm together is at most the limit.
func ClipNorm(gradients map[string]*Node, names []string, limit *Node) {
	var sum *Node
	for _, name := range names {
		g := gradients[name]
		square := ReduceAllSum(Mul(g, g))
		if sum == nil {
			sum = square
		} else {
			sum = Add(sum, square)
		}
	}
	factor := MinScalar(Div(limit, AddScalar(Sqrt(sum), 1e-6)), 1.0)
	for _, name := range names {
		gradients[name] = Mul(gradients[name], factor)
	}
}
