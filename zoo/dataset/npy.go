package dataset

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/npy"
)

// readNPY reads float32 or float64 images [n,h,w] or [n,1,h,w], values 0 to 1,
// in C order, into Floats, 0 to 255.
func readNPY(ctx context.Context, f *os.File, file string, h, w int) (*Set, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(f, 1<<18)
	head, n, err := npyImages(in, h, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p, width := h*w, head.Type.Size()
	if want := head.Size + head.Bytes(); info.Size() != want {
		return nil, fmt.Errorf("%s: found a file of %d bytes, want %d for shape %v of %s: %w",
			file, info.Size(), want, head.Shape, head.Descr, ErrFormat)
	}
	s := &Set{Height: h, Width: w, Channels: 1, Source: file,
		Floats: make([]float32, 0, n*p), IDs: make([]string, 0, n)}
	row := make([]byte, p*width)
	for i := range n {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for at := range p {
			var v float64
			if width == 4 {
				v = float64(math.Float32frombits(binary.LittleEndian.Uint32(row[at*4:])))
			} else {
				v = math.Float64frombits(binary.LittleEndian.Uint64(row[at*8:]))
			}
			if !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("%s: found %v in image %d, row %d, column %d, want 0 to 1: %w",
					file, v, i+1, at/w+1, at%w+1, ErrFormat)
			}
			s.Floats = append(s.Floats, float32(v*255))
		}
		s.IDs = append(s.IDs, strconv.Itoa(i+1))
	}
	s.Checksum = s.Sum()
	return s, nil
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
