package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/fkzoo/fkzoo/format/tensor"
)

// Objects gives what stands in a .npy file of size bytes for an array of Python
// objects: a pickle of the array, which is not read here.
func Objects(r io.Reader, size int64) ([]byte, error) {
	h, err := ReadHeader(r)
	switch {
	case err == nil:
		return nil, fmt.Errorf("found values of type %q, want Python objects: %w", h.Descr, ErrType)
	case h == nil:
		return nil, err
	}
	return readAll(r, max(size-h.Size, 0))
}

// Read reads an array of size bytes in all, header included, as a tensor without a name: little-endian and row-major. The
// stream must end behind it.
func Read(r io.Reader, size int64) (tensor.Tensor, error) {
	h, err := ReadHeader(r)
	if err != nil {
		return tensor.Tensor{}, err
	}
	if _, err := tensor.ByteLength(h.Type, h.Shape); err != nil {
		return tensor.Tensor{}, fmt.Errorf("found shape %v of %s, want less than 4 GiB: %w", h.Shape, h.Descr, err)
	}
	if want := h.Size + h.Bytes(); size != want {
		return tensor.Tensor{}, fmt.Errorf("found %d bytes, want %d for shape %v of %s: %w", size, want, h.Shape, h.Descr, ErrFormat)
	}
	data, err := readAll(r, h.Bytes())
	if err != nil {
		return tensor.Tensor{}, err
	}
	if h.BigEndian {
		swap(data, h.Type.Size())
	}
	if h.Fortran {
		data = rowMajor(data, h.Type.Size(), h.Shape)
	}
	if h.Type == tensor.Bool {
		if i := slices.IndexFunc(data, func(b byte) bool { return b > 1 }); i >= 0 {
			return tensor.Tensor{}, fmt.Errorf("found the byte %d as value %d of a bool array, want 0 or 1: %w", data[i], i+1, ErrFormat)
		}
	}
	return tensor.Tensor{Type: h.Type, Shape: h.Shape, Data: data}, nil
}

// readAll reads n bytes and the end behind them. What claims to be long costs no more memory than twice what is there.
func readAll(r io.Reader, n int64) ([]byte, error) {
	const most = 1 << 20
	data := make([]byte, 0, min(n, most))
	for int64(len(data)) < n {
		if len(data) == cap(data) {
			data = slices.Grow(data, int(min(n-int64(len(data)), int64(len(data)))))
		}
		at := len(data)
		data = data[:min(int64(cap(data)), n)]
		got, err := io.ReadFull(r, data[at:])
		if data = data[:at+got]; err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fmt.Errorf("found the end after %d bytes of values, want %d: %w", len(data), n, ErrFormat)
		} else if err != nil {
			return nil, err
		}
	}
	// The end is where a zip compares the checksum.
	switch got, err := io.ReadFull(r, make([]byte, 1)); {
	case got > 0:
		return nil, fmt.Errorf("found more than %d bytes of values, want their end: %w", n, ErrFormat)
	case err != io.EOF:
		return nil, err
	}
	return data, nil
}

// swap turns the bytes of each value around.
func swap(data []byte, size int) {
	for v := range slices.Chunk(data, size) {
		slices.Reverse(v)
	}
}

// rowMajor gives values of which the first axis varies fastest in an order in which the last one does.
func rowMajor(data []byte, size int, shape []int) []byte {
	if len(shape) < 2 || len(data) == 0 {
		return data
	}
	out := make([]byte, 0, len(data))
	step := make([]int, len(shape)) // bytes from one index of an axis to the next
	n := size
	for i, d := range shape {
		step[i] = n
		n *= d
	}
	index := make([]int, len(shape))
	for at := 0; len(out) < len(data); {
		out = append(out, data[at:at+size]...)
		for axis := len(shape) - 1; axis >= 0; axis-- {
			index[axis]++
			if at += step[axis]; index[axis] < shape[axis] {
				break
			}
			at -= step[axis] * shape[axis]
			index[axis] = 0
		}
	}
	return out
}

// Write writes a tensor as a .npy file of version 1.0, the same bytes as numpy.save. Its name is not written; a type that
// NumPy doesn't have is refused.
func Write(w io.Writer, t tensor.Tensor) error {
	head, err := header(t)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err = w.Write(t.Data)
	return err
}

func header(t tensor.Tensor) ([]byte, error) {
	want, err := tensor.ByteLength(t.Type, t.Shape)
	if err != nil {
		return nil, err
	}
	if int64(len(t.Data)) != want {
		return nil, fmt.Errorf("found %d bytes of data, want %d for %s of shape %v", len(t.Data), want, t.Type, t.Shape)
	}
	descr := ""
	for name, have := range descrs {
		if have == t.Type {
			descr = map[bool]string{true: "|", false: "<"}[have.Size() == 1] + name
		}
	}
	if descr == "" {
		return nil, fmt.Errorf("found values of type %s, want one that NumPy has: %w", t.Type, ErrType)
	}
	var shape strings.Builder
	for i, d := range t.Shape {
		if i > 0 {
			shape.WriteString(", ")
		}
		fmt.Fprint(&shape, d)
	}
	if len(t.Shape) == 1 {
		shape.WriteString(",")
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, shape.String())
	// As NumPy does it: room for a first axis of up to 21 digits, so that a file can grow; then blanks up to a line end
	// before a multiple of 64.
	if len(t.Shape) > 0 {
		text += strings.Repeat(" ", 21-len(fmt.Sprint(t.Shape[0])))
	}
	const before, align = len(Magic) + 4, 64
	text += strings.Repeat(" ", align-(before+len(text)+1)%align) + "\n"
	out := append([]byte(Magic), 1, 0)
	out = binary.LittleEndian.AppendUint16(out, uint16(len(text)))
	return append(out, text...), nil
}
