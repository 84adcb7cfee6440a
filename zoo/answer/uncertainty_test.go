package answer

import (
	"math"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A heat map's spread is the standard deviation of what it says, around its own mean.
func TestSpread(t *testing.T) {
	shape := blueprint.Shape{24, 24, 3}
	maps := make([]float32, shape.Size())
	const sigma = 2.0
	for row := range 24 {
		for column := range 24 {
			at := (row*24 + column) * 3
			dx, dy := float64(column)-9.3, float64(row)-13.1
			maps[at] = float32(-(dx*dx + dy*dy) / (2 * sigma * sigma)) // a bell
			if row == 3 && column == 20 {
				maps[at+2] = 500 // all in one place
			}
		}
	}
	for k, want := range []float64{
		sigma * math.Sqrt2 * 2 / 24,
		math.Sqrt(2 * (24*24 - 1) / 12.0 * 4 / (24 * 24)), // the same everywhere
		0,
	} {
		if got := spread(maps, shape, k, 1); math.Abs(got-want) > 1e-3 {
			t.Errorf("map %d: found %.4f, want %.4f", k, got, want)
		}
	}
	// A temperature of 4 makes the bell twice as wide.
	if got, want := spread(maps, shape, 0, 4), 2*sigma*math.Sqrt2*2/24; math.Abs(got-want) > 0.03 {
		t.Errorf("found %.4f at a temperature of 4, want %.4f", got, want)
	}
}

func TestPartners(t *testing.T) {
	got := partners([]string{"a_x", "b_y", "a_y", "b_x", "lone"})
	for i, want := range []int{2, 3, 0, 1, -1} {
		if got[i] != want {
			t.Errorf("found %v", got)
		}
	}
}
