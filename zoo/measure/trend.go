package measure

import (
	"fmt"
	"math"

	"github.com/fkzoo/fkzoo/zoo/model"
)

// Trend is where a member's losses were heading when its training ended.
type Trend struct {
	Epochs          int     // the last ones, over which it is measured
	TrainSlope      float64 // of the training loss, an epoch
	ValidationSlope float64
	Error           float64 // standard error of ValidationSlope
	// Falling tells that the validation loss was still falling, by more than
	// twice the slope's standard error: the training ended too soon.
	Falling bool
	// Patience is the early stopping's patience that would have gone on to where
	// the falling line meets the least loss so far; 0 where it doesn't fall.
	Patience int
	// Needed is the least patience that would not have stopped before the best
	// epoch so far: the longest wait between two bests.
	Needed int
}

// trendEpochs are the fewest that a slope is measured over.
const trendEpochs = 5

// TrendOf measures the last epochs of a member, at least 5 where there are so many, by least
// squares lines through the losses.
func TrendOf(h *model.MemberHistory, epochs int) Trend {
	n := len(h.ValidationLoss)
	t := Trend{Epochs: min(max(epochs, trendEpochs), n)}
	least, best := math.Inf(1), 0
	for i, v := range h.ValidationLoss {
		if v < least {
			t.Needed = max(t.Needed, i-best, 1)
			least, best = v, i
		}
	}
	if t.Epochs < 3 {
		return t
	}
	t.TrainSlope, _, _ = slope(h.TrainLoss[n-t.Epochs:])
	var end float64
	t.ValidationSlope, t.Error, end = slope(h.ValidationLoss[n-t.Epochs:])
	t.Falling = t.ValidationSlope < -2*t.Error
	if t.Falling {
		wait := max(math.Ceil((end-least)/-t.ValidationSlope), 1)
		t.Patience = n - 1 - best + int(min(wait, 1e9))
	}
	return t
}

// slope is that of the least squares line through values at 0, 1, 2, ..., with
// its standard error, and the line's value at the last.
func slope(values []float64) (b, deviation, end float64) {
	n := float64(len(values))
	var mean float64
	for _, v := range values {
		mean += v / n
	}
	middle := (n - 1) / 2
	var xx, xy float64
	for i, v := range values {
		x := float64(i) - middle
		xx += x * x
		xy += x * (v - mean)
	}
	b = xy / xx
	var rest float64
	for i, v := range values {
		d := v - mean - b*(float64(i)-middle)
		rest += d * d
	}
	return b, math.Sqrt(rest / (n - 2) / xx), mean + b*middle
}

// String says it in a sentence.
func (t Trend) String() string {
	if t.Epochs < 3 {
		return "Too few epochs to say where the losses were heading."
	}
	lines := fmt.Sprintf("over the last %d epochs the validation loss changed by %+.2g an epoch (standard error %.1g), the training loss by %+.2g",
		t.Epochs, t.ValidationSlope, t.Error, t.TrainSlope)
	if !t.Falling {
		return lines + ": it was no longer falling."
	}
	return fmt.Sprintf("%s: it was still falling, this was too soon. At that slope it would be below its least in time for a patience of %d; the best so far needed %d.",
		lines, t.Patience, t.Needed)
}
