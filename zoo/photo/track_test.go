package photo

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// faceAt is a face of 100 pixels with a point in its middle.
func faceAt(x, y, px, py float64) Face {
	return Face{Box: blueprint.Box{X: x - 50, Y: y - 50, Width: 100, Height: 100}, Points: Points{{Name: "nose", X: px, Y: py}}}
}

// Faces keep their numbers, and get new ones when they were away for long.
func TestTrackerNumbers(t *testing.T) {
	var tr Tracker
	for _, c := range []struct {
		time  float64
		faces []Face
		want  []int
	}{
		{0, []Face{faceAt(100, 100, 0, 0), faceAt(400, 100, 0, 0)}, []int{1, 2}},
		{0.1, []Face{faceAt(405, 100, 0, 0), faceAt(110, 100, 0, 0)}, []int{2, 1}},
		{0.2, nil, nil},
		{0.4, []Face{faceAt(120, 100, 0, 0)}, []int{1}},
		{0.5, []Face{faceAt(120, 100, 0, 0), faceAt(800, 100, 0, 0)}, []int{1, 3}},
		{2, []Face{faceAt(120, 100, 0, 0)}, []int{4}},
	} {
		got := tr.Frame(c.time, c.faces)
		if len(got) != len(c.want) {
			t.Fatalf("%g s: found %v, want %v", c.time, got, c.want)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%g s: found %v, want %v", c.time, got, c.want)
			}
		}
	}
}

// A point that rests shakes less, one that moves is not left behind.
func TestTrackerSmooths(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	shake := func(seconds, speed float64) (apart, behind float64) {
		tr := Tracker{Seconds: seconds}
		last, n := math.NaN(), 0.0
		for i := range 300 {
			time := float64(i) / 30
			truth := 100 + speed*time
			faces := []Face{faceAt(truth, 100, truth+random.NormFloat64(), 100)}
			tr.Frame(time, faces)
			off := faces[0].Points[0].X - truth
			if i > 60 {
				apart, behind, n = apart+math.Abs(off-last), behind+off, n+1
			}
			last = off
		}
		return apart / n, behind / n
	}
	plain, _ := shake(0, 0)
	smooth, _ := shake(0.3, 0)
	if smooth > plain/2 {
		t.Errorf("found a resting point that shakes by %.2f pixels, and by %.2f when smoothed, want half at most", plain, smooth)
	}
	if _, behind := shake(0.3, 200); math.Abs(behind) > 4 {
		t.Errorf("found a point that moves by 200 pixels a second %.1f pixels behind, want 4 at most", behind)
	}
}
