// Package update moves a network's weights in the native engine: optimizers' steps, the moving average, the gradients' norm and its
// limit. Arrays are float32 of equal length. It must not know layers, schedules or where gradients come from.
package update

import (
	"math"

	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/layer"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// SGD is stochastic gradient descent with momentum.
type SGD struct {
	Rate, Momentum float32
	Nesterov       bool
}

// Step moves weights w and velocities v by gradients g: v = v*momentum - g*rate, then w += v, or with Nesterov's momentum
// w += v*momentum - g*rate.
func (s SGD) Step(c *work.Caller, e *layer.Each, w, v, g []float32) {
	op := kernel.OpMomentum
	if s.Nesterov {
		op = kernel.OpNesterov
	}
	e.Run(c, op, len(w), layer.Streams{w, v, g}, [8]float32{s.Momentum, s.Rate})
}

// Adam is Kingma and Ba 2014, with Decay decoupled from the gradient (Loshchilov and Hutter 2017) where that isn't 0.
type Adam struct {
	Rate, Beta1, Beta2, Rest1, Rest2, Epsilon float32 // rests: 1 - beta
	Correct1, Correct2                        float32 // 1 - beta^step
	Decay                                     float32
}

// Step moves weights w, means m and squares v by gradients g.
func (a Adam) Step(c *work.Caller, e *layer.Each, w, m, v, g []float32) {
	e.Run(c, kernel.OpAdam, len(w), layer.Streams{w, m, v, g},
		[8]float32{a.Beta1, a.Rest1, a.Beta2, a.Rest2, a.Rate / a.Correct1, 1 / a.Correct2, a.Epsilon, a.Rate * a.Decay})
}

// Average moves an average: average*decay + w*rest.
func Average(c *work.Caller, e *layer.Each, average, w []float32, decay, rest float32) {
	e.Run(c, kernel.OpBlend, len(w), layer.Streams{average, w}, [8]float32{decay, rest})
}

// Norm is the square root of the sum of all arrays' squares.
func Norm(c *work.Caller, e *layer.Each, gradients [][]float32) float64 {
	sum := 0.0
	for _, g := range gradients {
		sum += e.SumSquares(c, g)
	}
	return math.Sqrt(sum)
}

// Clip multiplies all gradients by one factor so that their norm is at most the limit, and tells their norm before.
func Clip(c *work.Caller, e *layer.Each, gradients [][]float32, limit float64) float64 {
	norm := Norm(c, e, gradients)
	factor := float32(limit / (norm + 1e-6))
	if factor >= 1 {
		return norm
	}
	for _, g := range gradients {
		e.Run(c, kernel.OpScale, len(g), layer.Streams{g, g}, [8]float32{factor})
	}
	return norm
}
