package format

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"sync"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/scan"
	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// readers has how to read each version ever released. None may be removed.
var readers = map[uint64]func(*File, []byte) error{
	1: readV1,
}

// Newest is the version that Write writes.
const Newest = 1

// File is an open model file. Its header has been checked and its checksum compared; tensors are checked as they are read.
// All methods may be used from several goroutines at once.
type File struct {
	path  string
	file  source
	size  int64 // when opened
	first []byte
	head  []byte
	h     *header.Header
	base  int64 // where offsets count from

	place  sync.Mutex   // the place where the file stands; all but Rewrite give their own
	mu     sync.RWMutex // held for reading while file or mapping are in use
	data   []byte       // the whole file's mapping; nil where there is none
	unmap  func([]byte) error
	closed bool
}

// source is where a file's bytes come from.
type source interface {
	io.ReaderAt
	io.Closer
	Length() (int64, error) // at the moment
}

// disk is a file of the system's.
type disk struct{ *os.File }

func (d disk) Length() (int64, error) {
	info, err := d.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// memory is a file's bytes in memory.
type memory struct{ *bytes.Reader }

func (m memory) Length() (int64, error) { return m.Size(), nil }

func (memory) Close() error { return nil }

// Open maps the model file at path and reads its header alone. What is wrong with it is an *Error.
func Open(path string) (*File, error) { return open(path, true) }

func open(path string, mapped bool) (*File, error) {
	file, err := openDisk(path)
	if err != nil {
		return nil, err
	}
	f := &File{path: path, file: file}
	if err := f.read(); err != nil {
		_ = file.Close()
		return nil, fault.At(path, err)
	}
	// Without a mapping (a system or a file system that has none) tensors are read into memory.
	if mapped && f.size <= math.MaxInt {
		f.data, _ = mapFile(file.File, f.size)
		f.unmap = unmapFile
	}
	return f, nil
}

// openDisk opens a regular file.
func openDisk(path string) (disk, error) {
	file, _, err := plainfile.Open(path)
	var refused *plainfile.Error
	if errors.As(err, &refused) {
		err = &Error{Kind: ErrNotFkz, Path: path, Detail: "is no regular file but " + refused.Kind()}
	}
	return disk{file}, err
}

// OpenBytes is [Open] of a file in memory, which errors call by that name. Tensors are views on data, which nobody may change.
func OpenBytes(name string, data []byte) (*File, error) { return openBytes(name, data, true) }

// openBytes is open of a file in memory; where it is to be mapped, tensors are views on data.
func openBytes(name string, data []byte, mapped bool) (*File, error) {
	f := &File{path: name, file: memory{bytes.NewReader(data)}}
	if err := f.read(); err != nil {
		return nil, fault.At(f.path, err)
	}
	if mapped {
		f.data, f.unmap = data, func([]byte) error { return nil }
	}
	return f, nil
}

var beginnings = sync.Pool{New: func() any { return new([8192]byte) }}

// read checks everything before the tensors, and the file's length.
func (f *File) read() error {
	var err error
	if f.size, err = f.file.Length(); err != nil {
		return err
	}
	// Most headers come with the first read.
	buf := beginnings.Get().(*[8192]byte)
	defer beginnings.Put(buf)
	first := buf[:min(int64(len(buf)), f.size)]
	if err := f.readAt(first, 0, "prologue"); err != nil {
		return err
	}
	version, err := fileVersion(first)
	if err != nil {
		return err
	}
	reader, ok := readers[version]
	if !ok {
		e := &Error{Kind: ErrVersion, Part: "prologue", Start: 5, End: 6,
			Detail: fmt.Sprintf("is .fkz version %d, this fkzoo reads up to version %d", version, Newest)}
		if version > Newest {
			e.Detail += "; a newer fkzoo reads it"
		}
		return e
	}
	return reader(f, first)
}

// fileVersion reads the beginning that all versions share: an array of "fkz", the version, and more.
func fileVersion(b []byte) (uint64, error) {
	n := min(len(b), len(header.Magic))
	if n > 0 && b[0]&0xf0 != 0x90 || n > 1 && string(b[1:n]) != header.Magic[1:n] {
		return 0, &Error{Kind: ErrNotFkz, Part: "prologue", Start: 0, End: int64(n), Detail: fmt.Sprintf("begins with %x, want %x", b[:n], header.Magic)}
	}
	short := &Error{Kind: ErrTruncated, Part: "prologue", Start: 0, End: int64(len(b)),
		Detail: fmt.Sprintf("the file has %d bytes, want at least %d", len(b), header.PrologueLength)}
	if len(b) <= len(header.Magic) {
		return 0, short
	}
	c := &scan.Cursor{B: b, Pos: len(header.Magic)}
	it, err := c.Next()
	switch {
	case err != nil && len(b) < header.PrologueLength:
		return 0, short
	case err != nil || it.Kind != scan.Uint:
		return 0, &Error{Kind: ErrHeader, Part: "prologue", Start: 5, End: 6, Detail: "has no integer as the version"}
	case it.U == Newest && len(b) < header.PrologueLength:
		return 0, short
	}
	return it.U, nil
}

// readV1 reads version 1, of which the first bytes are given.
func readV1(f *File, first []byte) error {
	start := bytes.Clone(first[:header.PrologueLength])
	n, sum, err := header.ParsePrologue(start)
	if err != nil {
		return err
	}
	if n > header.MaxHeader {
		return &Error{Kind: ErrLimit, Part: "prologue", Start: 6, End: 11, Detail: fmt.Sprintf("has a header of %d bytes, at most %d are allowed", n, header.MaxHeader)}
	}
	if n > f.size-header.PrologueLength {
		return &Error{Kind: ErrTruncated, Part: "header", Start: header.PrologueLength, End: header.PrologueLength + n,
			Detail: fmt.Sprintf("the file has %d bytes, want at least %d", f.size, header.PrologueLength+n)}
	}
	head := make([]byte, n)
	if have := copy(head, first[header.PrologueLength:]); have < len(head) {
		if err := f.readAt(head[have:], header.PrologueLength+int64(have), "header"); err != nil {
			return err
		}
	}
	if got := sha256.Sum256(head); got != sum {
		return &Error{Kind: ErrDamaged, Part: "header", Start: header.PrologueLength, End: header.PrologueLength + n,
			Detail: fmt.Sprintf("its SHA-256 is %x, want %x", got, sum)}
	}
	h, err := header.Parse(head)
	if err != nil {
		return err
	}
	f.first, f.head, f.h, f.base = start, head, h, header.RoundUp(header.PrologueLength+n)
	return f.checkSize(f.size)
}

// end gives the position after the last tensor.
func (f *File) end() int64 {
	if n := len(f.h.Infos); n > 0 {
		last := &f.h.Infos[n-1]
		return f.base + last.Offset + last.Length
	}
	return header.PrologueLength + int64(len(f.head))
}

// checkSize compares the file's length with what the index asks for.
func (f *File) checkSize(size int64) error {
	want := f.end()
	if size > want {
		return &Error{Kind: ErrTrailing, Start: want, End: size, Detail: fmt.Sprintf("the file has %d bytes, want %d", size, want)}
	}
	if size == want {
		return nil
	}
	whole := 0
	for i := range f.h.Infos {
		if _, end := f.Range(&f.h.Infos[i]); end <= size {
			whole++
		}
	}
	t := &f.h.Infos[min(whole, len(f.h.Infos)-1)]
	start, end := f.Range(t)
	return &Error{Kind: ErrTruncated, Part: fault.TensorPart(t.Name), Tensor: t.Name, Start: start, End: end,
		Detail: fmt.Sprintf("the file has %d bytes, want %d; %d of %d tensors are there", size, want, whole, len(f.h.Infos))}
}

// readAt fills b from the file. A file that has become too short is cut short.
func (f *File) readAt(b []byte, off int64, part string) error {
	n, err := f.file.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return &Error{Kind: ErrTruncated, Part: part, Start: off, End: off + int64(len(b)), Detail: fmt.Sprintf("ends after %d bytes", off+int64(n))}
	}
	return &Error{Kind: ErrFault, Part: part, Start: off, End: off + int64(len(b)), Cause: err}
}

// Close unmaps and closes the file. Views that Tensor gave must not be used any more.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	var err error
	if f.data != nil {
		err = f.unmap(f.data)
		f.data = nil
	}
	return errors.Join(err, f.file.Close())
}

// use holds the file open until the function it returns is called.
func (f *File) use() (func(), error) {
	f.mu.RLock()
	if f.closed {
		f.mu.RUnlock()
		return nil, fmt.Errorf("%s: %w", f.path, fs.ErrClosed)
	}
	return f.mu.RUnlock, nil
}

// Path is the file's, as given to Open.
func (f *File) Path() string { return f.path }

// Size is the file's length in bytes.
func (f *File) Size() int64 { return f.size }

// Version is the file's format version.
func (f *File) Version() int { return int(f.first[len(header.Magic)]) }

// Mapped says whether tensors are views on a mapping of the file (else each is read into memory).
func (f *File) Mapped() bool {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.data != nil
}

// Load opens the model file at path, copies everything into memory and closes it. It costs the file's size.
func Load(path string) (Meta, []Tensor, error) {
	f, err := Open(path)
	if err != nil {
		return Meta{}, nil, err
	}
	defer f.Close()
	m, err := f.Meta()
	if err != nil {
		return Meta{}, nil, err
	}
	tensors, err := f.CopyAll()
	return m, tensors, err
}
