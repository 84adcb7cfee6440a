package draw

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"

	"golang.org/x/image/draw"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

const (
	wantedSide = 384        // a face without a given scale gets at least this long a side
	maxPixels  = 64_000_000 // of a picture that is made here
)

// A Face is one image and the points on it.
type Face struct {
	Height, Width, Channels int // three channels are red, green and blue; of another number the first is shown

	// Bytes or Floats has the pixels, [Height, Width, Channels], 0 to 255. Exactly one of them is set.
	Bytes  []uint8
	Floats []float32

	// Predicted and True are x, y, x, y, ... in pixels of the image; a point with a NaN is missing. Either may be nil;
	// where both are given they have the same length, and a thin line joins the two points of a pair.
	Predicted, True []float32

	// ID and Note are written under the face, left and right: what it is called, how far off the prediction is.
	// Without both there is no line for them.
	ID, Note string
}

// A Style says how a face is enlarged.
type Style struct {
	Scale int  // how many times; 0: the least that gives a side of 384 pixels, and 1 for larger images
	Sharp bool // pixels as squares, not smoothed
}

// Picture draws the face: Width*Scale x Height*Scale pixels, and a line of text under it where there is an ID or a Note.
// A prediction is a filled dot, a true point a ring; what lies outside the image is an open dot at its edge.
func (f *Face) Picture(s Style) (*image.RGBA, error) {
	src, err := f.source()
	if err != nil {
		return nil, err
	}
	scale := s.Scale
	switch long := max(f.Width, f.Height); {
	case scale < 0:
		return nil, fmt.Errorf("scale of a face: found %d, want 1 or more, or 0 to choose", scale)
	case scale == 0:
		scale = max(1, min(16, (wantedSide+long-1)/long))
	}
	if scale > maxPixels || float64(f.Width)*float64(f.Height)*float64(scale)*float64(scale) > maxPixels {
		return nil, fmt.Errorf("picture of a face: found %dx%d pixels enlarged %d times, want at most %d pixels",
			f.Width, f.Height, scale, maxPixels)
	}
	w, h := f.Width*scale, f.Height*scale
	strip := 0
	if f.ID != "" || f.Note != "" {
		strip = captionHeight
	}
	c := newCanvas(w, h+strip, look.Paper)
	at := image.Rect(0, 0, w, h)
	f.draw(c, src, at, s.Sharp)
	f.caption(c, at)
	return c.RGBA, nil
}

// WriteFace writes the face's picture as a PNG. Without force an existing file is refused.
func WriteFace(path string, force bool, f *Face, s Style) error {
	m, err := f.Picture(s)
	if err != nil {
		return err
	}
	return writePNG(path, force, m)
}

// check says whether the slices fit the sizes.
func (f *Face) check() error {
	if f.Height <= 0 || f.Width <= 0 || f.Channels <= 0 || f.Height > maxPixels/f.Width || f.Channels > maxPixels {
		return fmt.Errorf("face %q: found a size of %dx%d with %d channels, want 1x1 to %d pixels and a channel",
			f.ID, f.Height, f.Width, f.Channels, maxPixels)
	}
	if (f.Bytes == nil) == (f.Floats == nil) {
		return fmt.Errorf("face %q: want its pixels as bytes or as floats, one of the two", f.ID)
	}
	if n, want := len(f.Bytes)+len(f.Floats), f.Height*f.Width*f.Channels; n != want {
		return fmt.Errorf("face %q: found %d values, want %d (%dx%d, %d channels)",
			f.ID, n, want, f.Height, f.Width, f.Channels)
	}
	for _, p := range []struct {
		name string
		n    int
	}{{"predicted", len(f.Predicted)}, {"true", len(f.True)}} {
		if p.n%2 != 0 {
			return fmt.Errorf("face %q: found %d %s coordinates, want pairs of x and y", f.ID, p.n, p.name)
		}
	}
	if f.Predicted != nil && f.True != nil && len(f.Predicted) != len(f.True) {
		return fmt.Errorf("face %q: found %d predicted and %d true coordinates, want as many",
			f.ID, len(f.Predicted), len(f.True))
	}
	return nil
}

// source is the image as it is, not enlarged.
func (f *Face) source() (image.Image, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	value := func(i int) uint8 {
		if f.Bytes != nil {
			return f.Bytes[i]
		}
		// max and min hand a NaN through, and its conversion differs by machine.
		if v := f.Floats[i]; v == v {
			return uint8(min(max(v, 0), 255) + 0.5)
		}
		return 0
	}
	r := image.Rect(0, 0, f.Width, f.Height)
	if f.Channels != 3 {
		m := image.NewGray(r)
		for i := range m.Pix {
			m.Pix[i] = value(i * f.Channels)
		}
		return m, nil
	}
	m := image.NewRGBA(r)
	for i := range f.Height * f.Width {
		for c := range 3 {
			m.Pix[4*i+c] = value(3*i + c)
		}
		m.Pix[4*i+3] = 255
	}
	return m, nil
}

// draw puts the image and its points into a rectangle of the canvas, which has the image's proportions.
func (f *Face) draw(c *canvas, src image.Image, at image.Rectangle, sharp bool) {
	var scaler draw.Scaler = draw.CatmullRom
	if sharp {
		scaler = draw.NearestNeighbor
	}
	scaler.Scale(c.RGBA, at, src, src.Bounds(), draw.Src, nil)

	// Marks fit the picture, whatever the image's own size is.
	radius := min(max(float64(max(at.Dx(), at.Dy()))/85, 1.8), 9)
	place := func(points []float32, i int) (p mark, ok bool) {
		if i >= len(points) {
			return p, false
		}
		x, y := float64(points[i]), float64(points[i+1])
		if math.IsNaN(x) || math.IsNaN(y) {
			return p, false
		}
		w, h := float64(f.Width), float64(f.Height)
		p.inside = x >= 0 && y >= 0 && x <= w && y <= h
		p.x = float64(at.Min.X) + min(max(x, 0), w)*float64(at.Dx())/w
		p.y = float64(at.Min.Y) + min(max(y, 0), h)*float64(at.Dy())/h
		return p, true
	}
	n := max(len(f.Predicted), len(f.True))
	// Three passes, so that no line crosses a dot and no ring hides one.
	for i := 0; i < n; i += 2 {
		p, okP := place(f.Predicted, i)
		t, okT := place(f.True, i)
		if okP && okT {
			c.link(at, t, p, radius)
		}
	}
	for i := 0; i < n; i += 2 {
		if t, ok := place(f.True, i); ok {
			c.ring(at, t, radius, trueColor)
		}
	}
	for i := 0; i < n; i += 2 {
		if p, ok := place(f.Predicted, i); ok {
			c.dot(at, p, radius, predictedColor)
		}
	}
}

// caption writes ID and Note under the rectangle.
func (f *Face) caption(c *canvas, at image.Rectangle) {
	const pad = 4
	room := at.Dx() - 2*pad
	y := at.Max.Y + captionBase
	note := clip(f.Note, captionFont, room)
	nw := width(note, captionFont)
	c.text(at.Max.X-pad-nw, y, note, captionFont, look.Ink)
	if nw > 0 {
		nw += 8
	}
	c.text(at.Min.X+pad, y, clip(f.ID, captionFont, room-nw), captionFont, look.Faint)
}

func writePNG(path string, force bool, m image.Image) error {
	return atomicfile.Write(path, force, func(w io.Writer) error {
		// Twice as fast as the default, and a few per cent larger.
		e := png.Encoder{CompressionLevel: png.BestSpeed}
		return e.Encode(w, m)
	})
}

// Colours of points, which lie on grey and on skin.
var (
	predictedColor = look.Orange
	trueColor      = color.RGBA{0x2e, 0xd3, 0xff, 0xff}
	linkColor      = color.RGBA{0xff, 0xff, 0xff, 0xff}
	halo           = color.RGBA{0x00, 0x00, 0x00, 0xb0}
)
