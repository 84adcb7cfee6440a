package dataset

import (
	"context"
	"fmt"
	"slices"
)

// Join is several sources as one, in their order; a single one is itself. Rows are
// called "SOURCE:ROW", that of a single picture like its source. Closing it closes
// them all.
func Join(sources ...*Source) (*Source, error) {
	if len(sources) == 0 {
		return nil, fmt.Errorf("found no source to read, want at least one: %w", ErrEmpty)
	}
	first := sources[0]
	if len(sources) == 1 {
		return first, nil
	}
	out := &Source{Name: fmt.Sprintf("%s and %d more", first.Name, len(sources)-1), Columns: first.Columns,
		Height: first.Height, Width: first.Width, Channels: first.Channels}
	var rows joined
	for _, s := range sources {
		if s.Height != out.Height || s.Width != out.Width || s.Channels != out.Channels {
			return nil, fmt.Errorf("%s and %s: found images of %dx%d and %dx%d, want one size: %w", first.Name, s.Name,
				first.Width, first.Height, s.Width, s.Height, ErrFormat)
		}
		if !slices.Equal(s.Columns, out.Columns) {
			out.Columns = nil
		}
		if out.Count >= 0 {
			out.Count += s.Count
		}
		if s.Count < 0 {
			out.Count = -1
		}
		out.Numbered = out.Numbered || s.Numbered
		out.Notes = append(out.Notes, s.Notes...)
		out.close = append(out.close, s.close...)
		rows = rows.with(s)
	}
	out.Rows = rows
	return out, nil
}

// joined are sources one after the other.
type joined []*Source

// with is the row of sources with one more, taken up by the last where that can be.
func (j joined) with(s *Source) joined {
	own := *s
	if !s.Single {
		own.prefix = s.Name + ":"
	} else if len(j) > 0 && j[len(j)-1].Single {
		last := j[len(j)-1]
		if before, ok := last.Rows.(Joiner); ok {
			if rows, ok := before.Join(s.Rows); ok {
				last.Rows, last.Count = rows, last.Count+s.Count
				return j
			}
		}
	}
	return append(j, &own)
}

func (j joined) Stream(ctx context.Context, n int, fn func(part *Set) error) error {
	for _, s := range j {
		if err := s.stream(ctx, n, fn); err != nil {
			return err
		}
	}
	return nil
}

func (j joined) Names(ctx context.Context, fn func(name string) error) error {
	for _, s := range j {
		if err := s.Names(ctx, fn); err != nil {
			return err
		}
	}
	return nil
}

// fit has each source's images at another size, pictures read so and others stretched.
func (j joined) fit(h, w int) (Rows, error) {
	out := make(joined, len(j))
	for i, s := range j {
		var err error
		if out[i], err = s.Fit(h, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// pictures tells whether some, and whether all, of the rows are pictures.
func pictures(r Rows) (some, all bool) {
	j, ok := r.(joined)
	if !ok {
		_, ok = r.(Fitter)
		return ok, ok
	}
	all = true
	for _, s := range j {
		someOf, allOf := pictures(s.Rows)
		some, all = some || someOf, all && allOf
	}
	return some, all
}
