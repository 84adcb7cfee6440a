package dataset

import (
	"context"
	"fmt"
)

// Stream reads what Read does, but hands it out in parts of n rows (the last
// may be smaller) in place of keeping it: memory doesn't grow with the rows.
// While fn works on one part the next are unpacked and parsed. A part is good
// only until fn returns; its Checksum is empty. fn's error ends the reading and
// is returned as it is.
//
// The checksum and the number of rows are those that Read's Set would have.
func Stream(ctx context.Context, path string, n int, fn func(part *Set) error) (checksum string, rows int, err error) {
	if n < 1 {
		return "", 0, fmt.Errorf("%s: found parts of %d rows, want at least 1", path, n)
	}
	src, err := openText(path)
	if err != nil {
		return "", 0, err
	}
	defer src.close()
	return stream(ctx, src, blockSize, path, n, fn)
}

func stream(ctx context.Context, src *source, blockSize int, path string, n int, fn func(part *Set) error) (checksum string, rows int, err error) {
	sink := func(s *Set, last bool) error {
		from := 0
		for s.Len()-from >= n || last && s.Len() > from {
			part := s.view(from, min(from+n, s.Len()))
			part.Source = path
			if err := fn(part); err != nil {
				return err
			}
			from += part.Len()
		}
		rows += from
		s.drop(from)
		return nil
	}
	s, err := readCSV(ctx, src, blockSize, n, sink)
	if err != nil {
		return "", 0, err
	}
	return s.Checksum, rows, nil
}

// view is rows from to to-1, sharing the memory.
func (s *Set) view(from, to int) *Set {
	out, p, c := *s, s.Pixels(), len(s.Columns)
	if s.Bytes != nil {
		out.Bytes = s.Bytes[from*p : to*p : to*p]
	} else {
		out.Floats = s.Floats[from*p : to*p : to*p]
	}
	if c > 0 {
		out.Points = s.Points[from*c : to*c : to*c]
	}
	if s.Scales != nil {
		out.Scales = s.Scales[from:to:to]
	}
	out.IDs = s.IDs[from:to:to]
	return &out
}

// drop takes the first n rows of a CSV's Set away and keeps the memory.
func (s *Set) drop(n int) {
	p, c := s.Pixels(), len(s.Columns)
	s.Bytes = s.Bytes[:copy(s.Bytes, s.Bytes[n*p:])]
	s.Points = s.Points[:copy(s.Points, s.Points[n*c:])]
	s.IDs = s.IDs[:copy(s.IDs, s.IDs[n:])]
}
