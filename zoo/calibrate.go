package zoo

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
)

// calibrationRows is how many rows are answered at a time, so that their mirror images need little memory.
const calibrationRows = 1024

// calibrate takes from each column its mean error on the rows that the member has learned from, to a thousandth of a
// pixel. Where faces are mirrored, in training or for answers, that error is not learned away: a data set's labels are
// seldom mirror images of each other. The answers are those that people get, with those for mirror images if the
// blueprint asks for them.
func (r *memberRun) calibrate(ctx context.Context, train []int) error {
	o := PredictOptions{Backend: r.TrainOptions.Backend, FlipAverage: r.plan.Member.Output.FlipAverage}
	a, err := newAnswerer([]*Model{r.model}, 0, r.index, r.Data.Width, o)
	if err != nil {
		return err
	}
	defer a.close()
	columns := r.plan.Columns
	sums, cells := make([]float64, len(columns)), make([]int, len(columns))
	for rows := range slices.Chunk(train, calibrationRows) {
		part, err := r.Data.Select(rows)
		if err != nil {
			return err
		}
		p, err := a.answer(ctx, part, viewsOf(part, o), func(int) {})
		if err != nil {
			return err
		}
		for i := range rows {
			truth, found := part.Row(i), p.Row(i)
			for k, c := range columns {
				if v := float64(truth[part.Column(c)]); v == v {
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
	r.Watch.Note(fmt.Sprintf("%s: calibrated: %.3f pixels are taken from %s, and no more from the other columns", r.plan.Member.Name, off[most], columns[most]))
	d := r.model.Document.Clone()
	shift := &d.Members[r.index].Output.Shift
	if *shift == nil {
		*shift = make([]float64, len(columns))
	}
	for k, v := range off {
		(*shift)[k] -= v
	}
	r.model.Document = d
	return r.measureShifted(ctx, a.predictor, off)
}

// measureShifted measures anew the rows held out, as at the end of an epoch: without mirror images.
func (r *memberRun) measureShifted(ctx context.Context, p *engine.Predictor, off []float64) error {
	if len(r.validation) == 0 {
		return nil
	}
	points, err := p.Predict(ctx, imagesOf(r.Data), r.validation, nil)
	if err != nil {
		return err
	}
	n := len(off)
	for i := range points {
		points[i] -= float32(off[i%n])
	}
	score := r.scorer().compare(r.plan.Columns, r.validation, func(i int) []float32 { return points[i*n : (i+1)*n] })
	h := &r.history().HeldOut
	h.Loss, h.RMSEPixels = score.Loss, score.RMSEPixels
	return nil
}
