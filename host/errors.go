package host

import (
	"fmt"
	"strings"

	"github.com/fkzoo/fkzoo/host/fault"
)

// Error is a failure of one plugin.
type Error = fault.Error

// What can be wrong with a plugin, for errors.Is.
var (
	ErrMissing       = fault.ErrMissing
	ErrNotExecutable = fault.ErrNotExecutable
	ErrUntrusted     = fault.ErrUntrusted // [Host.Install] accepts it
	ErrStart         = fault.ErrStart
	ErrCrashed       = fault.ErrCrashed
	ErrTimeout       = fault.ErrTimeout
	ErrHandshake     = fault.ErrHandshake
	ErrVersion       = fault.ErrVersion
	ErrAnswer        = fault.ErrAnswer
	ErrTooLarge      = fault.ErrTooLarge
	ErrRefused       = fault.ErrRefused
)

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
