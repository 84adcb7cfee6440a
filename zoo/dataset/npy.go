package dataset

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
)

// npyFile is a .npy file with images: float32 or float64 [n,h,w] or [n,1,h,w],
// values 0 to 1, in C order; here Floats, 0 to 255.
type npyFile struct {
	path    string
	head    *npy.Header
	h, w, n int
}

// openNPY reads the header.
func openNPY(path string, h, w int) (imageSource, error) {
	f, err := open(path)
	if err != nil {
		return imageSource{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return imageSource{}, err
	}
	head, n, err := npyImages(bufio.NewReader(f), h, w)
	if err != nil {
		return imageSource{}, fmt.Errorf("%s: %w", path, err)
	}
	if want := head.Size + head.Bytes(); info.Size() != want {
		return imageSource{}, fmt.Errorf("%s: found a file of %d bytes, want %d for shape %v of %s: %w",
			path, info.Size(), want, head.Shape, head.Descr, ErrFormat)
	}
	file := &npyFile{path, head, h, w, n}
	return imageSource{count: n, names: file.names, stream: file.stream}, nil
}

func (f *npyFile) names(_ context.Context, fn func(string) error) error {
	for i := range f.n {
		if err := fn(strconv.Itoa(i + 1)); err != nil {
			return err
		}
	}
	return nil
}

func (f *npyFile) stream(ctx context.Context, n int, fn func(part *Set) error) error {
	file, err := open(f.path)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(f.head.Size, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(file, 1<<18)
	row := make([]byte, f.h*f.w*f.head.Type.Size())
	s := &Set{Height: f.h, Width: f.w, Channels: 1, Source: f.path}
	for i := range f.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.ReadFull(in, row); err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		if s.Floats, err = f.image(s.Floats, row, i); err != nil {
			return err
		}
		s.IDs = append(s.IDs, strconv.Itoa(i+1))
		if s.Len() == n || i+1 == f.n {
			if err := fn(s.view(0, s.Len())); err != nil {
				return err
			}
			s.Floats, s.IDs = s.Floats[:0], s.IDs[:0]
		}
	}
	return nil
}

// image adds image i's values.
func (f *npyFile) image(values []float32, row []byte, i int) ([]float32, error) {
	for at := range f.h * f.w {
		var v float64
		if f.head.Type.Size() == 4 {
			v = float64(math.Float32frombits(binary.LittleEndian.Uint32(row[at*4:])))
		} else {
			v = math.Float64frombits(binary.LittleEndian.Uint64(row[at*8:]))
		}
		if !(v >= 0 && v <= 1) {
			return nil, fmt.Errorf("%s: found %v in image %d, row %d, column %d, want 0 to 1: %w",
				f.path, v, i+1, at/f.w+1, at%f.w+1, ErrFormat)
		}
		values = append(values, float32(v*255))
	}
	return values, nil
}

// npyImages reads a .npy header, checks that the array is images of h x w, and counts them.
func npyImages(r io.Reader, h, w int) (*npy.Header, int, error) {
	d, err := npy.ReadHeader(r)
	switch {
	case errors.Is(err, format.ErrLimit):
		return nil, 0, &kindError{err, ErrLimit}
	case errors.Is(err, npy.ErrFormat), errors.Is(err, npy.ErrType), errors.Is(err, npy.ErrObject):
		return nil, 0, &kindError{err, ErrFormat}
	case err != nil:
		return nil, 0, err
	case d.Fortran:
		return nil, 0, fmt.Errorf("found Fortran order in the .npy header, want C order (numpy.ascontiguousarray): %w", ErrFormat)
	case d.BigEndian || d.Type != format.Float32 && d.Type != format.Float64:
		return nil, 0, fmt.Errorf("found values of type %q, want '<f4' (float32) or '<f8' (float64): %w", d.Descr, ErrFormat)
	}
	s := d.Shape
	if len(s) == 4 && s[1] == 1 {
		s = []int{s[0], s[2], s[3]}
	}
	if len(s) != 3 || s[1] != h || s[2] != w {
		return nil, 0, fmt.Errorf("found shape %v, want [n,%d,%d] or [n,1,%d,%d]: %w", d.Shape, h, w, h, w, ErrFormat)
	}
	if s[0] == 0 {
		return nil, 0, fmt.Errorf("found shape %v, want at least one image: %w", d.Shape, ErrEmpty)
	}
	if int64(s[0]) > maxSet/4/int64(h*w) {
		return nil, 0, fmt.Errorf("found shape %v, want at most %d bytes of pixels: %w", d.Shape, int64(maxSet), ErrLimit)
	}
	return d, s[0], nil
}

// kindError is another package's error with a kind of this one.
type kindError struct {
	error
	kind error
}

func (e *kindError) Unwrap() []error { return []error{e.error, e.kind} }
