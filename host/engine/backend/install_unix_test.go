//go:build unix

package backend

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/fkzoo/fkzoo/host/engine/backend/wheel"
)

// A pipe in place of a wheel or a library is refused, and not waited for.
func TestInstallFromPipe(t *testing.T) {
	index := newFakeIndex(t)
	set := wheel.Set{index.add("one", makeWheel(t, "lib.so", fakeLibrary), "lib.so")}
	dir := t.TempDir()
	pipe := filepath.Join(dir, set[0].File)
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(pipe, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{pipe, filepath.Join(dir, "link"), dir} {
		s := fakeStore(t, index, set)
		if _, err := s.Install(context.Background(), "cpu", Options{From: from}); err == nil || !strings.Contains(err.Error(), "found a pipe, want an ordinary file") {
			t.Errorf("%s: found %v, want a refusal of the pipe", from, err)
		}
		clean(t, s)
	}
}
