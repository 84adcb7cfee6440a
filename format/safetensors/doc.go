// Package safetensors reads and writes .safetensors files: named tensors and a map of texts, after the format's own
// description at github.com/huggingface/safetensors.
//
// A file is the header's length (uint64, little-endian), the header, a JSON object with type, shape and place of each
// tensor, and the tensors' bytes, little-endian and row-major, without holes or overlaps. All is checked before anything
// is allocated. The package knows nothing of what tensors are for.
package safetensors

import (
	"errors"

	"github.com/fkzoo/fkzoo/format/tensor"
)

// What may be wrong, for errors.Is; over a limit it is fault.ErrLimit.
var (
	ErrFormat = errors.New("not a valid .safetensors file")
	ErrType   = errors.New("a type that fkzoo doesn't have")
	ErrName   = errors.New("no such tensor")
)

// MaxHeader is the format's own limit of a header in bytes.
const MaxHeader = 100_000_000

// metadataKey is the header's one key that is no tensor.
const metadataKey = "__metadata__"

// types are the format's names for element types, in the order in which its own library writes tensors: the widest first,
// so that each lies at a multiple of its size.
var types = []struct {
	name string
	t    tensor.DType
}{
	{"U64", tensor.Uint64}, {"I64", tensor.Int64}, {"F64", tensor.Float64},
	{"F32", tensor.Float32}, {"U32", tensor.Uint32}, {"I32", tensor.Int32},
	{"BF16", tensor.BFloat16}, {"F16", tensor.Float16}, {"U16", tensor.Uint16}, {"I16", tensor.Int16},
	{"F8_E4M3", tensor.Float8E4M3}, {"F8_E5M2", tensor.Float8E5M2},
	{"I8", tensor.Int8}, {"U8", tensor.Uint8}, {"BOOL", tensor.Bool},
}
