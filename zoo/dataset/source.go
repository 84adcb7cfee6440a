package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// A Source is rows that were looked at and can be read, once or many times: those
// of a file, of a folder, of drawn faces, or of several of these one after the
// other. Whoever looks fills in what is exported. Close it.
type Source struct {
	Name   string // what it was asked for by: a path, "demo:96"
	Format string // the name of its format; "" of a Set and of several sources

	// Columns are those of the points; nil where none are known, or where several
	// sources don't have the same.
	Columns []string

	Height, Width, Channels int // of the images as they are handed out

	// Count is how many rows there are; -1 where that is known only when they were
	// read.
	Count int

	// Single says that it has one row, which is called like the source itself.
	Single bool

	// Numbered says that the rows have no names of their own: see [Set.Numbered].
	Numbered bool

	Notes []Note // of what is passed over, or lacking

	Rows Rows // read them by the Source's own methods

	prefix string // of each row's name
	limit  int    // of the rows; 0: none
	fitted bool   // images are brought to Height x Width as they come
	close  []func() error
}

// Rows is how a format reads what it found. It may have more methods: those of
// [Whole], [Named], [Fitter] and [Joiner].
type Rows interface {
	// Stream hands the rows out in their order, in parts of n (the last may be
	// smaller), without a checksum. A part is good only until fn returns, whose error
	// ends the reading and is returned as it is.
	Stream(ctx context.Context, n int, fn func(part *Set) error) error
}

// Whole is Rows that are read as one Set, with its checksum, in a better way than
// by parts.
type Whole interface {
	Read(ctx context.Context) (*Set, error)
}

// Named is Rows whose names are known without reading their images.
type Named interface {
	Names(ctx context.Context, fn func(name string) error) error
}

// Fitter is Rows whose images have no size of their own: pictures, which are
// stretched to any. It gives the same rows at another size.
type Fitter interface {
	Fit(h, w int) (Rows, error)
}

// Joiner is Rows that can take up the rows of the source behind them, so that both
// are read in common parts; false where they can't.
type Joiner interface {
	Join(next Rows) (Rows, bool)
}

// SourceOf is a Set as a source.
func SourceOf(s *Set) *Source {
	return &Source{Name: s.Source, Columns: s.Columns, Height: s.Height, Width: s.Width, Channels: s.Channels,
		Count: s.Len(), Numbered: s.Numbered, Notes: s.Notes, Rows: ofSet{s}}
}

type ofSet struct{ set *Set }

func (o ofSet) Read(context.Context) (*Set, error) { return o.set, nil }

func (o ofSet) Names(_ context.Context, fn func(string) error) error { return Each(o.set.IDs, fn) }

func (o ofSet) Stream(_ context.Context, n int, fn func(part *Set) error) error {
	for from := 0; from < o.set.Len(); from += n {
		if err := fn(o.set.View(from, min(from+n, o.set.Len()))); err != nil {
			return err
		}
	}
	return nil
}

// Each calls fn with each name, up to its first error.
func Each(names []string, fn func(string) error) error {
	for _, name := range names {
		if err := fn(name); err != nil {
			return err
		}
	}
	return nil
}

// OnClose has f called, once, when the source is closed.
func (s *Source) OnClose(f func() error) { s.close = append(s.close, sync.OnceValue(f)) }

// Close gives back what the source holds; it can't be read any more.
func (s *Source) Close() error {
	var failed []error
	for _, f := range s.close {
		failed = append(failed, f())
	}
	return errors.Join(failed...)
}

// First takes the first n rows alone.
func (s *Source) First(n int) {
	s.limit = n
	if s.Count > n {
		s.Count = n
	}
}

// Fit is the source with images of h x w: pictures are read at this size at once,
// other images are stretched, and points move along. Close either one.
func (s *Source) Fit(h, w int) (*Source, error) {
	if err := CheckSize(h, w); err != nil {
		return nil, err
	}
	if s.Height == h && s.Width == w {
		return s, nil
	}
	out := *s
	out.Height, out.Width = h, w
	var err error
	switch rows := s.Rows.(type) {
	case joined:
		out.Rows, err = rows.fit(h, w)
	case Fitter:
		out.Rows, err = rows.Fit(h, w)
	default:
		out.fitted = true
	}
	if err != nil {
		return nil, err
	}
	return &out, nil
}

// FitPictures is [Source.Fit] for pictures, whose size is anybody's choice; images
// that have a size of their own keep it, and so do pictures joined with such.
func (s *Source) FitPictures(h, w int) (*Source, error) {
	if _, all := pictures(s.Rows); all {
		return s.Fit(h, w)
	}
	return s, nil
}

// Refit gives a Set that was read from the source with images of h x w: what
// reading s.Fit(h, w) gives, but only pictures, and what is joined with them, are read
// again for it.
func (s *Source) Refit(ctx context.Context, set *Set, h, w int) (*Set, error) {
	if set.Height == h && set.Width == w {
		return set, nil
	}
	if some, _ := pictures(s.Rows); !some {
		return set.Resized(h, w), CheckSize(h, w)
	}
	fit, err := s.Fit(h, w)
	if err != nil {
		return nil, err
	}
	return fit.Read(ctx)
}

// Read reads all rows as one Set. Those of several sources must have the same
// columns and the same kind of pixels.
func (s *Source) Read(ctx context.Context) (set *Set, err error) {
	whole, ok := s.Rows.(Whole)
	if ok && s.limit == 0 && s.prefix == "" {
		if set, err = whole.Read(ctx); err != nil {
			return nil, err
		}
		copied := *set
		set = &copied
		if s.fitted {
			set = set.Resized(s.Height, s.Width)
		}
	} else if set, err = s.readParts(ctx); err != nil {
		return nil, err
	}
	set.Source, set.Notes, set.Numbered = s.Name, s.Notes, s.Numbered
	return set, nil
}

func (s *Source) readParts(ctx context.Context) (*Set, error) {
	var set *Set
	first := ""
	sum, rows, err := s.Stream(ctx, partRows, func(part *Set) error {
		if set == nil {
			set, first = &Set{Columns: part.Columns, Height: part.Height, Width: part.Width, Channels: part.Channels}, part.Source
		} else if err := alike(set, first, part); err != nil {
			return err
		}
		if int64(set.Len()+part.Len())*int64(part.Pixels()) > MaxSet {
			return fmt.Errorf("%s: found more than %d bytes of pixels, want at most that: %w", s.Name, int64(MaxSet), ErrLimit)
		}
		set.Append(part, 0, part.Len())
		return nil
	})
	if err != nil {
		return nil, err
	}
	if rows == 0 {
		return nil, fmt.Errorf("%s: found no rows, want at least one: %w", s.Name, ErrEmpty)
	}
	set.Checksum = sum
	return set, nil
}

// alike refuses a part that can't stand in one Set with those before it.
func alike(set *Set, first string, part *Set) error {
	switch {
	case set.Height != part.Height || set.Width != part.Width || set.Channels != part.Channels:
		return fmt.Errorf("%s and %s: found images of %dx%d and %dx%d, want one size: %w", first, part.Source,
			set.Width, set.Height, part.Width, part.Height, ErrFormat)
	case !slices.Equal(set.Columns, part.Columns):
		return fmt.Errorf("%s and %s: found other columns, want the same in all: %w", first, part.Source, ErrFormat)
	case (set.Floats == nil) != (part.Floats == nil):
		return fmt.Errorf("%s and %s: found whole grey values and fractions, want one of them: %w", first, part.Source, ErrFormat)
	}
	return nil
}

// partRows are the rows of a part where it is all the same.
const partRows = 256

// errEnough ends the reading where the limit is.
var errEnough = errors.New("enough rows")

// Names tells what the rows are called, in their order. Formats that keep the
// names beside the images are read for it.
func (s *Source) Names(ctx context.Context, fn func(name string) error) error {
	n := 0
	one := func(name string) error {
		if err := fn(s.prefix + name); err != nil {
			return err
		}
		if n++; n == s.limit {
			return errEnough
		}
		return nil
	}
	var err error
	if named, ok := s.Rows.(Named); ok {
		err = named.Names(ctx, one)
	} else {
		err = s.Rows.Stream(ctx, partRows, func(part *Set) error { return Each(part.IDs, one) })
	}
	if err == errEnough {
		return nil
	}
	return err
}

// Stream reads the rows and hands them out in parts of up to n, each from one
// source: memory doesn't grow with their number. While fn works on one part the
// next is read. A part is good only until fn returns; its Checksum is empty. fn's
// error ends the reading and is returned as it is; else the error is that of the
// first row that has one.
//
// The checksum is that of a Set of all that was handed out; "" where several
// sources don't make one.
func (s *Source) Stream(ctx context.Context, n int, fn func(part *Set) error) (checksum string, rows int, err error) {
	if n < 1 {
		return "", 0, fmt.Errorf("%s: found parts of %d rows, want at least 1", s.Name, n)
	}
	var sum *Digest
	var first *Set
	err = s.stream(ctx, n, func(part *Set) error {
		switch {
		case first == nil:
			head := *part
			first, sum = &head, NewDigest(part)
		case sum != nil && alike(first, "", part) != nil:
			sum = nil
		}
		if sum != nil {
			sum.Add(part, 0, part.Len())
		}
		rows += part.Len()
		return fn(part)
	})
	if err != nil {
		return "", 0, err
	}
	if sum != nil {
		checksum = sum.Hex()
	}
	return checksum, rows, nil
}

// stream hands out parts as they are to be seen.
func (s *Source) stream(ctx context.Context, n int, fn func(part *Set) error) error {
	done := 0
	err := s.Rows.Stream(ctx, n, func(part *Set) error {
		seen := *part
		part = &seen
		if left := s.limit - done; s.limit > 0 && part.Len() > left {
			part = part.View(0, left)
		}
		if s.fitted {
			part = part.Resized(s.Height, s.Width)
		}
		if s.prefix != "" {
			part = part.renamed(s.prefix)
		}
		if part.Source == "" {
			part.Source = s.Name
		}
		if err := fn(part); err != nil {
			return err
		}
		if done += part.Len(); s.limit > 0 && done == s.limit {
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		return nil
	}
	return err
}
