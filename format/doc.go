// Package format reads and writes .fkz model files: named tensors and metadata, as specs/fkz.md says.
//
// Reading runs no code from the file and trusts nothing in it: every size is checked against the file's own before
// anything is allocated, and an iterative scanner with limits walks the header before any decoder sees it.
// Whatever is wrong becomes an *Error that errors.Is matches with one of the Err values and that names the part of the
// file and its bytes.
//
// Rooms below it hold what needs no file: tensor (types and values), scan (the walk before decoding), value (msgpack and
// JSON), header (fields, index, digest), sign (signatures and keys), fault (the error); diff compares two open files.
//
// The package must not know what a network is: blueprint, history, state, provenance and run are values to be kept.
// Values are what JSON and bytes can say: nil, bool, int64, uint64 (above int64's range), float64, string, []byte, []any
// and map[string]any.
package format
