// Package signature shows who has signed a model file, as verify, sign and info do. It must not know what a signature is of.
package signature

import (
	"fmt"
	"io"

	"github.com/fkzoo/fkzoo/format"
)

// Signature is one as it is printed, in JSON too.
type Signature struct {
	Key  string `json:"key"` // hex
	Good bool   `json:"good"`
}

// Of gives a file's signatures.
func Of(f *format.File) ([]Signature, error) {
	list, err := f.Signatures()
	var out []Signature
	for _, s := range list {
		out = append(out, Signature{fmt.Sprintf("%x", []byte(s.Key)), s.Good})
	}
	return out, err
}

// Print prints each on a line of its own, behind a text.
func Print(w io.Writer, before string, list []Signature) {
	for _, s := range list {
		how := "good"
		if !s.Good {
			how = "NOT GOOD: of something else than this file's digest and provenance"
		}
		fmt.Fprintf(w, "%ssignature by %s: %s\n", before, s.Key, how)
	}
}
