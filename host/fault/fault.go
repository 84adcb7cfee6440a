package host

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
	Command string // the command that would help, if there is one
}

func (e *Error) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "plugin %s", e.Plugin)
	if e.Path != "" {
		fmt.Fprintf(&text, " (%s)", e.Path)
	}
	fmt.Fprintf(&text, ": %s", e.Problem)
	if e.Command != "" {
		fmt.Fprintf(&text, "; to accept it: %s", e.Command)
	}
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

// UnknownError says that no plugin offers an architecture.
type UnknownError struct {
	Name    string
	Offered []string // what there is
	Failed  []error  // plugins that could not be asked, one of which may offer it
}

func (e *UnknownError) Error() string {
	text := fmt.Sprintf("architecture %q: no plugin offers it", e.Name)
	if near := nearest(e.Name, e.Offered); near != "" {
		text += fmt.Sprintf("; the nearest name is %s", near)
	}
	for _, err := range e.Failed {
		text += "\n" + err.Error()
	}
	return text
}

// Unwrap gives the failures of plugins that could not be asked.
func (e *UnknownError) Unwrap() []error { return e.Failed }

// AmbiguousError says that several plugins offer one name.
type AmbiguousError struct {
	Name    string
	Offered []string // the full names, plugin/name
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("architecture %q: %d plugins offer it, want one of %s", e.Name, len(e.Offered), strings.Join(e.Offered, ", "))
}

// nearest gives the name that a typing error may have meant, or "". Of two as
// near, the one of the same length is more likely.
func nearest(name string, names []string) string {
	best, least := "", 2*(2+len(name)/3)
	for _, n := range names {
		d := 2 * distance(name, n)
		if len(n) != len(name) {
			d++
		}
		if d < least {
			best, least = n, d
		}
	}
	return best
}

// distance is Levenshtein's: the insertions, deletions and substitutions of
// bytes that turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// plain makes a plugin's text fit for a terminal: control characters become
// '?', and what is longer than limit bytes is cut.
func plain(text string, limit int) string {
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
