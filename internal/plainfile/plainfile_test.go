//go:build unix

package plainfile

import (
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // a socket's path must be short
	if err := os.WriteFile("file", []byte("text"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := net.Listen("unix", "socket"); err == nil {
		defer s.Close()
	}
	for _, link := range []string{"file", "pipe"} {
		if err := os.Symlink(link, "to-"+link); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"file": "", "to-file": "", dir: "a folder", "pipe": "a pipe", "to-pipe": "a pipe", os.DevNull: "a device",
	} {
		f, info, err := Open(path)
		var refused *Error
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", path, err)
		case want == "":
			if text, err := io.ReadAll(f); err != nil || string(text) != "text" || info.Size() != 4 {
				t.Errorf("%s: found %q of %d bytes, %v", path, text, info.Size(), err)
			}
			f.Close()
		case !errors.As(err, &refused) || refused.Kind() != want:
			t.Errorf("%s: found %v, want a refusal of %s", path, err, want)
		}
	}
	for path, want := range map[string]string{
		"file": "", "to-file": "", dir: "", "none": "", "pipe": "a pipe", "to-pipe": "a pipe", os.DevNull: "a device",
	} {
		err := Check(path)
		var refused *Error
		if (err == nil) != (want == "") || want != "" && (!errors.As(err, &refused) || refused.Kind() != want) {
			t.Errorf("%s: checked it gave %v, want a refusal of %q", path, err, want)
		}
	}
	if _, _, err := Open("socket"); err == nil { // the system itself may refuse it
		t.Error("socket: opened")
	}
	if _, _, err := Open(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none: found %v", err)
	}
}
