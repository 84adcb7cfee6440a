package format

import (
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/format/fault"
	"github.com/fkzoo/fkzoo/format/sign"
)

// Error says what is wrong where. Its Kind is one of the Err values.
type Error = fault.Error

// What can be wrong, for errors.Is.
var (
	ErrNotFkz    = fault.ErrNotFkz
	ErrVersion   = fault.ErrVersion
	ErrTruncated = fault.ErrTruncated
	ErrTrailing  = fault.ErrTrailing
	ErrDamaged   = fault.ErrDamaged // a checksum, padding or length disagrees
	ErrHeader    = fault.ErrHeader  // not the msgpack the format asks for, or fields missing
	ErrIndex     = fault.ErrIndex   // tensors that overlap, leave holes, share a name, ...
	ErrLimit     = fault.ErrLimit   // more, deeper or longer than any honest file
	ErrFault     = fault.ErrFault   // the mapping faulted: the file changed underneath
	ErrNoTensor  = fault.ErrNoTensor
	ErrValue     = fault.ErrValue // what the caller gave to write

	ErrUnsigned  = sign.ErrUnsigned  // by the key asked for
	ErrSignature = sign.ErrSignature // malformed, or of something else than this file
)

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
