// Package diff says in what two open model files differ: metadata by path, tensors by element.
//
// It must not know how model files are read, nor what a network is.
package diff

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"github.com/fkzoo/fkzoo/format"
	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/tensor"
	"github.com/fkzoo/fkzoo/specs/record"
)

// Difference is what two files don't have in common.
type Difference struct {
	Meta    []MetaDifference   // by path
	Tensors []TensorDifference // by name
}

// MetaDifference is a value of the header that differs. Path is that of names and places, as in history[0].loss; a part of
// it that is no plain word is quoted.
type MetaDifference struct {
	Path     string
	A, B     any  // nil too where there is none
	InA, InB bool // whether there is one
}

// TensorDifference is a tensor that differs: there in one file alone, of another type or shape, or with other elements.
type TensorDifference struct {
	Name string
	A, B *format.Info // nil where the file hasn't got it

	// Where type and shape are the same:
	Elements int64
	Unequal  int64 // elements with other bits
	// Largest and Mean are |a - b| in float64, the mean over all elements but the Incomparable ones: those of which
	// one is NaN and not the other, or whose difference isn't finite.
	Largest, Mean float64
	Incomparable  int64
	Extra         bool // the index has unknown fields of it, which differ
}

// Comparable says whether the two have the same type and shape.
func (d *TensorDifference) Comparable() bool {
	return d.A != nil && d.B != nil && d.A.Type == d.B.Type && slices.Equal(d.A.Shape, d.B.Shape)
}

// Files compares two files: all fields of their headers but the index, and their tensors, whose CRC-32 are checked.
func Files(a, b *format.File) (*Difference, error) {
	d := &Difference{}
	x, err := a.Fields()
	if err != nil {
		return nil, err
	}
	y, err := b.Fields()
	if err != nil {
		return nil, err
	}
	for _, m := range record.Diff(x, y) {
		d.Meta = append(d.Meta, MetaDifference{m.Path.String(), m.A, m.B, m.InA, m.InB})
	}
	names := map[string]bool{}
	for _, f := range []*format.File{a, b} {
		for _, t := range f.Infos() {
			names[t.Name] = true
		}
	}
	for _, name := range sortedKeys(names) {
		t, differs, err := diffTensor(a, b, name)
		if err != nil {
			return nil, err
		}
		if differs {
			d.Tensors = append(d.Tensors, t)
		}
	}
	return d, nil
}

func sortedKeys(m map[string]bool) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}

func diffTensor(a, b *format.File, name string) (TensorDifference, bool, error) {
	d := TensorDifference{Name: name}
	if t, ok := a.Info(name); ok {
		d.A = &t
	}
	if t, ok := b.Info(name); ok {
		d.B = &t
	}
	if !d.Comparable() {
		return d, true, nil
	}
	d.Extra = !d.A.SameExtra(d.B)
	x, err := a.Tensor(name)
	if err != nil {
		return d, false, err
	}
	y, err := b.Tensor(name)
	if err != nil {
		return d, false, err
	}
	size := d.A.Type.Size()
	d.Elements = int64(len(x.Data) / size)
	err = format.Guard(func() error {
		if !bytes.Equal(x.Data, y.Data) {
			d.elements(x.Data, y.Data, size)
		}
		return nil
	})
	return d, d.Unequal > 0 || d.Extra, fault.At(a.Path()+" or "+b.Path(), err)
}

// elements compares the elements of two tensors of one type.
func (d *TensorDifference) elements(a, b []byte, size int) {
	t, sum, unit, n := d.A.Type, 0.0, 1.0, int64(0)
	for i := 0; i < len(a); i += size {
		x, y := a[i:i+size], b[i:i+size]
		if bytes.Equal(x, y) {
			n++
			continue
		}
		d.Unequal++
		diff := distance(t, x, y)
		if math.IsNaN(diff) || math.IsInf(diff, 0) {
			d.Incomparable++
			continue
		}
		n++
		if unit == 1 && math.IsInf(sum+diff, 0) {
			unit = 1.0 / (1 << 32) // for more elements than a tensor can have
			sum *= unit
		}
		sum += diff * unit
		d.Largest = max(d.Largest, diff)
	}
	if n > 0 {
		d.Mean = sum / float64(n) / unit
	}
}

// distance gives |a - b| of two elements with other bits: 0 where both are NaN, NaN where one is.
func distance(t tensor.DType, a, b []byte) float64 {
	switch t {
	case tensor.Int64, tensor.Int32, tensor.Int16, tensor.Int8:
		x, y := int64(bits(a)), int64(bits(b))
		shift := 64 - 8*len(a)
		x, y = x<<shift>>shift, y<<shift>>shift
		if x < y {
			x, y = y, x
		}
		return float64(uint64(x) - uint64(y)) // exact, where int64 would overflow
	case tensor.Uint64, tensor.Uint32, tensor.Uint16, tensor.Uint8, tensor.Bool:
		x, y := bits(a), bits(b)
		return float64(max(x, y) - min(x, y))
	}
	x, y := tensor.Float(t, bits(a)), tensor.Float(t, bits(b))
	if math.IsNaN(x) && math.IsNaN(y) || x == y {
		return 0
	}
	return math.Abs(x - y)
}

func bits(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.LittleEndian.Uint16(b))
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return binary.LittleEndian.Uint64(b)
}
