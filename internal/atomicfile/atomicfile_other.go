//go:build !linux && !windows

package atomicfile

import (
	"errors"
	"io/fs"
	"os"
)

func createTemp(dir string) (*os.File, string, error) { return createNamed(dir) }

func (a *File) publish() error {
	if a.force {
		return os.Rename(a.temp, a.path)
	}
	err := os.Link(a.temp, a.path)
	if err == nil {
		return os.Remove(a.temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return reserve(a.temp, a.path)
}

// Flush does nothing here: there is no call that starts writing to the disk and does not wait for it.
func (a *File) Flush(off, n int64) {}

// Reserve does nothing here.
func (a *File) Reserve(n int64) error { return nil }

// SyncData puts what was written so far on the disk.
func (a *File) SyncData() error { return a.Sync() }
