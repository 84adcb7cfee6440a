// Package wheel brings the wheels with XLA's libraries from the Python package index: which there are, each known by its
// checksum, and the download. It must not know what is done with a library, nor where it is installed.
package wheel

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/fkzoo/fkzoo/internal/ctxio"
	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// Package is a wheel of the Python package index.
type Package struct {
	Name    string `json:"package"`
	Version string `json:"version"`
	File    string `json:"file"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
	Licence string `json:"licence"`
}

// Wheel is a package of the index, known by its checksum.
type Wheel struct {
	Package
	// Library is the PJRT library's path in the wheel, empty for a wheel that only has what the library needs.
	Library string
}

// Set is one way to install a backend: all of its wheels, the one with the library first.
type Set []Wheel

// Packages are the set's, without what is in them.
func (set Set) Packages() []Package {
	var all []Package
	for _, w := range set {
		all = append(all, w.Package)
	}
	return all
}

// SHA256 is a file's checksum, in hex.
func SHA256(ctx context.Context, path string) (string, error) {
	f, _, err := plainfile.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := ctxio.Copy(ctx, h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
