package engine

import (
	"slices"

	"github.com/gomlx/compute"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A step on a large batch is made in slices where the batch's maps would take
// too much memory: forward and backward on each slice, gradients summed in
// order, one update. Each cell's gradient is divided by the filled cells of the
// whole batch, and dropout drops what it would there, so slices change nothing
// but the order of the sums. How many rows are taken at once follows from plan
// and kind of backend, never from the machine: a training continued elsewhere
// gives the same bytes.

// sliceBytes is the estimated memory of a slice's maps.
const sliceBytes = 384 << 20

// rowsAtOnce is how many rows of a batch a step takes at once.
func rowsAtOnce(p *blueprint.Plan, kind backend.Kind) int {
	batch := p.Member.Recipe.Batch
	if kind != backend.Go { // XLA reuses memory, and its programs take long to compile
		return batch
	}
	var row int64
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if n.Kind.Name == "batch_norm" { // its statistics are those of the batch as a whole
			return batch
		}
		row += rowBytes(n)
	}
	count := 1
	for count < batch && int64((batch+count-1)/count)*row > sliceBytes {
		count *= 2
	}
	return (batch + count - 1) / count
}

// rowBytes estimates what a layer keeps for one image in a training step.
func rowBytes(n *blueprint.Node) int64 {
	const copies = 3
	return copies * 4 * n.Out.Size()
}

// slice is a run of a batch's rows.
type slice struct{ from, to int }

// trainSlices makes one step on a batch, slice by slice.
func (t *Trainer) trainSlices(b *batch) error {
	var parts []slice
	var programs []*program
	for from := 0; from < b.rows; from += t.atOnce {
		k := piece{min(t.atOnce, b.rows-from), first}
		if from > 0 {
			k.kind = more
		}
		p, err := t.program(k)
		if err != nil {
			return err
		}
		parts, programs = append(parts, slice{from, from + k.rows}), append(programs, p)
	}
	update, err := t.program(piece{kind: finish})
	if err != nil {
		return err
	}
	n := len(t.net.params)
	sums := t.state[len(t.names) : len(t.names)+scalarNext] // the loss's sum and count
	var gradients []compute.Buffer
	for i, s := range parts {
		given := slices.Concat(t.state[:n], sums, gradients)
		out, err := t.runOn(programs[i], b, s, given, append(make([]bool, n), donated(len(given)-n)...))
		if err != nil {
			return err
		}
		copy(sums, out[:2])
		gradients = out[2:]
	}
	settings, err := upload(t.net.b.Compute(), b.settings, hyperCount)
	if err != nil {
		return t.lose(err)
	}
	defer free(settings)
	inputs := append(slices.Concat(t.state, gradients), settings)
	out, err := update.run(inputs, slices.Concat(t.donatedState(), donated(len(gradients)), []bool{false}))
	if err := t.lose(err); err != nil {
		return err
	}
	t.state = out
	return nil
}

func donated(n int) []bool { return slices.Repeat([]bool{true}, n) }

// buildSlice is forward and backward on a slice: the loss's sums, and the
// gradients of the trainable parameters, are added to.
func (t *Trainer) buildSlice(g *Graph, all []step, k piece) []*Node {
	params := t.net.declare(g)
	sum, cells := declareLoss(g)
	var before []*Node
	if k.kind == more {
		before = t.declareGradients(g)
	}
	b := t.net.builder(g, true, params)
	total, count := t.pass(b, all, t.declareBatch(g, k))
	t.fillGradients(b)
	out := []*Node{Add(sum, total), Add(cells, count)}
	for at, i := range t.trainable() {
		d := b.gradients[t.net.params[i].key]
		if before != nil {
			d = Add(before[at], d)
		}
		out = append(out, d)
	}
	return out
}

// declareGradients declares the trainable parameters' gradients.
func (t *Trainer) declareGradients(g *Graph) []*Node {
	var out []*Node
	for _, i := range t.trainable() {
		p := t.net.params[i]
		out = append(out, floats(g, "gradient/"+p.tensor, p.Shape...))
	}
	return out
}

// buildUpdate is the update behind the last slice.
func (t *Trainer) buildUpdate(g *Graph, _ []step, _ piece) []*Node {
	state, sum, cells, next := t.declareState(g)
	b := t.net.builder(g, true, state[:len(t.net.params)])
	gradients := t.declareGradients(g)
	for at, i := range t.trainable() {
		b.gradients[t.net.params[i].key] = gradients[at]
	}
	return t.finished(b, state, sum, cells, next, floats(g, "settings", hyperCount))
}

// filledCells counts the filled cells of labels of this width.
func filledCells(labels []float32, width int) int {
	n := 0
	for at := 0; at < len(labels); at += width {
		for _, v := range labels[at+width/2 : at+width] {
			if v == 1 {
				n++
			}
		}
	}
	return n
}
