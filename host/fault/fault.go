// Package fault says what is wrong with a plugin: one error type for all of the host's rooms.
//
// It must not know how plugins are found, trusted or run.
package fault

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// What can be wrong with a plugin, for errors.Is.
var (
	ErrMissing       = errors.New("plugin missing")
	ErrNotExecutable = errors.New("plugin not executable")
	ErrUntrusted     = errors.New("plugin not trusted")
	ErrStart         = errors.New("plugin can't be started")
	ErrCrashed       = errors.New("plugin crashed")
	ErrTimeout       = errors.New("plugin took too long")
	ErrHandshake     = errors.New("plugin's handshake is wrong")
	ErrVersion       = errors.New("plugin speaks another protocol version")
	ErrAnswer        = errors.New("plugin's answer is wrong")
	ErrTooLarge      = errors.New("plugin's answer is too large")
	ErrRefused       = errors.New("plugin refused the request")
)

// Error is a failure of one plugin.
type Error struct {
	Plugin  string // its name
	Path    string // its file; "" if there is none
	Problem string // what was found and what was wanted
	Stderr  string // the last that it said, if that may explain it
	Kind    error  // one of the errors above
	Cause   error  // what lies below, if anything does
}

func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "plugin %s", e.Plugin)
	if e.Path != "" {
		fmt.Fprintf(&text, " (%s)", e.Path)
	}
	fmt.Fprintf(&text, ": %s", e.Problem)
	if e.Stderr != "" {
		fmt.Fprintf(&text, "; it said:\n    %s", strings.ReplaceAll(e.Stderr, "\n", "\n    "))
	}
	return text.String()
}

// Unwrap lets errors.Is see the kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// Plain makes a plugin's text fit for a terminal: control characters become
// '?', and what is longer than limit bytes is cut.
func Plain(text string, limit int) string {
	cut := ""
	if len(text) > limit {
		text, cut = text[:limit], "..."
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?")) + cut
}
