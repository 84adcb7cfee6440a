package tensor

import (
	"encoding/binary"
	"fmt"
	"slices"
	"unicode/utf8"
	"unsafe"

	"github.com/fkzoo/fkzoo/format/fault"
)

// Limits of tensors, far above any honest file's. The text in specs/fkz.md states them too.
const (
	MaxTensors = 100_000   // tensors in a file
	MaxTensor  = 1<<32 - 1 // bytes of one tensor
	MaxRank    = 32        // axes of one tensor
	MaxName    = 1024      // bytes of a tensor's name
)

// Tensor is a named array. Data holds its elements little-endian and row-major, Type.Size() bytes each.
type Tensor struct {
	Name  string
	Type  DType
	Shape []int // empty for a scalar
	Data  []byte
	Extra map[string]any // fields of its index entry that this version doesn't know; nil if none
}

// Element is a Go type that holds a tensor's elements; the bits of the smaller floats come as unsigned integers.
type Element interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float32 | float64 | bool
}

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// New makes a tensor of Go values, whose type must fit: float32 for Float32, bool for Bool, uint16 for Float16 and
// BFloat16, uint8 for both Float8. On little-endian machines Data is the memory of values itself, not a copy.
func New[T Element](name string, t DType, shape []int, values []T) (Tensor, error) {
	x := Tensor{Name: name, Type: t, Shape: slices.Clone(shape)}
	if err := Fits[T](t); err != nil {
		return x, &fault.Error{Kind: fault.ErrValue, Part: fault.TensorPart(name), Tensor: name, Detail: err.Error()}
	}
	size := t.Size()
	if len(values) > 0 {
		x.Data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(values)*size)
	}
	if !littleEndian {
		x.Data = swapped(x.Data, size)
	}
	return x, x.Check()
}

// Values gives a tensor's elements as a new slice; the type T must fit as for New.
func Values[T Element](x Tensor) ([]T, error) {
	if err := Fits[T](x.Type); err != nil {
		return nil, &fault.Error{Kind: fault.ErrValue, Part: fault.TensorPart(x.Name), Tensor: x.Name, Detail: err.Error()}
	}
	if err := x.Check(); err != nil {
		return nil, err
	}
	size := x.Type.Size()
	values := make([]T, len(x.Data)/size)
	if len(values) == 0 {
		return values, nil
	}
	data := x.Data
	if !littleEndian {
		data = swapped(data, size)
	}
	// Check has seen to it that bools are 0 or 1, the only bytes a Go bool may hold.
	copy(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), len(data)), data)
	return values, nil
}

// Fits says whether Go's T holds elements of type t.
func Fits[T Element](t DType) error {
	var zero T
	name := fmt.Sprintf("%T", zero)
	switch {
	case name == string(t),
		name == "uint16" && (t == Float16 || t == BFloat16),
		name == "uint8" && (t == Float8E4M3 || t == Float8E5M2):
		return nil
	}
	return fmt.Errorf("a Go %s does not hold elements of type %q", name, t)
}

// Fill makes so many values of the bytes, little-endian, that fill writes to memory that it is given. After an error, which
// is fill's, there are none: they may hold what no Go bool may be.
func Fill[T Element](count int, fill func(data []byte) error) ([]T, error) {
	values := make([]T, count)
	size := int(unsafe.Sizeof(*new(T)))
	data := unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(values))), count*size)
	if err := fill(data); err != nil {
		return nil, err
	}
	if !littleEndian {
		copy(data, swapped(data, size))
	}
	return values, nil
}

func swapped(data []byte, size int) []byte {
	out := slices.Clone(data)
	for i := 0; i+size <= len(out); i += size {
		slices.Reverse(out[i : i+size])
	}
	return out
}

// Check says whether the tensor may be stored: its name, type and shape, as many bytes as they ask for, bools 0 or 1.
// The error's kind is fault.ErrValue.
func (x *Tensor) Check() error {
	fail := func(k error, format string, args ...any) error {
		return &fault.Error{Kind: k, Part: fault.TensorPart(x.Name), Tensor: x.Name, Detail: fmt.Sprintf(format, args...)}
	}
	if why := BadName(x.Name); why != "" {
		return fail(fault.ErrValue, "%s", why)
	}
	want, why := Length(x.Type, x.Shape)
	if why != "" {
		return fail(fault.ErrValue, "%s", why)
	}
	if int64(len(x.Data)) != want {
		return fail(fault.ErrValue, "has %d bytes of data, want %d for %s of shape %v", len(x.Data), want, x.Type, x.Shape)
	}
	if x.Type == Bool {
		if i := BadBool(x.Data); i >= 0 {
			return fail(fault.ErrValue, "element %d is the byte %d, want 0 or 1", i, x.Data[i])
		}
	}
	return nil
}

// BadName says what is wrong with a tensor's name, or nothing.
func BadName(name string) string {
	switch {
	case name == "":
		return "has an empty name"
	case len(name) > MaxName:
		return fmt.Sprintf("has a name of %d bytes, at most %d are allowed", len(name), MaxName)
	case !utf8.ValidString(name):
		return "has a name that is not UTF-8"
	}
	for _, r := range name {
		if r < 0x20 || r == 0x7f {
			return fmt.Sprintf("has the control character %q in its name", r)
		}
	}
	return ""
}

// ByteLength gives the bytes of the data of a tensor of this type and shape, before there is any; the error, of the kind
// fault.ErrLimit, says why there is no such tensor.
func ByteLength(t DType, shape []int) (int64, error) {
	n, why := Length(t, shape)
	if why != "" {
		return 0, &fault.Error{Kind: fault.ErrLimit, Detail: why}
	}
	return n, nil
}

// Length gives the bytes of a tensor's data, or says why there is no such tensor. A dimension of 0 does not excuse the
// others: their product is limited all the same.
func Length(t DType, shape []int) (int64, string) {
	size := int64(t.Size())
	if size == 0 {
		return 0, fmt.Sprintf("has the type %.40q, which the format does not have", string(t))
	}
	if len(shape) > MaxRank {
		return 0, fmt.Sprintf("has %d axes, at most %d are allowed", len(shape), MaxRank)
	}
	empty := false
	for _, d := range shape {
		switch {
		case d < 0:
			return 0, fmt.Sprintf("has the shape %v with a negative dimension", shape)
		case d == 0:
			empty = true
		case int64(d) > MaxTensor/size:
			return 0, fmt.Sprintf("has the shape %v of %s, over the limit of %d bytes", shape, t, int64(MaxTensor))
		default:
			size *= int64(d)
		}
	}
	if empty {
		return 0, ""
	}
	return size, ""
}

// BadBool gives the place of the first byte that is neither 0 nor 1, or -1.
func BadBool(data []byte) int {
	for i, b := range data {
		if b > 1 {
			return i
		}
	}
	return -1
}
