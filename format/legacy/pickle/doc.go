// Package pickle reads Python pickles, protocols 0 to 5 of Python 2 and 3, as
// data: it walks the opcodes and calls nothing that they name. What a pickle
// would have called is kept as an [Object]: the callable's name, its
// arguments and the state it would have been given.
//
// It must not know what any global means; its caller does. See
// https://github.com/python/cpython/blob/main/Lib/pickletools.py for the opcodes.
//
// The reader is a loop: nesting costs no stack of ours. Strings and bytes stay
// where they are in the file; every other value is a word, and what an opcode
// adds is in proportion to its own bytes, at most about 24 bytes for each. A
// value that is used many times is there once, so a pickle that would unfold
// to any size stays as small as its file. Who walks a graph must keep to that:
// it may be as deep as the file is long, and may contain itself.
package pickle
