package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/fkzoo/fkzoo/host/engine"
	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/answer"
	"github.com/fkzoo/fkzoo/zoo/model"
)

// RateSweep is what a learning-rate range test of one member gave: Smith,
// Cyclical Learning Rates for Training Neural Networks, 2017, section 3.3, with
// the rate rising exponentially.
type RateSweep struct {
	Member   string    `json:"member"`
	Rates    []float64 `json:"rates"`    // of each batch
	Losses   []float64 `json:"losses"`   // of each batch, before its step
	Smoothed []float64 `json:"smoothed"` // exponential moving average of the losses, without the start's bias
	// Steepest is where the smoothed loss falls fastest over the rate's
	// logarithm, Least where it is least.
	Steepest float64 `json:"steepest"`
	Least    float64 `json:"least"`
	// Suggested is a tenth of Least, where training is fast and still well away
	// from where it breaks down.
	Suggested float64 `json:"suggested"`
	// BrokeDown tells that the loss did, before the highest rate. Where it didn't,
	// the network may have died on the way, answering every face with the same
	// points, which no rate makes worse: the suggestion is then worth little.
	BrokeDown bool `json:"broke_down"`
}

// The sweep.
const (
	sweepFrom    = 1e-6
	sweepTo      = 10.0
	sweepBatches = 140  // 20 for each power of ten
	sweepMemory  = 0.9  // of the moving average
	sweepEnd     = 2.0  // times the least smoothed loss: it has broken down
	sweepSettle  = 10   // batches before the smoothed loss says something
	sweepDivide  = 10.0 // of Least, for Suggested
)

// FindRate sweeps the learning rate for each member, with all else as its recipe
// says for the beginning, and gives what it found. tick, which may be nil, is told
// the batches done. Nothing is written.
func FindRate(ctx context.Context, o Options, tick func(done, total int)) ([]*RateSweep, error) {
	if o.Watch == nil {
		o.Watch = silent{}
	}
	t := &training{Options: o}
	if err := t.begin(); err != nil {
		return nil, err
	}
	resident, err := engine.Upload(o.Backend, engine.Examples{Images: answer.ImagesOf(o.Data), Columns: o.Data.Columns, Points: o.Data.Points})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Data.Source, err)
	}
	defer resident.Close()
	var out []*RateSweep
	members := len(t.model.Document.Members)
	for i := range members {
		s, err := t.sweep(ctx, resident, i, func(done int) {
			if tick != nil {
				tick(i*sweepBatches+done, members*sweepBatches)
			}
		})
		if err != nil {
			return nil, fmt.Errorf("member %s: %w", t.model.Document.Members[i].Name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

func (t *training) sweep(ctx context.Context, data *engine.Resident, index int, tick func(done int)) (*RateSweep, error) {
	d := t.model.Document.Clone()
	train, _, err := model.SplitRows(&d.Members[index], t.Data)
	if err != nil {
		return nil, err
	}
	r := &d.Members[index].Recipe
	epochs, err := model.EpochsOn(&d.Members[index], t.Data)
	if err != nil {
		return nil, err
	}
	steps := (len(train) + r.Batch - 1) / r.Batch
	factor := math.Pow(sweepTo/sweepFrom, 1/float64(sweepBatches-1))
	r.Rate = blueprint.Schedule{Kind: "step", From: sweepFrom, Factor: factor, Every: 1 / float64(steps), By: "step"}
	plan, err := blueprint.NewPlan(d, index, nil)
	if err != nil {
		return nil, err
	}
	// As many epochs as the recipe's, so that its other schedules are at their beginning.
	config := engine.Config{Plan: plan, Rows: train, Epochs: max(epochs, sweepBatches/steps+1), Seed: r.Seed, Weights: maps.Clone(t.model.Weights)}
	trainer, err := engine.NewTrainer(data, config)
	if err != nil {
		return nil, err
	}
	defer trainer.Close()
	s := &RateSweep{Member: plan.Member.Name}
	running, stop := context.WithCancel(ctx)
	defer stop()
	var failed error
	for running.Err() == nil {
		epoch, _ := trainer.Position()
		var sum, cells float64 // before the batch
		_, err := trainer.Epoch(running, func(done, _ int) {
			now, filled, err := trainer.Loss()
			if err != nil {
				failed = err
				stop()
				return
			}
			rate := r.Rate.At(blueprint.Progress{Epoch: epoch, Epochs: config.Epochs, Step: epoch*steps + done - 1, StepsPerEpoch: steps})
			more := s.add(rate, (now-sum)/max(filled-cells, 1))
			sum, cells = now, filled
			tick(len(s.Rates))
			if !more {
				stop()
			}
		})
		if failed != nil {
			return nil, failed
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, engine.ErrDiverged) {
			return nil, err
		}
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return s, s.suggest()
}

// add takes a batch's figures; it tells whether the sweep goes on.
func (s *RateSweep) add(rate, loss float64) bool {
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return false
	}
	n := len(s.Losses)
	average := 0.0
	if n > 0 { // with the bias that the start has
		average = s.Smoothed[n-1] * (1 - math.Pow(sweepMemory, float64(n)))
	}
	average = sweepMemory*average + (1-sweepMemory)*loss
	s.Rates, s.Losses = append(s.Rates, rate), append(s.Losses, loss)
	s.Smoothed = append(s.Smoothed, average/(1-math.Pow(sweepMemory, float64(n+1))))
	n++
	least := math.Inf(1)
	for _, v := range s.Smoothed {
		least = min(least, v)
	}
	return n < sweepBatches && (n < sweepSettle || s.Smoothed[n-1] <= sweepEnd*least)
}

// suggest finds the rates that the curve speaks for.
func (s *RateSweep) suggest() error {
	n := len(s.Rates)
	if n < sweepSettle {
		return fmt.Errorf("%w: the loss broke down at the rate %.3g, after %d batches, where no rate should: look at the data and the blueprint", engine.ErrDiverged, s.lastRate(), n)
	}
	s.BrokeDown = n < sweepBatches
	least, steepest, fall := 0, 0, 0.0
	for i, v := range s.Smoothed {
		if v < s.Smoothed[least] {
			least = i
		}
	}
	for i := sweepSettle; i <= least; i++ {
		if d := s.Smoothed[i] - s.Smoothed[i-1]; d < fall { // the rates' logarithms are evenly apart
			steepest, fall = i, d
		}
	}
	if steepest == 0 {
		return errors.New("found no rate at which the loss falls: look at the data and the blueprint")
	}
	s.Steepest, s.Least, s.Suggested = s.Rates[steepest], s.Rates[least], s.Rates[least]/sweepDivide
	return nil
}

func (s *RateSweep) lastRate() float64 {
	if len(s.Rates) == 0 {
		return sweepFrom
	}
	return s.Rates[len(s.Rates)-1]
}
