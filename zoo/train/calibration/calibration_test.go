package calibration

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Errors that follow a line are found again, column by column; those of few cells share one.
func TestUncertainty(t *testing.T) {
	columns := []string{"a_x", "a_y", "b_x", "b_y", "lone"}
	data := append([]string{"other"}, columns...)
	w := newWeighing(columns, data)
	random := rand.New(rand.NewPCG(1, 2))
	nan := float32(math.NaN())
	for i := range 4000 {
		s := random.Float64() * 4
		far := math.Abs(random.NormFloat64()) * math.Sqrt(math.Pi/2) // of mean 1
		off := (1 + 0.5*s) * far
		angle := random.Float64() * 2 * math.Pi
		truth := []float32{99, 10, 20, nan, 30, 5}
		if i < knotCells-1 {
			truth[3] = 40 // b is nearly always empty
		}
		answers := []float32{10 + float32(off*math.Cos(angle)), 20 + float32(off*math.Sin(angle)), 40, 30, 5 - float32(2*far)}
		w.add(answers, truth, []float32{float32(s), float32(s), float32(s), float32(s), 7})
	}
	u := w.uncertainty("heat_map")
	if u.From != "heat_map" || len(u.Signal) != 5 || len(u.Error) != 5 {
		t.Fatalf("found %+v", u)
	}
	for _, c := range []int{0, 1} {
		for _, s := range []float64{0.3, 1, 2, 3.5} {
			if got, want := u.Expected(c, s), 1+0.5*s; math.Abs(got-want) > 0.25 {
				t.Errorf("%s: found %g at %g, want %g", columns[c], got, s, want)
			}
		}
		if got := u.Expected(c, 8); got < 4 { // beyond all that was seen
			t.Errorf("%s: found %g at 8", columns[c], got)
		}
	}
	if !slices.Equal(u.Error[2], u.Error[3]) || u.Error[2][0] == 0 {
		t.Errorf("found %v and %v for the point that is nearly always empty, want the line of all", u.Error[2], u.Error[3])
	}
	if got := u.Expected(4, 7); math.Abs(got-2) > 0.1 || len(u.Signal[4]) != 1 { // it always says the same
		t.Errorf("lone: found %g at 7 by %v, want 2 by one point", got, u.Signal[4])
	}
}

// A line rises, whatever is found.
func TestLine(t *testing.T) {
	many := func(x, y float64) (s, f []float64) {
		return slices.Repeat([]float64{x}, knotCells), slices.Repeat([]float64{y}, knotCells)
	}
	for _, c := range []struct {
		name   string
		x, y   []float64
		signal []float64
		errors []float64
	}{
		{"nothing", nil, nil, []float64{0}, []float64{0}},
		{"one", []float64{3}, []float64{2}, []float64{3}, []float64{2}},
		{"rises", []float64{1, 2, 3}, []float64{1, 3, 5}, []float64{1, 2, 3}, []float64{1, 3, 5}},
		{"falls", []float64{1, 2, 3}, []float64{3, 2, 1}, []float64{2}, []float64{2}},
		{"dips", []float64{1, 2, 3}, []float64{1, 3, 2.5}, []float64{1, 2.5}, []float64{1, 2.75}},
	} {
		x, y := c.x, c.y
		if len(x) > 1 {
			x, y = nil, nil
			for i := range c.x {
				s, f := many(c.x[i], c.y[i])
				x, y = append(x, s...), append(y, f...)
			}
		}
		signal, errors := line(x, y)
		if !slices.Equal(signal, c.signal) || !slices.Equal(errors, c.errors) {
			t.Errorf("%s: found %v over %v, want %v over %v", c.name, errors, signal, c.errors, c.signal)
		}
	}
}
