package dataset

import (
	"fmt"
	"image"
	"slices"

	"golang.org/x/image/draw"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Limits on what may be asked of a Set. Memory stays in proportion to the pixels
// really read; these stop files made to do harm.
const (
	MaxPixels = 1 << 24  // of one image
	MaxSet    = 16 << 30 // bytes of pixels of a Set
)

// CheckSize refuses sizes of images that can't be.
func CheckSize(h, w int) error {
	if h <= 0 || w <= 0 || h > MaxPixels/w {
		return fmt.Errorf("found an image size of %dx%d, want 1x1 to %d pixels: %w", h, w, MaxPixels, ErrLimit)
	}
	return nil
}

// Resized is the Set with images of h x w, and points and scales to match; the
// Set itself where they have that size.
func (s *Set) Resized(h, w int) *Set {
	if s.Height == h && s.Width == w {
		return s
	}
	out := &Set{Columns: s.Columns, Height: h, Width: w, Channels: 1, IDs: s.IDs, Numbered: s.Numbered, Source: s.Source, Notes: s.Notes,
		Bytes: make([]uint8, 0, s.Len()*h*w), Points: slices.Clone(s.Points), Scales: ones(s.Len())}
	by := Scale{float32(s.Width) / float32(w), float32(s.Height) / float32(h)}
	for i := range s.Len() {
		out.Bytes = append(out.Bytes, Stretch(s.Gray(i), h, w)...)
		out.Scales[i] = Scale{by.X * s.Scale(i).X, by.Y * s.Scale(i).Y}
		by.Down(s.Columns, out.Row(i))
	}
	if s.Checksum != "" { // a part of a stream has none
		out.Checksum = out.Sum()
	}
	return out
}

// Down turns coordinates of the original into those of the resized image, in place.
// Columns that are no x, y, width or height stay as they are.
func (s Scale) Down(columns []string, row []float32) {
	for c, name := range columns {
		switch {
		case blueprint.IsX(name), blueprint.IsWidth(name):
			row[c] /= s.X
		case blueprint.IsY(name), blueprint.IsHeight(name):
			row[c] /= s.Y
		}
	}
}

// Stretch stretches a grey picture to h x w pixels, row by row, with a Catmull-Rom
// filter where that isn't its size.
func Stretch(m *image.Gray, h, w int) []uint8 {
	out := image.NewGray(image.Rect(0, 0, w, h))
	if m.Rect.Size() == out.Rect.Size() {
		draw.Draw(out, out.Rect, m, m.Rect.Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(out, out.Rect, m, m.Rect, draw.Src, nil)
	}
	return out.Pix
}
