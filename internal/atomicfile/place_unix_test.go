//go:build unix

package atomicfile

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// What is neither a file nor leads to one stays, with force too.
func TestNotReplaced(t *testing.T) {
	t.Chdir(t.TempDir()) // a socket's path must be short
	if err := unix.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := net.Listen("unix", "socket"); err != nil {
		t.Fatal(err)
	} else {
		defer s.Close()
	}
	if err := os.Mkdir("folder", 0o700); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"to-pipe": "pipe", "to-folder": "folder", "to-missing": "missing/a", "round": "back", "back": "round",
	} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	before := names(t, ".")
	for _, c := range []struct {
		path, want string
		wrong      bool // a *PlaceError
	}{
		{"pipe", "pipe: found a pipe, want an ordinary file", true},
		{"socket", "socket: found a socket, want an ordinary file", true},
		{"folder", "folder: is a folder", true},
		{"to-pipe", "to-pipe: found a pipe, want an ordinary file", true},
		{"to-folder", "to-folder: is a folder", true},
		{"to-missing", "to-missing: is a link to missing/a, whose folder can't be found", false},
		{"round", "too many", false},
	} {
		was, _ := os.Lstat(c.path)
		err := Write(c.path, true, put("x"))
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, new(*PlaceError)) != c.wrong {
			t.Errorf("%s: error is %v, want %q", c.path, err, c.want)
		}
		if is, err := os.Lstat(c.path); err != nil || !os.SameFile(was, is) {
			t.Errorf("%s: was replaced, %v", c.path, err)
		}
		// Without force it isn't said to exist: force would not help.
		if err := Write(c.path, false, put("x")); c.wrong && (errors.Is(err, ErrExists) || !errors.As(err, new(*PlaceError))) {
			t.Errorf("%s without force: error is %v", c.path, err)
		} else if err == nil {
			t.Errorf("%s: written without force", c.path)
		}
	}
	if after := names(t, "."); len(after) != len(before) {
		t.Errorf("folder holds %v, want %v", after, before)
	}
}

// With force the file that a link leads to is replaced, or made, and the link stays.
func TestLinksAreFollowed(t *testing.T) {
	for _, c := range []struct {
		name, target string
		links        map[string]string // the first one written to is «link»
		exists       bool
	}{
		{"a file", "file", map[string]string{"link": "file"}, true},
		{"in another folder", "far/file", map[string]string{"link": "far/file"}, true},
		{"by a link in that folder", "far/file", map[string]string{"link": "far/second", "far/second": "file"}, true},
		{"out of a folder that is a link", "far/file", map[string]string{"link": "deep/../file", "deep": "far/below"}, true},
		{"to nothing yet", "far/file", map[string]string{"link": "far/second", "far/second": "file"}, false},
		{"to nothing yet, out of a link", "far/file", map[string]string{"link": "deep/../file", "deep": "far/below"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.MkdirAll("far/below", 0o700); err != nil {
				t.Fatal(err)
			}
			if c.exists {
				if err := os.WriteFile(c.target, []byte("old"), 0o640); err != nil {
					t.Fatal(err)
				}
			}
			for link, to := range c.links {
				if err := os.Symlink(to, link); err != nil {
					t.Fatal(err)
				}
			}
			if err := Write("link", false, put("new")); !errors.Is(err, ErrExists) {
				t.Errorf("without force: error is %v, want ErrExists", err)
			}
			before := len(names(t, ".")) + len(names(t, "far"))
			if !c.exists {
				before++
			}
			if err := Write("link", true, put("new")); err != nil {
				t.Fatal(err)
			}
			for link, to := range c.links {
				if found, err := os.Readlink(link); err != nil || found != to {
					t.Errorf("%s: found a link to %q, %v, want it to %q as before", link, found, err, to)
				}
			}
			if info, err := os.Lstat(c.target); err != nil || !info.Mode().IsRegular() || c.exists && info.Mode().Perm() != 0o640 {
				t.Errorf("%s: found %v, %v", c.target, info, err)
			}
			if got, err := os.ReadFile(c.target); string(got) != "new" {
				t.Errorf("%s: holds %q, %v, want the new text", c.target, got, err)
			}
			if after := len(names(t, ".")) + len(names(t, "far")); after != before {
				t.Errorf("found %d names, want %d: %v, %v", after, before, names(t, "."), names(t, "far"))
			}
		})
	}
}

// A reader of the old file is not disturbed: the one behind a link is replaced at once, too.
func TestLinkedFileIsReplacedWhole(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("file", []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", "link"); err != nil {
		t.Fatal(err)
	}
	was, err := os.Stat("link")
	if err != nil {
		t.Fatal(err)
	}
	if err := Write("link", true, put("new")); err != nil {
		t.Fatal(err)
	}
	if is, err := os.Stat("link"); err != nil || os.SameFile(was, is) {
		t.Errorf("found the same file written over, %v", err)
	}
	if _, old, err := Place("none", false); err != nil || old != nil {
		t.Errorf("nothing there: found %v, %v", old, err)
	}
	if _, _, err := Place("file/below", true); err == nil || errors.Is(err, fs.ErrExist) {
		t.Errorf("below a file: error is %v", err)
	}
}

// Writers that replace a file at the same time, by its name or by a link, all win.
func TestReplacedAtOnce(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("file", []byte("whole"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("file", "link"); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for n := range 4 {
		wg.Go(func() {
			for range 200 {
				if _, _, err := Place([]string{"file", "link"}[n%2], true); err != nil {
					t.Error(err)
					return
				}
				if err := os.WriteFile(strconv.Itoa(n), []byte("whole"), 0o600); err != nil {
					t.Error(err)
				}
				if err := os.Rename(strconv.Itoa(n), "file"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}
