//go:build unix

package host

import (
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fkzoo/fkzoo/host/file"
)

// A pipe under a plugin's name is refused, and not waited for.
func TestPipe(t *testing.T) {
	o := testOptions(t)
	path := filepath.Join(o.Beside, file.Base("pipe"))
	if err := unix.Mkfifo(path, 0o755); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, o)
	_, errs := h.List(t.Context())
	if len(errs) != 1 {
		t.Fatalf("found errors %v, want one", errs)
	}
	checkFailure(t, errs[0], "pipe", ErrNotExecutable, "found a pipe, want an ordinary file")
	_, err := h.Install(t.Context(), path)
	checkFailure(t, err, "pipe", ErrNotExecutable, "found a pipe, want an ordinary file")
}
