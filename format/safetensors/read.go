package safetensors

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// Info is what the header says of a tensor.
type Info struct {
	Name   string
	Type   tensor.DType
	Shape  []int // empty for a scalar
	Offset int64 // of its bytes from the header's end
	Length int64 // in bytes
}

// File is a .safetensors file. Its methods may be called at the same time.
type File struct {
	metadata map[string]string
	infos    []Info // in the order of their bytes
	index    map[string]int
	start    int64 // where the header ends
	r        io.ReaderAt
}

// New reads the header of a file of size bytes and checks it.
func New(r io.ReaderAt, size int64) (*File, error) {
	var start [8]byte
	if err := readAt(r, start[:], 0); err != nil {
		return nil, err
	}
	n := binary.LittleEndian.Uint64(start[:])
	switch {
	case n > MaxHeader:
		return nil, fmt.Errorf("found a header of %d bytes, want at most %d: %w", n, MaxHeader, ErrFormat)
	case int64(n) > size-8:
		return nil, fmt.Errorf("found a header of %d bytes in a file of %d: %w", n, size, ErrFormat)
	}
	text := make([]byte, n)
	if err := readAt(r, text, 8); err != nil {
		return nil, err
	}
	f := &File{r: r, start: 8 + int64(n), index: map[string]int{}}
	if err := f.parse(text); err != nil {
		return nil, err
	}
	if err := f.checkPlaces(size - f.start); err != nil {
		return nil, err
	}
	return f, nil
}

func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("found the end after %d bytes, want %d: %w", at+int64(n), at+int64(len(b)), ErrFormat)
	}
	return err
}

// parse reads the header's JSON object.
func (f *File) parse(text []byte) error {
	if len(text) == 0 || text[0] != '{' {
		return fmt.Errorf("found a header that does not begin with {, want a JSON object: %w", ErrFormat)
	}
	if !utf8.Valid(text) {
		return fmt.Errorf("found a header that is not UTF-8, want a JSON object: %w", ErrFormat)
	}
	d := &decoder{json.NewDecoder(bytes.NewReader(text))}
	if err := d.object(f.entry); err != nil {
		if errors.Is(err, ErrType) || errors.Is(err, ErrFormat) || errors.Is(err, fault.ErrLimit) {
			return fmt.Errorf("header: %w", err)
		}
		return fmt.Errorf("header: %w: %w", err, ErrFormat)
	}
	if rest := bytes.Trim(text[d.InputOffset():], " \n\r\t"); len(rest) > 0 {
		return fmt.Errorf("header: found %.40q behind the JSON object, want blanks at most: %w", rest, ErrFormat)
	}
	return nil
}

// entry reads the value of one of the header's keys.
func (f *File) entry(d *decoder, name string) error {
	if name == metadataKey {
		f.metadata = map[string]string{}
		return d.object(func(d *decoder, key string) error {
			text, err := want[string](d, "a text")
			f.metadata[key] = text
			return err
		})
	}
	if len(f.infos) == tensor.MaxTensors {
		return fmt.Errorf("found more than %d tensors: %w", tensor.MaxTensors, fault.ErrLimit)
	}
	t := Info{Name: name}
	var end int64
	seen := 0
	err := d.object(func(d *decoder, key string) (err error) {
		seen++
		switch key {
		case "dtype":
			t.Type, err = d.dtype()
		case "shape":
			var shape []int64
			shape, err = d.numbers(tensor.MaxRank)
			for _, n := range shape {
				if int64(int(n)) != n {
					return fmt.Errorf("found the axis %d: %w", n, fault.ErrLimit)
				}
				t.Shape = append(t.Shape, int(n))
			}
		case "data_offsets":
			var places []int64
			if places, err = d.numbers(2); err == nil && len(places) != 2 {
				return fmt.Errorf("data_offsets: found %v, want begin and end", places)
			}
			if err == nil {
				t.Offset, end = places[0], places[1]
			}
		default:
			return fmt.Errorf("found the key %.40q, want dtype, shape and data_offsets", key)
		}
		return err
	})
	if err == nil && seen != 3 {
		err = fmt.Errorf("found %d of the keys dtype, shape and data_offsets, want all", seen)
	}
	if err == nil {
		t.Length, err = tensor.ByteLength(t.Type, t.Shape)
	}
	if err == nil && (t.Offset > end || end-t.Offset != t.Length) {
		err = fmt.Errorf("found data_offsets %d to %d, want %d bytes for %s of shape %v", t.Offset, end, t.Length, t.Type, t.Shape)
	}
	if err != nil {
		return fmt.Errorf("tensor %.100q: %w", name, err)
	}
	f.infos = append(f.infos, t)
	return nil
}

// checkPlaces sees to it that the tensors fill the bytes behind the header without holes or overlaps, and sorts them so.
func (f *File) checkPlaces(size int64) error {
	slices.SortStableFunc(f.infos, func(a, b Info) int {
		if a.Offset != b.Offset {
			return map[bool]int{true: -1, false: 1}[a.Offset < b.Offset]
		}
		return map[bool]int{true: -1, false: 1}[a.Length <= b.Length] // empty ones first
	})
	at := int64(0)
	for i, t := range f.infos {
		if t.Offset != at {
			return fmt.Errorf("tensor %.100q: found its bytes at %d, want them at %d, where those before it end: %w", t.Name, t.Offset, at, ErrFormat)
		}
		at += t.Length
		f.index[t.Name] = i
	}
	if at != size {
		return fmt.Errorf("found %d bytes behind the header, want %d, where the last tensor ends: %w", size, at, ErrFormat)
	}
	return nil
}

// Metadata gives the file's texts; nil if it has no such map.
func (f *File) Metadata() map[string]string { return maps.Clone(f.metadata) }

// Infos lists the tensors in the order of their bytes.
func (f *File) Infos() []Info { return slices.Clone(f.infos) }

// Tensor reads a tensor.
func (f *File) Tensor(name string) (tensor.Tensor, error) {
	t, err := f.tensor(name)
	if err != nil {
		err = fmt.Errorf("tensor %.100q: %w", name, err)
	}
	return t, err
}

func (f *File) tensor(name string) (tensor.Tensor, error) {
	i, ok := f.index[name]
	if !ok {
		return tensor.Tensor{}, ErrName
	}
	info := f.infos[i]
	t := tensor.Tensor{Name: name, Type: info.Type, Shape: slices.Clone(info.Shape), Data: make([]byte, info.Length)}
	if err := readAt(f.r, t.Data, f.start+info.Offset); err != nil {
		return t, err
	}
	return t, t.Check()
}

// decoder reads a JSON text token by token. The header is two objects deep, so nothing recurses.
type decoder struct{ *json.Decoder }

// object reads an object and hands each key, with the decoder before its value, to f. A key given twice is refused.
func (d *decoder) object(f func(d *decoder, key string) error) error {
	if err := d.delim('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for d.More() {
		key, err := want[string](d, "a key")
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("found the key %.100q twice, want each once", key)
		}
		seen[key] = true
		if err := f(d, key); err != nil {
			return err
		}
	}
	return d.delim('}')
}

func (d *decoder) delim(c json.Delim) error {
	got, err := want[json.Delim](d, c.String())
	if err == nil && got != c {
		err = fmt.Errorf("found %s, want %s", got, c)
	}
	return err
}

func want[T json.Delim | string | json.Number](d *decoder, what string) (T, error) {
	d.UseNumber()
	token, err := d.Token()
	v, ok := token.(T)
	if errors.Is(err, io.EOF) {
		return v, fmt.Errorf("found the end of the JSON text, want %s", what)
	}
	if err == nil && !ok {
		err = fmt.Errorf("found %.40v, want %s", token, what)
	}
	return v, err
}

// numbers reads an array of at most so many whole numbers of at least 0.
func (d *decoder) numbers(most int) (out []int64, err error) {
	if err := d.delim('['); err != nil {
		return nil, err
	}
	for d.More() {
		if len(out) == most {
			return nil, fmt.Errorf("found an array of more than %d numbers: %w", most, fault.ErrLimit)
		}
		text, err := want[json.Number](d, "a number")
		if err != nil {
			return nil, err
		}
		n, err := text.Int64()
		if err != nil || n < 0 {
			return nil, fmt.Errorf("found %.40s, want a whole number of at least 0", text)
		}
		out = append(out, n)
	}
	return out, d.delim(']')
}

// dtype reads the name of an element type.
func (d *decoder) dtype() (tensor.DType, error) {
	name, err := want[string](d, "a type")
	if err != nil {
		return "", err
	}
	var known []string
	for _, c := range types {
		if c.name == name {
			return c.t, nil
		}
		known = append(known, c.name)
	}
	return "", fmt.Errorf("found the type %.40q, want one of %s: %w", name, strings.Join(known, ", "), ErrType)
}
