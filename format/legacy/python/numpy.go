package python

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/ndarray"
	"github.com/fkzoo/fkzoo/format/legacy/pickle"
)

// ErrNoArray is that a value is no array.
var ErrNoArray = errors.New("found no array")

// Array gives an array: NumPy's, or what a variable of Theano holds, on the
// processor, by CudaNdarray or by GpuArray.
func (o *Objects) Array(v Ref) (*ndarray.Array, error) {
	if known, ok := o.arrays[v]; ok {
		return known.array, known.err
	}
	o.arrays[v] = arrayOrError{err: errors.New("found an array that contains itself")}
	a, err := o.readArray(v)
	o.arrays[v] = arrayOrError{a, err}
	return a, err
}

func (o *Objects) readArray(v Ref) (*ndarray.Array, error) {
	// Each turn of the loop unwraps one layer: variable, container, GPU array.
	for seen := map[Ref]bool{}; !seen[v]; {
		seen[v] = true
		if v.Kind() != pickle.Object {
			break
		}
		callee, args := o.Global(o.Callee(v)), o.Args(v)
		switch callee.Name {
		case "_reconstruct":
			return o.reconstructed(v)
		case "_frombuffer":
			return o.fromBuffer(args)
		case "scalar":
			return o.scalar(args)
		case "CudaNdarray_unpickler", "GpuArray_unpickler": // the array, and for GpuArray the context's name
			v = o.Index(args, 0)
			continue
		}
		if inner, ok := o.variable(v); ok {
			v = inner
			continue
		}
		break
	}
	return nil, fmt.Errorf("%w: found %s", ErrNoArray, o.Show(v))
}

// reconstructed reads an array from the state that ndarray.__setstate__ takes:
// version, shape, dtype, whether Fortran's order, data.
func (o *Objects) reconstructed(v Ref) (*ndarray.Array, error) {
	state := pickle.Nothing
	for s := range o.States(v) {
		state = s
	}
	first := 1
	if state.Kind() == pickle.Tuple && o.Len(state) == 4 { // before version 1
		first = 0
	} else if o.Len(state) < 5 || state.Kind() != pickle.Tuple {
		return nil, fmt.Errorf("found an array with the state %s, want a tuple of 5", o.Show(state))
	}
	shape, ok := o.Ints(o.Index(state, first))
	if !ok {
		return nil, fmt.Errorf("found an array of the shape %s, want whole numbers", o.Show(o.Index(state, first)))
	}
	fortran, _ := o.Bool(o.Index(state, first+2))
	return o.typed(o.Index(state, first+3), shape, o.Index(state, first+1), fortran)
}

// fromBuffer reads numpy.core.numeric._frombuffer(data, dtype, shape, order),
// which protocol 5 uses.
func (o *Objects) fromBuffer(args Ref) (*ndarray.Array, error) {
	shape, ok := o.Ints(o.Index(args, 2))
	if !ok {
		return nil, fmt.Errorf("found an array of the shape %s, want whole numbers", o.Show(o.Index(args, 2)))
	}
	return o.typed(o.Index(args, 0), shape, o.Index(args, 1), o.Name(o.Index(args, 3)) == "F")
}

// scalar reads numpy.core.multiarray.scalar(dtype, data).
func (o *Objects) scalar(args Ref) (*ndarray.Array, error) {
	return o.typed(o.Index(args, 1), nil, o.Index(args, 0), false)
}

func (o *Objects) typed(data Ref, shape []int, dtype Ref, fortran bool) (*ndarray.Array, error) {
	name, order, err := o.dtype(dtype)
	if err != nil {
		return nil, err
	}
	if name == "O" {
		return nil, fmt.Errorf("%w: found an array of Python objects", ErrNoArray)
	}
	raw, err := o.Raw(data)
	if err != nil {
		return nil, fmt.Errorf("an array's data: %w", err)
	}
	return ndarray.New(raw, shape, name, order, fortran)
}

// dtype gives an element type and its byte order.
func (o *Objects) dtype(v Ref) (name, order string, err error) {
	if o.Class(v).Name != "dtype" {
		return "", "", fmt.Errorf("found %s, want a dtype of NumPy", o.Show(v))
	}
	name = o.Name(o.Index(o.Args(v), 0))
	if name != "" && strings.ContainsAny(name[:1], "<>=|") {
		order, name = name[:1], name[1:]
	}
	for state := range o.States(v) { // version, byte order, ...
		order = o.Name(o.Index(state, 1))
	}
	if strings.HasPrefix(name, "O") {
		name = "O"
	}
	return name, order, nil
}

// ObjectArray gives the entries of an array of Python objects, in C order; ok: v is
// one. Its data is a list.
func (o *Objects) ObjectArray(v Ref) (entries Ref, ok bool) {
	if o.Global(o.Callee(v)).Name != "_reconstruct" {
		return v, false
	}
	for state := range o.States(v) {
		last := o.Index(state, o.Len(state)-1)
		if state.Kind() == pickle.Tuple && last.Kind() == pickle.List {
			return last, true
		}
	}
	return v, false
}
