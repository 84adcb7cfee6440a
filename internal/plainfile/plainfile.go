// Package plainfile opens files that were named by somebody: ordinary ones, and no others. It knows nothing of what is in
// them.
package plainfile

import (
	"io/fs"
	"os"
)

// Error is the refusal of something that is no ordinary file.
type Error struct {
	Path string
	Mode fs.FileMode // of what was found
}

func (e *Error) Error() string { return e.Path + ": found " + e.Kind() + ", want an ordinary file" }

// Kind says what was found.
func (e *Error) Kind() string {
	switch {
	case e.Mode.IsDir():
		return "a folder"
	case e.Mode&fs.ModeNamedPipe != 0:
		return "a pipe"
	case e.Mode&fs.ModeSocket != 0:
		return "a socket"
	case e.Mode&fs.ModeDevice != 0:
		return "a device"
	}
	return "what is no file"
}

// Open opens the file at path for reading. A pipe is refused as an *Error like all that is no ordinary file, and does not
// keep it waiting for a writer; other errors are os.Open's.
func Open(path string) (*os.File, fs.FileInfo, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &Error{path, info.Mode()}
	}
	if err != nil {
		_ = f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Check refuses, as Open does but without opening it, a pipe, a socket or a device at path. A folder, and what isn't there,
// is left to whoever reads it.
func Check(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.IsDir() || info.Mode().IsRegular() {
		return nil
	}
	return &Error{path, info.Mode()}
}
