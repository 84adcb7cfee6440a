package answer

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/host/engine/backend"
	"github.com/fkzoo/fkzoo/internal/gate"
	"github.com/fkzoo/fkzoo/internal/weights"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/model"
	"github.com/fkzoo/fkzoo/zoo/request"
)

// ErrClosed is returned for a question to an ensemble that is closed.
var ErrClosed = errors.New("the models are closed")

// ErrBoxes is what a network matches that answers boxes, where points are asked for.
var ErrBoxes = errors.New("found a network whose answer is boxes, want one that answers points")

// Options say how models answer together.
type Options struct {
	Backend *backend.Backend
	// FlipAverage answers each image and its mirror image, and takes the mean.
	FlipAverage bool
	// Batch is how many images are answered at a time, what lacks being filled up:
	// one program for all calls. 0: the least power of two that holds a call's
	// images, at most [engine.PredictBatch]. The most is [MaxBatch].
	Batch int
	// Weights of the models, nil: not given. With them an answer is the weighted
	// mean of the models' own answers; without, the mean over all members by their
	// weights. A model of weight 0 isn't opened.
	Weights []float64
}

// A Tick, which may be nil, is told how much of the work is done; of an unknown
// total, -1.
type Tick func(done, total int)

// An Ensemble is models that are ready to answer together: planned, their weights
// on the backend. A program for a number of images at a time is compiled by the
// first question that needs it, and kept: see Warm. It may be asked by many
// goroutines at once. Close it, before its backend.
type Ensemble struct {
	models  []*model.Model // those that answer
	places  []int          // theirs among all that Open was given
	weights []float64      // theirs; nil: the members' alone count
	input   blueprint.Input
	o       Options
	members []*member

	asked   gate.Gate // questions under way
	onClose []func()
}

// Open makes models ready. Those that take images of different sizes can't
// answer together, nor those with a plan that the backend lacks a layer for.
func Open(ctx context.Context, models []*model.Model, o Options) (*Ensemble, error) {
	if err := checkBatch(o.Batch); err != nil {
		return nil, err
	}
	e := &Ensemble{o: o}
	if o.Weights != nil {
		if err := weights.Check(o.Weights, len(models)); err != nil {
			return nil, err
		}
	}
	for k, m := range models {
		if o.Weights != nil && o.Weights[k] == 0 {
			continue
		}
		e.models, e.places = append(e.models, m), append(e.places, k)
		if o.Weights != nil {
			e.weights = append(e.weights, o.Weights[k])
		}
	}
	var err error
	if e.input, err = model.InputOf(e.models); err != nil {
		return nil, err
	}
	for k, m := range e.models {
		for i := range m.Document.Members {
			if err = ctx.Err(); err == nil {
				err = e.open(k, i)
			}
			if err != nil {
				_ = e.Close()
				return nil, err
			}
		}
	}
	return e, nil
}

func (e *Ensemble) open(k, index int) error {
	m, err := openMember(e.models[k], index, e.input.Width, &e.o)
	if err == nil {
		m.model = k
		e.members = append(e.members, m)
	}
	return err
}

// Close frees what the ensemble has on the backend, once what it is asked now is
// answered, streams and the requests that it was given to to their end: so who
// hears a tick or takes answers must not call it. Closing it again does nothing.
func (e *Ensemble) Close() error {
	e.asked.Close(func() {
		for _, m := range e.members {
			m.predictor.Close()
			if m.maps != nil {
				m.maps.Close()
			}
		}
		for _, f := range e.onClose {
			f()
		}
	})
	return nil
}

// OnClose has f called, once, when the ensemble is closed. It is for who opened it.
func (e *Ensemble) OnClose(f func()) { e.onClose = append(e.onClose, f) }

// Enter begins what asks more than once; leave ends it, and what is asked with inside, the context that it gives, is a part
// of it: Close waits for all of it.
func (e *Ensemble) Enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	inside, leave, ok := e.asked.Enter(ctx)
	if !ok {
		return nil, nil, ErrClosed
	}
	return inside, leave, nil
}

// Models are those that answer: those that the ensemble was opened with, without
// those of weight 0.
func (e *Ensemble) Models() []*model.Model { return e.models }

// Place is where [Ensemble.Models]' model k stood among all that the ensemble was opened with, from 0.
func (e *Ensemble) Place(k int) int { return e.places[k] }

// Input is what all the models take.
func (e *Ensemble) Input() blueprint.Input { return e.input }

// Columns are those of the answers, in their order.
func (e *Ensemble) Columns() []string { return model.Columns(e.models) }

// Options are what the ensemble was opened with.
func (e *Ensemble) Options() Options { return e.o }

// Batch is how many images are answered at once where there are so many: as many as the options say, or else as suits.
func (e *Ensemble) Batch(images int) int { return cmp.Or(e.o.Batch, engine.BatchFor(images)) }

// views is how many times each image is answered.
func (e *Ensemble) views() int {
	if e.o.FlipAverage {
		return 2
	}
	return 1
}

// errNoSet is that of a question about nothing.
var errNoSet = request.Errorf("images", "found no set, want one")

// Answer answers a set with the mean of the models: over all members that
// give a column, by their weights. Columns are those of the first model, then
// what later ones add.
func (e *Ensemble) Answer(ctx context.Context, set *dataset.Set, tick Tick) (*Prediction, error) {
	all, err := e.Members(ctx, set, tick)
	if err != nil {
		return nil, err
	}
	return e.Mean(all, set.Len()), nil
}

// Members answers a set with each member by itself.
func (e *Ensemble) Members(ctx context.Context, set *dataset.Set, tick Tick) ([]MemberPrediction, error) {
	if set == nil {
		return nil, errNoSet
	}
	ctx, leave, err := e.Enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return e.answer(ctx, set, e.o.Batch, newProgress(e, set.Len(), tick))
}

// Warm compiles what a question of so many images needs, by answering a black one:
// the question then compiles nothing, be it of a set of so many or of parts.
func (e *Ensemble) Warm(ctx context.Context, images int) error {
	if images < 1 {
		return request.Errorf("images", "found %d to be ready for, want at least 1", images)
	}
	ctx, leave, err := e.Enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	black := &dataset.Set{Height: e.input.Height, Width: e.input.Width, Channels: e.input.Channels, IDs: []string{"black"},
		Bytes: make([]byte, e.input.Height*e.input.Width*e.input.Channels)}
	_, err = e.answer(ctx, black, e.Batch(images), newProgress(e, 1, nil))
	return err
}

// answer has each member answer the set, in batches of so many, within a question.
func (e *Ensemble) answer(ctx context.Context, set *dataset.Set, batch int, p *progress) ([]MemberPrediction, error) {
	views := []engine.Images{ImagesOf(set)}
	if e.o.FlipAverage {
		views = append(views, mirrored(views[0]))
	}
	out := make([]MemberPrediction, len(e.members))
	for i, m := range e.members {
		points, err := m.answer(ctx, set, views, batch, p.at)
		if err != nil {
			return nil, err
		}
		p.add(set.Len() * len(views))
		out[i] = MemberPrediction{Model: m.model, Member: m.index, Weight: m.of.MeanWeight(), Prediction: Prediction{m.of.Columns, points}}
	}
	return out, nil
}

// Mean is that of the members' answers to so many rows, as [Mean] has it, or, where the models have
// weights, of the models' own answers: for each row and column of those that have one.
func (e *Ensemble) Mean(all []MemberPrediction, rows int) *Prediction {
	if e.weights == nil {
		return Mean(all, rows)
	}
	var own []MemberPrediction
	for k, w := range e.weights {
		members := slices.DeleteFunc(slices.Clone(all), func(p MemberPrediction) bool { return p.Model != k })
		own = append(own, MemberPrediction{Model: k, Weight: w, Prediction: *Mean(members, rows)})
	}
	return Mean(own, rows)
}

// progress tells of answers that are done, one for each image, member and view.
type progress struct {
	tick        Tick
	done, total int
}

// newProgress is that of answering so many images; -1: their number isn't known.
func newProgress(e *Ensemble, images int, tick Tick) *progress {
	p := &progress{tick: tick, total: -1}
	if images >= 0 {
		p.total = len(e.members) * images * e.views()
	}
	return p
}

// at tells of so many more.
func (p *progress) at(answers int) {
	if p.tick != nil {
		p.tick(p.done+answers, p.total)
	}
}

func (p *progress) add(answers int) { p.done += answers }
