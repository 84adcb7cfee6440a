package draw

import (
	"errors"
	"fmt"
	"image"
	"math"

	"github.com/fkzoo/fkzoo/zoo/draw/look"
)

// ErrEmpty is what a picture of nothing matches.
var ErrEmpty = errors.New("nothing to draw")

// A Sheet is one picture of many faces, row by row, each with its ID and Note under it.
type Sheet struct {
	Title   string
	Faces   []Face
	Columns int  // faces in a row; 0: as many as make the sheet a little wider than high
	Cell    int  // the longer side of a face, in pixels of the sheet; 0: 192
	Sharp   bool // pixels as squares, not smoothed
}

const (
	sheetMargin = 16
	sheetGap    = 8
	sheetHead   = 44
)

// Picture draws the sheet. Faces of other sizes keep their proportions.
func (s *Sheet) Picture() (*image.RGBA, error) {
	n := len(s.Faces)
	if n == 0 {
		return nil, fmt.Errorf("sheet %q: found no faces: %w", s.Title, ErrEmpty)
	}
	cell, columns := s.Cell, s.Columns
	if cell == 0 {
		cell = 192
	}
	if columns == 0 {
		columns = int(math.Ceil(math.Sqrt(1.3 * float64(n))))
	}
	if cell < 16 || cell > 4096 || columns < 1 || columns > 4096 {
		return nil, fmt.Errorf("sheet %q: found %d columns of %d pixels, want 1 to 4096 of 16 to 4096", s.Title, columns, cell)
	}
	columns = min(columns, n)
	rows := (n + columns - 1) / columns
	captions, predicted, truth := 0, false, false
	for i := range s.Faces {
		f := &s.Faces[i]
		if f.ID != "" || f.Note != "" {
			captions = captionHeight
		}
		predicted = predicted || len(f.Predicted) > 0
		truth = truth || len(f.True) > 0
	}
	legend := legendOf(predicted, truth)
	head := sheetMargin
	if s.Title != "" || legend != nil {
		head = sheetHead
	}
	w := 2*sheetMargin + columns*(cell+sheetGap) - sheetGap
	// A narrow sheet still has room for its legend.
	w = max(w, 2*sheetMargin+legendWidth(legend))
	h := head + rows*(cell+captions+sheetGap) - sheetGap + sheetMargin
	if float64(w)*float64(h) > maxPixels {
		return nil, fmt.Errorf("sheet %q: found %d faces, a picture of %dx%d, want at most %d pixels", s.Title, n, w, h, maxPixels)
	}
	c := newCanvas(w, h, look.Paper)
	right := c.legend(w-sheetMargin, 27, legend)
	if right < w-sheetMargin {
		right -= 16
	}
	c.text(sheetMargin, 28, clipEnd(s.Title, titleFont, right-sheetMargin), titleFont, look.Ink)
	for i := range s.Faces {
		f := &s.Faces[i]
		src, err := f.source()
		if err != nil {
			return nil, err
		}
		x := sheetMargin + i%columns*(cell+sheetGap)
		y := head + i/columns*(cell+captions+sheetGap)
		f.draw(c, src, fit(image.Rect(x, y, x+cell, y+cell), f.Width, f.Height), s.Sharp)
		f.caption(c, image.Rect(x, y, x+cell, y+cell))
	}
	return c.RGBA, nil
}

// Write writes the sheet as a PNG. Without force an existing file is refused.
func (s *Sheet) Write(path string, force bool) error {
	m, err := s.Picture()
	if err != nil {
		return err
	}
	return writePNG(path, force, m)
}

// fit is the largest rectangle of the given proportions in the middle of r.
func fit(r image.Rectangle, w, h int) image.Rectangle {
	side := r.Dx()
	dx, dy := side, side
	if w > h {
		dy = max(1, side*h/w)
	} else {
		dx = max(1, side*w/h)
	}
	x, y := r.Min.X+(side-dx)/2, r.Min.Y+(side-dy)/2
	return image.Rect(x, y, x+dx, y+dy)
}

type legendEntry struct {
	name string
	draw func(c *canvas, m mark)
}

const (
	legendRadius = 4.5
	legendMark   = 22 // a mark's room
	legendSpace  = 18 // between entries
)

func legendOf(predicted, truth bool) []legendEntry {
	var l []legendEntry
	if predicted {
		l = append(l, legendEntry{"predicted", func(c *canvas, m mark) { c.dot(c.Rect, m, legendRadius, predictedColor) }})
	}
	if truth {
		l = append(l, legendEntry{"true", func(c *canvas, m mark) { c.ring(c.Rect, m, legendRadius, trueColor) }})
	}
	return l
}

func legendWidth(l []legendEntry) int {
	w := 0
	for _, e := range l {
		w += legendMark + width(e.name, legendFont)
	}
	return w + max(0, len(l)-1)*legendSpace
}

// legend draws the entries so that they end at x, on the base line y, and returns where they start.
func (c *canvas) legend(x, y int, l []legendEntry) int {
	start := x - legendWidth(l)
	at := start
	for _, e := range l {
		e.draw(c, mark{float64(at) + legendMark/2 - 2, float64(y) - 4.5, true})
		c.text(at+legendMark, y, e.name, legendFont, look.Ink)
		at += legendMark + width(e.name, legendFont) + legendSpace
	}
	return start
}

// clipEnd shortens a title, which says most at its start.
func clipEnd(s string, t *typeface, room int) string {
	s = look.Printable(s)
	for runes := []rune(s); width(s, t) > room; {
		if len(runes) == 0 {
			return ""
		}
		runes = runes[:len(runes)-1]
		s = string(runes) + "…"
	}
	return s
}
