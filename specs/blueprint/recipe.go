package blueprint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Recipe says how a member is trained.
type Recipe struct {
	Loss       Loss      `json:"loss"`                 // what training makes small
	Optimizer  Optimizer `json:"optimizer"`            // how a step changes the weights
	Rate       Schedule  `json:"rate"`                 // learning rate
	Epochs     int       `json:"epochs,omitempty"`     // passes over the training rows; this or examples
	Examples   int64     `json:"examples,omitempty"`   // in place of epochs: epochs = examples / rows that have the member's columns, rounded down, at least 1
	Batch      int       `json:"batch"`                // rows in a step; the last, smaller batch of an epoch is used
	Validation float64   `json:"validation"`           // share of the rows held out, 0 to 0.9
	Fold       *Fold     `json:"fold,omitempty"`       // nil: the share validation is held out; else this fold in its place
	Subset     *Subset   `json:"subset,omitempty"`     // nil: all rows that aren't held out are trained on; else a part of them
	Seed       uint64    `json:"seed,omitempty"`       // 0 stands for 1
	SplitSeed  uint64    `json:"split_seed,omitempty"` // of which rows are held out; 0: the seed. Models of several seeds that share it can be measured together
	Augment    *Augment  `json:"augment,omitempty"`    // nil: none
	Stop       *Stop     `json:"stop,omitempty"`       // nil: never before the end
	Average    *Average  `json:"average,omitempty"`    // nil: no averaging of weights
	Calibrate  bool      `json:"calibrate,omitempty"`  // when the training ends, output.shift takes from each column its mean error on the rows trained on, answered as flip_average says; the default is false
	StartFrom  string    `json:"start_from,omitempty"` // an architecture whose trained weights are a good start, where shapes agree: advice, as only a file that the user names is read
	Extra      Extra     `json:"-"`
}

// Loss is what training makes small, over y = (pixels - offset) / scale.
type Loss struct {
	Kind    string  `json:"kind"`              // one of [Losses]
	Rows    string  `json:"rows,omitempty"`    // "complete" (the default): only rows that have all of the member's columns; "filled": every filled cell of every row
	Delta   float64 `json:"delta,omitempty"`   // in units of y; of huber: where it turns linear (0: 1); of wing: its width (0: 10/48)
	Epsilon float64 `json:"epsilon,omitempty"` // in units of y; of wing: its curvature (0: 2/48)
	Extra   Extra   `json:"-"`
}

// Losses are the kinds of loss, each a mean over the filled cells; d = answer - truth.
var Losses = []string{
	"mse",   // d^2
	"mae",   // |d|
	"huber", // d^2/2 for |d| <= delta, else delta*(|d| - delta/2): Huber 1964
	"wing",  // delta*ln(1 + |d|/epsilon) for |d| < delta, else |d| - delta + delta*ln(1 + delta/epsilon): Feng et al. 2018
}

// Optimizer is the rule by which a step changes the weights. A setting is
// given only for the kinds that have it.
type Optimizer struct {
	Kind     string    `json:"kind"`               // one of [Optimizers]
	Momentum *Schedule `json:"momentum,omitempty"` // of sgd; the default is 0
	Nesterov bool      `json:"nesterov,omitempty"` // of sgd; the default is false
	Beta1    *Schedule `json:"beta1,omitempty"`    // of adam and adamw; 0.9
	Beta2    *Schedule `json:"beta2,omitempty"`    // of adam and adamw; 0.999
	Epsilon  *Schedule `json:"epsilon,omitempty"`  // of adam and adamw; 1e-8
	Decay    *Schedule `json:"decay,omitempty"`    // of adamw: weight decay; 0.01
	Clip     *Schedule `json:"clip,omitempty"`     // largest norm of all gradients together; 0, the default: unlimited
	Extra    Extra     `json:"-"`
}

// Optimizers are the kinds of optimizer; g is the gradient, r the learning rate.
var Optimizers = []string{
	"sgd",   // v = momentum*v - r*g, w += v; with nesterov w += momentum*v - r*g, with the new v: Lasagne's form
	"adam",  // Kingma and Ba 2015, with bias correction
	"adamw", // adam, and w -= r*decay*w for the parameters that decay: Loshchilov and Hutter 2019
}

// Augment changes training images at random, each epoch anew. A setting of 0
// or nil is off. Points move along; one that leaves the image counts as empty.
// Mirror, rotation, scale and shift, in this order, are one bilinear resampling
// that repeats the image's border; then come contrast, brightness, noise and
// erase. Pixels are not clipped.
type Augment struct {
	Mirror     *Mirror   `json:"mirror,omitempty"`     // some faces turned left to right
	Shift      *Schedule `json:"shift,omitempty"`      // pixels: uniform in [-shift, shift], both axes
	Rotate     *Schedule `json:"rotate,omitempty"`     // degrees: uniform in [-rotate, rotate], clockwise around the centre
	Scale      *Schedule `json:"scale,omitempty"`      // share: factor uniform in [1-scale, 1+scale]
	Brightness *Schedule `json:"brightness,omitempty"` // of the range 0 to 1: added, uniform in [-brightness, brightness]
	Contrast   *Schedule `json:"contrast,omitempty"`   // share: factor around the mean, uniform in [1-contrast, 1+contrast]
	Noise      *Schedule `json:"noise,omitempty"`      // of the range 0 to 1: standard deviation of normal noise on each pixel
	Erase      *Erase    `json:"erase,omitempty"`      // a random rectangle hidden
	Extra      Extra     `json:"-"`
}

// Mirror turns a random share of each batch left to right: x becomes
// Axis - x and the columns of a pair change places.
type Mirror struct {
	Share *Schedule  `json:"share,omitempty"` // of each batch, rounded down; nil: half
	Axis  MirrorAxis `json:"axis,omitempty"`  // pixels; 0: the image's width, which for y = (x - width/2) / (width/2) is a change of sign; "auto": estimated from the data when training begins, and then kept here
	Pairs Pairs      `json:"pairs,omitzero"`  // of the member's columns, counted from 0, each once at most; nil: from the columns' names, left_ and right_; empty: none change places
	Extra Extra      `json:"-"`
}

// A MirrorAxis is a number of pixels, or [AutoAxis]: "auto" in JSON.
type MirrorAxis float64

// AutoAxis stands for the axis that the data's own labels have.
const AutoAxis MirrorAxis = -1

// AxisOf is the axis in pixels for images of this width, which it is where none is
// given, or not yet known.
func (m *Mirror) AxisOf(width int) float64 {
	if m.Axis <= 0 {
		return float64(width)
	}
	return float64(m.Axis)
}

// MarshalJSON writes a number, or "auto".
func (a MirrorAxis) MarshalJSON() ([]byte, error) {
	if a == AutoAxis {
		return []byte(`"auto"`), nil
	}
	return json.Marshal(float64(a))
}

// UnmarshalJSON reads a number, or "auto".
func (a *MirrorAxis) UnmarshalJSON(b []byte) error {
	if string(b) == `"auto"` {
		*a = AutoAxis
		return nil
	}
	var v float64
	if err := json.Unmarshal(b, &v); err != nil || v < 0 {
		return fmt.Errorf(`found %s, want a number of pixels or "auto"`, short(b))
	}
	*a = MirrorAxis(v)
	return nil
}

// Pairs are columns that change places.
type Pairs [][2]int

// Erase fills a random rectangle with the image's mean.
type Erase struct {
	Share Schedule `json:"share"` // of the images
	Area  Schedule `json:"area"`  // largest share of an image's area; its height is half to twice its width
	Extra Extra    `json:"-"`
}

// Stop ends training after Patience epochs without a better validation loss
// and puts the best weights back.
type Stop struct {
	Patience int   `json:"patience"` // epochs
	Extra    Extra `json:"-"`
}

// Fold is one part of as many equal ones, of the rows that the member may learn
// from, shuffled by the seed: it is held out, and the others are trained on.
// Members that differ in the number alone together hold out each row once.
type Fold struct {
	Number int   `json:"number"` // from 1
	Of     int   `json:"of"`     // parts, 2 to 64
	Extra  Extra `json:"-"`
}

// Subset is the part of the rows that aren't held out which is trained on: those
// with all of the member's columns, where Complete says so, and of these Share,
// rounded down, at least one. Which they are follows from the seed, and a smaller
// share is part of a larger one. The rows held out are the same as without it.
type Subset struct {
	Share    float64 `json:"share,omitempty"`    // 0 to 1; 0 stands for 1
	Complete bool    `json:"complete,omitempty"` // only rows that have all of the member's columns; the default is false
	Extra    Extra   `json:"-"`
}

// Average keeps an exponential moving average of the weights and of the
// running statistics, which is what is validated and kept.
type Average struct {
	Decay Schedule `json:"decay"` // share of the old average kept at each step; after t steps at most (1+t)/(10+t)
	Extra Extra    `json:"-"`
}

// Defaults gives the optimizer's settings with defaults filled in.
func (o Optimizer) Defaults() Optimizer {
	fill := func(s **Schedule, v float64) {
		if *s == nil {
			*s = &Schedule{Kind: "constant", From: v}
		}
	}
	decay := 0.0
	if o.Kind == "adamw" {
		decay = 0.01
	}
	fill(&o.Momentum, 0)
	fill(&o.Beta1, 0.9)
	fill(&o.Beta2, 0.999)
	fill(&o.Epsilon, 1e-8)
	fill(&o.Decay, decay)
	fill(&o.Clip, 0)
	return o
}

// EpochsFor is the training's length in epochs for this many rows that have
// the member's columns, counted before the split.
func (r *Recipe) EpochsFor(rows int) int {
	if r.Epochs > 0 || rows <= 0 {
		return r.Epochs
	}
	return int(min(max(r.Examples/int64(rows), 1), maxEpochs))
}

// CompleteRows tells whether rows that lack one of the member's columns are left out.
func (r *Recipe) CompleteRows() bool { return r.Loss.Rows != "filled" }

// SplitBy is the seed by which rows are held out.
func (r *Recipe) SplitBy() uint64 { return cmp.Or(r.SplitSeed, r.Seed, 1) }

const (
	maxEpochs   = 100_000_000
	maxExamples = 1 << 50
	maxBatch    = 1 << 16
	maxBeta     = 0.999999 // 1 would divide by zero,
	minEpsilon  = 1e-20    // and so would 0
)

// limit is a number of a document and the range that it must lie in.
type limit struct {
	name        string
	found       float64
	least, most float64
}

func (l limit) check() error {
	if !(l.found >= l.least && l.found <= l.most) { // not: NaN
		return fmt.Errorf("%s: found %s, want a number from %s to %s", l.name, plain(l.found), plain(l.least), plain(l.most))
	}
	return nil
}

// plain writes a number as people do: whole ones without an exponent.
func plain(v float64) string {
	if v == math.Trunc(v) && math.Abs(v) < 1e15 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// check looks at all that doesn't depend on the member's columns.
func (r *Recipe) check() error {
	for _, check := range []func() error{r.Loss.check, r.Optimizer.check, r.checkNumbers, r.checkSchedules} {
		if err := check(); err != nil {
			return fmt.Errorf("recipe.%w", err)
		}
	}
	if r.StartFrom != "" && !startFrom.MatchString(r.StartFrom) {
		return fmt.Errorf("recipe.start_from: found %q, want an architecture's name, or plugin/name", cut(r.StartFrom))
	}
	if r.Augment != nil && r.Augment.Mirror != nil {
		if err := r.Augment.Mirror.Pairs.check(); err != nil {
			return fmt.Errorf("recipe.augment.mirror.pairs: %w", err)
		}
	}
	return nil
}

var startFrom = regexp.MustCompile(`^` + namePattern + `(/` + namePattern + `)?$`)

func (l *Loss) check() error {
	if !slices.Contains(Losses, l.Kind) {
		return fmt.Errorf("loss.kind: found %q, want one of %s", cut(l.Kind), strings.Join(Losses, ", "))
	}
	if !slices.Contains([]string{"", "complete", "filled"}, l.Rows) {
		return fmt.Errorf(`loss.rows: found %q, want "complete" or "filled"`, cut(l.Rows))
	}
	if l.Delta != 0 && l.Kind != "huber" && l.Kind != "wing" {
		return fmt.Errorf("loss.delta: found %g for %s, want it for huber and wing only", l.Delta, l.Kind)
	}
	if l.Epsilon != 0 && l.Kind != "wing" {
		return fmt.Errorf("loss.epsilon: found %g for %s, want it for wing only", l.Epsilon, l.Kind)
	}
	return nil
}

func (o *Optimizer) check() error {
	if !slices.Contains(Optimizers, o.Kind) {
		return fmt.Errorf("optimizer.kind: found %q, want one of %s", cut(o.Kind), strings.Join(Optimizers, ", "))
	}
	for _, s := range []struct {
		name  string
		given bool
		of    []string
	}{
		{"momentum", o.Momentum != nil, []string{"sgd"}}, {"nesterov", o.Nesterov, []string{"sgd"}},
		{"beta1", o.Beta1 != nil, []string{"adam", "adamw"}}, {"beta2", o.Beta2 != nil, []string{"adam", "adamw"}},
		{"epsilon", o.Epsilon != nil, []string{"adam", "adamw"}}, {"decay", o.Decay != nil, []string{"adamw"}},
	} {
		if s.given && !slices.Contains(s.of, o.Kind) {
			return fmt.Errorf("optimizer.%s: found it for %s, want it for %s only", s.name, o.Kind, strings.Join(s.of, " and "))
		}
	}
	return nil
}

func (r *Recipe) checkNumbers() error {
	if (r.Epochs != 0) == (r.Examples != 0) {
		return fmt.Errorf("epochs: found epochs %d and examples %d, want exactly one of them", r.Epochs, r.Examples)
	}
	limits := []limit{
		{"epochs", float64(r.Epochs), 0, maxEpochs}, {"examples", float64(r.Examples), 0, maxExamples},
		{"batch", float64(r.Batch), 1, maxBatch}, {"validation", r.Validation, 0, 0.9},
		{"loss.delta", r.Loss.Delta, 0, 1e6}, {"loss.epsilon", r.Loss.Epsilon, 0, 1e6},
	}
	if r.Stop != nil {
		limits = append(limits, limit{"stop.patience", float64(r.Stop.Patience), 1, maxEpochs})
		if r.Validation == 0 && r.Fold == nil {
			return fmt.Errorf("stop: found validation 0, want rows held out: stopping early follows the validation loss")
		}
	}
	if s := r.Subset; s != nil {
		limits = append(limits, limit{"subset.share", s.Share, 0, 1})
	}
	if f := r.Fold; f != nil {
		limits = append(limits, limit{"fold.of", float64(f.Of), 2, maxMembers}, limit{"fold.number", float64(f.Number), 1, float64(f.Of)})
	}
	if a := r.Augment; a != nil {
		if a.Mirror != nil {
			limits = append(limits, limit{"augment.mirror.axis", a.Mirror.AxisOf(0), 0, maxDim})
		}
	}
	for _, l := range limits {
		if err := l.check(); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recipe) checkSchedules() error {
	for _, s := range r.schedules() {
		if s.of == nil {
			continue
		}
		if err := s.of.check(s.least, s.most); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	return nil
}

// checkColumns looks at what depends on the member's columns.
func (r *Recipe) checkColumns(columns []string) error {
	a := r.Augment
	if a == nil {
		return nil
	}
	if a.Mirror != nil {
		if _, err := a.Mirror.Permutation(columns); err != nil {
			return fmt.Errorf("recipe.augment.mirror.pairs: %w", err)
		}
	}
	if a.Rotate == nil {
		return nil
	}
	for _, c := range columns {
		if p := Partner(c); p != "" && !slices.Contains(columns, p) {
			return fmt.Errorf("recipe.augment.rotate: found column %s without %s, want both: a point turns as a whole", c, p)
		}
	}
	return nil
}

type boundSchedule struct {
	name        string
	of          *Schedule
	least, most float64
}

func (r *Recipe) schedules() []boundSchedule {
	o := &r.Optimizer
	out := []boundSchedule{
		{"rate", &r.Rate, 0, 1e4}, {"optimizer.momentum", o.Momentum, 0, 1}, {"optimizer.beta1", o.Beta1, 0, maxBeta}, {"optimizer.beta2", o.Beta2, 0, maxBeta},
		{"optimizer.epsilon", o.Epsilon, minEpsilon, 1}, {"optimizer.decay", o.Decay, 0, 1e4}, {"optimizer.clip", o.Clip, 0, 1e30},
	}
	if a := r.Augment; a != nil {
		out = append(out, boundSchedule{"augment.shift", a.Shift, 0, maxDim}, boundSchedule{"augment.rotate", a.Rotate, 0, 180},
			boundSchedule{"augment.scale", a.Scale, 0, 0.9}, boundSchedule{"augment.brightness", a.Brightness, 0, 1},
			boundSchedule{"augment.contrast", a.Contrast, 0, 1}, boundSchedule{"augment.noise", a.Noise, 0, 1})
		if a.Mirror != nil {
			out = append(out, boundSchedule{"augment.mirror.share", a.Mirror.Share, 0, 1})
		}
		if a.Erase != nil {
			out = append(out, boundSchedule{"augment.erase.share", &a.Erase.Share, 0, 1}, boundSchedule{"augment.erase.area", &a.Erase.Area, 0, 1})
		}
	}
	if r.Average != nil {
		out = append(out, boundSchedule{"average.decay", &r.Average.Decay, 0, 1})
	}
	return out
}

func (r *Recipe) unknown(at string, add func(string, Extra)) {
	add(at, r.Extra)
	add(at+"loss.", r.Loss.Extra)
	add(at+"optimizer.", r.Optimizer.Extra)
	if r.Stop != nil {
		add(at+"stop.", r.Stop.Extra)
	}
	if r.Average != nil {
		add(at+"average.", r.Average.Extra)
	}
	if r.Fold != nil {
		add(at+"fold.", r.Fold.Extra)
	}
	if r.Subset != nil {
		add(at+"subset.", r.Subset.Extra)
	}
	for _, s := range r.schedules() {
		if s.of != nil {
			add(at+s.name+".", s.of.Extra)
		}
	}
	if a := r.Augment; a != nil {
		add(at+"augment.", a.Extra)
		if a.Mirror != nil {
			add(at+"augment.mirror.", a.Mirror.Extra)
		}
		if a.Erase != nil {
			add(at+"augment.erase.", a.Erase.Extra)
		}
	}
}

// Schedule is the value of a setting in the course of training. In JSON, a
// number stands for a constant.
type Schedule struct {
	Kind   string  `json:"kind"`             // one of [Schedules]
	From   float64 `json:"from"`             // the first value; of one_cycle: the peak
	To     float64 `json:"to,omitempty"`     // of linear and cosine: the last value
	Factor float64 `json:"factor,omitempty"` // of step: what the value is multiplied by
	Every  float64 `json:"every,omitempty"`  // of step: after so many epochs
	Warmup float64 `json:"warmup,omitempty"` // epochs in which the value first rises linearly to the schedule's own; of one_cycle: 0 stands for 0.3 of all
	By     string  `json:"by,omitempty"`     // "epoch" (the default): changes between epochs; "step": between batches
	Extra  Extra   `json:"-"`
}

// Schedules are the kinds of schedule; p runs from 0 at the first epoch (or
// step) to 1 at the last.
var Schedules = []string{
	"constant",  // from
	"linear",    // from + (to-from)*p
	"cosine",    // to + (from-to)*(1+cos(pi*p))/2
	"step",      // from * factor^floor(epochs done / every)
	"one_cycle", // cosine from from/25 up to from at the end of the warm-up, then cosine down to from/250000 at the last: Smith and Topin 2018, as PyTorch's OneCycleLR
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
	p := 0.0
	if n > 1 {
		p = min(i/(n-1), 1)
	}
	v := s.From
	switch s.Kind {
	case "linear":
		v = s.From*(1-p) + s.To*p // exact at both ends
	case "cosine":
		v = cosine(s.From, s.To, p)
	case "step":
		const rounding = 1e-9 // 0.3/0.1 is a little under 3
		v = s.From * math.Pow(s.Factor, math.Floor(i/perEpoch/s.Every+rounding))
	case "one_cycle":
		return s.oneCycle(i, n, perEpoch)
	}
	if warm := s.Warmup * perEpoch; i < warm {
		v *= (i + 1) / (warm + 1)
	}
	return v
}

// oneCycle rises until the last moment of the warm-up and falls until the last
// of all: PyTorch's OneCycleLR with its defaults.
func (s *Schedule) oneCycle(i, n, perEpoch float64) float64 {
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

func (s *Schedule) check(least, most float64) error {
	if !slices.Contains(Schedules, s.Kind) {
		return fmt.Errorf("found the schedule %q, want one of %s", cut(s.Kind), strings.Join(Schedules, ", "))
	}
	if !slices.Contains([]string{"", "epoch", "step"}, s.By) {
		return fmt.Errorf(`by: found %q, want "epoch" or "step"`, cut(s.By))
	}
	limits := []limit{{"from", s.From, least, most}, {"warmup", s.Warmup, 0, maxEpochs}}
	switch s.Kind {
	case "linear", "cosine":
		limits = append(limits, limit{"to", s.To, least, most})
	case "step":
		limits = append(limits, limit{"factor", s.Factor, 1e-6, 1e4}, limit{"every", s.Every, 1e-6, maxEpochs})
	}
	for _, l := range limits {
		if err := l.check(); err != nil {
			return err
		}
	}
	if s.To != 0 && s.Kind != "linear" && s.Kind != "cosine" {
		return fmt.Errorf("to: found %g for %s, want it for linear and cosine only", s.To, s.Kind)
	}
	if (s.Factor != 0 || s.Every != 0) && s.Kind != "step" {
		return fmt.Errorf("found factor %g and every %g for %s, want them for step only", s.Factor, s.Every, s.Kind)
	}
	return nil
}

// UnmarshalJSON reads a number or an object.
func (s *Schedule) UnmarshalJSON(b []byte) error {
	if b[0] == '{' {
		type plain Schedule
		extra, err := decodeObject(b, (*plain)(s))
		s.Extra = extra
		return err
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
	type plain Schedule
	return encodeObject(plain(s), s.Extra)
}
