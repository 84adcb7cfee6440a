package mirror

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/specs/blueprint"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/demo"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

// moved is a set with its labels, not its images, moved to the right.
func moved(s *dataset.Set, by float32) *dataset.Set {
	out := *s
	out.Points = slices.Clone(s.Points)
	for i := range out.Points {
		if blueprint.IsX(s.Columns[i%len(s.Columns)]) {
			out.Points[i] += by
		}
	}
	return &out
}

// turned is a set of each face's mirror image, its labels mirrored at the middle.
func turned(s *dataset.Set) *dataset.Set {
	out := *s
	out.Points, out.Bytes = slices.Clone(s.Points), slices.Clone(s.Bytes)
	for line := range slices.Chunk(out.Bytes, s.Width) {
		slices.Reverse(line)
	}
	for r := range s.Len() {
		for c, name := range s.Columns {
			v := s.Row(r)[s.Column(blueprint.Mirrored(name))]
			if blueprint.IsX(name) {
				v = float32(s.Width) - v
			}
			out.Row(r)[c] = v
		}
	}
	return &out
}

func checkAxis(t *testing.T, name string, s *dataset.Set, want, tolerance float64) {
	t.Helper()
	if a := AxisOf(s); !(math.Abs(a.Axis-want) <= tolerance) || a.From != FromImages || !(a.Error > 0 && a.Error < 0.3) {
		t.Errorf("%s: found %+v, want %.2f, give or take %.2f, from the images", name, a, want, tolerance)
	}
}

// On drawn faces a pixel's left edge is a whole number, so that x becomes width-x.
func TestMirrorAxis(t *testing.T) {
	s, err := demo.Faces(context.Background(), 400, 5)
	if err != nil {
		t.Fatal(err)
	}
	checkAxis(t, "as drawn", s, 96, 0.3)
	checkAxis(t, "labels 2.5 to the right", moved(s, 2.5), 101, 0.3)
	checkAxis(t, "labels half a pixel to the left", moved(s, -0.5), 95, 0.3)

	// Where faces stand says nothing of the axis: cut off the images' left fifth,
	// points with it.
	cut := *s
	cut.Width, cut.Bytes, cut.Points = 77, nil, moved(s, -19).Points
	for line := range slices.Chunk(s.Bytes, 96) {
		cut.Bytes = append(cut.Bytes, line[19:]...)
	}
	checkAxis(t, "left fifth cut off", &cut, 77, 0.4)
	if a := AxisOf(&cut); math.Abs(a.Points-77) < 5 {
		t.Errorf("found %.2f from the points alone, want these to be misled: the test tests nothing", a.Points)
	}
}

func TestMirrorAxisWithoutFaces(t *testing.T) {
	const rows = 500
	r := rand.New(rand.NewPCG(1, 2))
	s := &dataset.Set{Columns: []string{"left_x", "left_y", "right_x", "right_y"}, Height: 48, Width: 48, Channels: 1, IDs: make([]string, rows)}
	for range rows * 48 * 48 {
		s.Bytes = append(s.Bytes, uint8(r.IntN(256)))
	}
	for range rows {
		middle := float32(24.5 + r.NormFloat64())
		s.Points = append(s.Points, middle+8, 20, middle-8, 20)
	}
	if a := AxisOf(s); a.From != FromPoints || math.Abs(a.Axis-49) > 0.4 || a.Axis != a.Points {
		t.Errorf("noise: found %+v, want 49 from the points", a)
	}
	for i := range s.Points {
		s.Points[i] = float32(48 * r.Float64())
	}
	if a := AxisOf(s); a.From != FromWidth || a.Axis != 48 {
		t.Errorf("points at random: found %+v, want the width", a)
	}
	s.Columns = []string{"left_x", "left_y", "b_z", "c_z"}
	if a := AxisOf(s); a.From != FromWidth || !math.IsNaN(a.Points) {
		t.Errorf("no pairs: found %+v, want the width", a)
	}
	if a := AxisOf(new(dataset.Set)); a.From != FromWidth {
		t.Errorf("nothing: found %+v", a)
	}
}

// What noise in the labels leaves of the axis is said with an error that covers
// the truth, or not at all; labels that say nothing give no axis.
func TestMirrorAxisNoise(t *testing.T) {
	s, err := demo.Faces(context.Background(), 450, 3) // turned heads say little
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name     string
		seeds    uint64
		noise    float64 // pixels; 0: anywhere in the image
		min, max int     // how often the images may say it
	}{
		{"at random", 64, 0, 0, 0},
		{"off by 3", 6, 3, 6, 6},
		{"off by 10", 64, 10, 0, 63},
	} {
		said := 0
		for seed := range test.seeds {
			r, noisy := rand.New(rand.NewPCG(seed, 7)), *s
			noisy.Points = slices.Clone(s.Points)
			for i := range noisy.Points {
				if test.noise == 0 {
					noisy.Points[i] = float32(96 * r.Float64())
				} else {
					noisy.Points[i] += float32(test.noise * r.NormFloat64())
				}
			}
			a := AxisOf(&noisy)
			if a.From == FromImages {
				said++
			}
			if a.From != FromWidth && !(math.Abs(a.Axis-96) <= 4*a.Error) {
				t.Errorf("%s, seed %d: found %+v, want 96 within 4 errors, or no estimate", test.name, seed, a)
			}
		}
		if said < test.min || said > test.max {
			t.Errorf("%s: found %d of %d axes from the images, want %d to %d", test.name, said, test.seeds, test.min, test.max)
		}
	}
}

// Labels of the real data lie 0.8 pixels right of the features. With each face
// beside its mirror image the true axis is known.
func TestMirrorAxisReal(t *testing.T) {
	dir := os.Getenv("FKZOO_TESTDATA")
	if dir == "" {
		t.Skip("FKZOO_TESTDATA not set")
	}
	s, err := source.Read(context.Background(), filepath.Join(dir, "data", "training.zip"), source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkAxis(t, "as it is", s, 97.63, 0.15)
	for _, n := range []int{40, 60, 100, 200, 300} {
		for at := 0; at < s.Len(); at += s.Len() / 6 {
			rows := make([]int, n)
			for i := range rows {
				rows[i] = (at + i) % s.Len()
			}
			part, err := s.Select(rows)
			if err != nil {
				t.Fatal(err)
			}
			if a := AxisOf(part); a.From == FromImages && !(math.Abs(a.Axis-97.63) <= 4*a.Error) {
				t.Errorf("%d rows from %d: found %+v, want 97.63 within 4 errors, or no estimate", n, at, a)
			}
		}
	}
	rows := make([]int, 900)
	for i := range rows {
		rows[i] = i
	}
	part, err := s.Select(rows)
	if err != nil {
		t.Fatal(err)
	}
	both := turned(part)
	both.Bytes, both.Points, both.IDs = append(both.Bytes, part.Bytes...), append(both.Points, part.Points...), append(slices.Clone(part.IDs), part.IDs...)
	checkAxis(t, "each beside its mirror image", both, 96, 0.1)
}
