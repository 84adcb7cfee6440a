package format

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"

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
	A, B *Info // nil where the file hasn't got it

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

// Diff compares two files: all fields of their headers but the index, and their tensors, whose CRC-32 are checked.
func Diff(a, b *File) (*Difference, error) {
	d := &Difference{}
	x, err := a.fieldMap()
	if err != nil {
		return nil, err
	}
	y, err := b.fieldMap()
	if err != nil {
		return nil, err
	}
	for _, m := range record.Diff(x, y) {
		d.Meta = append(d.Meta, MetaDifference{m.Path.String(), m.A, m.B, m.InA, m.InB})
	}
	names := map[string]bool{}
	for _, f := range []*File{a, b} {
		for i := range f.h.infos {
			names[f.h.infos[i].Name] = true
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

// fieldMap gives the header's fields but the index.
func (f *File) fieldMap() (map[string]any, error) {
	m := map[string]any{}
	for _, field := range f.h.fields {
		v, err := decodeValue(field.raw)
		if err != nil { // not after the scan
			return nil, &Error{Kind: ErrHeader, Path: f.path, Part: field.name, Cause: err}
		}
		m[field.name] = v
	}
	return m, nil
}

func sortedKeys(m map[string]bool) []string {
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}

func diffTensor(a, b *File, name string) (TensorDifference, bool, error) {
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
	d.Extra = !slices.EqualFunc(d.A.extra, d.B.extra, func(x, y rawField) bool { return x.name == y.name && bytes.Equal(x.raw, y.raw) })
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
	err = Guard(func() error {
		if !bytes.Equal(x.Data, y.Data) {
			d.elements(x.Data, y.Data, size)
		}
		return nil
	})
	return d, d.Unequal > 0 || d.Extra, at(a.path+" or "+b.path, err)
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
func distance(t DType, a, b []byte) float64 {
	switch t {
	case Int64, Int32, Int16, Int8:
		x, y := int64(bits(a)), int64(bits(b))
		shift := 64 - 8*len(a)
		x, y = x<<shift>>shift, y<<shift>>shift
		if x < y {
			x, y = y, x
		}
		return float64(uint64(x) - uint64(y)) // exact, where int64 would overflow
	case Uint64, Uint32, Uint16, Uint8, Bool:
		x, y := bits(a), bits(b)
		return float64(max(x, y) - min(x, y))
	}
	x, y := Float(t, bits(a)), Float(t, bits(b))
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

// Float gives the value of a floating-point element from its bits; NaN for a type that is no float. The small types are
// those of IEEE 754 (float16), the upper half of a float32 (bfloat16), and of «FP8 Formats for Deep Learning»
// (arXiv 2209.05433), Table 1: E5M2 like IEEE 754, E4M3 without infinities and with one NaN of each sign.
func Float(t DType, bits uint64) float64 {
	switch t {
	case Float64:
		return math.Float64frombits(bits)
	case Float32:
		return float64(math.Float32frombits(uint32(bits)))
	case BFloat16:
		return float64(math.Float32frombits(uint32(bits) << 16))
	case Float16:
		return small(bits, 5, 10, true)
	case Float8E5M2:
		return small(bits, 5, 2, true)
	case Float8E4M3:
		return small(bits, 4, 3, false)
	}
	return math.NaN()
}

// small decodes a float with so many bits of exponent and mantissa, with IEEE 754's infinities and NaNs or with neither
// infinities nor any NaN but all ones.
func small(bits uint64, exponent, mantissa int, ieee bool) float64 {
	m := bits & (1<<mantissa - 1)
	e := int(bits >> mantissa & (1<<exponent - 1))
	bias, top := 1<<(exponent-1)-1, 1<<exponent-1
	var v float64
	switch {
	case e == top && (ieee && m != 0 || !ieee && m == 1<<mantissa-1):
		return math.NaN()
	case e == top && ieee:
		v = math.Inf(1)
	case e == 0:
		v = math.Ldexp(float64(m), 1-bias-mantissa)
	default:
		v = math.Ldexp(float64(m|1<<mantissa), e-bias-mantissa)
	}
	if bits>>(exponent+mantissa)&1 == 1 {
		v = -v
	}
	return v
}
