package check

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset/twins/twinstest"
)

// What labels of nearly the same images differ by is told apart from the model's own errors, which are the same in both.
func TestLabelNoise(t *testing.T) {
	const n, pairs, noise = 60, 20, 0.8
	var copies []int
	for i := range pairs {
		copies = append(copies, 2*i)
	}
	s := twinstest.Drawn(t, n, 1, copies...)
	answers := &Answers{s.Columns, slices.Clone(s.Points)}
	for i := range answers.Points { // off by much, in both rows of a pair alike
		row, c := i/len(s.Columns), i%len(s.Columns)
		if row >= n {
			row = copies[row-n]
		}
		answers.Points[i] += float32(5 * math.Sin(float64(31*row+c)))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range s.Points {
		s.Points[i] += float32(noise * r.NormFloat64())
	}
	for i := range pairs {
		twinstest.Changes["gamma"](twinstest.Image(s, n+i))
	}
	s.Row(n)[3] = float32(math.NaN())
	s.Row(2)[4] = float32(math.NaN())

	found, err := Run(t.Context(), s, Options{Answers: answers})
	if err != nil {
		t.Fatal(err)
	}
	if l := found.Noise; l == nil || l.Pairs != pairs || l.Cells != pairs*len(s.Columns)-2 || math.Abs(l.Pixels-noise) > 0.06 || math.Abs(l.Error-0.023) > 0.008 {
		// The root of a mean of 600 squares of normal differences has the standard error 0.8/sqrt(2*600).
		t.Errorf("found %+v, want %g, give or take 0.023, pixels from %d pairs", l, noise, pairs)
	}

	// Without a model, or without such images, nothing is known.
	for what, o := range map[string]Options{"no model": {}, "no pairs": {Answers: answers}} {
		set := s
		if o.Answers != nil {
			set = twinstest.Drawn(t, n, 1)
		}
		if found, err := Run(t.Context(), set, o); err != nil || found.Noise != nil {
			t.Errorf("%s: found %+v (%v), want nothing", what, found.Noise, err)
		}
	}
}
