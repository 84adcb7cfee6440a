package pickle

import (
	"errors"
	"fmt"
)

// What can be wrong with a pickle; an [Error] wraps one of them.
var (
	ErrTruncated   = errors.New("cut short")
	ErrOpcode      = errors.New("unknown opcode")
	ErrStack       = errors.New("stack underflow")
	ErrMemo        = errors.New("memo entry that was never put")
	ErrValue       = errors.New("malformed value")
	ErrType        = errors.New("operation on a value of the wrong type")
	ErrUnsupported = errors.New("unsupported")
)

// Error says what is wrong and where.
type Error struct {
	Offset int64 // of the opcode, from the pickle's beginning
	Kind   error
	Detail string
}

func (e *Error) Error() string {
	return fmt.Sprintf("pickle: byte %d: %v: %s", e.Offset, e.Kind, e.Detail)
}

func (e *Error) Unwrap() error { return e.Kind }
