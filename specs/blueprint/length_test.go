package blueprint

import (
	"maps"
	"slices"
	"testing"
)

func TestOverLength(t *testing.T) {
	momentum, same, decay := Linear(0.9, 0.99), Linear(0.1, 0.1), Constant(0.5)
	r := &Recipe{
		Rate: Schedule{Kind: "cosine", From: 0.1}, Optimizer: Optimizer{Momentum: &momentum, Decay: &decay},
		Augment: &Augment{Shift: &same, Rotate: &Schedule{Kind: "step", From: 5, Factor: 0.5, Every: 2}, Noise: &Schedule{Kind: "one_cycle", From: 1}},
	}
	found, want := slices.Sorted(maps.Keys(r.OverLength())), []string{"augment.noise", "optimizer.momentum", "rate"}
	if !slices.Equal(found, want) {
		t.Errorf("found %q, want %q", found, want)
	}
	at := func(s *Schedule, epochs int) float64 {
		return s.At(Progress{Epoch: 3, Epochs: epochs, Step: 3, StepsPerEpoch: 1})
	}
	over := r.OverLength()
	for path, s := range r.schedules() {
		if (at(s, 10) != at(s, 20)) != (over[path] != nil) {
			t.Errorf("%s: found %g of 10 epochs and %g of 20", path, at(s, 10), at(s, 20))
		}
	}
}
