package table

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/fkzoo/fkzoo/format/npy"
	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// FuzzCSV: no text may panic, where its blocks end must not matter, and what is
// taken must be whole and agree with encoding/csv about its rows.
func FuzzCSV(f *testing.F) {
	f.Add([]byte("x_x,Image\n1,1 2 3 4\n,5 6 7 8\n"))
	f.Add([]byte("ImageId,Image\r\n\"1\",\"1 2 3 4\"\r\n"))
	f.Add([]byte("\xef\xbb\xbfImage,\"a\"\"b\"\n9.0,-1e3\n\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read := func(size int) (*dataset.Set, error) {
			return readCSV(ctx, &text{Reader: bytes.NewReader(data), name: "f.csv", size: int64(len(data))}, size, 0, nil)
		}
		s, err := read(1 << 16)
		small, smallErr := read(8)
		if (err == nil) != (smallErr == nil) || err != nil && err.Error() != smallErr.Error() {
			t.Fatalf("one block: %v; small blocks: %v", err, smallErr)
		}
		streamed := &dataset.Set{}
		checksum, total, streamErr := stream(&text{Reader: bytes.NewReader(data), name: "f.csv"}, 16, 2, func(part *dataset.Set) error {
			if part.Len() < 1 || part.Len() > 2 {
				t.Fatalf("found a part of %d rows, want 1 or 2", part.Len())
			}
			if streamed.IDs == nil {
				*streamed = dataset.Set{Columns: part.Columns, Height: part.Height, Width: part.Width, Channels: 1}
			}
			streamed.Append(part, 0, part.Len())
			return nil
		})
		if (err == nil) != (streamErr == nil) || err != nil && err.Error() != streamErr.Error() {
			t.Fatalf("whole: %v; in parts: %v", err, streamErr)
		}
		if err != nil {
			var row *dataset.RowError
			if !errors.As(err, &row) && !errors.Is(err, dataset.ErrEmpty) && !errors.Is(err, dataset.ErrFormat) && !errors.Is(err, dataset.ErrLimit) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if s.Checksum != small.Checksum || s.Checksum != s.Sum() || !slices.Equal(s.IDs, small.IDs) {
			t.Fatal("blocks change the result")
		}
		if checksum != s.Checksum || total != s.Len() || streamed.Sum() != s.Checksum || !slices.Equal(s.IDs, streamed.IDs) {
			t.Fatal("reading in parts changes the result")
		}
		n := s.Len()
		if n == 0 || len(s.Bytes) != n*s.Pixels() || len(s.Points) != n*len(s.Columns) || s.Height*s.Width != s.Pixels() {
			t.Fatalf("%d rows, %d pixels, %d points", n, len(s.Bytes), len(s.Points))
		}
		r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, input.BOM)))
		rows := -1
		for {
			if _, err := r.Read(); err == io.EOF {
				break
			} else if err != nil {
				return // encoding/csv is stricter about quotes within a field
			}
			rows++
		}
		if rows != n {
			t.Fatalf("found %d rows, encoding/csv %d", n, rows)
		}
	})
}

// FuzzPixels: what the fast parser takes, the slow one takes as the same.
func FuzzPixels(f *testing.F) {
	f.Add([]byte("0 9 10 255"), 4)
	f.Add([]byte("1  2 3.0"), 3)
	f.Add([]byte("256,"), 1)
	f.Fuzz(func(t *testing.T, field []byte, n int) {
		if n < 1 || n > 1000 || bytes.ContainsAny(field, ",\n\r") {
			return
		}
		fast, slow := make([]uint8, n), make([]uint8, n)
		next := fastPixels(append(slices.Clone(field), '\n'), fast)
		err := slowPixels(field, slow)
		if next > 0 && (err != nil || !bytes.Equal(fast, slow) || next != len(field)+1) {
			t.Fatalf("fast %v to %d, slow %v, %v", fast, next, slow, err)
		}
	})
}

// npyOf reads the header of images of 96x96.
func npyOf(data []byte) (d *npy.Header, n int, err error) {
	if d, err = npyHeader(bytes.NewReader(data)); err == nil {
		n, _, _, err = npyImages(d, input.Size{Height: 96, Width: 96})
	}
	return d, n, err
}

// FuzzNPY: no header may panic, or claim what it does not say.
func FuzzNPY(f *testing.F) {
	f.Add([]byte("\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (8, 1, 96, 96), }    \n"))
	f.Add([]byte("\x93NUMPY\x02\x00\x30\x00\x00\x00{\"shape\":(1,),'descr':'<f8','fortran_order':False}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, n, err := npyOf(data)
		if err != nil {
			if !errors.Is(err, dataset.ErrFormat) && !errors.Is(err, dataset.ErrLimit) && !errors.Is(err, dataset.ErrEmpty) {
				t.Fatalf("an error of no kind: %v", err)
			}
			return
		}
		if width := d.Type.Size(); d.Size > int64(len(data)) || width != 4 && width != 8 || n < 1 || d.Bytes() != int64(n)*96*96*int64(width) {
			t.Fatalf("found %d images, %+v in %d bytes", n, d, len(data))
		}
	})
}
