package photo

import (
	"image"
	"math"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// Sides of a face that is cut out for people to look at, in pixels.
const (
	leastCrop = 96
	mostCrop  = 512
)

// Crop cuts the face out of the photograph, upright and with the margin that the models see, as large as it is there.
func (f *Face) Crop(m *image.RGBA) *image.RGBA {
	side := int(math.Round(float64(f.side) / f.upright.scale()))
	side = min(max(side, leastCrop), mostCrop)
	s := f.upright.then(similarity{a: float64(side) / float64(f.side)})
	out := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(out, out.Rect, image.Black, image.Point{}, draw.Src)
	draw.CatmullRom.Transform(out, f64.Aff3{s.a, -s.b, s.u, s.b, s.a, s.v}, m, m.Rect, draw.Over, nil)
	return out
}
