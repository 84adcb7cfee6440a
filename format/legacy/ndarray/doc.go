// Package ndarray has arrays as NumPy has them: views on a file's bytes, of any
// of its number types, either byte order and order of axes. Transposing and
// turning round copies nothing.
//
// It must not know what files arrays lie in, or what their numbers are for.
package ndarray
