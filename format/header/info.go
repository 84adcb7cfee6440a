package header

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/format/value"
)

// Info is what the index says of a tensor.
type Info struct {
	Name   string
	Type   tensor.DType
	Shape  []int
	Offset int64 // of its data, from the first multiple of 64 at or after the header's end
	Length int64 // of its data in bytes
	CRC    uint32
	SHA256 [32]byte

	extra []Field
}

// Extra decodes the fields of the tensor's index entry that this version doesn't know; nil if there are none.
func (t *Info) Extra() (map[string]any, error) {
	if len(t.extra) == 0 {
		return nil, nil
	}
	m := make(map[string]any, len(t.extra))
	for _, field := range t.extra {
		v, err := value.Decode(field.Raw)
		if err != nil {
			return nil, &fault.Error{Kind: fault.ErrHeader, Part: "index, " + fault.TensorPart(t.Name), Tensor: t.Name, Cause: err}
		}
		m[field.Name] = v
	}
	return m, nil
}

// SetExtra keeps the unknown fields given with a tensor.
func (t *Info) SetExtra(m map[string]any) error {
	for _, name := range slices.Sorted(maps.Keys(m)) {
		if slices.Contains(indexFields, name) {
			return &fault.Error{Kind: fault.ErrValue, Part: fault.TensorPart(t.Name), Tensor: t.Name, Detail: fmt.Sprintf("has the extra field %q, which the format itself uses", name)}
		}
		raw, err := value.Encode(m[name], name)
		if err != nil {
			return fault.Under(fault.TensorPart(t.Name)+", ", err)
		}
		t.extra = append(t.extra, Field{name, raw})
	}
	return nil
}

// SameExtra says whether two entries have the same unknown fields.
func (t *Info) SameExtra(other *Info) bool {
	return slices.EqualFunc(t.extra, other.extra, func(x, y Field) bool { return x.Name == y.Name && bytes.Equal(x.Raw, y.Raw) })
}
