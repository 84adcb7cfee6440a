package ndarray

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Array is an array as NumPy has it: a view on bytes of the file. Transposed
// and flipped views of it copy nothing.
type Array struct {
	Shape []int
	Type  string // NumPy's: "f4", "i8", ...

	data    []byte
	big     bool  // big-endian
	size    int   // bytes of an element
	strides []int // bytes; negative for a flipped axis
	offset  int   // of the first element
}

// elementSizes are the types of arrays that are numbers.
var elementSizes = map[string]int{
	"b1": 1, "i1": 1, "u1": 1, "i2": 2, "u2": 2, "f2": 2, "i4": 4, "u4": 4, "f4": 4, "i8": 8, "u8": 8, "f8": 8,
}

// MaxAxes is NumPy's own limit.
const MaxAxes = 64

// New makes an array of bytes, which must be exactly as many as type and
// shape want. order is the elements' byte order, ">" for big-endian; fortran
// says that the first axis runs fastest.
func New(data []byte, shape []int, elementType, order string, fortran bool) (*Array, error) {
	size, ok := elementSizes[elementType]
	if !ok {
		return nil, fmt.Errorf("found elements of NumPy's type %.40q, want floats of 16, 32 or 64 bits, whole numbers or bool", elementType)
	}
	if len(shape) > MaxAxes {
		return nil, fmt.Errorf("found %d axes, want at most %d", len(shape), MaxAxes)
	}
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > math.MaxInt/d {
			return nil, fmt.Errorf("found the shape %v, want lengths whose product can be counted", shape)
		}
		n *= d
	}
	if n > len(data)/size || n*size != len(data) {
		return nil, fmt.Errorf("found %d bytes for the shape %v of %s, want %d values of %d bytes", len(data), shape, elementType, n, size)
	}
	a := &Array{Shape: slices.Clone(shape), Type: elementType, data: data, big: order == ">", size: size, strides: make([]int, len(shape))}
	step := size
	for i := range shape {
		axis := i
		if !fortran {
			axis = len(shape) - 1 - i
		}
		a.strides[axis] = step
		step *= shape[axis]
	}
	return a, nil
}

// Len is the number of values.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Transpose gives a view whose axis i is axis axes[i] of a.
func (a *Array) Transpose(axes ...int) *Array {
	v := *a
	v.Shape, v.strides = make([]int, len(axes)), make([]int, len(axes))
	for i, from := range axes {
		v.Shape[i], v.strides[i] = a.Shape[from], a.strides[from]
	}
	return &v
}

// Flip gives a view with an axis turned round.
func (a *Array) Flip(axis int) *Array {
	v := *a
	v.strides = slices.Clone(a.strides)
	if a.Shape[axis] > 0 {
		v.offset += (a.Shape[axis] - 1) * a.strides[axis]
		v.strides[axis] = -a.strides[axis]
	}
	return &v
}

// Split gives a view with an axis divided into several, the last of which runs
// fastest. Their lengths' product must be the axis's.
func (a *Array) Split(axis int, lengths ...int) *Array {
	v := *a
	strides := make([]int, len(lengths))
	step := a.strides[axis]
	for i := len(lengths) - 1; i >= 0; i-- {
		strides[i] = step
		step *= lengths[i]
	}
	v.Shape = slices.Replace(slices.Clone(a.Shape), axis, axis+1, lengths...)
	v.strides = slices.Replace(slices.Clone(a.strides), axis, axis+1, strides...)
	return &v
}

// Float32 gives the values, the last axis running fastest. Exact says that no
// value was rounded.
func (a *Array) Float32() (values []float32, exact bool) {
	values = make([]float32, a.Len())
	if len(values) == 0 {
		return values, true
	}
	exact = true
	a.rows(func(at, stride, first, n int) {
		exact = a.row(values[first:first+n], at, stride) && exact
	})
	return values, exact
}

// Float64 gives the values, the last axis running fastest.
func (a *Array) Float64() []float64 {
	values := make([]float64, a.Len())
	if len(values) == 0 {
		return values
	}
	a.rows(func(at, stride, first, n int) {
		for i := range n {
			values[first+i] = a.value(at + i*stride)
		}
	})
	return values
}

// rows tells of each run along the last axis: where it begins, the distance of
// its values, both in bytes, the number of its first value and how many there are.
func (a *Array) rows(do func(at, stride, first, n int)) {
	last := len(a.Shape) - 1
	if last < 0 {
		do(a.offset, a.size, 0, 1)
		return
	}
	n, stride := a.Shape[last], a.strides[last]
	index := make([]int, last)
	at := a.offset
	for first := 0; ; first += n {
		do(at, stride, first, n)
		axis := last - 1
		for ; axis >= 0; axis-- {
			at += a.strides[axis]
			if index[axis]++; index[axis] < a.Shape[axis] {
				break
			}
			at -= a.strides[axis] * a.Shape[axis]
			index[axis] = 0
		}
		if axis < 0 {
			return
		}
	}
}

// row reads values at even distances.
func (a *Array) row(out []float32, at, stride int) (exact bool) {
	if a.Type == "f4" && !a.big {
		if stride == 4 {
			in := a.data[at : at+4*len(out)]
			for i := range out {
				out[i] = math.Float32frombits(binary.LittleEndian.Uint32(in[4*i:]))
			}
			return true
		}
		for i := range out {
			out[i] = math.Float32frombits(binary.LittleEndian.Uint32(a.data[at+i*stride:]))
		}
		return true
	}
	exact = true
	for i := range out {
		v := a.value(at + i*stride)
		out[i] = float32(v)
		if float64(out[i]) != v && v == v {
			exact = false
		}
	}
	return exact
}

// value reads one value.
func (a *Array) value(at int) float64 {
	var raw uint64
	for i := range a.size {
		c := a.data[at+i]
		if a.big {
			raw = raw<<8 | uint64(c)
		} else {
			raw |= uint64(c) << (8 * i)
		}
	}
	unused := 64 - 8*a.size
	switch a.Type[0] {
	case 'f':
		switch a.size {
		case 2:
			return float16(uint16(raw))
		case 4:
			return float64(math.Float32frombits(uint32(raw)))
		}
		return math.Float64frombits(raw)
	case 'i':
		return float64(int64(raw<<unused) >> unused)
	}
	return float64(raw)
}

// float16 is IEEE 754's binary16.
func float16(b uint16) float64 {
	sign, exponent, fraction := 1.0, int(b>>10&31), float64(b&1023)
	if b>>15 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * math.Ldexp(fraction, -24)
	case 31:
		if fraction != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+fraction, exponent-25)
}
