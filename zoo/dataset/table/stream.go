package table

import (
	"context"
	"io"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// A text is that of a CSV, wherever it lies.
type text struct {
	io.Reader
	name  string // as errors call it
	size  int64  // of the text, if the file is not lying; for setting memory aside
	notes []dataset.Note
	close func() error
}

// IsCSV tells whether a file may be Kaggle's CSV, or a zip with it.
func IsCSV(f *input.File) bool { return f.Kind == "text" || f.Kind == "zip" }

// OpenCSV looks at Kaggle's training.csv or test.csv, or the zip with it: at its
// header and the first row. Of several CSV files in a zip the one called like the
// zip is taken.
//
// The columns may stand in any order. Image has the pixels, whole numbers 0 to 255
// with blanks between; their number must be a square, the image's size. ImageId,
// where it is, names the rows. Every other column is a coordinate, and an empty cell
// there is a NaN in Points. Quoted fields, CRLF, a byte-order mark and blank lines at
// the end are accepted.
func OpenCSV(_ context.Context, f *input.File, _ input.Size) (*dataset.Source, error) {
	open := func() (*text, error) { return openText(f) }
	src, err := open()
	if err != nil {
		return nil, err
	}
	defer src.close()
	l, _, side, err := start(src, newBlocks(src, 1<<16, 0))
	if err != nil {
		return nil, err
	}
	return &dataset.Source{Columns: l.columns, Height: side, Width: side, Channels: 1, Count: -1,
		Numbered: !l.hasID, Notes: src.notes, Rows: &csvRows{open, blockSize}}, nil
}

// openText opens a CSV or the CSV inside a zip.
func openText(f *input.File) (*text, error) {
	h, err := f.Open()
	if err != nil {
		return nil, err
	}
	if f.Kind == "text" {
		return &text{Reader: h, name: f.Name, size: f.Size, close: h.Close}, nil
	}
	t, err := zipText(h, f.Name, f.Size)
	if err != nil {
		h.Close()
		return nil, err
	}
	return t, nil
}

// csvRows are the rows of a CSV.
type csvRows struct {
	open      func() (*text, error)
	blockSize int
}

// Read reads all rows into memory that is set aside once.
func (r *csvRows) Read(ctx context.Context) (*dataset.Set, error) {
	src, err := r.open()
	if err != nil {
		return nil, err
	}
	defer src.close()
	return readCSV(ctx, src, r.blockSize, 0, nil)
}

// Stream reads what Read does, but hands it out: while fn works on one part the next
// are unpacked and parsed.
func (r *csvRows) Stream(ctx context.Context, n int, fn func(part *dataset.Set) error) error {
	src, err := r.open()
	if err != nil {
		return err
	}
	defer src.close()
	_, err = readCSV(ctx, src, r.blockSize, n, func(s *dataset.Set, last bool) error {
		from := 0
		for s.Len()-from >= n || last && s.Len() > from {
			part := s.View(from, min(from+n, s.Len()))
			if err := fn(part); err != nil {
				return err
			}
			from += part.Len()
		}
		drop(s, from)
		return nil
	})
	return err
}

// drop takes the first n rows of a CSV's Set away and keeps the memory.
func drop(s *dataset.Set, n int) {
	p, c := s.Pixels(), len(s.Columns)
	s.Bytes = s.Bytes[:copy(s.Bytes, s.Bytes[n*p:])]
	s.Points = s.Points[:copy(s.Points, s.Points[n*c:])]
	s.IDs = s.IDs[:copy(s.IDs, s.IDs[n:])]
}
