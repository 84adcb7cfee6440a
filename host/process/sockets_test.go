package process

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// Why there is no folder for sockets is told, and none is left.
func TestSocketFolderSaysWhy(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the temporary folder is named otherwise")
	}
	missing := "/tmp/fkzoo-no-such-folder"
	t.Setenv("TMPDIR", missing)
	if _, err := NewSockets(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("found %v, want the missing folder named", err)
	}
}

// A folder's lock: a race is told from a reason that will stay.
func TestLockFolder(t *testing.T) {
	folder := t.TempDir()
	lock, err := lockFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lockFolder(folder); !errors.Is(err, errLocked) {
		t.Errorf("locked twice: %v, want %v", err, errLocked)
	}
	lock.Close()
	if _, err := lockFolder(filepath.Join(folder, "gone")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder that is gone: %v", err)
	}
	blocked := t.TempDir()
	if err := os.Mkdir(filepath.Join(blocked, "lock"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := lockFolder(blocked); err == nil || errors.Is(err, errLocked) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a folder in the lock's place: %v, want a reason that stays", err)
	}
}
