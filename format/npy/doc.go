// Package npy reads and writes NumPy's files: .npy, one array, and .npz, a zip of them.
//
// The format is that of numpy.lib.format, versions 1.0 to 3.0. All is read as data: an array of Python objects is a pickle
// inside and refused. Sizes are checked before anything is allocated, values come little-endian and row-major, whatever
// the file's order. The package knows nothing of what arrays are for.
package npy

import "errors"

// What may be wrong, for errors.Is; over a limit it is fault.ErrLimit.
var (
	ErrFormat = errors.New("not a .npy or .npz file that fkzoo reads")
	ErrObject = errors.New("an array of Python objects") // a pickle, which is not run
	ErrType   = errors.New("a type that fkzoo doesn't have")
	ErrName   = errors.New("no such array")
)

const (
	maxHeader = 64 << 10 // bytes of an array's header
	maxValues = 1 << 45  // bytes of an array's values, which a stream may have; a tensor has less

	// MaxInflated limits what the deflated arrays of an archive may become together: a few bytes of deflate can stand
	// for a thousand times as many. Arrays that are stored as they are (numpy.savez) are limited by the file's size.
	MaxInflated = 1 << 30
	// MaxOther limits an archive's entry that is no array.
	MaxOther = 64 << 20
)
