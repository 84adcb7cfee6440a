// Package tensor is what a tensor consists of: its element type, shape and bytes, to and from Go's values.
//
// It must not know where a tensor is kept: the formats that keep them all use this.
package tensor

// DType is a tensor's element type, by the name it has in the file.
type DType string

// The element types of version 1. Values are little-endian; bool is a byte 0 or 1.
const (
	Float64    DType = "float64"
	Float32    DType = "float32"
	Float16    DType = "float16"
	BFloat16   DType = "bfloat16"
	Float8E4M3 DType = "float8_e4m3fn"
	Float8E5M2 DType = "float8_e5m2"
	Int64      DType = "int64"
	Int32      DType = "int32"
	Int16      DType = "int16"
	Int8       DType = "int8"
	Uint64     DType = "uint64"
	Uint32     DType = "uint32"
	Uint16     DType = "uint16"
	Uint8      DType = "uint8"
	Bool       DType = "bool"
)

// DTypes lists the element types of version 1.
var DTypes = []DType{
	Float64, Float32, Float16, BFloat16, Float8E4M3, Float8E5M2,
	Int64, Int32, Int16, Int8, Uint64, Uint32, Uint16, Uint8, Bool,
}

// Size gives the bytes of one element, or 0 for a type the format doesn't have.
func (t DType) Size() int {
	switch t {
	case Float64, Int64, Uint64:
		return 8
	case Float32, Int32, Uint32:
		return 4
	case Float16, BFloat16, Int16, Uint16:
		return 2
	case Float8E4M3, Float8E5M2, Int8, Uint8, Bool:
		return 1
	}
	return 0
}

// Named gives the type of a name, without a copy of it where the format has it.
func Named(name []byte) DType {
	for _, t := range DTypes {
		if string(name) == string(t) {
			return t
		}
	}
	return DType(name)
}
