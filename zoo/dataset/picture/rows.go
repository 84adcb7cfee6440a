package picture

import (
	"context"
	"fmt"
	"image"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/internal/parallel"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// natural is the height and width of images from pictures where none is asked for.
const natural = 96

// extensions are those of pictures' names, in small letters.
var extensions = []string{".png", ".jpg", ".jpeg", ".jpe", ".jfif"}

// IsNamed tells whether a file is called as a picture is.
func IsNamed(name string) bool {
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

// Is tells whether a file is a picture.
func Is(f *input.File) bool { return f.Kind == "png" || f.Kind == "jpeg" }

// Open is one picture as a source. Pictures of any size are turned as their EXIF
// orientation says, made grey by luma and stretched with a Catmull-Rom filter; Scales
// leads back to the picture's own pixels.
func Open(_ context.Context, f *input.File, size input.Size) (*dataset.Source, error) {
	a := &Album{Names: []string{f.Name}, given: []*input.File{f}}
	s, err := a.Source(size)
	if err == nil {
		s.Single = true
	}
	return s, err
}

// An Album is pictures in files of their own, with the points known on them.
type Album struct {
	Name    string // as errors call it
	Columns []string
	Names   []string  // of the pictures, as rows are called
	Files   []string  // their paths
	Points  []float32 // [rows, columns], in pixels of the pictures
	Notes   []dataset.Note

	given []*input.File // in place of Files
}

// Source is the album as a source, images of the size that is asked for or else of
// the natural one.
func (a *Album) Source(size input.Size) (*dataset.Source, error) {
	if size == (input.Size{}) {
		size = input.Size{Height: natural, Width: natural}
	}
	rows, err := (&rows{album: a}).Fit(size.Height, size.Width)
	if err != nil {
		return nil, err
	}
	return &dataset.Source{Columns: a.Columns, Height: size.Height, Width: size.Width, Channels: 1,
		Count: len(a.Names), Notes: a.Notes, Rows: rows}, nil
}

// rows are the pictures as images of h x w.
type rows struct {
	album *Album
	h, w  int
}

// Fit refuses an album without pictures, or with too many to read as images of h x w
// at once.
func (r *rows) Fit(h, w int) (dataset.Rows, error) {
	n := len(r.album.Names)
	if n == 0 {
		return nil, fmt.Errorf("%s: found no pictures, want at least one PNG or JPEG: %w", r.album.Name, dataset.ErrEmpty)
	}
	if int64(n) > dataset.MaxSet/int64(h*w) {
		return nil, fmt.Errorf("%s: found %d pictures, want at most %d bytes of pixels: %w", r.album.Name, n, int64(dataset.MaxSet), dataset.ErrLimit)
	}
	return &rows{r.album, h, w}, nil
}

// Join takes up pictures that were given one by one behind such.
func (r *rows) Join(next dataset.Rows) (dataset.Rows, bool) {
	more, ok := next.(*rows)
	if !ok || r.album.given == nil || more.album.given == nil || r.h != more.h || r.w != more.w {
		return nil, false
	}
	both := &Album{Names: slices.Concat(r.album.Names, more.album.Names), given: slices.Concat(r.album.given, more.album.given)}
	return &rows{both, r.h, r.w}, true
}

// Read reads all pictures, and moves the points along.
func (r *rows) Read(ctx context.Context) (*dataset.Set, error) {
	s, err := r.part(ctx, 0, len(r.album.Names))
	if err != nil {
		return nil, err
	}
	s.Checksum = s.Sum()
	return s, nil
}

// Paths are the pictures' files; nil where they were given one by one.
func (r *rows) Paths() []string { return r.album.Files }

// Names are known already.
func (r *rows) Names(_ context.Context, fn func(string) error) error {
	return dataset.Each(r.album.Names, fn)
}

type result struct {
	set *dataset.Set
	err error
}

// Stream reads the next part while one is in use.
func (r *rows) Stream(ctx context.Context, n int, fn func(part *dataset.Set) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	count := len(r.album.Names)
	next := func(from int) <-chan result {
		out := make(chan result, 1)
		go func() {
			s, err := r.part(ctx, from, min(from+n, count))
			out <- result{s, err}
		}()
		return out
	}
	coming := next(0)
	for from := 0; from < count; from += n {
		part := <-coming
		if part.err != nil {
			return part.err
		}
		if from+n < count {
			coming = next(from + n)
		}
		if err := fn(part.set); err != nil {
			return err
		}
	}
	return nil
}

// part reads pictures from to to-1.
func (r *rows) part(ctx context.Context, from, to int) (*dataset.Set, error) {
	a, n, c, pixels := r.album, to-from, len(r.album.Columns), r.h*r.w
	s := &dataset.Set{Columns: a.Columns, Height: r.h, Width: r.w, Channels: 1, Bytes: make([]uint8, n*pixels),
		IDs: a.Names[from:to:to], Scales: make([]dataset.Scale, n)}
	if c > 0 {
		s.Points = slices.Clone(a.Points[from*c : to*c])
	}
	err := parallel.InOrder(ctx, n, func(i int) error {
		image, size, err := r.picture(ctx, from+i)
		if err != nil {
			return err
		}
		copy(s.Bytes[i*pixels:], image)
		s.Scales[i] = dataset.Scale{X: float32(size.X) / float32(r.w), Y: float32(size.Y) / float32(r.h)}
		s.Scales[i].Down(s.Columns, s.Row(i))
		return nil
	})
	return s, err
}

// picture reads picture i.
func (r *rows) picture(ctx context.Context, i int) (pixels []uint8, size image.Point, err error) {
	var f input.Handle
	name := ""
	if r.album.given != nil {
		name = r.album.given[i].Name
		f, err = r.album.given[i].Open()
	} else {
		name = r.album.Files[i]
		f, err = input.Open(name)
	}
	if err != nil {
		return nil, size, err
	}
	defer f.Close()
	return read(ctx, f, input.Shown(name), r.h, r.w)
}
