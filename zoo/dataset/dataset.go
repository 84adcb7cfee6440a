// Package dataset is what training data is, wherever it comes from: the Set, a table
// of images with the points known on them, and the Source, rows that can be read as
// one or stream by. It splits, sums up, resizes and writes sets.
//
// It knows no file format that is read: these are in the packages below it, and
// source opens any of them by one table. It knows nothing of networks or backends,
// and of blueprints only how columns are named.
//
// # Coordinates
//
// A point is in pixels of its image, x to the right and y down, and pixel i
// covers the interval from i to i+1. So mirroring an image of width w turns x
// into w-x, and resizing it multiplies x.
package dataset

import (
	"fmt"
	"image"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// A Set is a table of images, with or without the points known on them.
// A Set is not changed after it was made; it may be read from many goroutines.
type Set struct {
	// Columns names the coordinates as in the file's header, without Image and
	// ImageId; nil where no points are known.
	Columns []string

	Height, Width, Channels int

	// Bytes has the pixels, [n, height, width, channels], 0 to 255. For sources
	// that hold fractions (.npy) it is nil and Floats has the same values as
	// float32, still 0 to 255. Exactly one of the two is set.
	Bytes  []uint8
	Floats []float32

	// Points has the coordinates, [n, len(Columns)], in pixels of the image
	// as it is here; NaN marks an empty cell.
	Points []float32

	// IDs says what each row is called: its ImageId, its file's path, or its
	// number in the file, from 1.
	IDs []string

	// Numbered says that the rows have no names in the file: IDs are their numbers.
	Numbered bool

	// Scales turns coordinates of this Set into those of the picture a row was
	// read from, which may have had another size. nil: all are 1.
	Scales []Scale

	// Notes are of what was passed over while reading.
	Notes []Note

	Source   string // its name: the path, or "demo"
	Checksum string // see Sum
}

// A Scale turns coordinates in a resized image into those of the original.
type Scale struct{ X, Y float32 }

// Along is the factor of a column's coordinate; one that isn't an x or a width is taken for a y.
func (s Scale) Along(column string) float32 {
	if blueprint.IsX(column) || blueprint.IsWidth(column) {
		return s.X
	}
	return s.Y
}

// Len is the number of rows.
func (s *Set) Len() int { return len(s.IDs) }

// Pixels is the number of values of one image.
func (s *Set) Pixels() int { return s.Height * s.Width * s.Channels }

// Column is the position of a column, or -1.
func (s *Set) Column(name string) int { return slices.Index(s.Columns, name) }

// Scale is row i's factor back to the original picture.
func (s *Set) Scale(i int) Scale {
	if s.Scales == nil {
		return Scale{1, 1}
	}
	return s.Scales[i]
}

// Gray is row i as a picture, rounded to whole values where the Set has
// fractions. Of several channels it shows the first.
func (s *Set) Gray(i int) *image.Gray {
	g := image.NewGray(image.Rect(0, 0, s.Width, s.Height))
	at := i * s.Pixels()
	for p := range g.Pix {
		if s.Bytes != nil {
			g.Pix[p] = s.Bytes[at+p*s.Channels]
		} else {
			v := s.Floats[at+p*s.Channels]
			g.Pix[p] = uint8(min(max(v, 0), 255) + 0.5)
		}
	}
	return g
}

// Row is row i's points, a view of length len(Columns).
func (s *Set) Row(i int) []float32 {
	c := len(s.Columns)
	return s.Points[i*c : (i+1)*c : (i+1)*c]
}

// RowsWith lists, in order, the rows that have all the given columns filled.
// Without columns it lists every row. An unknown column is a *ColumnError.
func (s *Set) RowsWith(columns ...string) ([]int, error) {
	at, err := s.positions(columns)
	if err != nil {
		return nil, err
	}
	rows := make([]int, 0, s.Len())
next:
	for r := range s.Len() {
		for _, c := range at {
			if isNaN(s.Points[r*len(s.Columns)+c]) {
				continue next
			}
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func (s *Set) positions(columns []string) ([]int, error) {
	at := make([]int, len(columns))
	for i, name := range columns {
		if at[i] = s.Column(name); at[i] < 0 {
			return nil, &ColumnError{Source: s.Source, Column: name, Have: s.Columns}
		}
	}
	return at, nil
}

// Select copies the given rows, in the given order, into a new Set with a
// checksum of its own. A row may be named twice; one outside the Set is an
// error.
func (s *Set) Select(rows []int) (*Set, error) {
	p, c := s.Pixels(), len(s.Columns)
	out := &Set{Columns: s.Columns, Height: s.Height, Width: s.Width, Channels: s.Channels,
		Source: s.Source, IDs: make([]string, 0, len(rows))}
	if s.Bytes != nil {
		out.Bytes = make([]uint8, 0, len(rows)*p)
	} else {
		out.Floats = make([]float32, 0, len(rows)*p)
	}
	if c > 0 {
		out.Points = make([]float32, 0, len(rows)*c)
	}
	for _, r := range rows {
		if r < 0 || r >= s.Len() {
			return nil, fmt.Errorf("%s: found row %d, want 0 to %d", s.Source, r, s.Len()-1)
		}
		out.Append(s, r, r+1)
	}
	out.Checksum = out.Sum()
	return out, nil
}

// Append adds rows from to to-1 of o, which has the same shape, columns and
// kind of pixels, to a Set that is still being made.
func (s *Set) Append(o *Set, from, to int) {
	p, c := o.Pixels(), len(o.Columns)
	if o.Bytes != nil {
		s.Bytes = append(s.Bytes, o.Bytes[from*p:to*p]...)
	} else {
		s.Floats = append(s.Floats, o.Floats[from*p:to*p]...)
	}
	if c > 0 {
		s.Points = append(s.Points, o.Points[from*c:to*c]...)
	}
	if o.Scales != nil && s.Scales == nil {
		s.Scales = ones(s.Len())
	}
	s.IDs = append(s.IDs, o.IDs[from:to]...)
	if s.Scales != nil {
		for r := from; r < to; r++ {
			s.Scales = append(s.Scales, o.Scale(r))
		}
	}
}

// View is rows from to to-1, sharing the memory; without a checksum.
func (s *Set) View(from, to int) *Set {
	out, p, c := *s, s.Pixels(), len(s.Columns)
	out.Checksum = ""
	if s.Bytes != nil {
		out.Bytes = s.Bytes[from*p : to*p : to*p]
	} else {
		out.Floats = s.Floats[from*p : to*p : to*p]
	}
	if c > 0 {
		out.Points = s.Points[from*c : to*c : to*c]
	}
	if s.Scales != nil {
		out.Scales = s.Scales[from:to:to]
	}
	out.IDs = s.IDs[from:to:to]
	return &out
}

// renamed is the Set with a prefix before its rows' names.
func (s *Set) renamed(prefix string) *Set {
	out := *s
	out.IDs = make([]string, s.Len())
	for i, id := range s.IDs {
		out.IDs[i] = prefix + id
	}
	return &out
}

func ones(n int) []Scale {
	s := make([]Scale, n)
	for i := range s {
		s[i] = Scale{1, 1}
	}
	return s
}

func isNaN(v float32) bool { return v != v }

var nan = float32(math.NaN())
