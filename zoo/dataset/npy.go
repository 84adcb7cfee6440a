package dataset

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// readNPY reads float32 or float64 images [n,h,w] or [n,1,h,w], values 0 to 1,
// in C order, into Floats, 0 to 255.
func readNPY(ctx context.Context, f *os.File, file string, h, w int) (*Set, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(f, 1<<18)
	head, err := parseNPYHeader(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	n, err := head.images(h, w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p := h * w
	if want := head.size + n*int64(p)*int64(head.width); info.Size() != want {
		return nil, fmt.Errorf("%s: found a file of %d bytes, want %d for shape %v of %s: %w",
			file, info.Size(), want, head.shape, head.descr, ErrFormat)
	}
	s := &Set{Height: h, Width: w, Channels: 1, Source: file,
		Floats: make([]float32, 0, n*int64(p)), IDs: make([]string, 0, n)}
	row := make([]byte, p*head.width)
	for i := range int(n) {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, err := io.ReadFull(in, row); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for at := range p {
			var v float64
			if head.width == 4 {
				v = float64(math.Float32frombits(binary.LittleEndian.Uint32(row[at*4:])))
			} else {
				v = math.Float64frombits(binary.LittleEndian.Uint64(row[at*8:]))
			}
			if !(v >= 0 && v <= 1) {
				return nil, fmt.Errorf("%s: found %v in image %d, row %d, column %d, want 0 to 1: %w",
					file, v, i+1, at/w+1, at%w+1, ErrFormat)
			}
			s.Floats = append(s.Floats, float32(v*255))
		}
		s.IDs = append(s.IDs, strconv.Itoa(i+1))
	}
	s.Checksum = s.Sum()
	return s, nil
}

// An npyHeader is what NumPy writes before an array's bytes.
type npyHeader struct {
	descr string
	width int // bytes of a value
	shape []int64
	size  int64 // of the header, where the values begin
}

// images checks that the array is images of h x w, and counts them.
func (d *npyHeader) images(h, w int) (int64, error) {
	s := d.shape
	if len(s) == 4 && s[1] == 1 {
		s = []int64{s[0], s[2], s[3]}
	}
	if len(s) != 3 || s[1] != int64(h) || s[2] != int64(w) {
		return 0, fmt.Errorf("found shape %v, want [n,%d,%d] or [n,1,%d,%d]: %w", d.shape, h, w, h, w, ErrFormat)
	}
	if s[0] == 0 {
		return 0, fmt.Errorf("found shape %v, want at least one image: %w", d.shape, ErrEmpty)
	}
	if s[0] > maxSet/4/int64(h*w) {
		return 0, fmt.Errorf("found shape %v, want at most %d bytes of pixels: %w", d.shape, int64(maxSet), ErrLimit)
	}
	return s[0], nil
}

const maxNPYHeader = 64 << 10

// parseNPYHeader reads the header of a .npy file, versions 1.0 to 3.0, as the
// NumPy documentation of the format (numpy.lib.format) gives it: "\x93NUMPY",
// two version bytes, the length (uint16, from 2.0 on uint32) and a Python
// dictionary with exactly descr, fortran_order and shape.
func parseNPYHeader(r io.Reader) (*npyHeader, error) {
	short := func(err error) error {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return fmt.Errorf("found the end of the file in the .npy header: %w", ErrFormat)
		}
		return err
	}
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return nil, short(err)
	}
	if string(start[:6]) != "\x93NUMPY" {
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
	if n > maxNPYHeader {
		return nil, fmt.Errorf("found a .npy header of %d bytes, want at most %d: %w", n, maxNPYHeader, ErrLimit)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, short(err)
	}
	d, err := parseNPYDict(text)
	if err != nil {
		return nil, err
	}
	d.size = size + int64(n)
	return d, nil
}

// parseNPYDict reads a dictionary such as
// {'descr': '<f4', 'fortran_order': False, 'shape': (8, 1, 96, 96), }
func parseNPYDict(text []byte) (*npyHeader, error) {
	p := &npyParser{rest: text}
	d := &npyHeader{}
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
			d.descr = p.str()
		case "fortran_order":
			if p.take("True") {
				p.fail("Fortran order", "C order (numpy.ascontiguousarray)")
			} else {
				p.want("False")
			}
		case "shape":
			d.shape = p.tuple()
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
	switch {
	case p.err != nil:
		return nil, p.err
	case d.descr == "<f4":
		d.width = 4
	case d.descr == "<f8":
		d.width = 8
	default:
		return nil, fmt.Errorf("found values of type %q, want '<f4' (float32) or '<f8' (float64): %w", d.descr, ErrFormat)
	}
	return d, nil
}

// npyParser reads the few Python literals of a .npy header. After its first
// failure everything it does is harmless.
type npyParser struct {
	rest []byte
	err  error
}

func (p *npyParser) fail(found, want string) {
	if p.err == nil {
		p.err = fmt.Errorf("found %s in the .npy header, want %s: %w", found, want, ErrFormat)
	}
}

func (p *npyParser) space() { p.rest = bytes.TrimLeft(p.rest, " \n\t\r") }

func (p *npyParser) take(word string) bool {
	p.space()
	rest, ok := bytes.CutPrefix(p.rest, []byte(word))
	if ok && p.err == nil {
		p.rest = rest
	}
	return ok && p.err == nil
}

func (p *npyParser) want(word string) {
	if p.err == nil && !p.take(word) {
		p.fail(quote(p.rest), word)
	}
}

func (p *npyParser) str() string {
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

func (p *npyParser) tuple() (shape []int64) {
	p.want("(")
	for p.err == nil && !p.take(")") {
		p.space()
		n := 0
		for n < len(p.rest) && p.rest[n]-'0' <= 9 {
			n++
		}
		v, err := strconv.ParseInt(string(p.rest[:n]), 10, 48)
		if err != nil || len(shape) == 32 {
			p.fail(quote(p.rest), "a shape such as (8, 96, 96)")
			break
		}
		shape = append(shape, v)
		p.rest = bytes.TrimPrefix(p.rest[n:], []byte("L")) // Python 2
		if !p.take(",") {
			p.want(")")
			break
		}
	}
	return shape
}
