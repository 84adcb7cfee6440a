package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
)

// ErrMeaningless is what data matches from which nothing can be learned.
var ErrMeaningless = errors.New("nothing to learn from it")

// CheckTrainable refuses rows from which no training could learn these columns,
// with an error that wraps [ErrMeaningless]: fewer than two rows, the same
// image in all of them, or columns of which each has one value in all its
// filled cells, or none.
func (s *Set) CheckTrainable(columns []string, rows []int) error {
	at, err := s.positions(columns)
	if err != nil {
		return err
	}
	bad := func(found, want string) error {
		return fmt.Errorf("%s: found %s, want %s: %w", s.Source, found, want, ErrMeaningless)
	}
	switch len(rows) {
	case 0:
		return bad("no row with the columns filled", "at least two")
	case 1:
		return bad("one row with the columns filled", "at least two")
	}
	if !slices.ContainsFunc(at, func(c int) bool { return s.varies(c, rows) }) {
		return bad("the same value in all rows, in every column", "points that differ from face to face")
	}
	if !slices.ContainsFunc(rows, func(r int) bool { return !s.sameImage(r, rows[0]) }) {
		return bad("the same image in all rows", "images that differ")
	}
	return nil
}

// varies tells whether a column has two values among the filled cells of the rows.
func (s *Set) varies(column int, rows []int) bool {
	first := nan
	for _, r := range rows {
		v := s.Row(r)[column]
		if isNaN(first) {
			first = v
		} else if v != first && !isNaN(v) {
			return true
		}
	}
	return false
}

// sameImage tells whether two rows have the same pixels.
func (s *Set) sameImage(a, b int) bool {
	p := s.Pixels()
	if s.Bytes != nil {
		return bytes.Equal(s.Bytes[a*p:(a+1)*p], s.Bytes[b*p:(b+1)*p])
	}
	return slices.Equal(s.Floats[a*p:(a+1)*p], s.Floats[b*p:(b+1)*p])
}
