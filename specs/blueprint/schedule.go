package blueprint

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/specs/record"
)

// Schedule is the value of a setting in the course of training. In JSON, a
// number stands for a constant. Its fields are the settings of [Schedules].
type Schedule struct {
	Kind   string  `json:"kind"` // one of [Schedules]
	From   float64 `json:"from"`
	To     float64 `json:"to,omitempty"`
	Factor float64 `json:"factor,omitempty"`
	Every  float64 `json:"every,omitempty"`  // epochs
	Warmup float64 `json:"warmup,omitempty"` // epochs
	By     string  `json:"by,omitempty"`
	Extra  Extra   `json:"-"`
}

// ScheduleKind is one row of [Schedules].
type ScheduleKind struct {
	Row
	// value is the schedule's at moment i, counted from 0, of n; an epoch has so many.
	value func(s *Schedule, i, n, perEpoch float64) float64
	// spans says that the schedule runs from the first epoch to the last, so that
	// another number of epochs changes it at every moment.
	spans bool
	// warms says that value heeds the warm-up itself; else it is multiplied by a ramp.
	warms bool
}

var (
	from   = Setting{Name: "from", Type: TypeValue, Help: "the first value"}
	to     = Setting{Name: "to", Type: TypeValue, Default: 0.0, Help: "the last value"}
	warmup = number("warmup", 0, 0, maxEpochs, "epochs in which the value first rises linearly to the schedule's own")
	by     = choice("by", "epoch", []string{"epoch", "step"}, `"epoch": changes between epochs; "step": between batches`)
)

// Schedules are the kinds of schedule; p runs from 0 at the first epoch (or
// step) to 1 at the last.
var Schedules = Table[ScheduleKind]{
	{Row: Row{"constant", "from", []Setting{from, warmup, by}},
		value: func(s *Schedule, _, _, _ float64) float64 { return s.From }},
	{Row: Row{"linear", "from + (to-from)*p", []Setting{from, to, warmup, by}}, spans: true,
		value: func(s *Schedule, i, n, _ float64) float64 {
			p := share(i, n)
			return s.From*(1-p) + s.To*p // exact at both ends
		}},
	{Row: Row{"cosine", "to + (from-to)*(1+cos(pi*p))/2", []Setting{from, to, warmup, by}}, spans: true,
		value: func(s *Schedule, i, n, _ float64) float64 { return cosine(s.From, s.To, share(i, n)) }},
	{Row: Row{"step", "from * factor^floor(epochs done / every)", []Setting{from,
		{Name: "factor", Type: TypeFloat, Min: 1e-6, Max: 1e4, Help: "what the value is multiplied by"},
		{Name: "every", Type: TypeFloat, Min: 1e-6, Max: maxEpochs, Help: "after so many epochs"}, warmup, by}},
		value: func(s *Schedule, i, _, perEpoch float64) float64 {
			const rounding = 1e-9 // 0.3/0.1 is a little under 3
			return s.From * math.Pow(s.Factor, math.Floor(i/perEpoch/s.Every+rounding))
		}},
	{Row: Row{"one_cycle", "cosine from from/25 up to from at the end of the warm-up, then cosine down to from/250000 at the last: Smith and Topin 2018, as PyTorch's OneCycleLR",
		[]Setting{from.says("the peak"), warmup.says("epochs up to the peak; 0 stands for 0.3 of all"), by}},
		value: oneCycle, spans: true, warms: true},
}

// Constant is a schedule that never changes.
func Constant(v float64) Schedule { return Schedule{Kind: "constant", From: v} }

// Linear is a schedule that goes evenly from one value to another.
func Linear(from, to float64) Schedule { return Schedule{Kind: "linear", From: from, To: to} }

// Progress is a moment in training, before a step.
type Progress struct {
	Epoch         int // done so far
	Epochs        int // in all
	Step          int // done so far, over all epochs
	StepsPerEpoch int
}

// At gives the share of the old average that is kept at a moment: the decay, after
// t steps at most (1+t)/(10+t), so that the first weights don't linger, as the
// num_updates of TensorFlow's tf.train.ExponentialMovingAverage does.
func (a *Average) At(at Progress) float64 {
	t := float64(at.Step)
	return min(a.Decay.At(at), (1+t)/(10+t))
}

// At gives the schedule's value at a moment.
func (s *Schedule) At(at Progress) float64 {
	if s.By != "step" {
		return s.value(float64(at.Epoch), float64(at.Epochs), 1)
	}
	perEpoch := float64(max(at.StepsPerEpoch, 1))
	return s.value(float64(at.Step), float64(at.Epochs)*perEpoch, perEpoch)
}

// value is the schedule's value at moment i, counted from 0, of n; an epoch
// has so many.
func (s *Schedule) value(i, n, perEpoch float64) float64 {
	v, warms := s.From, false // where the document isn't checked
	if kind := Schedules.Row(s.Kind); kind != nil {
		v, warms = kind.value(s, i, n, perEpoch), kind.warms
	}
	if warm := s.Warmup * perEpoch; i < warm && !warms {
		v *= (i + 1) / (warm + 1)
	}
	return v
}

// share is how far moment i, counted from 0, of n is: 0 to 1.
func share(i, n float64) float64 {
	if n > 1 {
		return min(i/(n-1), 1)
	}
	return 0
}

// overLength tells whether another number of epochs changes the schedule at every moment.
func (s *Schedule) overLength() bool {
	kind := Schedules.Row(s.Kind)
	return kind != nil && kind.spans && (kind.setting(to.Name) == nil || s.From != s.To)
}

// oneCycle rises until the last moment of the warm-up and falls until the last
// of all: PyTorch's OneCycleLR with its defaults.
func oneCycle(s *Schedule, i, n, perEpoch float64) float64 {
	warm := 0.3 * n
	if s.Warmup > 0 {
		warm = min(s.Warmup*perEpoch, n)
	}
	first, last := s.From/25, s.From/250_000
	peak := warm - 1
	if i <= peak && peak > 0 {
		return cosine(first, s.From, i/peak)
	}
	if i <= peak || n-1 <= max(peak, 0) {
		return s.From
	}
	return cosine(s.From, last, min((i-peak)/(n-1-peak), 1))
}

// cosine goes from one value to another as p goes from 0 to 1, exact at both ends.
func cosine(from, to, p float64) float64 {
	w := (1 + math.Cos(math.Pi*p)) / 2
	return from*w + to*(1-w)
}

// UnmarshalJSON reads a number or an object.
func (s *Schedule) UnmarshalJSON(b []byte) error {
	if b[0] == '{' {
		return record.UnmarshalJSON(b, s)
	}
	var v *float64
	if json.Unmarshal(b, &v) != nil || v == nil {
		return fmt.Errorf("found %s, want a number, or an object with kind and from", short(b))
	}
	*s = Constant(*v)
	return nil
}

// MarshalJSON writes a plain constant as a number.
func (s Schedule) MarshalJSON() ([]byte, error) {
	if s.Kind == "constant" && s.Warmup == 0 && s.By == "" && s.To == 0 && s.Factor == 0 && s.Every == 0 && len(s.Extra) == 0 {
		return json.Marshal(s.From)
	}
	return record.MarshalJSON(s)
}
