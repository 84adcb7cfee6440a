package augment

import (
	"compress/gzip"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// Expected values of testdata/reference.py, which asks PyTorch's grid_sample.
type reference struct {
	Frame  Frame
	Change Change
	Source []float32
	Want   []float32
	Points [][2]float64
	Moved  [][2]float64
	Inside []bool
}

func TestAgainstPyTorch(t *testing.T) {
	f, err := os.Open("testdata/reference.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var cases map[string]reference
	if err := json.NewDecoder(z).Decode(&cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 10 {
		t.Fatalf("found %d cases, want at least 10", len(cases))
	}
	for name, c := range cases {
		bytes := make([]uint8, len(c.Source))
		for i, v := range c.Source {
			bytes[i] = uint8(v)
		}
		got, fromBytes := make([]float32, len(c.Want)), make([]float32, len(c.Want))
		Image(got, c.Source, c.Frame, c.Change)
		Image(fromBytes, bytes, c.Frame, c.Change)
		for i, want := range c.Want {
			if math.Abs(float64(got[i]-want)) > 5e-3 || got[i] != fromBytes[i] {
				t.Errorf("%s: pixel %d: found %g (from bytes %g), want %g", name, i, got[i], fromBytes[i], want)
				break
			}
		}
		move := c.Change.Points(c.Frame)
		for i, p := range c.Points {
			x, y, inside := move(p[0], p[1])
			if math.Abs(x-c.Moved[i][0]) > 1e-9 || math.Abs(y-c.Moved[i][1]) > 1e-9 || inside != c.Inside[i] {
				t.Errorf("%s: point %v: found %g, %g, inside %v, want %v, %v", name, p, x, y, inside, c.Moved[i], c.Inside[i])
			}
		}
	}
}

// A bright spot and the point on it stay together.
func TestPointsFollowTheImage(t *testing.T) {
	f := Frame{Height: 40, Width: 48, Channels: 1, Axis: 47}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 200 {
		c := Draw(r, i%2 == 0, Ranges{Shift: 4, Rotate: 30, Scale: 0.3})
		x, y := 14+r.IntN(20), 12+r.IntN(16)
		src, dst := make([]float32, 40*48), make([]float32, 40*48)
		src[y*48+x] = 255
		Image(dst, src, f, c)
		var sum, sumX, sumY float64
		for k, v := range dst {
			sum, sumX, sumY = sum+float64(v), sumX+float64(v)*float64(k%48), sumY+float64(v)*float64(k/48)
		}
		wantX, wantY, inside := c.Points(f)(float64(x), float64(y)) // an axis of width - 1: pixel i's centre at i
		if !inside || math.Hypot(sumX/sum-wantX, sumY/sum-wantY) > 0.4 {
			t.Errorf("%+v: found the spot at %.2f, %.2f, want %.2f, %.2f", c, sumX/sum, sumY/sum, wantX, wantY)
		}
	}
}

func TestDraw(t *testing.T) {
	by := Ranges{Shift: 5, Rotate: 20, Scale: 0.2, Brightness: 0.3, Contrast: 0.4, Noise: 0.05, EraseShare: 0.25, EraseArea: 0.2}
	r := rand.New(rand.NewPCG(3, 4))
	const n = 4000
	var erased int
	var values [6][]float64
	for range n {
		c := Draw(r, false, by)
		for k, v := range []float64{c.ShiftX / 5, c.ShiftY / 5, c.Rotate / 20, (c.Scale - 1) / 0.2, c.Brightness / 0.3, (c.Contrast - 1) / 0.4} {
			values[k] = append(values[k], v)
		}
		if e := c.Erase; e != (Rect{}) {
			erased++
			if e.Height*e.Width > 0.2+1e-9 || e.Top < 0 || e.Left < 0 || e.Top+e.Height > 1+1e-9 || e.Left+e.Width > 1+1e-9 || e.Height > 2.01*e.Width || e.Width > 2.01*e.Height {
				t.Fatalf("found the rectangle %+v", e)
			}
		}
	}
	for k, v := range values {
		var sum, squares float64
		for _, v := range v {
			sum, squares = sum+v, squares+v*v
		}
		if slices.Min(v) < -1 || slices.Max(v) > 1 || math.Abs(sum/n) > 0.04 || math.Abs(squares/n-1.0/3) > 0.03 {
			t.Errorf("value %d: found mean %g, mean square %g, from %g to %g, want uniform in [-1, 1]", k, sum/n, squares/n, slices.Min(v), slices.Max(v))
		}
	}
	if erased < 850 || erased > 1150 {
		t.Errorf("found %d of %d erased, want about a quarter", erased, n)
	}
	a, b := rand.New(rand.NewPCG(5, 6)), rand.New(rand.NewPCG(5, 6))
	first, same := Draw(a, true, by), Draw(b, true, by)
	if first != same {
		t.Errorf("the same numbers: found %+v and %+v", first, same)
	}
	_ = Draw(a, false, Ranges{}) // takes as many numbers
	_ = Draw(b, true, by)
	if a.Uint64() != b.Uint64() {
		t.Error("other ranges take another number of random numbers")
	}
	if c := Draw(a, false, Ranges{}); c.moves() || c.Contrast != 1 || c.Brightness != 0 || c.Noise != 0 || c.Erase != (Rect{}) {
		t.Errorf("nothing to draw: found %+v", c)
	}
}

func TestNoise(t *testing.T) {
	f := Frame{Height: 200, Width: 200, Channels: 1, Axis: 200}
	src, a, b := make([]uint8, 40000), make([]float32, 40000), make([]float32, 40000)
	Image(a, src, f, Change{Scale: 1, Contrast: 1, Noise: 0.1, NoiseSeed: 7})
	Image(b, src, f, Change{Scale: 1, Contrast: 1, Noise: 0.1, NoiseSeed: 8})
	var sum, squares, within, both float64
	for i, v := range a {
		d := float64(v) / 25.5
		sum, squares, both = sum+d, squares+d*d, both+d*float64(b[i])/25.5
		if math.Abs(d) < 1 {
			within++
		}
	}
	const n = 40000
	if math.Abs(sum/n) > 0.02 || math.Abs(squares/n-1) > 0.03 || math.Abs(within/n-0.6827) > 0.01 || math.Abs(both/n) > 0.02 {
		t.Errorf("found mean %g, variance %g, %g within one deviation, correlation %g; want 0, 1, 0.683, 0", sum/n, squares/n, within/n, both/n)
	}
}

// BenchmarkImage is all changes of one 96x96 image.
func BenchmarkImage(b *testing.B) {
	f := Frame{Height: 96, Width: 96, Channels: 1, Axis: 96}
	src, dst := make([]uint8, 96*96), make([]float32, 96*96)
	for i := range src {
		src[i] = uint8(i * 7)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range b.N {
		Image(dst, src, f, Draw(r, true, Ranges{Shift: 5, Rotate: 20, Scale: 0.2, Brightness: 0.3, Contrast: 0.4, Noise: 0.05, EraseShare: 1, EraseArea: 0.2}))
	}
}
