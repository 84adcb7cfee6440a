package npy

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// Magic is what every .npy file begins with.
const Magic = "\x93NUMPY"

// Header is what stands before an array's values.
type Header struct {
	Descr     string       // the type as the file names it: "<f4"
	Type      tensor.DType // float16 to float64, int8 to uint64, bool
	BigEndian bool
	Fortran   bool  // the first axis varies fastest
	Shape     []int // empty for a scalar
	Size      int64 // bytes before the values
}

// Bytes is the length of the values.
func (h *Header) Bytes() int64 {
	n := int64(h.Type.Size())
	for _, d := range h.Shape {
		n *= int64(d)
	}
	return n
}

// ReadHeader reads up to the first value: the magic, two version bytes, the header's length (uint16, from 2.0 on uint32) and
// a Python dictionary with exactly descr, fortran_order and shape. The values may be more than fit into one tensor. With
// [ErrObject] there is a header too, and behind it a pickle.
func ReadHeader(r io.Reader) (*Header, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return nil, short(err)
	}
	if string(start[:6]) != Magic {
		return nil, fmt.Errorf("found no .npy file: %w", ErrFormat)
	}
	if major, minor := start[6], start[7]; major < 1 || major > 3 || minor != 0 {
		return nil, fmt.Errorf("found .npy version %d.%d, want 1.0 to 3.0: %w", major, minor, ErrFormat)
	}
	size := int64(10)
	length := make([]byte, 2, 4)
	if start[6] > 1 {
		size, length = 12, length[:4]
	}
	if _, err := io.ReadFull(r, length); err != nil {
		return nil, short(err)
	}
	length = append(length, 0, 0)
	n := binary.LittleEndian.Uint32(length[:4])
	if n > maxHeader {
		return nil, fmt.Errorf("found a .npy header of %d bytes, want at most %d: %w", n, maxHeader, fault.ErrLimit)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, short(err)
	}
	h, err := parseHeader(text)
	if h != nil {
		h.Size = size + int64(n)
	}
	if err != nil && !errors.Is(err, ErrObject) {
		return nil, err
	}
	return h, err
}

// short says that a file ends too soon.
func short(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("found the end of the file in the .npy header: %w", ErrFormat)
	}
	return err
}

// parseHeader reads a dictionary such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (8, 1, 96, 96), }
func parseHeader(text []byte) (*Header, error) {
	p := &parser{rest: text}
	h := &Header{}
	seen := map[string]bool{}
	p.want("{")
	for p.err == nil && !p.take("}") {
		key := p.str()
		if seen[key] {
			p.fail(fmt.Sprintf("the key %q twice", key), "each once")
		}
		seen[key] = true
		p.want(":")
		switch key {
		case "descr":
			if p.peek('[') || p.peek('(') {
				return nil, fmt.Errorf("found an array of records, want one of numbers: %w", ErrType)
			}
			h.Descr = p.str()
		case "fortran_order":
			if h.Fortran = p.take("True"); !h.Fortran {
				p.want("False")
			}
		case "shape":
			h.Shape = p.tuple()
		default:
			p.fail(fmt.Sprintf("the key %q", key), "descr, fortran_order, shape")
		}
		if !p.take(",") {
			p.want("}")
			break
		}
	}
	if p.err == nil && len(seen) != 3 {
		p.fail(fmt.Sprintf("%d keys", len(seen)), "descr, fortran_order, shape")
	}
	if p.space(); p.err == nil && len(p.rest) > 0 {
		p.fail(quote(p.rest), "the header's end")
	}
	if p.err != nil {
		return nil, p.err
	}
	if err := h.setType(); err != nil {
		return h, err
	}
	size := int64(h.Type.Size())
	for _, d := range h.Shape {
		// An axis of 0 does not excuse the others.
		if size *= int64(max(d, 1)); int64(d) > maxValues || size > maxValues {
			return nil, fmt.Errorf("found shape %v of %s, want at most %d bytes: %w", h.Shape, h.Descr, int64(maxValues), fault.ErrLimit)
		}
	}
	return h, nil
}

// descrs are the types by their letter and size.
var descrs = map[string]tensor.DType{
	"f2": tensor.Float16, "f4": tensor.Float32, "f8": tensor.Float64,
	"i1": tensor.Int8, "i2": tensor.Int16, "i4": tensor.Int32, "i8": tensor.Int64,
	"u1": tensor.Uint8, "u2": tensor.Uint16, "u4": tensor.Uint32, "u8": tensor.Uint64,
	"b1": tensor.Bool,
}

// strangers are types that NumPy has beside numbers, by their letter.
var strangers = map[byte]string{
	'c': "complex numbers", 'U': "text", 'S': "bytes", 'a': "bytes", 'V': "records", 'M': "times", 'm': "durations",
	'f': "floats of that size", 'i': "integers of that size", 'u': "integers of that size",
}

// setType finds the type that Descr names: an order (< little-endian, > big-endian, | neither), a letter, a size.
func (h *Header) setType() error {
	if len(h.Descr) >= 2 && h.Descr[1] == 'O' || h.Descr == "O" {
		return fmt.Errorf("found values of type %q, Python objects, which would have to be unpickled, want numbers: %w", h.Descr, ErrObject)
	}
	if len(h.Descr) >= 3 && strings.ContainsRune("<>|", rune(h.Descr[0])) {
		t, ok := descrs[h.Descr[1:]]
		if ok && (t.Size() == 1 || h.Descr[0] != '|') {
			h.Type, h.BigEndian = t, h.Descr[0] == '>' && t.Size() > 1
			return nil
		}
		if what := strangers[h.Descr[1]]; what != "" && !ok {
			return fmt.Errorf("found values of type %.40q (%s), want floats, integers or bool: %w", h.Descr, what, ErrType)
		}
	}
	return fmt.Errorf("found values of type %.40q, want floats, integers or bool: %w", h.Descr, ErrType)
}

// parser reads the few Python literals of a header. After its first failure everything it does is harmless.
type parser struct {
	rest []byte
	err  error
}

func (p *parser) fail(found, want string) {
	if p.err == nil {
		p.err = fmt.Errorf("found %s in the .npy header, want %s: %w", found, want, ErrFormat)
	}
}

func (p *parser) space() { p.rest = bytes.TrimLeft(p.rest, " \n\t\r") }

func (p *parser) peek(c byte) bool {
	p.space()
	return p.err == nil && len(p.rest) > 0 && p.rest[0] == c
}

func (p *parser) take(word string) bool {
	p.space()
	rest, ok := bytes.CutPrefix(p.rest, []byte(word))
	if ok && p.err == nil {
		p.rest = rest
	}
	return ok && p.err == nil
}

func (p *parser) want(word string) {
	if p.err == nil && !p.take(word) {
		p.fail(quote(p.rest), word)
	}
}

func (p *parser) str() string {
	p.space()
	if p.err == nil && len(p.rest) > 0 && (p.rest[0] == '\'' || p.rest[0] == '"') {
		if end := bytes.IndexByte(p.rest[1:], p.rest[0]); end >= 0 {
			s := string(p.rest[1 : 1+end])
			if p.rest = p.rest[end+2:]; !strings.Contains(s, `\`) {
				return s
			}
		}
	}
	p.fail(quote(p.rest), "a string")
	return ""
}

func (p *parser) tuple() (shape []int) {
	p.want("(")
	for p.err == nil && !p.take(")") {
		p.space()
		n := 0
		for n < len(p.rest) && p.rest[n]-'0' <= 9 {
			n++
		}
		v, err := strconv.ParseInt(string(p.rest[:n]), 10, 48)
		if err != nil || int64(int(v)) != v || len(shape) == tensor.MaxRank {
			p.fail(quote(p.rest), "a shape such as (8, 96, 96)")
			break
		}
		shape = append(shape, int(v))
		p.rest = bytes.TrimPrefix(p.rest[n:], []byte("L")) // Python 2
		if !p.take(",") {
			p.want(")")
			break
		}
	}
	return shape
}

// quote shows a piece of a header, cut where it is long.
func quote(b []byte) string {
	const most = 24
	if len(b) > most {
		return fmt.Sprintf("%q...", b[:most])
	}
	return fmt.Sprintf("%q", b)
}
