// Package picture reads PNG and JPEG files as grey images of one size: one picture, or
// many with the points known on them. It knows nothing of how these are found.
package picture

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/sync/semaphore"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// maxPicture limits the pixels of a picture, and of all that are decoded at the
// same time: its size is read before anything is decoded.
const maxPicture = 100_000_000

// pictureRoom is what pictures that are being decoded share.
var pictureRoom = semaphore.NewWeighted(maxPicture)

// A Photo is a picture at its own size, turned as its EXIF orientation says.
type Photo struct {
	Grey   *image.Gray // by luma
	stored image.Image
	turn   int
}

// Colour is the photo in its colours.
func (p *Photo) Colour() *image.RGBA {
	r := p.stored.Bounds()
	m := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	draw.Draw(m, m.Rect, p.stored, r.Min, draw.Src)
	out := image.NewRGBA(image.Rectangle{Max: turnedSize(r.Dx(), r.Dy(), p.turn)})
	turned(out.Pix, out.Stride, m.Pix, m.Stride, r.Dx(), r.Dy(), 4, p.turn)
	return out
}

// ReadPhoto reads a PNG or JPEG.
func ReadPhoto(ctx context.Context, f *input.File) (*Photo, error) {
	h, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return photo(ctx, h, f.Name)
}

// read reads a PNG or JPEG, turned as its EXIF orientation says, grey and stretched
// to h x w. size is that of the picture as it is looked at.
func read(ctx context.Context, f input.Handle, name string, h, w int) (pixels []uint8, size image.Point, err error) {
	p, err := photo(ctx, f, name)
	if err != nil {
		return nil, size, err
	}
	return dataset.Stretch(p.Grey, h, w), p.Grey.Rect.Size(), nil
}

func photo(ctx context.Context, f input.Handle, name string) (*Photo, error) {
	head, err := input.Peek(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	kind := input.KindOf(head)
	switch kind {
	case "png", "jpeg":
	case "empty":
		return nil, fmt.Errorf("%s: found an empty file, want a PNG or JPEG: %w", name, dataset.ErrEmpty)
	case "text":
		return nil, fmt.Errorf("%s: found text, want a PNG or JPEG: %w", name, dataset.ErrFormat)
	default:
		return nil, fmt.Errorf("%s: found %s, want a PNG or JPEG: %w", name, kind, dataset.ErrFormat)
	}
	return decode(ctx, f, kind, name)
}

func decode(ctx context.Context, f io.ReadSeeker, kind, name string) (*Photo, error) {
	config, pixels := png.DecodeConfig, png.Decode
	if kind == "jpeg" {
		config, pixels = jpeg.DecodeConfig, jpeg.Decode
	}
	damaged := func(err error) error {
		if unsupported, ok := errors.AsType[jpeg.UnsupportedError](err); ok {
			return fmt.Errorf("%s: found a JPEG of a kind that can't be read (%s): %w", name, string(unsupported), dataset.ErrFormat)
		}
		if unsupported, ok := errors.AsType[png.UnsupportedError](err); ok {
			return fmt.Errorf("%s: found a PNG of a kind that can't be read (%s): %w", name, string(unsupported), dataset.ErrFormat)
		}
		return fmt.Errorf("%s: found a damaged %s: %w: %w", name, kind, dataset.ErrFormat, err)
	}
	c, err := config(bufio.NewReader(f))
	if err != nil {
		return nil, damaged(err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > maxPicture/c.Height {
		return nil, fmt.Errorf("%s: found %dx%d pixels, want at most %d: %w", name, c.Width, c.Height, maxPicture, dataset.ErrLimit)
	}
	turn := orientation(f, kind)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	size := int64(c.Width) * int64(c.Height)
	if err := pictureRoom.Acquire(ctx, size); err != nil {
		return nil, err
	}
	defer pictureRoom.Release(size)
	picture, err := pixels(bufio.NewReader(f))
	if err != nil {
		return nil, damaged(err)
	}
	return &Photo{oriented(grey(picture), turn), picture, turn}, nil
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
