// Package request says what is wrong with what was asked, whatever the files hold: it knows none of it.
package request

import (
	"errors"
	"fmt"
)

// Error tells that a request asks for what can't be.
type Error struct {
	Field string // of the request, in lower case; "": Err says it all
	Err   error
	Cause error // what Err says in other words; nil: nothing else
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Err.Error()
	}
	return e.Field + ": " + e.Err.Error()
}

func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Err}
	}
	return []error{e.Err, e.Cause}
}

// Errorf gives an [Error] of that text, as [fmt.Errorf] does.
func Errorf(field, format string, args ...any) error {
	return &Error{Field: field, Err: fmt.Errorf(format, args...)}
}

// TwiceError tells that a request sets a thing twice, by a field and by a setting.
type TwiceError struct{ Field, Value, Setting, Other string }

func (e *TwiceError) Error() string {
	return fmt.Sprintf("%s: found %s, and %s=%s among the settings, want one of them", e.Field, e.Value, e.Setting, e.Other)
}

// Is tells whether an error is the request's fault: another request may do better, the same one never.
func Is(err error) bool { return errors.As(err, new(*Error)) || errors.As(err, new(*TwiceError)) }
