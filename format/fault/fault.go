// Package fault says what is wrong with a model file, and where: one error type for all of format's rooms.
//
// It must not know how anything is read or written.
package fault

import (
	"errors"
	"fmt"
	"strings"
)

// What can be wrong, for errors.Is.
var (
	ErrNotFkz    = errors.New("not a .fkz file")
	ErrVersion   = errors.New("unknown version")
	ErrTruncated = errors.New("cut short")
	ErrTrailing  = errors.New("bytes after the end")
	ErrDamaged   = errors.New("damaged")                      // a checksum, padding or length disagrees
	ErrHeader    = errors.New("malformed header")             // not the msgpack the format asks for, or fields missing
	ErrIndex     = errors.New("malformed index")              // tensors that overlap, leave holes, share a name, ...
	ErrLimit     = errors.New("over a limit")                 // more, deeper or longer than any honest file
	ErrFault     = errors.New("cannot be read any more")      // the mapping faulted: the file changed underneath
	ErrNoTensor  = errors.New("no such tensor")               // asked for a name the file does not have
	ErrValue     = errors.New("cannot be stored in the file") // what the caller gave to write
)

// Error says what is wrong where. Its Kind is one of the Err values above.
type Error struct {
	Kind       error
	Path       string // the file
	Part       string // "prologue", "header", `tensor "conv1/w"`, ...; may be empty
	Tensor     string // the tensor's name, where one is concerned
	Start, End int64  // the bytes concerned, End not included; both 0 if there are none to name
	Detail     string // what was found and what was wanted
	Cause      error  // what the system said, or nil
}

// Error gives one line: file, kind, part with its bytes, found and wanted.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	b.WriteString(e.Kind.Error())
	if e.Part != "" {
		b.WriteString(": " + e.Part)
	}
	switch {
	case e.End == e.Start+1:
		fmt.Fprintf(&b, " (byte %d)", e.Start)
	case e.End > e.Start:
		fmt.Fprintf(&b, " (bytes %d to %d)", e.Start, e.End-1)
	}
	if e.Detail != "" {
		b.WriteString(": " + e.Detail)
	}
	if e.Cause != nil {
		b.WriteString(": " + e.Cause.Error())
	}
	return b.String()
}

// Unwrap gives the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// At fills in the file's path.
func At(path string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = path
	}
	return err
}

// TensorPart names a tensor as an Error's Part does.
func TensorPart(name string) string { return fmt.Sprintf("tensor %.100q", name) }

// Under puts a step in front of the place an error names.
func Under(step string, err error) error {
	var e *Error
	if errors.As(err, &e) {
		e.Part = step + e.Part
		if len(e.Part) > 200 {
			e.Part = strings.ToValidUTF8(e.Part[:200], "") + "..."
		}
	}
	return err
}
