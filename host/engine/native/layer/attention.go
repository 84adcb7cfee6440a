package layer

import (
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/host/engine/native/dense"
	"github.com/fkzoo/fkzoo/host/engine/native/kernel"
	"github.com/fkzoo/fkzoo/host/engine/native/work"
)

// Attention is the middle of scaled dot-product attention (Vaswani et al. 2017), between its projections, which are dense layers: for
// each image and head, mixed = softmax(QK' / sqrt(features of a head)) V. Queries, keys and values are [n, tokens, features], of which
// a head has its own side by side.
type Attention struct {
	Tokens, Features, Heads int
	workers                 []attentionWorker
	back                    bool

	q, k, v, weights, mixed []float32
	dq, dk, dv, dMixed      []float32
	scratch                 []float32
}

type attentionWorker struct {
	worker
	dense.Multiplier
}

// NewAttention makes an Attention for a pool of so many threads at most.
func NewAttention(set *kernel.Set, threads, tokens, features, heads int) (*Attention, error) {
	if tokens < 1 || heads < 1 || features < 1 || features%heads != 0 {
		return nil, fmt.Errorf("attention: found %d tokens, %d features and %d heads, want a multiple of the heads", tokens, features, heads)
	}
	a := &Attention{Tokens: tokens, Features: features, Heads: heads, workers: make([]attentionWorker, threads)}
	for i := range a.workers {
		a.workers[i].set, a.workers[i].Set = set, set
	}
	return a, nil
}

// columnsOnce is the most columns of a product.
const columnsOnce = 256

// WeightsLen is how many float32 the attention weights of n images take.
func (a *Attention) WeightsLen(n int) int { return n * a.Heads * a.Tokens * a.Tokens }

// Scratch is how many float32 of scratch memory both directions need.
func (a *Attention) Scratch() int { return len(a.workers) * a.own() }

func (a *Attention) own() int {
	d := a.Features / a.Heads
	return round(dense.MultiplierScratch(a.workers[0].Set, a.Tokens, min(columnsOnce, max(a.Tokens, d)))) + round(a.Tokens*a.Tokens)
}

// Forward computes the weights [n, heads, tokens, tokens] and mixed [n, tokens, features].
func (a *Attention) Forward(c *work.Caller, n int, q, k, v, weights, mixed, scratch []float32) {
	a.q, a.k, a.v, a.weights, a.mixed, a.scratch, a.back = q, k, v, weights, mixed, scratch, false
	c.Run(n*a.Heads, (*attentionTask)(a))
	a.q, a.k, a.v, a.weights, a.mixed, a.scratch = nil, nil, nil, nil, nil, nil
}

// Back computes the gradients of queries, keys and values from that of mixed and what Forward left.
func (a *Attention) Back(c *work.Caller, n int, q, k, v, weights, dMixed, dq, dk, dv, scratch []float32) {
	a.q, a.k, a.v, a.weights, a.scratch, a.back = q, k, v, weights, scratch, true
	a.dMixed, a.dq, a.dk, a.dv = dMixed, dq, dk, dv
	c.Run(n*a.Heads, (*attentionTask)(a))
	a.q, a.k, a.v, a.weights, a.scratch = nil, nil, nil, nil, nil
	a.dMixed, a.dq, a.dk, a.dv = nil, nil, nil, nil
}

type attentionTask Attention

func (t *attentionTask) Do(part, id int) {
	a := (*Attention)(t)
	w := &a.workers[id]
	own := a.scratch[id*a.own():][:a.own()]
	own, dWeights := own[:len(own)-round(a.Tokens*a.Tokens)], own[len(own)-round(a.Tokens*a.Tokens):]
	d := a.Features / a.Heads
	img, head := part/a.Heads, part%a.Heads
	matrix := func(x []float32) dense.Matrix {
		return dense.Matrix{Data: x[img*a.Tokens*a.Features+head*d:], Row: a.Features, Column: 1}
	}
	turned := func(m dense.Matrix) dense.Matrix { return dense.Matrix{Data: m.Data, Row: m.Column, Column: m.Row} }
	square := func(x []float32) dense.Matrix { return dense.Matrix{Data: x, Row: a.Tokens, Column: 1} }
	weights := a.weights[part*a.Tokens*a.Tokens:][:a.Tokens*a.Tokens]
	scale := float32(1 / math.Sqrt(float64(d)))
	if !a.back {
		w.multiply(a.Tokens, a.Tokens, d, matrix(a.q), turned(matrix(a.k)), square(weights), scale, own)
		for r := range a.Tokens {
			row := weights[r*a.Tokens:][:a.Tokens]
			w.softmax(a.Tokens, 1, row, row)
		}
		w.multiply(a.Tokens, d, a.Tokens, square(weights), matrix(a.v), matrix(a.mixed), 1, own)
		return
	}
	w.multiply(a.Tokens, a.Tokens, d, matrix(a.dMixed), turned(matrix(a.v)), square(dWeights), 1, own)
	w.multiply(a.Tokens, d, a.Tokens, turned(square(weights)), matrix(a.dMixed), matrix(a.dv), 1, own)
	for r := range a.Tokens {
		row := dWeights[r*a.Tokens:][:a.Tokens]
		w.softmaxBack(a.Tokens, scale, weights[r*a.Tokens:], row, row)
	}
	w.multiply(a.Tokens, d, a.Tokens, square(dWeights), matrix(a.k), matrix(a.dq), 1, own)
	w.multiply(a.Tokens, d, a.Tokens, turned(square(dWeights)), matrix(a.q), matrix(a.dk), 1, own)
}

// multiply is a product of any number of columns.
func (w *attentionWorker) multiply(m, n, k int, a, b, c dense.Matrix, scale float32, scratch []float32) {
	for j := 0; j < n; j += columnsOnce {
		bj := dense.Matrix{Data: b.Data[j*b.Column:], Row: b.Row, Column: b.Column}
		cj := dense.Matrix{Data: c.Data[j*c.Column:], Row: c.Row, Column: c.Column}
		w.Multiply(m, min(columnsOnce, n-j), k, a, bj, cj, nil, scale, kernel.Activation{}, scratch)
	}
}
