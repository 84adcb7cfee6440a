package train

import (
	"context"

	"github.com/fkzoo/fkzoo/zoo/model"
)

const SweepSettle = sweepSettle

var FiniteWeights = finiteWeights

// Calibrated calibrates a model as at the end of a training.
func Calibrated(ctx context.Context, o Options, m *model.Model) {
	(&training{Options: o, model: m}).calibrate(ctx)
}

// Training is one that tells which checkpoints are kept.
type Training struct{ of training }

// NewTraining is one that has not begun.
func NewTraining(w Watcher) *Training { return &Training{training{Options: Options{Watch: w}}} }

func (t *Training) CannotKeep(path string, err error) { t.of.cannotKeep(path, err) }

func (t *Training) TellKept(m *model.Model, path string, best bool) { t.of.tellKept(m, path, best) }

func (s *RateSweep) Add(rate, loss float64) bool { return s.add(rate, loss) }

func (s *RateSweep) Suggest() error { return s.suggest() }
