// Package request says what is wrong with what was asked, whatever the files hold: it knows none of it.
package request

import "fmt"

// Error tells that a request asks for what can't be.
type Error struct {
	Field string // of the request, in lower case
	Err   error
}

func (e *Error) Error() string { return e.Field + ": " + e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// Errorf gives an [Error] of that text, as [fmt.Errorf] does.
func Errorf(field, format string, args ...any) error {
	return &Error{field, fmt.Errorf(format, args...)}
}

// TwiceError tells that a request sets a thing twice, by a field and by a setting.
type TwiceError struct{ Field, Value, Setting, Other string }

func (e *TwiceError) Error() string {
	return fmt.Sprintf("%s: found %s, and %s=%s among the settings, want one of them", e.Field, e.Value, e.Setting, e.Other)
}
