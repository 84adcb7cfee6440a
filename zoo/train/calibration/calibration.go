// Package calibration finds, of models that are trained, what their answers are off by on the mean, and how far off each is to be expected.
// It must not know how models are trained.
package calibration

import (
	"cmp"
	"context"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// rowsAtOnce is how many rows are answered at a time, so that their mirror images need little memory.
const rowsAtOnce = 1024

// A Calibration is of a model on the data that it has learned from. The answers are those that people get who don't say otherwise, with
// those for mirror images if all members ask for them.
type Calibration struct {
	Model   *model.Model
	Data    *dataset.Set
	Backend *backend.Backend
}

// each has a member answer rows, part by part.
func (c *Calibration) each(ctx context.Context, index int, rows []int, fn func(e *answer.Ensemble, part *dataset.Set, p *answer.Prediction) error) error {
	o := answer.Options{Backend: c.Backend, FlipAverage: answer.FlipAverage([]*model.Model{c.Model})}
	e, err := answer.Open(ctx, []*model.Model{c.Model.Alone(index)}, o)
	if err != nil {
		return err
	}
	defer e.Close()
	for some := range slices.Chunk(rows, rowsAtOnce) {
		part, err := c.Data.Select(some)
		if err != nil {
			return err
		}
		p, err := e.Answer(ctx, part, nil)
		if err != nil {
			return err
		}
		if err := fn(e, part, p); err != nil {
			return err
		}
	}
	return nil
}

// Shift is each column's mean error on the rows that a member has learned from, to a thousandth of a pixel. Where faces are mirrored, in
// training or for answers, that error is not learned away: a data set's labels are seldom mirror images of each other.
func (c *Calibration) Shift(ctx context.Context, index int) ([]float64, error) {
	member := &c.Model.Document.Members[index]
	rows, _, err := model.SplitRows(member, c.Data)
	if err != nil {
		return nil, err
	}
	columns := member.Columns
	sums, cells := make([]float64, len(columns)), make([]int, len(columns))
	var at []int // of the columns in the data
	for _, name := range columns {
		at = append(at, c.Data.Column(name))
	}
	err = c.each(ctx, index, rows, func(_ *answer.Ensemble, part *dataset.Set, p *answer.Prediction) error {
		for i := range part.Len() {
			truth, found := part.Row(i), p.Row(i)
			for k := range columns {
				if v := float64(truth[at[k]]); v == v { // filled
					sums[k], cells[k] = sums[k]+float64(found[k])-v, cells[k]+1
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	off := make([]float64, len(columns))
	for k := range columns {
		off[k] = math.Round(1000*sums[k]/float64(max(cells[k], 1))) / 1000
	}
	return off, nil
}

// Uncertainty tells how far off a member's answers are to be expected, by the rows that it has held out; nil where there are none.
func (c *Calibration) Uncertainty(ctx context.Context, index int) (*blueprint.Uncertainty, error) {
	member := &c.Model.Document.Members[index]
	_, held, err := model.SplitRows(member, c.Data)
	if err != nil || len(held) == 0 {
		return nil, err
	}
	plan, err := blueprint.NewPlan(c.Model.Document, index, nil)
	if err != nil {
		return nil, err
	}
	w, from := newWeighing(member.Columns, c.Data.Columns), plan.Signal()
	err = c.each(ctx, index, held, func(e *answer.Ensemble, part *dataset.Set, p *answer.Prediction) error {
		signal, err := e.Signal(ctx, 0, from, part)
		if err != nil {
			return err
		}
		n := len(member.Columns)
		for i := range part.Len() {
			w.add(p.Row(i), part.Row(i), signal[i*n:(i+1)*n])
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return w.uncertainty(from), nil
}

// Cells that are taken together to one point of a line, and how many points it has at most.
const (
	knotCells = 40
	mostKnots = 12
)

// A weighing gathers, for each column, how far answers are off, and what they say of it.
type weighing struct {
	at, partner []int // the column's place in the data; its other coordinate among the columns, or -1
	found       [][]float64
	said        [][]float64
}

func newWeighing(columns, data []string) *weighing {
	w := &weighing{found: make([][]float64, len(columns)), said: make([][]float64, len(columns))}
	for _, c := range columns {
		w.at = append(w.at, slices.Index(data, c))
		w.partner = append(w.partner, slices.Index(columns, blueprint.Partner(c)))
	}
	return w
}

// add takes a row: its answers by column, the data's points, and the signal.
func (w *weighing) add(answers, truth, signal []float32) {
	for c, at := range w.at {
		d := float64(answers[c]) - float64(truth[at])
		if k := w.partner[c]; k >= 0 {
			d = math.Hypot(d, float64(answers[k])-float64(truth[w.at[k]]))
		}
		if d == d { // both are filled
			w.found[c], w.said[c] = append(w.found[c], math.Abs(d)), append(w.said[c], float64(signal[c]))
		}
	}
}

// uncertainty makes a line of each column's. Those of few cells share one of all; nil: there is no cell.
func (w *weighing) uncertainty(from string) *blueprint.Uncertainty {
	if !slices.ContainsFunc(w.found, func(cells []float64) bool { return len(cells) > 0 }) {
		return nil
	}
	out := &blueprint.Uncertainty{From: from}
	signal, errors := line(slices.Concat(w.said...), slices.Concat(w.found...))
	for c := range w.found {
		s, e := signal, errors
		if len(w.found[c]) >= knotCells {
			s, e = line(w.said[c], w.found[c])
		}
		out.Signal, out.Error = append(out.Signal, s), append(out.Error, e)
	}
	return out
}

// line goes through the means of parts of as many cells each, from the least signal to the greatest, made to rise where it falls by the
// mean of what falls (isotonic regression; Ayer et al. 1955).
func line(said, found []float64) (signal, errors []float64) {
	order := make([]int, len(said))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(said[a], said[b]) })
	var knots []knot
	n := min(max(len(order)/knotCells, 1), mostKnots)
	for k := range n {
		var sum knot
		for _, i := range order[k*len(order)/n : (k+1)*len(order)/n] {
			sum = knot{sum.signal + said[i], sum.errors + found[i], sum.cells + 1}
		}
		knots = append(knots, sum)
		for m := len(knots); m > 1 && !knots[m-2].below(knots[m-1]); m-- {
			a, b := knots[m-2], knots[m-1]
			knots = append(knots[:m-2], knot{a.signal + b.signal, a.errors + b.errors, a.cells + b.cells})
		}
	}
	for _, k := range knots {
		cells := max(k.cells, 1)
		signal, errors = append(signal, rounded(k.signal/cells)), append(errors, rounded(k.errors/cells))
	}
	return distinct(signal, errors)
}

// A knot is some cells: the sums of their signals and errors.
type knot struct{ signal, errors, cells float64 }

// below tells whether both its means are less than another's.
func (k knot) below(o knot) bool {
	return k.signal*o.cells < o.signal*k.cells && k.errors*o.cells < o.errors*k.cells
}

// distinct leaves out a point that rounding has put where the one before is.
func distinct(signal, errors []float64) (s, e []float64) {
	for i := range signal {
		if i > 0 && signal[i] <= s[len(s)-1] {
			continue
		}
		s, e = append(s, signal[i]), append(e, errors[i])
	}
	return s, e
}

// rounded is as fine as it matters.
func rounded(v float64) float64 { return math.Round(v*1e3) / 1e3 }
