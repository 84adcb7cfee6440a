package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/fkzoo/fkzoo/host/file"
)

// Sockets is a private folder for plugins' sockets. Its lock tells other
// hosts that this one lives: the folder of a host that was killed is removed
// by the next.
type Sockets struct {
	Path string
	lock *os.File
}

const socketPattern = "fkz-"

// socketRoom is what a socket's path needs after the temporary folder: our
// folder, go-plugin's folder and its socket, each with a random number.
const socketRoom = len("/fkz-1234567890/plugin-dir1234567890/plugin1234567890")

// longestSocket is the longest path a socket may have on the strictest system.
const longestSocket = 103

// NewSockets makes the folder, and removes those of hosts that were killed.
func NewSockets() (*Sockets, error) {
	parent := os.TempDir()
	if runtime.GOOS != "windows" && len(parent)+socketRoom > longestSocket {
		parent = "/tmp"
	}
	removeStaleSockets(parent)
	for range 10 {
		path, err := os.MkdirTemp(parent, socketPattern)
		if err != nil {
			return nil, fmt.Errorf("folder for sockets: %w", err)
		}
		lock, err := lockFolder(path)
		if err == nil {
			return &Sockets{path, lock}, nil
		}
		_ = os.RemoveAll(path)
		if !errors.Is(err, errLocked) && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("folder for sockets: %w", err)
		}
		// Another host took it for a stale one before it was locked.
	}
	return nil, fmt.Errorf("folder for sockets in %s: 10 were removed by other hosts as soon as they were made", parent)
}

// lockFolder locks a folder that was just made. It fails with errLocked or
// fs.ErrNotExist if another host was faster.
func lockFolder(path string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err = tryLock(lock); err == nil {
		_, err = os.Stat(lock.Name())
	} else if !errors.Is(err, errLocked) {
		err = fmt.Errorf("lock %s: %w", lock.Name(), err)
	}
	if err != nil {
		lock.Close()
		return nil, err
	}
	return lock, nil
}

// errLocked says that another process has a lock.
var errLocked = errors.New("locked by another process")

// removeStaleSockets removes the folders of hosts that no longer live. A folder
// of another user can't be opened and stays.
func removeStaleSockets(parent string) {
	folders, _ := filepath.Glob(filepath.Join(parent, socketPattern+"*"))
	for _, folder := range folders {
		if file.CheckPrivate(folder) != nil {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(folder, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		stale := tryLock(lock) == nil
		if stale && runtime.GOOS != "windows" {
			_ = os.RemoveAll(folder)
		}
		lock.Close()
		if stale && runtime.GOOS == "windows" { // where an open file can't be removed
			_ = os.RemoveAll(folder)
		}
	}
}

// Remove removes the folder and gives up its lock.
func (s *Sockets) Remove() {
	if runtime.GOOS == "windows" {
		s.lock.Close()
		_ = os.RemoveAll(s.Path)
		return
	}
	_ = os.RemoveAll(s.Path)
	s.lock.Close()
}
