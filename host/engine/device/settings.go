package device

import (
	"cmp"
	"math"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Settings are a step's numbers as its schedules have them there.
type Settings [SettingCount]float32

// The settings' places.
const (
	Rate = iota
	Momentum
	Beta1
	Beta2
	Epsilon
	Decay
	Clip
	Correct1 // 1 - beta1^t, Adam's bias corrections
	Correct2
	Rest1 // 1 - beta, which float32 can't give from beta
	Rest2
	AverageDecay // the moving average's decay, and 1 - that
	AverageRest
	SettingCount
)

// SettingsAt gives a recipe's settings at a place in the training.
func SettingsAt(r *blueprint.Recipe, at blueprint.Progress) *Settings {
	o := r.Optimizer.Defaults()
	var v Settings
	set := func(i int, s *blueprint.Schedule) {
		if s != nil {
			v[i] = float32(s.At(at))
		}
	}
	set(Rate, &r.Rate)
	set(Momentum, o.Momentum)
	set(Beta1, o.Beta1)
	set(Beta2, o.Beta2)
	set(Epsilon, o.Epsilon)
	set(Decay, o.Decay)
	set(Clip, o.Clip)
	v[Clip] = cmp.Or(v[Clip], math.MaxFloat32)
	t := float64(at.Step + 1)
	v[Correct1] = float32(1 - math.Pow(o.Beta1.At(at), t))
	v[Correct2] = float32(1 - math.Pow(o.Beta2.At(at), t))
	v[Rest1], v[Rest2] = float32(1-o.Beta1.At(at)), float32(1-o.Beta2.At(at))
	if r.Average != nil {
		decay := r.Average.At(at)
		v[AverageDecay], v[AverageRest] = float32(decay), float32(1-decay)
	}
	return &v
}

// LossWidths are huber's and wing's settings, defaults filled in.
func LossWidths(l blueprint.Loss) (delta, epsilon float64) {
	l = l.Defaults()
	return l.Delta, l.Epsilon
}
