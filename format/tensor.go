package format

import (
	"github.com/fkzoo/fkzoo/format/header"
	"github.com/fkzoo/fkzoo/format/tensor"
)

// What a file's tensors are made of is package tensor's; these names save its users a second import.
type (
	// Tensor is a named array. Data holds its elements little-endian and row-major, Type.Size() bytes each.
	Tensor = tensor.Tensor
	// DType is a tensor's element type, by the name it has in the file.
	DType = tensor.DType
	// Element is a Go type that holds a tensor's elements; the bits of the smaller floats come as unsigned integers.
	Element = tensor.Element
	// Info is what the index says of a tensor.
	Info = header.Info
)

// The element types of version 1. Values are little-endian; bool is a byte 0 or 1.
const (
	Float64    = tensor.Float64
	Float32    = tensor.Float32
	Float16    = tensor.Float16
	BFloat16   = tensor.BFloat16
	Float8E4M3 = tensor.Float8E4M3
	Float8E5M2 = tensor.Float8E5M2
	Int64      = tensor.Int64
	Int32      = tensor.Int32
	Int16      = tensor.Int16
	Int8       = tensor.Int8
	Uint64     = tensor.Uint64
	Uint32     = tensor.Uint32
	Uint16     = tensor.Uint16
	Uint8      = tensor.Uint8
	Bool       = tensor.Bool
)

// Limits of a file and its tensors, far above any honest ones.
const (
	MaxRank    = tensor.MaxRank    // axes of one tensor
	MaxTensors = header.MaxTensors // tensors in a file
)

// NewTensor makes a tensor of Go values, whose type must fit: float32 for Float32, bool for Bool, uint16 for Float16 and
// BFloat16, uint8 for both Float8. On little-endian machines Data is the memory of values itself, not a copy.
func NewTensor[T Element](name string, t DType, shape []int, values []T) (Tensor, error) {
	return tensor.New(name, t, shape, values)
}

// Values gives a tensor's elements as a new slice; the type T must fit as for NewTensor.
func Values[T Element](x Tensor) ([]T, error) { return tensor.Values[T](x) }
