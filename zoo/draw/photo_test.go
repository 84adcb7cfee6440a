package draw

import (
	"image"
	"image/color"
	"math"
	"testing"
)

// grey is a canvas of one tone.
func greyCanvas(w, h int) *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range m.Pix {
		m.Pix[i] = 128
	}
	return m
}

func distance(a, b color.RGBA) int {
	d := func(x, y uint8) int { return int(math.Abs(float64(x) - float64(y))) }
	return d(a.R, b.R) + d(a.G, b.G) + d(a.B, b.B)
}

func found() Found {
	return Found{X: 50, Y: 60, Width: 200, Height: 240, Score: 1,
		Names:  []string{"left_eye_center", "right_eye_center", "nose_tip", "left_eye_inner_corner"},
		Points: [][2]float64{{200, 120}, {100, 120}, {150, 190}, {180, 122}}}
}

// Points have their side's colour, the box is where it is said to be, and nothing else is touched.
func TestFaces(t *testing.T) {
	m := greyCanvas(400, 400)
	Faces(m, []Found{found()}, false)
	for i, want := range []color.RGBA{leftColor, rightColor, middleColor} {
		p := found().Points[i]
		if got := m.RGBAAt(int(p[0]), int(p[1])); distance(got, want) > 12 {
			t.Errorf("point %d: found %v, want %v", i, got, want)
		}
	}
	if got := m.RGBAAt(50, 180); distance(got, boxColor) > 30 {
		t.Errorf("found %v at the box's left side", got)
	}
	if got := m.RGBAAt(190, 121); distance(got, color.RGBA{128, 128, 128, 128}) < 30 {
		t.Errorf("found %v between the eye's points, want a line", got)
	}
	for _, p := range []image.Point{{350, 350}, {150, 260}, {20, 200}} {
		if got := m.RGBAAt(p.X, p.Y); got != (color.RGBA{128, 128, 128, 128}) {
			t.Errorf("found %v at %v, want what was there", got, p)
		}
	}
}

// What is unsure is fainter: the face, and a point.
func TestFaint(t *testing.T) {
	at := func(change func(*Found)) int {
		m, f := greyCanvas(400, 400), found()
		change(&f)
		Faces(m, []Found{f}, false)
		return distance(m.RGBAAt(200, 120), color.RGBA{128, 128, 128, 128})
	}
	sure := at(func(*Found) {})
	doubted := at(func(f *Found) { f.Score = 0.5 })
	wide := at(func(f *Found) { f.Errors = []float64{20, 0, 0, math.NaN()} })
	if doubted >= sure || wide >= sure {
		t.Errorf("found a point that stands out by %d, %d in a doubtful face, %d where it is expected to be far off", sure, doubted, wide)
	}
}

// Faces at the edge and outside, small ones, ones without points, and names are drawn without harm.
func TestExtremeFaces(t *testing.T) {
	m := greyCanvas(60, 40)
	f := found()
	Faces(m, []Found{f, {X: -1e6, Y: -1e6, Width: 1e7, Height: 1e7}, {X: 5, Y: 5, Width: 0.5, Height: 0.5, Names: []string{"a"}, Points: [][2]float64{{-1e5, 1e6}}},
		{Names: []string{"nose_tip"}, Points: [][2]float64{{math.NaN(), 3}}}, {X: math.NaN(), Y: 1, Width: 2, Height: 3}}, true)
	Faces(image.NewRGBA(image.Rect(0, 0, 1, 1)), []Found{f}, true)
}
