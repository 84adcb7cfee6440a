package dataset

import (
	"bufio"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"runtime"
	"slices"

	"golang.org/x/image/draw"
	"golang.org/x/sync/errgroup"

	"github.com/fkzoo/fkzoo/specs/blueprint"
)

const maxPicture = 100_000_000 // pixels of a picture to be resized

// ReadImages reads pictures to predict on, in the order of the paths, as grey
// images of h x w:
//
//   - PNG and JPEG of any size, turned grey by luma and stretched to h x w with
//     a Catmull-Rom filter; Scales leads back to the picture's own pixels;
//   - Kaggle's CSV, plain or zipped, as Read takes it, resized where it has
//     another size;
//   - .npy, float32 or float64 of shape [n,h,w] or [n,1,h,w], values 0 to 1.
//
// What a file is is told by its content, not its name. A picture is called by
// its path; a row of a file with several by its ImageId or number, and as
// "PATH:ID" where several paths are given. The columns are those of all files
// together, a row having NaN in those its file lacks. As soon as one file
// has fractions, all pixels are in Floats. An EXIF orientation is not applied.
func ReadImages(ctx context.Context, paths []string, h, w int) (*Set, error) {
	if h <= 0 || w <= 0 || h*w > maxPixels {
		return nil, fmt.Errorf("found an image size of %dx%d, want 1x1 to %d pixels: %w", h, w, maxPixels, ErrLimit)
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("found no images to read, want at least one: %w", ErrEmpty)
	}
	parts := make([]*Set, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		group.Go(func() (err error) {
			if err = ctx.Err(); err == nil {
				parts[i], err = readPart(ctx, path, h, w, len(paths) > 1)
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return join(parts), nil
}

func readPart(ctx context.Context, path string, h, w int, many bool) (*Set, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var s *Set
	head, err := peek(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	switch kind := sniff(head); kind {
	case "png", "jpeg":
		return readPicture(f, kind, path, h, w)
	case "npy":
		s, err = readNPY(ctx, f, path, h, w)
	case "zip", "text":
		s, err = Read(ctx, path)
		if err == nil {
			s = s.Resized(h, w)
		}
	case "empty":
		return nil, fmt.Errorf("%s: found an empty file, want a PNG, JPEG, .npy, CSV or a zip with one: %w", path, ErrEmpty)
	default:
		return nil, fmt.Errorf("%s: found %s, want a PNG, JPEG, .npy, CSV or a zip with one: %w", path, kind, ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	if many {
		for i := range s.IDs {
			s.IDs[i] = path + ":" + s.IDs[i]
		}
	}
	return s, nil
}

func readPicture(f *os.File, kind, path string, h, w int) (*Set, error) {
	config, decode := png.DecodeConfig, png.Decode
	if kind == "jpeg" {
		config, decode = jpeg.DecodeConfig, jpeg.Decode
	}
	damaged := func(err error) error {
		return fmt.Errorf("%s: found a damaged %s: %w: %w", path, kind, ErrFormat, err)
	}
	c, err := config(bufio.NewReader(f))
	if err != nil {
		return nil, damaged(err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxPicture/c.Height {
		return nil, fmt.Errorf("%s: found %dx%d pixels, want at most %d: %w", path, c.Width, c.Height, maxPicture, ErrLimit)
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, err
	}
	picture, err := decode(bufio.NewReader(f))
	if err != nil {
		return nil, damaged(err)
	}
	s := &Set{Height: h, Width: w, Channels: 1, Bytes: fit(grey(picture), h, w), IDs: []string{path}, Source: path}
	if c.Width != w || c.Height != h {
		s.Scales = []Scale{{float32(c.Width) / float32(w), float32(c.Height) / float32(h)}}
	}
	s.Checksum = s.Sum()
	return s, nil
}

// grey turns a picture grey by luma, 0.299 R + 0.587 G + 0.114 B, as JPEG and
// color.GrayModel have it. What is transparent is black.
func grey(m image.Image) *image.Gray {
	r := m.Bounds()
	switch m := m.(type) {
	case *image.Gray:
		return m
	case *image.YCbCr: // its Y is the luma already
		return &image.Gray{Pix: m.Y, Stride: m.YStride, Rect: r}
	}
	g := image.NewGray(r)
	deep, ok := m.(image.RGBA64Image) // what the decoders give: no allocation for each pixel
	for y, at := r.Min.Y, 0; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x, at = x+1, at+1 {
			if ok {
				c := deep.RGBA64At(x, y)
				g.Pix[at] = uint8((19595*uint32(c.R) + 38470*uint32(c.G) + 7471*uint32(c.B) + 1<<15) >> 24)
			} else {
				g.Pix[at] = color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y
			}
		}
	}
	return g
}

// fit stretches a grey picture to h x w pixels, row by row.
func fit(m *image.Gray, h, w int) []uint8 {
	out := image.NewGray(image.Rect(0, 0, w, h))
	if m.Rect.Size() == out.Rect.Size() {
		draw.Draw(out, out.Rect, m, m.Rect.Min, draw.Src)
	} else {
		draw.CatmullRom.Scale(out, out.Rect, m, m.Rect, draw.Src, nil)
	}
	return out.Pix
}

// Resized is the Set with images of h x w, and points and scales to match; the
// Set itself where they have that size.
func (s *Set) Resized(h, w int) *Set {
	if s.Height == h && s.Width == w {
		return s
	}
	out := &Set{Columns: s.Columns, Height: h, Width: w, Channels: 1, IDs: s.IDs, Source: s.Source,
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
