// Package input is how bytes come in: files, folders and readers, looked at before
// anything is read, and the cells and names that the formats share. It knows what a
// file is by its first bytes, not how any format is read.
package input

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/fkzoo/fkzoo/internal/ctxio"
	"github.com/fkzoo/fkzoo/zoo/dataset"
)

const (
	inMemory  = 16 << 20 // bytes of a reader that are kept in memory; more go to a temporary file,
	maxReader = 64 << 30 // and no more than these
)

// A File is what a format may look at and read, as often as it likes.
type File struct {
	Name string // as errors and rows call it
	Path string // where it lies; "" for a reader's bytes
	Head []byte // its first 512 bytes
	Kind string // by these, see [KindOf]; "folder"; or [Bare] for a name that is no path
	Size int64  // bytes

	bytes io.ReaderAt // a reader's
	close func() error
}

// Size is the height and width that images are asked for in; the zero value: any.
type Size struct{ Height, Width int }

// Fits tells whether images of h x w are what is asked for.
func (s Size) Fits(h, w int) bool { return s == Size{} || s == Size{h, w} }

// Bare is the kind of a name that is no path.
const Bare = "name"

// A Handle is an open file.
type Handle interface {
	io.ReadSeeker
	io.ReaderAt
	io.Closer
}

// Look looks at a path. What is neither a file nor a folder is refused, see [Open].
func Look(path string) (*File, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return &File{Name: path, Path: path, Kind: "folder"}, nil
	}
	head, err := Peek(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &File{Name: path, Path: path, Head: head, Kind: KindOf(head), Size: info.Size()}, nil
}

// LookReader reads all of r, which its errors call name, so that it can be read
// more than once. What doesn't fit into 16 MiB goes to a temporary file. Close it. An end
// of ctx while r waits leaves a goroutine behind: see [ctxio.NewReader].
func LookReader(ctx context.Context, name string, r io.Reader) (*File, error) {
	f := &File{Name: name, close: func() error { return nil }}
	r = ctxio.NewReader(ctx, r)
	first, err := io.ReadAll(io.LimitReader(r, inMemory+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f.bytes, f.Size = bytes.NewReader(first), int64(len(first))
	f.Head = first[:min(len(first), headBytes)]
	f.Kind = KindOf(f.Head)
	if len(first) <= inMemory {
		return f, nil
	}
	spool, err := os.CreateTemp("", "fkzoo-")
	if err != nil {
		return nil, err
	}
	f.bytes, f.close = spool, spool.Close
	if os.Remove(spool.Name()) != nil { // else nothing is left behind, however the program ends
		f.close = func() error { return errors.Join(spool.Close(), os.Remove(spool.Name())) }
	}
	rest := io.LimitReader(r, maxReader+1-f.Size)
	if f.Size, err = io.Copy(spool, io.MultiReader(bytes.NewReader(first), rest)); err == nil && f.Size > maxReader {
		err = fmt.Errorf("found more than %d bytes, want at most that: %w", int64(maxReader), dataset.ErrLimit)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return f, nil
}

// Open opens the file at its beginning.
func (f *File) Open() (Handle, error) {
	if f.bytes != nil {
		return section{io.NewSectionReader(f.bytes, 0, f.Size)}, nil
	}
	return Open(f.Path)
}

type section struct{ *io.SectionReader }

func (section) Close() error { return nil }

// Close gives back what a reader's bytes take.
func (f *File) Close() error {
	if f.close == nil {
		return nil
	}
	return f.close()
}

// Open opens a file or folder to read. What is neither is refused: a pipe would be
// waited for, a device has no end.
func Open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: found a pipe or a device, want a regular file: %w", Shown(path), dataset.ErrFormat)
	}
	f, err := os.Open(path)
	if wrong, ok := errors.AsType[*fs.PathError](err); ok {
		return nil, &fs.PathError{Op: wrong.Op, Path: Shown(path), Err: wrong.Err}
	}
	return f, err
}
