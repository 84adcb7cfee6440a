package answer

import (
	"context"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// PartBatches is how many batches are read at a time, where images stream by: a
// part is in use while the next is read.
const PartBatches = 4

// A Stream answers parts of a source that come one after the other, all in
// batches of one size, so that the last part, which is smaller, needs no program
// of its own. It is for one goroutine. Close it: the ensemble waits for that.
type Stream struct {
	e        *Ensemble
	done     func()
	batch    int
	fixed    bool
	progress *progress
}

// Stream begins to answer a source of so many images, -1 where their number isn't
// known, in batches of so many; 0: the ensemble's own, or else what the largest
// part so far fills.
func (e *Ensemble) Stream(ctx context.Context, images, batch int, tick Tick) (*Stream, error) {
	if err := checkBatch(batch); err != nil {
		return nil, err
	}
	_, done, err := e.Enter(ctx)
	if err != nil {
		return nil, err
	}
	if batch == 0 {
		batch = e.o.Batch
	}
	return &Stream{e: e, done: done, batch: batch, fixed: batch > 0, progress: newProgress(e, images, tick)}, nil
}

// Close ends the stream: nothing more is asked. Closing it again does nothing.
func (s *Stream) Close() { s.done() }

// Answer answers the next part, as [Ensemble.Answer] does.
func (s *Stream) Answer(ctx context.Context, part *dataset.Set) (*Prediction, error) {
	if part == nil {
		return nil, errNoSet
	}
	if !s.fixed {
		s.batch = max(s.batch, engine.BatchFor(part.Len()))
	}
	all, err := s.e.answer(ctx, part, s.batch, s.progress)
	if err != nil {
		return nil, err
	}
	return s.e.Mean(all, part.Len()), nil
}

// Receiver takes answers for images that stream by.
type Receiver interface {
	// Begin comes first, before the backend is opened: an error ends the request.
	Begin(columns []string, images *dataset.Source) error
	// Part takes the answers for some of the images, in their order; both are good only until it returns.
	Part(images *dataset.Set, answers *Prediction) error
}

// Each answers images as [Ensemble.Answer] does, but as they stream by: fn is
// given them in parts, in their order, each with its answers. A part is good only
// until fn returns. Memory doesn't grow with the number of images, and while one
// part is answered the next is read.
func (e *Ensemble) Each(ctx context.Context, images *dataset.Source, tick Tick, fn func(part *dataset.Set, p *Prediction) error) error {
	switch {
	case images == nil:
		return request.Errorf("images", "found no source, want one")
	case fn == nil:
		return request.Errorf("answers", "found no function to take them, want one")
	}
	s, err := e.Stream(ctx, images.Count, 0, tick)
	if err != nil {
		return err
	}
	defer s.Close()
	batch := max(engine.PredictBatch, e.o.Batch)
	_, _, err = images.Stream(ctx, PartBatches*batch, func(part *dataset.Set) error {
		p, err := s.Answer(ctx, part)
		if err != nil {
			return err
		}
		return fn(part, p)
	})
	return err
}
