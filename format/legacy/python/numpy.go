package legacy

import (
	"errors"
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/format/legacy/pickle"
)

// errNoArray is that a value is no array.
var errNoArray = errors.New("found no array")

// array gives an array: NumPy's, or what a variable of Theano holds, on the
// processor, by CudaNdarray or by GpuArray.
func (f *file) array(v ref) (*Array, error) {
	if known, ok := f.arrays[v]; ok {
		return known.array, known.err
	}
	f.arrays[v] = arrayOrError{err: errors.New("found an array that contains itself")}
	a, err := f.readArray(v)
	f.arrays[v] = arrayOrError{a, err}
	return a, err
}

func (f *file) readArray(v ref) (*Array, error) {
	// Each turn of the loop unwraps one layer: variable, container, GPU array.
	for seen := map[ref]bool{}; !seen[v]; {
		seen[v] = true
		if v.Kind() != pickle.Object {
			break
		}
		callee, args := f.Global(f.Callee(v)), f.Args(v)
		switch callee.Name {
		case "_reconstruct":
			return f.reconstructed(v)
		case "_frombuffer":
			return f.fromBuffer(args)
		case "scalar":
			return f.scalar(args)
		case "CudaNdarray_unpickler", "GpuArray_unpickler": // the array, and for GpuArray the context's name
			v = f.Index(args, 0)
			continue
		}
		if inner, ok := f.variable(v); ok {
			v = inner
			continue
		}
		break
	}
	return nil, fmt.Errorf("%w: found %s", errNoArray, f.Show(v))
}

// variable gives what a shared variable or constant of Theano holds.
func (f *file) variable(v ref) (ref, bool) {
	if !within(f.class(v).Module, "theano") {
		return v, false
	}
	if container, ok := f.attr(v, "container"); ok {
		storage, _ := f.attr(container, "storage")
		for x := range f.Items(storage) {
			return x, true
		}
		return v, false
	}
	return f.attr(v, "data") // of a constant
}

// reconstructed reads an array from the state that ndarray.__setstate__ takes:
// version, shape, dtype, whether Fortran's order, data.
func (f *file) reconstructed(v ref) (*Array, error) {
	state := pickle.Nothing
	for s := range f.States(v) {
		state = s
	}
	first := 1
	if state.Kind() == pickle.Tuple && f.Len(state) == 4 { // before version 1
		first = 0
	} else if f.Len(state) < 5 || state.Kind() != pickle.Tuple {
		return nil, fmt.Errorf("found an array with the state %s, want a tuple of 5", f.Show(state))
	}
	shape, ok := f.ints(f.Index(state, first))
	if !ok {
		return nil, fmt.Errorf("found an array of the shape %s, want whole numbers", f.Show(f.Index(state, first)))
	}
	fortran, _ := f.truth(f.Index(state, first+2))
	return f.typed(f.Index(state, first+3), shape, f.Index(state, first+1), fortran)
}

// fromBuffer reads numpy.core.numeric._frombuffer(data, dtype, shape, order),
// which protocol 5 uses.
func (f *file) fromBuffer(args ref) (*Array, error) {
	shape, ok := f.ints(f.Index(args, 2))
	if !ok {
		return nil, fmt.Errorf("found an array of the shape %s, want whole numbers", f.Show(f.Index(args, 2)))
	}
	return f.typed(f.Index(args, 0), shape, f.Index(args, 1), f.text(f.Index(args, 3)) == "F")
}

// scalar reads numpy.core.multiarray.scalar(dtype, data).
func (f *file) scalar(args ref) (*Array, error) {
	return f.typed(f.Index(args, 1), nil, f.Index(args, 0), false)
}

func (f *file) typed(data ref, shape []int, dtype ref, fortran bool) (*Array, error) {
	name, order, err := f.dtype(dtype)
	if err != nil {
		return nil, err
	}
	if name == "O" {
		return nil, fmt.Errorf("%w: found an array of Python objects", errNoArray)
	}
	raw, err := f.bytes(data)
	if err != nil {
		return nil, fmt.Errorf("an array's data: %w", err)
	}
	return NewArray(raw, shape, name, order, fortran)
}

// dtype gives an element type and its byte order.
func (f *file) dtype(v ref) (name, order string, err error) {
	if f.class(v).Name != "dtype" {
		return "", "", fmt.Errorf("found %s, want a dtype of NumPy", f.Show(v))
	}
	name = f.text(f.Index(f.Args(v), 0))
	if name != "" && strings.ContainsAny(name[:1], "<>=|") {
		order, name = name[:1], name[1:]
	}
	for state := range f.States(v) { // version, byte order, ...
		order = f.text(f.Index(state, 1))
	}
	if strings.HasPrefix(name, "O") {
		name = "O"
	}
	return name, order, nil
}

// objects gives the entries of an array of Python objects, in C order; ok: v is
// one. Its data is a list.
func (f *file) objects(v ref) (entries ref, ok bool) {
	if f.Global(f.Callee(v)).Name != "_reconstruct" {
		return v, false
	}
	for state := range f.States(v) {
		last := f.Index(state, f.Len(state)-1)
		if state.Kind() == pickle.Tuple && last.Kind() == pickle.List {
			return last, true
		}
	}
	return v, false
}
