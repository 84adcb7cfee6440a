package photo

import (
	"image"
	"math"
	"math/rand/v2"
	"testing"
)

func TestSimilarity(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		want := similarity{random.NormFloat64(), random.NormFloat64(), 10 * random.NormFloat64(), 10 * random.NormFloat64()}
		var from, to []point
		for range 2 + random.IntN(5) {
			p := point{random.Float64() * 50, random.Float64() * 50}
			from, to = append(from, p), append(to, want.of(p))
		}
		got, ok := fit(from, to)
		if !ok || math.Abs(got.a-want.a)+math.Abs(got.b-want.b)+math.Abs(got.u-want.u)+math.Abs(got.v-want.v) > 1e-9 {
			t.Fatalf("found %+v, %v, want %+v", got, ok, want)
		}
		p := point{3, 4}
		if q := want.then(want.inverse()).of(p); math.Hypot(q.x-p.x, q.y-p.y) > 1e-9 {
			t.Errorf("there and back gives %v, want %v", q, p)
		}
	}
	for _, points := range [][]point{nil, {{1, 2}}, {{1, 2}, {1, 2}}} {
		if _, ok := fit(points, points); ok {
			t.Errorf("found a similarity for %v", points)
		}
	}
	// Of points that no similarity fits, the one is taken that is nearest: here their mirror images.
	if _, ok := fit([]point{{-1, 0}, {1, 0}, {0, -1}, {0, 1}}, []point{{-1, 0}, {1, 0}, {0, 1}, {0, -1}}); ok {
		t.Error("found a similarity that turns a picture over")
	}
}

// slope is a picture that is brighter to the right and below.
func slope(w, h int) *image.Gray {
	m := image.NewGray(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			m.Pix[y*m.Stride+x] = uint8(40 + 100*(float64(x)+0.5)/float64(w) + 80*(float64(y)+0.5)/float64(h))
		}
	}
	return m
}

// What is cut out at any size and turn has the brightness of where it was.
func TestCut(t *testing.T) {
	m := slope(700, 500)
	p := newStack(m)
	if len(p) < 3 {
		t.Fatalf("found %d pictures in the stack", len(p))
	}
	for _, s := range []similarity{
		{0.2, 0, -20, -10}, {0.1, 0.05, -5, 0}, {0.45, -0.2, -100, -20}, {1, 0, -300, -200}, {2.5, 1, -800, -900}, {0.17, 0, 0, 0},
	} {
		out := make([]uint8, 48*64)
		p.cut(s, 48, 64, out)
		back := s.inverse()
		for y := range 48 {
			for x := range 64 {
				q := back.of(point{float64(x) + 0.5, float64(y) + 0.5})
				if q.x < 8 || q.y < 8 || q.x > 692 || q.y > 492 {
					continue
				}
				want := 40 + 100*q.x/700 + 80*q.y/500
				if d := float64(out[y*64+x]) - want; math.Abs(d) > 1.6 {
					t.Fatalf("%+v: found %d at %d, %d, want %.1f", s, out[y*64+x], x, y, want)
				}
			}
		}
	}
}

// A picture that is made smaller keeps its brightness, and its edge goes on where there is more room.
func TestShrink(t *testing.T) {
	p := newStack(slope(640, 480))
	for _, scale := range []float64{1, 0.9, 0.6, 0.5, 0.31, 0.2, 0.1} {
		h, w := int(480*scale)+20, int(640*scale)+9
		out := make([]uint8, h*w)
		p.shrink(scale, h, w, out)
		for y := range h {
			for x := range w {
				px, py := min((float64(x)+0.5)/scale, 639.5), min((float64(y)+0.5)/scale, 479.5)
				want := 40 + 100*px/640 + 80*py/480
				if d := float64(out[y*w+x]) - want; math.Abs(d) > 2.5 {
					t.Fatalf("scale %g: found %d at %d, %d, want %.1f", scale, out[y*w+x], x, y, want)
				}
			}
		}
	}
}
