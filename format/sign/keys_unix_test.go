//go:build unix

package sign

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A pipe as a key is refused, and not waited for.
func TestKeyFromPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, private := ReadPrivateKey(path)
	_, public := ReadPublicKey(path)
	for _, err := range []error{private, public} {
		if err == nil || !strings.Contains(err.Error(), path+": found a pipe, want an ordinary file") {
			t.Errorf("found %v, want a refusal of the pipe", err)
		}
	}
}
