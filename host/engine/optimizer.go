package engine

import (
	"cmp"
	"math"

	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// The settings of a step, as the graph gets them: in this order in one vector,
// so that a schedule needs no new program.
const (
	hyperRate = iota
	hyperMomentum
	hyperBeta1
	hyperBeta2
	hyperEpsilon
	hyperDecay
	hyperClip
	hyperCorrect1 // 1 - beta1^t, Adam's bias corrections
	hyperCorrect2
	hyperRest1 // 1 - beta, which float32 can't give from beta
	hyperRest2
	hyperAverage // the moving average's decay, and 1 - that
	hyperAverageRest
	hyperCount
)

// hyper gives the settings' values before a step.
func hyper(r *blueprint.Recipe, at blueprint.Progress) []float32 {
	o := r.Optimizer.Defaults()
	v := make([]float32, hyperCount)
	set := func(i int, s *blueprint.Schedule) {
		if s != nil {
			v[i] = float32(s.At(at))
		}
	}
	set(hyperRate, &r.Rate)
	set(hyperMomentum, o.Momentum)
	set(hyperBeta1, o.Beta1)
	set(hyperBeta2, o.Beta2)
	set(hyperEpsilon, o.Epsilon)
	set(hyperDecay, o.Decay)
	set(hyperClip, o.Clip)
	v[hyperClip] = cmp.Or(v[hyperClip], math.MaxFloat32)
	t := float64(at.Step + 1)
	v[hyperCorrect1] = float32(1 - math.Pow(o.Beta1.At(at), t))
	v[hyperCorrect2] = float32(1 - math.Pow(o.Beta2.At(at), t))
	v[hyperRest1], v[hyperRest2] = float32(1-o.Beta1.At(at)), float32(1-o.Beta2.At(at))
	if r.Average != nil {
		decay := r.Average.At(at)
		v[hyperAverage], v[hyperAverageRest] = float32(decay), float32(1-decay)
	}
	return v
}

// slots names what an optimizer keeps for each trainable parameter.
func slots(kind string) []string { return blueprint.Optimizers.Row(kind).Slots }

// update is one parameter's step, by the formulas of [blueprint.Optimizers]:
// the new value and the new slots.
func update(o blueprint.Optimizer, decays bool, w, g *Node, slots []*Node, h func(int) *Node) (*Node, []*Node) {
	rate := h(hyperRate)
	if o.Kind == "sgd" {
		momentum, step := h(hyperMomentum), Mul(g, rate)
		v := Sub(Mul(slots[0], momentum), step)
		if o.Nesterov {
			return Add(w, Sub(Mul(v, momentum), step)), []*Node{v}
		}
		return Add(w, v), []*Node{v}
	}
	m := Add(Mul(slots[0], h(hyperBeta1)), Mul(g, h(hyperRest1)))
	v := Add(Mul(slots[1], h(hyperBeta2)), Mul(Mul(g, g), h(hyperRest2)))
	step := Div(Mul(m, Div(rate, h(hyperCorrect1))), Add(Sqrt(Div(v, h(hyperCorrect2))), h(hyperEpsilon)))
	if o.Kind == "adamw" && decays {
		w = Sub(w, Mul(w, Mul(rate, h(hyperDecay))))
	}
	return Sub(w, step), []*Node{m, v}
}

// clip scales all gradients so that their norm together is at most the limit.
func clip(gradients map[string]*Node, names []string, limit *Node) {
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
