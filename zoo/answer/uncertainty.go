package answer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

// Expected answers a set as [Ensemble.Answer] does, and tells how far off each answer is expected to be: [rows, columns], in pixels of
// the set's images, NaN where no member knows. Of several members it is the mean, by their weights.
func (e *Ensemble) Expected(ctx context.Context, set *dataset.Set, tick Tick) (*Prediction, []float32, error) {
	p, err := e.Answer(ctx, set, tick)
	if err != nil {
		return nil, nil, err
	}
	all := make([]MemberPrediction, 0, len(e.members))
	for _, m := range e.members {
		errors, err := e.expected(ctx, m, set)
		if err != nil {
			return nil, nil, err
		}
		all = append(all, MemberPrediction{Model: m.model, Member: m.index, Weight: m.of.MeanWeight(), Prediction: Prediction{m.of.Columns, errors}})
	}
	return p, e.Mean(all, set.Len()).Points, nil
}

func (e *Ensemble) expected(ctx context.Context, m *member, set *dataset.Set) ([]float32, error) {
	u := m.of.Output.Uncertainty
	columns := len(m.of.Columns)
	out := make([]float32, set.Len()*columns)
	if u == nil {
		for i := range out {
			out[i] = float32(math.NaN())
		}
		return out, nil
	}
	signal, err := e.signal(ctx, m, u.From, set)
	if err != nil {
		return nil, err
	}
	for i, s := range signal {
		out[i] = float32(u.Expected(i%columns, float64(s)))
	}
	return out, nil
}

// Signal is what a model's member has to say about how far off its answers to a set are, by the name of one of [blueprint.Signals]:
// [rows, columns], in pixels of the set's images.
func (e *Ensemble) Signal(ctx context.Context, member int, from string, set *dataset.Set) ([]float32, error) {
	return e.signal(ctx, e.members[member], from, set)
}

func (e *Ensemble) signal(ctx context.Context, m *member, from string, set *dataset.Set) ([]float32, error) {
	ctx, leave, err := e.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if set.Len() > rowsAtOnce {
		return e.signalInParts(ctx, m, from, set)
	}
	switch from {
	case "heat_map":
		return m.spreads(ctx, e.o, set)
	case "mirror":
		return m.mirrorGaps(ctx, e.o.Batch, set, e.input.Width)
	case "none":
		return make([]float32, set.Len()*len(m.of.Columns)), nil
	}
	return nil, m.wrong(fmt.Errorf("uncertainty: found %q, want one of %s", from, strings.Join(blueprint.Signals.Names(), ", ")))
}

// rowsAtOnce is how many rows are asked for signals at a time: a face's heat maps take as much memory as four faces.
const rowsAtOnce = 512

func (e *Ensemble) signalInParts(ctx context.Context, m *member, from string, set *dataset.Set) (out []float32, err error) {
	for first := 0; first < set.Len(); first += rowsAtOnce {
		part, err := e.signal(ctx, m, from, set.View(first, min(first+rowsAtOnce, set.Len())))
		if err != nil {
			return nil, err
		}
		out = append(out, part...)
	}
	return out, nil
}

// mirrorGaps are the distances between the answers and those for the mirror images.
func (m *member) mirrorGaps(ctx context.Context, batch int, set *dataset.Set, width int) ([]float32, error) {
	flip, err := FlipOf(m.of, width)
	if err != nil {
		return nil, m.wrong(err)
	}
	images := ImagesOf(set)
	points, err := m.predictor.PredictIn(ctx, batch, images, nil, nil)
	if err != nil {
		return nil, m.wrong(err)
	}
	flipped, err := m.predictor.PredictIn(ctx, batch, mirrored(images), nil, nil)
	if err != nil {
		return nil, m.wrong(err)
	}
	n := len(m.of.Columns)
	gaps := make([]float64, len(points))
	for at := 0; at < len(points); at += n {
		for c, from := range flip.From {
			gaps[at+c] = float64(points[at+c]) - (flip.Sign[c]*float64(flipped[at+from]) + flip.Add[c])
		}
	}
	partner := partners(m.of.Columns)
	out := make([]float32, len(gaps))
	for i, v := range gaps {
		if k := partner[i%n]; k >= 0 {
			v = math.Hypot(v, gaps[i-i%n+k])
		}
		out[i] = float32(math.Abs(v))
	}
	return out, nil
}

// partners are each column's other coordinate, or -1.
func partners(columns []string) []int {
	out := make([]int, len(columns))
	for i, c := range columns {
		out[i] = slices.Index(columns, blueprint.Partner(c))
	}
	return out
}

// spreads are how far the points' heat maps reach.
func (m *member) spreads(ctx context.Context, o Options, set *dataset.Set) ([]float32, error) {
	node, temperature, ok := m.plan.Maps()
	if !ok {
		return make([]float32, set.Len()*len(m.of.Columns)), nil
	}
	maps, err := m.heatMaps(o, node)
	if err != nil {
		return nil, m.wrong(err)
	}
	values, err := maps.PredictIn(ctx, o.Batch, ImagesOf(set), nil, nil)
	if err != nil {
		return nil, m.wrong(err)
	}
	shape := m.plan.Nodes[node].Out
	scale, _ := m.plan.Affine()
	out := make([]float32, set.Len()*len(m.of.Columns))
	for row := range set.Len() {
		image := values[row*int(shape.Size()):][:shape.Size()]
		for k := range shape[2] {
			s := float32(scale * spread(image, shape, k, temperature))
			out[row*len(m.of.Columns)+2*k], out[row*len(m.of.Columns)+2*k+1] = s, s
		}
	}
	return out, nil
}

// spread is the standard deviation of a map's softmax around its mean position, in halves of the image's width.
func spread(maps []float32, shape blueprint.Shape, k int, temperature float64) float64 {
	h, w, c := shape[0], shape[1], shape[2]
	most := math.Inf(-1)
	for at := k; at < len(maps); at += c {
		most = max(most, float64(maps[at]))
	}
	var sum, x, y, xx, yy float64
	for row := range h {
		v := float64(2*row+1)/float64(h) - 1
		for column := range w {
			u := float64(2*column+1)/float64(w) - 1
			p := math.Exp((float64(maps[(row*w+column)*c+k]) - most) / temperature)
			sum += p
			x, y, xx, yy = x+p*u, y+p*v, xx+p*u*u, yy+p*v*v
		}
	}
	x, y = x/sum, y/sum
	return math.Sqrt(max(0, xx/sum-x*x+yy/sum-y*y))
}

// heatMaps opens the network as far as its heat maps, once.
func (m *member) heatMaps(o Options, node int) (*engine.Predictor, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.maps == nil {
		p, err := engine.NewPredictor(o.Backend, m.plan.Upto(node), m.weights)
		if err != nil {
			return nil, err
		}
		m.maps = p
	}
	return m.maps, nil
}
