package dataset

import (
	"context"
	"fmt"
	"image"
	"slices"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

// ReadImages reads pictures to predict on, in the order of the paths, as grey
// images of h x w:
//
//   - PNG and JPEG of any size, turned as their EXIF orientation says, made grey
//     by luma and stretched to h x w with a Catmull-Rom filter; Scales leads back
//     to the picture's own pixels;
//   - all that ReadSized takes;
//   - .npy, float32 or float64 of shape [n,h,w] or [n,1,h,w], values 0 to 1.
//
// What a file is is told by its content, not its name. A picture is called by
// its path; a row of a file with several by its ImageId or number, and as
// "PATH:ID" where several paths are given. The columns are those of all files
// together, a row having NaN in those its file lacks. As soon as one file
// has fractions, all pixels are in Floats. The error is that of the first path
// that has one.
func ReadImages(ctx context.Context, paths []string, h, w int) (*Set, error) {
	if h <= 0 || w <= 0 || h*w > maxPixels {
		return nil, fmt.Errorf("found an image size of %dx%d, want 1x1 to %d pixels: %w", h, w, maxPixels, ErrLimit)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("found no images to read, want at least one: %w", ErrEmpty)
	}
	parts := make([]*Set, len(paths))
	err := inOrder(ctx, len(paths), func(i int) (err error) {
		parts[i], err = readPart(ctx, paths[i], h, w, len(paths) > 1)
		return err
	})
	if err != nil {
		return nil, err
	}
	return join(parts), nil
}

func readPart(ctx context.Context, path string, h, w int, many bool) (s *Set, err error) {
	kind, err := kindOf(path)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "png", "jpeg":
		pixels, size, err := readPicture(ctx, path, h, w)
		if err != nil {
			return nil, err
		}
		s := &Set{Height: h, Width: w, Channels: 1, Bytes: pixels, IDs: []string{path}, Source: path}
		if size.X != w || size.Y != h {
			s.Scales = []Scale{scaleOf(size, h, w)}
		}
		s.Checksum = s.Sum()
		return s, nil
	case "npy":
		f, err := open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		s, err = readNPY(ctx, f, path, h, w)
		if err != nil {
			return nil, err
		}
	case "zip", "text", "folder":
		if s, err = ReadSized(ctx, path, h, w); err != nil {
			return nil, err
		}
	case "empty":
		return nil, fmt.Errorf("%s: found an empty file, want a PNG, JPEG, .npy, CSV or a zip with one: %w", path, ErrEmpty)
	default:
		return nil, fmt.Errorf("%s: found %s, want a PNG, JPEG, .npy, CSV or a zip with one: %w", path, kind, ErrFormat)
	}
	if many {
		for i := range s.IDs {
			s.IDs[i] = path + ":" + s.IDs[i]
		}
	}
	return s, nil
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
	out.Checksum = out.Sum()
	return out
}

// join puts Sets of one image size one behind the other.
func join(parts []*Set) *Set {
	if len(parts) == 1 {
		return parts[0]
	}
	out := &Set{Height: parts[0].Height, Width: parts[0].Width, Channels: 1, Source: parts[0].Source}
	rows, fractions := 0, false
	for _, p := range parts {
		rows += p.Len()
		out.Notes = append(out.Notes, p.Notes...)
		fractions = fractions || p.Floats != nil
		for _, c := range p.Columns {
			if out.Column(c) < 0 {
				out.Columns = append(out.Columns, c)
			}
		}
	}
	out.Source = fmt.Sprintf("%s and %d more", parts[0].Source, len(parts)-1)
	out.IDs = make([]string, 0, rows)
	if fractions {
		out.Floats = make([]float32, 0, rows*out.Pixels())
	} else {
		out.Bytes = make([]uint8, 0, rows*out.Pixels())
	}
	if len(out.Columns) > 0 {
		out.Points = make([]float32, 0, rows*len(out.Columns))
	}
	for _, p := range parts {
		out.append(p.as(out.Columns, fractions), 0, p.Len())
	}
	out.Checksum = out.Sum()
	return out
}

// as is the same Set with other columns and, where asked, with its pixels as
// fractions.
func (s *Set) as(columns []string, fractions bool) *Set {
	out := *s
	if fractions && s.Floats == nil {
		out.Bytes, out.Floats = nil, make([]float32, len(s.Bytes))
		for i, v := range s.Bytes {
			out.Floats[i] = float32(v)
		}
	}
	if !slices.Equal(columns, s.Columns) {
		out.Columns, out.Points = columns, make([]float32, s.Len()*len(columns))
		for c, name := range columns {
			from := s.Column(name)
			for r := range s.Len() {
				v := nan
				if from >= 0 {
					v = s.Points[r*len(s.Columns)+from]
				}
				out.Points[r*len(columns)+c] = v
			}
		}
	}
	return &out
}

// scaleOf leads from an image of h x w back to a picture's own size.
func scaleOf(size image.Point, h, w int) Scale {
	return Scale{float32(size.X) / float32(w), float32(size.Y) / float32(h)}
}
