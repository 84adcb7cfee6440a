// Package source is the one door through which data comes in: whatever a name, a path
// or a reader leads to, told by one table of formats, is a [dataset.Source]. It knows
// which formats there are, not how any is read.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/zoo/dataset"
	"github.com/fkzoo/fkzoo/zoo/dataset/input"
)

// Options say how rows are wanted.
type Options struct {
	// Height and Width of the images, both or neither. Pictures are read at this size at
	// once, and 96 x 96 without; images of another size are stretched, and points and
	// scales move along; but an .npy's must have it.
	Height, Width int

	// Readers are what some names stand for, in place of files: see [OpenReader].
	Readers map[string]io.Reader
}

// size is what images are asked for in.
func (o Options) size() input.Size { return input.Size{Height: o.Height, Width: o.Width} }

// Open looks at what a name leads to, by the table of [Formats]: a path, whose content
// says what it is and not its name, or a name that belongs to a format, as demo:96.
// Rows are called by their own names or numbers. Close it.
//
// The first fault in the file's order is the error of opening or reading it: a
// *dataset.RowError for a line, a *dataset.NameError, else one that wraps
// dataset.ErrEmpty, ErrFormat, ErrLimit, what the system says, or the context's error.
func Open(ctx context.Context, name string, o Options) (*dataset.Source, error) {
	return OpenAll(ctx, []string{name}, o)
}

// OpenAll is [Open] of several names as one source, in their order: see
// [dataset.Join]. The error is that of the first that isn't there or of no format;
// what is wrong further within a file is found when it is read. A reader that is named
// twice is a *dataset.NameError, before any is read.
func OpenAll(ctx context.Context, names []string, o Options) (*dataset.Source, error) {
	for i, name := range names {
		r, ok := o.Readers[name]
		switch {
		case ok && r == nil:
			return nil, noReader(name)
		case ok && slices.Contains(names[:i], name):
			return nil, &dataset.NameError{Name: name, Found: "it named twice", Want: "it once: it can be read only once"}
		}
	}
	var all []*dataset.Source
	for _, name := range names {
		s, err := one(ctx, name, o)
		if err != nil {
			return nil, errors.Join(err, closeAll(all))
		}
		all = append(all, s)
	}
	s, err := dataset.Join(all...)
	if err != nil {
		return nil, errors.Join(err, closeAll(all))
	}
	return s, nil
}

func noReader(name string) error {
	return &dataset.NameError{Name: name, Found: "nil in place of a reader", Want: "one"}
}

func closeAll(all []*dataset.Source) error {
	var failed []error
	for _, s := range all {
		failed = append(failed, s.Close())
	}
	return errors.Join(failed...)
}

func one(ctx context.Context, name string, o Options) (*dataset.Source, error) {
	if r, ok := o.Readers[name]; ok {
		return OpenReader(ctx, name, r, o)
	}
	for _, format := range Formats() {
		if format.Names != nil && format.Names(name) {
			return fitted(ctx, &input.File{Name: name, Kind: input.Bare}, o)
		}
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	f, err := input.Look(name)
	if err != nil {
		return nil, err
	}
	return fitted(ctx, f, o)
}

// OpenReader is [Open] of all that r holds, read at once and kept, in memory or in a
// temporary file, until the source is closed. Rows and errors call it name. An end of
// ctx is heard while r waits; a goroutine then stays behind in r's Read, and r is of no
// use any more.
func OpenReader(ctx context.Context, name string, r io.Reader, o Options) (*dataset.Source, error) {
	if r == nil {
		return nil, noReader(name)
	}
	f, err := input.LookReader(ctx, name, r)
	if err != nil {
		return nil, err
	}
	s, err := fitted(ctx, f, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	s.OnClose(f.Close)
	return s, nil
}

// Read opens and reads all that a name leads to.
func Read(ctx context.Context, name string, o Options) (*dataset.Set, error) {
	s, err := Open(ctx, name, o)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return s.Read(ctx)
}

func (o Options) check() error {
	if o.size() == (input.Size{}) {
		return nil
	}
	return dataset.CheckSize(o.Height, o.Width)
}

func fitted(ctx context.Context, f *input.File, o Options) (*dataset.Source, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	s, err := openAs(ctx, f, o.size(), func(*Format) bool { return true })
	if err != nil || o.size() == (input.Size{}) {
		return s, err
	}
	fit, err := s.Fit(o.Height, o.Width)
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return fit, nil
}

// openAs has the first format of those that may which a file is one of open it.
func openAs(ctx context.Context, f *input.File, size input.Size, may func(*Format) bool) (*dataset.Source, error) {
	for _, format := range Formats() {
		if !may(&format) || !format.Is(f) {
			continue
		}
		s, err := format.Open(ctx, f, size)
		if err != nil {
			return nil, err
		}
		s.Name, s.Format = f.Name, format.Name
		return s, nil
	}
	return nil, unknown(f)
}

// unknown is the error for a file of no format.
func unknown(f *input.File) error {
	var want []string
	for _, format := range Formats() {
		if format.Want != "" {
			want = append(want, format.Want)
		}
	}
	found, kind := f.Kind, dataset.ErrFormat
	if f.Kind == "empty" {
		found, kind = "an empty file", dataset.ErrEmpty
	}
	return fmt.Errorf("%s: found %s, want a %s: %w", input.Shown(f.Name), found, strings.Join(want, ", "), kind)
}
