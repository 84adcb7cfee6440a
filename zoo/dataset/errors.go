package dataset

import (
	"errors"
	"fmt"
	"strings"
)

// What may be wrong with a file as a whole; for errors.Is.
var (
	ErrEmpty  = errors.New("no rows")                  // nothing in it
	ErrFormat = errors.New("not a format fkzoo reads") // binary, or a picture of another kind
	ErrLimit  = errors.New("over a limit")             // larger than fkzoo is willing to read
)

// A RowError says what is wrong with one cell or line of a file.
type RowError struct {
	File   string // the path; for a zip's member "PATH:MEMBER"
	Line   int    // from 1, the header being line 1
	Column string // "" where the line as a whole is meant
	Pixel  int    // from 1 within the column Image; 0 where no single pixel is meant
	Found  string // what is there
	Want   string // what should be
}

func (e *RowError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s line %d", e.File, e.Line)
	if e.Column != "" {
		fmt.Fprintf(&b, ", column %s", e.Column)
	}
	if e.Pixel > 0 {
		fmt.Fprintf(&b, ", pixel %d", e.Pixel)
	}
	fmt.Fprintf(&b, ": found %s, want %s", e.Found, e.Want)
	return b.String()
}

// A NameError is what a source's name matches that says it isn't one: a name that
// belongs to a format, as demo:96, and is written wrong, or a reader's that is nil or named
// twice.
type NameError struct{ Name, Found, Want string }

func (e *NameError) Error() string {
	return fmt.Sprintf("%s: found %s, want %s", e.Name, e.Found, e.Want)
}

// A ColumnError names a column that a Set does not have.
type ColumnError struct {
	Source string
	Column string
	Have   []string
}

func (e *ColumnError) Error() string {
	have := "no columns"
	if n := len(e.Have); n > 8 {
		have = fmt.Sprintf("%s and %d more", strings.Join(e.Have[:8], ", "), n-8)
	} else if n > 0 {
		have = strings.Join(e.Have, ", ")
	}
	return fmt.Sprintf("%s: no column %q, have %s", e.Source, e.Column, have)
}
