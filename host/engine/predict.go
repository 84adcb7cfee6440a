package engine

import (
	"context"
	"fmt"
	"sync"

	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/host/engine/device"
	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// PredictBatch is how many images are predicted at a time if nobody says
// otherwise, fewer where there are fewer: memory stays flat, and each backend is
// near its best speed.
const PredictBatch = 64

// Predictor answers images with one member's network. Its methods may be called
// from several goroutines at once: the weights are uploaded once, and a number of
// images at a time is compiled for once, by the first call that needs it.
type Predictor struct {
	network device.Network
	answerer
}

// NewPredictor puts a member's weights on a backend.
func NewPredictor(b *backend.Backend, plan *blueprint.Plan, weights Arrays) (*Predictor, error) {
	return newPredictor(deviceOf(b), plan, weights)
}

func newPredictor(d device.Device, plan *blueprint.Plan, weights Arrays) (*Predictor, error) {
	var values [][]float32
	for _, p := range device.Params(plan) {
		a, err := weights.take(p.Tensor, p.Shape)
		if err != nil {
			return nil, err
		}
		values = append(values, a.Data)
	}
	network, err := d.Load(plan, values)
	if err != nil {
		return nil, err
	}
	return &Predictor{network: network, answerer: answerer{plan: plan, answer: network.Answer}}, nil
}

// Close frees the predictor's memory on the backend, once the batches under way
// are done; calls that have more to do, and those to come, return ErrClosed.
func (p *Predictor) Close() { p.network.Close() }

// Predict answers the images of these rows (nil: all) with coordinates in
// pixels of the network's input, [rows, columns]. tick, which may be nil, is
// told how many rows are done.
func (p *Predictor) Predict(ctx context.Context, im Images, rows []int, tick func(done int)) ([]float32, error) {
	return p.PredictIn(ctx, 0, im, rows, tick)
}

// PredictIn predicts so many images at a time, always: what lacks is filled with
// zeros, so that images that come in parts need one program. 0 is the least power
// of two that holds the call's images, at most PredictBatch.
func (p *Predictor) PredictIn(ctx context.Context, batch int, im Images, rows []int, tick func(done int)) ([]float32, error) {
	if batch < 0 {
		return nil, fmt.Errorf("batch: found %d images, want at least 1, or 0 for as many as suit the call", batch)
	}
	return p.all(ctx, im, rows, batch, tick)
}

// BatchFor is the batch in which that many images are predicted.
func BatchFor(images int) int {
	batch := 1
	for batch < min(PredictBatch, images) {
		batch *= 2
	}
	return batch
}

// answerer cuts images into batches, and turns a network's answers into pixels.
type answerer struct {
	plan   *blueprint.Plan
	answer func(pixels []float32, rows int) ([]float32, error)
	room   sync.Pool // of *[]float32: a batch's pixels
}

// all answers the images of these rows, a batch at a time; see Predictor.PredictIn.
func (a *answerer) all(ctx context.Context, im Images, rows []int, batch int, tick func(done int)) ([]float32, error) {
	in := a.plan.Document.Input
	if err := im.Check(in.Height, in.Width, in.Channels); err != nil {
		return nil, err
	}
	if rows == nil {
		rows = make([]int, im.Count)
		for i := range rows {
			rows[i] = i
		}
	}
	if err := im.CheckRows(rows); err != nil {
		return nil, err
	}
	columns := a.plan.Answers()
	scale, offsets := 1.0, make([]float64, columns)
	if !a.plan.Raw() {
		scale, offsets = a.plan.Affine()
	}
	out := make([]float32, len(rows)*columns)
	if batch == 0 {
		batch = BatchFor(len(rows))
	}
	for from := 0; from < len(rows); from += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		part := rows[from:min(from+batch, len(rows))]
		y, err := a.some(im, part, batch)
		if err != nil {
			return nil, err
		}
		for i := range part {
			for c := range columns {
				out[(from+i)*columns+c] = float32(float64(y[i*columns+c])*scale + offsets[c])
			}
		}
		if tick != nil {
			tick(from + len(part))
		}
	}
	return out, nil
}

// some answers up to size images; what is missing is filled with zeros, since
// no image's answer depends on another's.
func (a *answerer) some(im Images, rows []int, size int) ([]float32, error) {
	n := im.Pixels()
	room, _ := a.room.Get().(*[]float32)
	if room == nil || len(*room) < size*n {
		pixels := make([]float32, size*n)
		room = &pixels
	}
	defer a.room.Put(room)
	pixels := (*room)[:size*n]
	clear(pixels[len(rows)*n:])
	im.Fill(pixels, rows)
	return a.answer(pixels, size)
}
