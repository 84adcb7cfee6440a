package npy

import (
	"archive/zip"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// Archive is a .npz file: a zip whose entries NAME.npy are arrays. Others are kept apart. It must not be used from
// several goroutines at once.
type Archive struct {
	names, others []string // in the file's order
	entries       map[string]*zip.File
}

const suffix = ".npy"

var kinds = []error{ErrFormat, ErrObject, ErrType, fault.ErrLimit, fault.ErrValue}

// NewArchive reads the list of a .npz file's entries and checks what it can without them: names, sizes, methods.
func NewArchive(r io.ReaderAt, size int64) (*Archive, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("found no .npz file (%w): %w", err, ErrFormat)
	}
	a := &Archive{entries: map[string]*zip.File{}}
	var stored, inflated uint64
	for _, e := range z.File {
		name, array := strings.CutSuffix(e.Name, suffix)
		if array && name == "" || strings.HasSuffix(e.Name, "/") {
			return nil, fmt.Errorf("found the entry %.100q, want arrays: %w", e.Name, ErrFormat)
		}
		if a.entries[e.Name] != nil {
			return nil, fmt.Errorf("found the entry %.100q twice, want each name once: %w", e.Name, ErrFormat)
		}
		if e.Flags&1 != 0 {
			return nil, fmt.Errorf("found the entry %.100q encrypted, want it plain: %w", e.Name, ErrFormat)
		}
		switch e.Method {
		case zip.Store:
			stored = add(stored, e.UncompressedSize64)
		case zip.Deflate:
			inflated = add(inflated, e.UncompressedSize64)
		default:
			return nil, fmt.Errorf("found the entry %.100q compressed by method %d, want it stored or deflated: %w", e.Name, e.Method, ErrFormat)
		}
		a.entries[e.Name] = e
		if array {
			a.names = append(a.names, name)
		} else {
			a.others = append(a.others, e.Name)
		}
	}
	switch {
	case stored > uint64(size):
		return nil, fmt.Errorf("found entries of %d bytes stored in a file of %d: %w", stored, size, ErrFormat)
	case inflated > MaxInflated:
		return nil, fmt.Errorf("found compressed entries that become %d bytes, want at most %d: numpy.savez writes them uncompressed: %w", inflated, int64(MaxInflated), fault.ErrLimit)
	case len(a.entries) > tensor.MaxTensors:
		return nil, fmt.Errorf("found %d entries, want at most %d: %w", len(a.entries), tensor.MaxTensors, fault.ErrLimit)
	}
	return a, nil
}

// add is a sum that stays huge where it would overflow.
func add(a, b uint64) uint64 {
	if a+b < a {
		return math.MaxUint64
	}
	return a + b
}

// Names are the arrays' names in the file's order, without the ending .npy.
func (a *Archive) Names() []string { return slices.Clone(a.names) }

// Others are the entries that are no arrays, in the file's order.
func (a *Archive) Others() []string { return slices.Clone(a.others) }

// Header reads an array's header alone.
func (a *Archive) Header(name string) (*Header, error) {
	var h *Header
	err := a.open(name+suffix, func(r io.Reader, _ int64) (err error) {
		h, err = ReadHeader(r)
		return err
	})
	return h, err
}

// Array reads an array; the tensor has its name.
func (a *Archive) Array(name string) (tensor.Tensor, error) {
	var t tensor.Tensor
	err := a.open(name+suffix, func(r io.Reader, size int64) (err error) {
		if t, err = Read(r, size); err != nil {
			return err
		}
		t.Name = name
		return t.Check()
	})
	return t, err
}

// Objects gives the pickle that an array of Python objects is: see [Objects].
func (a *Archive) Objects(name string) ([]byte, error) {
	var out []byte
	err := a.open(name+suffix, func(r io.Reader, size int64) (err error) {
		out, err = Objects(r, size)
		return err
	})
	return out, err
}

// Other reads an entry that is no array.
func (a *Archive) Other(name string) ([]byte, error) {
	var out []byte
	err := a.open(name, func(r io.Reader, size int64) (err error) {
		if size > MaxOther {
			return fmt.Errorf("found %d bytes, want at most %d: %w", size, MaxOther, fault.ErrLimit)
		}
		out, err = readAll(r, size)
		return err
	})
	return out, err
}

// open hands an entry's content to f, and names it in errors.
func (a *Archive) open(name string, f func(r io.Reader, size int64) error) error {
	err := ErrName
	if e := a.entries[name]; e != nil {
		var r io.ReadCloser
		if r, err = e.Open(); err == nil {
			err = f(r, int64(e.UncompressedSize64)) // below 2^63: NewArchive saw to it
			_ = r.Close()
		}
		// What remains without a kind is the zip's doing, unless the system failed.
		var system *fs.PathError
		if err != nil && !errors.As(err, &system) && !slices.ContainsFunc(kinds, func(k error) bool { return errors.Is(err, k) }) {
			err = fmt.Errorf("%w: %w", err, ErrFormat)
		}
	}
	if err != nil {
		return fmt.Errorf("%.100s: %w", name, err)
	}
	return nil
}

// Other is an entry of an archive that is no array.
type Other struct {
	Name string
	Data []byte
}

// WriteArchive writes tensors as a .npz file, uncompressed as numpy.savez does, and after them the other entries. The same
// content gives the same bytes: no time is in them.
func WriteArchive(w io.Writer, tensors []tensor.Tensor, others ...Other) error {
	z := zip.NewWriter(w)
	seen := map[string]bool{}
	put := func(name string, parts ...[]byte) error {
		if seen[name] {
			return fmt.Errorf("%s: found the name twice, want each once", name)
		}
		seen[name] = true
		// With checksum and size in front, no reader needs the list at the end.
		h := &zip.FileHeader{Name: name, Method: zip.Store}
		for _, p := range parts {
			h.CRC32 = crc32.Update(h.CRC32, crc32.IEEETable, p)
			h.UncompressedSize64 += uint64(len(p))
		}
		h.CompressedSize64 = h.UncompressedSize64
		//lint:ignore SA1019 CreateRaw looks at this field alone. The oldest date that a zip has: the first of January 1980.
		h.ModifiedDate = 1<<5 | 1
		out, err := z.CreateRaw(h)
		for _, p := range parts {
			if err == nil {
				_, err = out.Write(p)
			}
		}
		return err
	}
	for i := range tensors {
		t := tensors[i]
		if err := t.Check(); err != nil {
			return err
		}
		head, err := header(t)
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		if err := put(t.Name+suffix, head, t.Data); err != nil {
			return err
		}
	}
	for _, o := range others {
		if strings.HasSuffix(o.Name, suffix) {
			return fmt.Errorf("%s: found an entry with the name of an array, want another", o.Name)
		}
		if err := put(o.Name, o.Data); err != nil {
			return err
		}
	}
	return z.Close()
}
