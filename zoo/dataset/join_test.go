package dataset_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/source"
)

// parts are rows that come in just these parts.
type parts []*dataset.Set

func (p parts) Stream(_ context.Context, _ int, fn func(*dataset.Set) error) error {
	for _, part := range p {
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

// Rows behind a part without any are there, with a limit and without.
func TestEmptyPart(t *testing.T) {
	set, err := read("testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	for limit, want := range map[int]int{0: set.Len(), 1: 1} {
		s := dataset.SourceOf(set)
		s.Rows = parts{set.View(0, 0), set}
		s.First(limit)
		if _, rows, err := s.Stream(ctx, 10, func(*dataset.Set) error { return nil }); err != nil || rows != want {
			t.Errorf("limit %d: found %d rows, %v, want %d", limit, rows, err, want)
		}
	}
}

// Sources joined are pictures where all of them are: tables keep the size that they have alone. What is asked for at another
// size is the same whether it is read at it or brought to it.
func TestJoinedSizes(t *testing.T) {
	set, err := read("testdata/small.csv")
	if err != nil {
		t.Fatal(err)
	}
	table, picture := filepath.Join("testdata", "small.csv"), filepath.Join("testdata", "pictures", "gray.png")
	for _, c := range []struct {
		name     string
		names    []string
		pictures bool // their size is anybody's choice
		again    bool // read again for another size
	}{
		{"tables", []string{table, table}, false, false},
		{"pictures", []string{picture, picture}, true, true},
		{"pictures in folders", []string{filepath.Dir(picture), filepath.Dir(picture)}, true, true},
		{"both", []string{picture, table}, false, true},
	} {
		var all []*dataset.Source
		for _, name := range c.names {
			s, err := source.Open(ctx, name, source.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s, err = s.FitPictures(set.Height, set.Width); err != nil {
				t.Fatal(err)
			}
			all = append(all, s)
		}
		s, err := dataset.Join(all...)
		if err != nil {
			t.Fatal(err)
		}
		fit, err := s.FitPictures(7, 5)
		if err != nil {
			t.Fatal(err)
		}
		if got := fit.Height == 7 && fit.Width == 5; got != c.pictures {
			t.Errorf("%s: found images of %dx%d, want another size: %v", c.name, fit.Width, fit.Height, c.pictures)
		}
		if fit, err = s.Fit(7, 5); err != nil {
			t.Fatal(err)
		}
		sizes := func(part *dataset.Set) error {
			if part.Height != 7 || part.Width != 5 {
				t.Errorf("%s: found a part of %dx%d, want 5x7", c.name, part.Width, part.Height)
			}
			return nil
		}
		if _, _, err := fit.Stream(ctx, 4, sizes); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		gone, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Refit(gone, set, 7, 5); (err != nil) != c.again {
			t.Errorf("%s: found %v, want them read again: %v", c.name, err, c.again)
		}
	}
}
