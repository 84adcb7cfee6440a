package table

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// IsNPY tells whether a file is an .npy.
func IsNPY(f *input.File) bool { return f.Kind == "npy" }

// npyFile is a .npy file with images; here Floats, 0 to 255.
type npyFile struct {
	file *input.File
	head *npy.Header
	h, w int
	n    int
}

// OpenNPY reads the header of a .npy file with images: float32 or float64 [n,h,w] or
// [n,1,h,w], values 0 to 1, in C order. They must have the size that is asked for.
func OpenNPY(_ context.Context, f *input.File, size input.Size) (*dataset.Source, error) {
	in, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	file := &npyFile{file: f}
	if file.head, err = npyHeader(bufio.NewReader(in)); err == nil {
		file.n, file.h, file.w, err = npyImages(file.head, size)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	if want := file.head.Size + file.head.Bytes(); f.Size != want {
		return nil, fmt.Errorf("%s: found a file of %d bytes, want %d for shape %v of %s: %w",
			f.Name, f.Size, want, file.head.Shape, file.head.Descr, dataset.ErrFormat)
	}
	return &dataset.Source{Height: file.h, Width: file.w, Channels: 1, Count: file.n, Numbered: true, Rows: file}, nil
}

// Names are numbers.
func (f *npyFile) Names(_ context.Context, fn func(string) error) error {
	for i := range f.n {
		if err := fn(strconv.Itoa(i + 1)); err != nil {
			return err
		}
	}
	return nil
}

// Stream reads the images one after the other.
func (f *npyFile) Stream(ctx context.Context, n int, fn func(part *dataset.Set) error) error {
	file, err := f.file.Open()
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Seek(f.head.Size, io.SeekStart); err != nil {
		return err
	}
	in := bufio.NewReaderSize(file, 1<<18)
	row := make([]byte, f.h*f.w*f.head.Type.Size())
	s := &dataset.Set{Height: f.h, Width: f.w, Channels: 1, Numbered: true}
	for i := range f.n {
		if err := ctx.Err(); err != nil {
			return err
		}
		if _, err := io.ReadFull(in, row); err != nil {
			return fmt.Errorf("%s: %w", f.file.Name, err)
		}
		if s.Floats, err = f.image(s.Floats, row, i); err != nil {
			return err
		}
		s.IDs = append(s.IDs, strconv.Itoa(i+1))
		if s.Len() == n || i+1 == f.n {
			if err := fn(s.View(0, s.Len())); err != nil {
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
				f.file.Name, v, i+1, at/f.w+1, at%f.w+1, dataset.ErrFormat)
		}
		values = append(values, float32(v*255))
	}
	return values, nil
}

// npyHeader reads a .npy header and checks the kind of its values.
func npyHeader(r io.Reader) (*npy.Header, error) {
	d, err := npy.ReadHeader(r)
	switch {
	case errors.Is(err, fault.ErrLimit):
		return nil, &kindError{err, dataset.ErrLimit}
	case errors.Is(err, npy.ErrFormat), errors.Is(err, npy.ErrType), errors.Is(err, npy.ErrObject):
		return nil, &kindError{err, dataset.ErrFormat}
	case err != nil:
		return nil, err
	case d.Fortran:
		return nil, fmt.Errorf("found Fortran order in the .npy header, want C order (numpy.ascontiguousarray): %w", dataset.ErrFormat)
	case d.BigEndian || d.Type != tensor.Float32 && d.Type != tensor.Float64:
		return nil, fmt.Errorf("found values of type %q, want '<f4' (float32) or '<f8' (float64): %w", d.Descr, dataset.ErrFormat)
	}
	return d, nil
}

// npyImages checks that an array is images of the size that is asked for, and counts
// them.
func npyImages(d *npy.Header, size input.Size) (n, h, w int, err error) {
	s := d.Shape
	if len(s) == 4 && s[1] == 1 {
		s = []int{s[0], s[2], s[3]}
	}
	if len(s) != 3 || !size.Fits(s[1], s[2]) {
		want := "[n,h,w] or [n,1,h,w]"
		if size != (input.Size{}) {
			want = fmt.Sprintf("[n,%d,%d] or [n,1,%d,%d]", size.Height, size.Width, size.Height, size.Width)
		}
		return 0, 0, 0, fmt.Errorf("found shape %v, want %s: %w", d.Shape, want, dataset.ErrFormat)
	}
	if s[0] == 0 {
		return 0, 0, 0, fmt.Errorf("found shape %v, want at least one image: %w", d.Shape, dataset.ErrEmpty)
	}
	if err := dataset.CheckSize(s[1], s[2]); err != nil {
		return 0, 0, 0, err
	}
	if int64(s[0]) > dataset.MaxSet/4/int64(s[1]*s[2]) {
		return 0, 0, 0, fmt.Errorf("found shape %v, want at most %d bytes of pixels: %w", d.Shape, int64(dataset.MaxSet), dataset.ErrLimit)
	}
	return s[0], s[1], s[2], nil
}

// kindError is another package's error with a kind of this one.
type kindError struct {
	error
	kind error
}

func (e *kindError) Unwrap() []error { return []error{e.error, e.kind} }
