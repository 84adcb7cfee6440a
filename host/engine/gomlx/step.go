package gomlx

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	. "github.com/gomlx/gomlx/core/graph"

	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/host/engine/gomlx/formula"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// piece names one of a training's programs: a whole step, or a part of one on a
// slice.
type piece int

const (
	whole  piece = iota // forward, backward, update
	first               // forward and backward: gradients
	more                // the same, added to those of the slices before
	finish              // the update
	pieces
)

func trainingName(plan *blueprint.Plan) string {
	return fmt.Sprintf("%s/%s training", plan.Document.Name, plan.Member.Name)
}

// program gives a program, compiled when first asked for.
func (t *training) program(k piece) (*program, error) {
	if t.programs[k] == nil {
		all, err := steps(t.Plan)
		if err != nil {
			return nil, err
		}
		build := [pieces]func(g *Graph, all []step, k piece) []*Node{t.buildStep, t.buildSlice, t.buildSlice, t.buildUpdate}[k]
		p, err := compile(t.net.b, trainingName(t.Plan), func(g *Graph) []*Node { return build(g, all, k) })
		if err != nil {
			return nil, err
		}
		t.programs[k] = p
	}
	return t.programs[k], nil
}

// buildStep is a whole step.
func (t *training) buildStep(g *Graph, all []step, k piece) []*Node {
	state, sum, cells, next := t.declareState(g)
	s := t.declareBatch(g, k)
	b := t.net.builder(g, true, state[:len(t.net.params)])
	total, count := pass(b, all, t.Plan, s)
	return t.finished(b, state, Add(sum, total), Add(cells, count), next, s.settings)
}

// buildSlice is forward and backward on a slice: the loss's sums, and the
// gradients of the trainable parameters, are added to.
func (t *training) buildSlice(g *Graph, all []step, k piece) []*Node {
	params := t.net.declare(g)
	sum, cells := declareLoss(g)
	var before []*Node
	if k == more {
		before = t.declareGradients(g)
	}
	b := t.net.builder(g, true, params)
	total, count := pass(b, all, t.Plan, t.declareBatch(g, k))
	t.fillGradients(b)
	out := []*Node{Add(sum, total), Add(cells, count)}
	for at, i := range t.Layout.Trainable {
		d := b.gradients[t.net.params[i].Key]
		if before != nil {
			d = Add(before[at], d)
		}
		out = append(out, d)
	}
	return out
}

// buildUpdate is the update behind the last slice.
func (t *training) buildUpdate(g *Graph, _ []step, _ piece) []*Node {
	state, sum, cells, next := t.declareState(g)
	b := t.net.builder(g, true, state[:len(t.net.params)])
	gradients := t.declareGradients(g)
	for at, i := range t.Layout.Trainable {
		b.gradients[t.net.params[i].Key] = gradients[at]
	}
	return t.finished(b, state, sum, cells, next, floats(g, "settings", device.SettingCount))
}

// declareGradients declares the trainable parameters' gradients.
func (t *training) declareGradients(g *Graph) []*Node {
	var out []*Node
	for _, i := range t.Layout.Trainable {
		p := t.net.params[i]
		out = append(out, floats(g, "gradient/"+p.Tensor, p.Shape...))
	}
	return out
}

// declareState declares all of the state.
func (t *training) declareState(g *Graph) (state []*Node, sum, cells, next *Node) {
	for _, a := range t.Layout.Tensors {
		state = append(state, floats(g, a.Name, a.Shape...))
	}
	sum, cells = declareLoss(g)
	return state, sum, cells, Parameter(g, "next step", shapes.Make(dtypes.Float64))
}

func declareLoss(g *Graph) (sum, cells *Node) {
	scalar := shapes.Make(dtypes.Float64)
	return Parameter(g, "loss sum", scalar), Parameter(g, "loss cells", scalar)
}

// batchNodes are a slice's inputs beside the state, as inputs gives them.
type batchNodes struct {
	seed         *Node
	settings     *Node // of a whole step
	first, cells *Node // of a slice
	real         *Node // see builder
	images       *Node // [rows, height, width, channels], pixels 0 to 255
	labels       *Node // [rows, 2*columns]
}

// declareBatch declares the inputs and takes the rows out of what is in the
// backend's memory, if it is there.
func (t *training) declareBatch(g *Graph, k piece) batchNodes {
	in, rows, width := t.Plan.Document.Input, t.Rows, t.width()
	var s batchNodes
	small := func() {
		s.seed = Parameter(g, "seed", shapes.Make(dtypes.Uint32, 2))
		if k == whole {
			s.settings = floats(g, "settings", device.SettingCount)
		} else {
			s.first = Parameter(g, "first row", shapes.Make(dtypes.Uint64))
			s.cells = floats(g, "filled cells")
		}
		if t.masked {
			s.real = floats(g, "rows that count", rows)
		}
	}
	if t.kept == nil {
		small()
		s.images = floats(g, "images", rows, in.Height, in.Width, in.Channels)
		s.labels = floats(g, "labels", rows, width)
		return s
	}
	images := Parameter(g, "images", shapes.Make(t.kept.dtype, t.kept.images.Count, in.Height, in.Width, in.Channels))
	labels := floats(g, "labels", t.empty+1, width)
	small()
	index := Parameter(g, "index", shapes.Make(dtypes.Int32, rows, 1))
	label := Parameter(g, "label", shapes.Make(dtypes.Int32, rows, 1))
	flips := Parameter(g, "flips", shapes.Make(dtypes.Uint8, rows))
	s.images, s.labels = ConvertDType(Gather(images, index), dtypes.Float32), Gather(labels, label)
	if t.Mirrored {
		turned := Equal(flips, Const(g, uint8(1)))
		s.images = Where(BroadcastToDims(Reshape(turned, rows, 1, 1, 1), s.images.Shape().Dimensions...), Reverse(s.images, 2), s.images)
	}
	return s
}

// pass goes forward and backward, leaves the gradients in b, and gives the loss's
// sum over the filled cells, and their number.
func pass(b *builder, all []step, plan *blueprint.Plan, s batchNodes) (sum, cells *Node) {
	if s.seed != nil {
		b.seed = s.seed
	}
	b.first, b.real = s.first, s.real
	columns := plan.Answers()
	target := Slice(s.labels, AxisRange(), AxisRange(0, columns))
	filled := Slice(s.labels, AxisRange(), AxisRange(columns, 2*columns))

	answer := forward(b, all, formula.Scaled(s.images, plan.Document.Input.Scaling), plan.Output)
	shape := answer.Shape().Dimensions // of boxes, a grid
	sum, cells, d := formula.Loss(plan.Member.Recipe.Loss, Reshape(answer, shape[0], columns), target, filled, s.cells)
	backward(b, all, Reshape(d, shape...), plan.Output)
	return ConvertDType(sum, dtypes.Float64), ConvertDType(cells, dtypes.Float64)
}

// finished gives the outputs of a step: the state behind the update by b's gradients.
func (t *training) finished(b *builder, state []*Node, sum, cells, next, settings *Node) []*Node {
	out := t.updateState(b, state, func(i int) *Node { return Reshape(Slice(settings, AxisElem(i))) })
	good := LessThan(Abs(sum), Const(b.g, math.MaxFloat64))
	if t.MaxLoss > 0 {
		good = LogicalAnd(good, LessOrEqual(sum, MulScalar(MaxScalar(cells, 1.0), t.MaxLoss)))
	}
	good = LogicalAnd(good, GreaterThan(next, ScalarZero(b.g, dtypes.Float64))) // once diverged, it stays so
	return append(out, sum, cells, Where(good, AddScalar(next, 1.0), Neg(Abs(next))))
}

// fillGradients gives those layers a gradient that the answer doesn't depend on.
func (t *training) fillGradients(b *builder) {
	for _, i := range t.Layout.Trainable {
		if key := t.net.params[i].Key; b.gradients[key] == nil {
			b.gradients[key] = ZerosLike(b.params[key])
		}
	}
}

// updateState gives the state after the step.
func (t *training) updateState(b *builder, state []*Node, h func(int) *Node) []*Node {
	l, o := t.Layout, t.Plan.Member.Recipe.Optimizer
	update, ok := formula.Rules[o.Kind]
	if !ok {
		panic(fmt.Errorf("optimizer %s: %w", o.Kind, device.ErrUnsupported))
	}
	out := slices.Clone(state)
	t.fillGradients(b)
	if o.Clip != nil {
		var learned []string
		for _, i := range l.Trainable {
			learned = append(learned, l.Params[i].Key)
		}
		formula.ClipNorm(b.gradients, learned, h(device.Clip))
	}
	for k, i := range l.Trainable {
		p := l.Params[i]
		mine := make([]*Node, len(l.Slots))
		for s := range mine {
			mine[s] = state[l.Slot(s, k)]
		}
		w, kept := update(o, p.Decay, state[i], b.gradients[p.Key], mine, h)
		out[i] = w
		for s := range kept {
			out[l.Slot(s, k)] = kept[s]
		}
	}
	for i, p := range l.Params {
		if u := b.updates[p.Key]; u != nil {
			out[i] = u
		}
	}
	if l.Averaged {
		decay, rest := h(device.AverageDecay), h(device.AverageRest)
		for i := range l.Params {
			at := l.Average(i)
			out[at] = Add(Mul(state[at], decay), Mul(out[i], rest))
		}
	}
	return out
}
