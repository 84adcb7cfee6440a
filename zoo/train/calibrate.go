package train

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// calibrationRows is how many rows are answered at a time, so that their mirror images need little memory.
const calibrationRows = 1024

// calibrate does it with the members whose recipes say so, once all are trained: a checkpoint, whose weights aren't those in
// the end, has no shift. What fails here is no reason to lose the training.
func (t *training) calibrate(ctx context.Context) {
	for i := range t.model.Document.Members {
		m := &t.model.Document.Members[i]
		if !m.Recipe.Calibrate {
			continue
		}
		if err := t.calibrateMember(ctx, i); err != nil {
			t.Watch.Warn(fmt.Sprintf("%s: not calibrated: %v", m.Name, err))
		}
	}
}

// calibrateMember takes from each column its mean error on the rows that the member has learned from, to a thousandth of a
// pixel. Where faces are mirrored, in training or for answers, that error is not learned away: a data set's labels are
// seldom mirror images of each other. The answers are those that people get who don't say otherwise, with those for
// mirror images if all members ask for them. The figures of the training's own validation stay as they are.
func (t *training) calibrateMember(ctx context.Context, index int) error {
	member := &t.model.Document.Members[index]
	train, _, err := model.SplitRows(member, t.Data)
	if err != nil {
		return err
	}
	o := answer.Options{Backend: t.Options.Backend, FlipAverage: answer.FlipAverage([]*model.Model{t.model})}
	e, err := answer.Open(ctx, []*model.Model{t.model.Alone(index)}, o)
	if err != nil {
		return err
	}
	defer e.Close()
	columns := member.Columns
	sums, cells := make([]float64, len(columns)), make([]int, len(columns))
	var at []int // of the columns in the data
	for _, c := range columns {
		at = append(at, t.Data.Column(c))
	}
	for rows := range slices.Chunk(train, calibrationRows) {
		part, err := t.Data.Select(rows)
		if err != nil {
			return err
		}
		p, err := e.Answer(ctx, part, nil)
		if err != nil {
			return err
		}
		for i := range rows {
			truth, found := part.Row(i), p.Row(i)
			for k := range columns {
				if v := float64(truth[at[k]]); v == v { // filled
					sums[k], cells[k] = sums[k]+float64(found[k])-v, cells[k]+1
				}
			}
		}
	}
	off, most := make([]float64, len(columns)), 0
	for k := range columns {
		off[k] = math.Round(1000*sums[k]/float64(max(cells[k], 1))) / 1000
		if math.Abs(off[k]) > math.Abs(off[most]) {
			most = k
		}
	}
	t.Watch.Note(fmt.Sprintf("%s: calibrated: each column's mean error on the rows trained on is taken from the answers, at most %.3f pixels (%s)",
		member.Name, math.Abs(off[most]), columns[most]))
	d := t.model.Document.Clone()
	shift := &d.Members[index].Output.Shift
	if len(*shift) == 0 {
		*shift = make([]float64, len(columns))
	}
	for k, v := range off {
		(*shift)[k] -= v
	}
	t.model.Document = d
	return nil
}
