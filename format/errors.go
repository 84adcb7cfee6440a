package format

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

// VerifyError lists all that Verify found.
type VerifyError struct {
	Path   string
	Damage []*Error // in the file's order; never empty
	Intact []string // the tensors whose bytes have their SHA-256, in the index's order; their names may only be
	// relied on if no entry of Damage is the prologue's or the header's
	Tensors int // how many the file has
}

// Error gives the first findings and says how much of the file is intact.
func (e *VerifyError) Error() string {
	const most = 5
	var b strings.Builder
	for i, d := range e.Damage {
		if i == most {
			fmt.Fprintf(&b, "; and %d more findings", len(e.Damage)-most)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(d.Error())
	}
	fmt.Fprintf(&b, "; %d of %d tensors are intact", len(e.Intact), e.Tensors)
	return b.String()
}

// Unwrap gives the findings.
func (e *VerifyError) Unwrap() []error {
	list := make([]error, len(e.Damage))
	for i, d := range e.Damage {
		list[i] = d
	}
	return list
}

// at fills in the file's path.
func at(path string, err error) error {
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = path
	}
	return err
}

func tensorPart(name string) string { return fmt.Sprintf("tensor %.100q", name) }
