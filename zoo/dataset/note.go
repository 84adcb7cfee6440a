package dataset

import (
	"fmt"
	"strings"
)

// A NoteKind is what a Note is about.
type NoteKind string

// The kinds of notes.
const (
	PassedColumns NoteKind = "columns"        // columns of a table that aren't read
	PassedFiles   NoteKind = "files"          // files that aren't read
	WithoutPoints NoteKind = "without points" // pictures that no points are known of
)

// mostNames are the names of what is passed over that a Note keeps.
const mostNames = 5

// A Note says what is passed over in a source, or lacking there.
type Note struct {
	Kind   NoteKind
	Source string   // the file or folder
	Names  []string // of what is passed over, the first few, in order
	Count  int      // how many there are in all
	Why    string   // what would have been read
}

// Passed is a note of things that are passed over.
func Passed(kind NoteKind, source string, names []string, why string) Note {
	n := Note{Kind: kind, Source: source, Why: why}
	for _, name := range names {
		n.Add(name)
	}
	return n
}

// Add adds one more thing.
func (n *Note) Add(name string) {
	if n.Count++; len(n.Names) < mostNames {
		n.Names = append(n.Names, name)
	}
}

// String is the note as a line for people.
func (n Note) String() string {
	if n.Kind == WithoutPoints {
		return fmt.Sprintf("%s: %s: the cells are empty there", n.Source, n.Why)
	}
	names := make([]string, len(n.Names))
	for i, name := range n.Names {
		names[i] = fmt.Sprintf("%q", name)
	}
	more := ""
	if n.Count > len(names) {
		more = fmt.Sprintf(" and %d more", n.Count-len(names))
	}
	return fmt.Sprintf("%s: passed over %s%s: %s", n.Source, strings.Join(names, ", "), more, n.Why)
}
