package atomicfile

import (
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

func createTemp(dir string) (*os.File, string, error) { return createNamed(dir) }

// publish closes the file first: Windows renames no open file.
func (a *File) publish() error {
	if err := a.Close(); err != nil {
		return err
	}
	from, err := windows.UTF16PtrFromString(a.temp)
	if err != nil {
		return err
	}
	to, err := windows.UTF16PtrFromString(a.path)
	if err != nil {
		return err
	}
	flags := uint32(windows.MOVEFILE_WRITE_THROUGH)
	if a.force {
		flags |= windows.MOVEFILE_REPLACE_EXISTING
	}
	err = windows.MoveFileEx(from, to, flags)
	if err == windows.ERROR_ALREADY_EXISTS || err == windows.ERROR_FILE_EXISTS {
		return fs.ErrExist
	}
	return err
}

// Flush does nothing here: there is no call that starts writing to the disk and does not wait for it.
func (a *File) Flush(off, n int64) {}

// Reserve does nothing here.
func (a *File) Reserve(n int64) error { return nil }

// SyncData puts what was written so far on the disk.
func (a *File) SyncData() error { return a.Sync() }
