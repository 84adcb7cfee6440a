package dataset

import (
	"context"
	"errors"
	"fmt"
	"image"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// Images are images to predict on, looked at but not read: [OpenImages].
type Images struct {
	// Notes are lines for people about what is passed over.
	Notes []string

	sources []imageSource
	limit   int // of the images; 0: none
}

// imageSource is one path's images, or those of several pictures in a row.
type imageSource struct {
	prefix string // of each image's name
	count  int    // -1: known only when it was read
	names  func(ctx context.Context, fn func(name string) error) error
	stream func(ctx context.Context, n int, fn func(part *Set) error) error
}

// OpenImages looks at what is to be predicted on, in the order of the paths, as
// grey images of h x w:
//
//   - PNG and JPEG of any size, turned as their EXIF orientation says, made grey
//     by luma and stretched to h x w with a Catmull-Rom filter; Scales leads back
//     to the picture's own pixels;
//   - all that ReadSized takes;
//   - .npy, float32 or float64 of shape [n,h,w] or [n,1,h,w], values 0 to 1.
//
// What a file is is told by its content, not its name. A picture is called by
// its path; a row of a file with several by its ImageId or number, and as
// "PATH:ID" where several paths are given. The error is that of the first path
// that isn't there or isn't one of these; what is wrong further within a file is
// found when it is read.
func OpenImages(ctx context.Context, paths []string, h, w int) (*Images, error) {
	if err := checkSize(h, w); err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("found no images to read, want at least one: %w", ErrEmpty)
	}
	im := &Images{}
	var row *album // of the pictures since the last path that was something else
	for _, path := range paths {
		kind, err := kindOf(path)
		if err != nil {
			return nil, err
		}
		if kind == "png" || kind == "jpeg" {
			if row == nil {
				row = &album{source: path}
				im.sources = append(im.sources, imageSource{})
			}
			row.files, row.names = append(row.files, path), append(row.names, path)
			im.sources[len(im.sources)-1] = row.images(h, w)
			continue
		}
		row = nil
		s, err := im.open(ctx, path, kind, h, w)
		if err != nil {
			return nil, err
		}
		if len(paths) > 1 {
			s.prefix = path + ":"
		}
		im.sources = append(im.sources, s)
	}
	return im, nil
}

func (im *Images) open(ctx context.Context, path, kind string, h, w int) (imageSource, error) {
	const want = "a PNG, JPEG, .npy, CSV or a zip with one"
	switch kind {
	case "npy":
		return openNPY(path, h, w)
	case "zip", "text", "folder":
		a, text, err := find(ctx, path)
		if err != nil {
			return imageSource{}, err
		}
		if a != nil {
			im.Notes = append(im.Notes, a.notes...)
			return a.images(h, w), a.check(h, w)
		}
		return kaggleImages(text, h, w)
	case "empty":
		return imageSource{}, fmt.Errorf("%s: found an empty file, want %s: %w", shown(path), want, ErrEmpty)
	}
	return imageSource{}, fmt.Errorf("%s: found %s, want %s: %w", shown(path), kind, want, ErrFormat)
}

// kaggleImages are those of Kaggle's CSV, or of the zip with it.
func kaggleImages(path string, h, w int) (imageSource, error) {
	read := func(ctx context.Context, n int, fn func(part *Set) error) error {
		_, _, err := Stream(ctx, path, n, fn)
		return err
	}
	s := imageSource{
		count: -1,
		names: func(ctx context.Context, fn func(string) error) error {
			return read(ctx, partRows, func(part *Set) error {
				for _, id := range part.IDs {
					if err := fn(id); err != nil {
						return err
					}
				}
				return nil
			})
		},
		stream: func(ctx context.Context, n int, fn func(part *Set) error) error {
			return read(ctx, n, func(part *Set) error { return fn(part.Resized(h, w)) })
		},
	}
	return s, checkHead(path)
}

// partRows are the rows of a part where it is all the same.
const partRows = 256

// ImagesOf are a Set's own.
func ImagesOf(s *Set) *Images {
	return &Images{Notes: s.Notes, sources: []imageSource{{
		count: s.Len(),
		names: func(_ context.Context, fn func(string) error) error { return each(s.IDs, fn) },
		stream: func(_ context.Context, n int, fn func(part *Set) error) error {
			for from := 0; from < s.Len(); from += n {
				if err := fn(s.view(from, min(from+n, s.Len()))); err != nil {
					return err
				}
			}
			return nil
		},
	}}}
}

func each(names []string, fn func(string) error) error {
	for _, name := range names {
		if err := fn(name); err != nil {
			return err
		}
	}
	return nil
}

// First takes the first n images alone.
func (im *Images) First(n int) { im.limit = n }

// Count is how many images there are; -1 where that is known only when they were
// read.
func (im *Images) Count() int {
	n := 0
	for _, s := range im.sources {
		if s.count < 0 {
			return -1
		}
		n += s.count
	}
	if im.limit > 0 {
		n = min(n, im.limit)
	}
	return n
}

// errEnough ends the reading where the limit is.
var errEnough = errors.New("enough images")

// Names tells what the images are called, in their order. Kaggle's files are read
// for it.
func (im *Images) Names(ctx context.Context, fn func(name string) error) error {
	n := 0
	return im.each(func(s *imageSource) error {
		return s.names(ctx, func(name string) error {
			if err := fn(s.prefix + name); err != nil {
				return err
			}
			if n++; n == im.limit {
				return errEnough
			}
			return nil
		})
	})
}

// Stream reads the images and hands them out in parts of up to n, each from one
// source: memory doesn't grow with their number. While fn works on one part the
// next is read. A part is good only until fn returns; its Checksum is empty. fn's
// error ends the reading and is returned as it is; else the error is that of the
// first image that has one.
func (im *Images) Stream(ctx context.Context, n int, fn func(part *Set) error) error {
	if n < 1 {
		return fmt.Errorf("found parts of %d images, want at least 1", n)
	}
	done := 0
	return im.each(func(s *imageSource) error {
		return s.stream(ctx, n, func(part *Set) error {
			if left := im.limit - done; im.limit > 0 && part.Len() > left {
				part = part.view(0, left)
			}
			if s.prefix != "" {
				part = part.renamed(s.prefix)
			}
			if err := fn(part); err != nil {
				return err
			}
			if done += part.Len(); done == im.limit {
				return errEnough
			}
			return nil
		})
	})
}

func (im *Images) each(do func(s *imageSource) error) error {
	for i := range im.sources {
		if err := do(&im.sources[i]); err == errEnough {
			return nil
		} else if err != nil {
			return err
		}
	}
	return nil
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

// checkSize refuses sizes of images that can't be.
func checkSize(h, w int) error {
	if h <= 0 || w <= 0 || h > maxPixels/w {
		return fmt.Errorf("found an image size of %dx%d, want 1x1 to %d pixels: %w", h, w, maxPixels, ErrLimit)
	}
	return nil
}

// Resized is the Set with images of h x w, and points and scales to match; the
// Set itself where they have that size.
func (s *Set) Resized(h, w int) *Set {
	if s.Height == h && s.Width == w {
		return s
	}
	out := &Set{Columns: s.Columns, Height: h, Width: w, Channels: 1, IDs: s.IDs, Source: s.Source, Notes: s.Notes,
		Bytes: make([]uint8, 0, s.Len()*h*w), Points: slices.Clone(s.Points), Scales: ones(s.Len())}
	x, y := float32(s.Width)/float32(w), float32(s.Height)/float32(h)
	for i := range s.Len() {
		out.Bytes = append(out.Bytes, fit(s.Gray(i), h, w)...)
		out.Scales[i] = Scale{x * s.Scale(i).X, y * s.Scale(i).Y}
		row := out.Row(i)
		for c, name := range s.Columns {
			switch {
			case blueprint.IsX(name):
				row[c] /= x
			case blueprint.IsY(name):
				row[c] /= y
			}
		}
	}
	if s.Checksum != "" { // a part of a stream has none
		out.Checksum = out.Sum()
	}
	return out
}

// scaleOf leads from an image of h x w back to a picture's own size.
func scaleOf(size image.Point, h, w int) Scale {
	return Scale{float32(size.X) / float32(w), float32(size.Y) / float32(h)}
}
