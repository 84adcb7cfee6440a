package atomicfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// createTemp makes a file without a name where the file system can, so that a killed process leaves nothing behind.
func createTemp(dir string) (*os.File, string, error) {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o666)
	if err != nil {
		return createNamed(dir)
	}
	// It gets its name through /proc later: without that, start with a name.
	if _, err := os.Stat(procName(uintptr(fd))); err != nil {
		_ = unix.Close(fd)
		return createNamed(dir)
	}
	return os.NewFile(uintptr(fd), filepath.Join(dir, "(unnamed)")), "", nil
}

func procName(fd uintptr) string { return "/proc/self/fd/" + strconv.Itoa(int(fd)) }

func (a *File) link(to string) error {
	return unix.Linkat(unix.AT_FDCWD, procName(a.Fd()), unix.AT_FDCWD, to, unix.AT_SYMLINK_FOLLOW)
}

func (a *File) publish() error {
	if a.temp == "" {
		if !a.force {
			if err := a.link(a.path); err == nil || errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		name := tempName(filepath.Dir(a.path))
		if err := a.link(name); err == nil {
			a.temp = name
		} else if err := a.copyToNamed(); err != nil {
			return err
		}
	}
	if a.force {
		return os.Rename(a.temp, a.path)
	}
	err := unix.Renameat2(unix.AT_FDCWD, a.temp, unix.AT_FDCWD, a.path, unix.RENAME_NOREPLACE)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return err
	}
	err = os.Link(a.temp, a.path)
	if err == nil {
		return os.Remove(a.temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	return reserve(a.temp, a.path)
}

// copyToNamed is for a file system that makes files without a name and then cannot name them.
func (a *File) copyToNamed() error {
	f, name, err := createNamed(filepath.Dir(a.path))
	if err != nil {
		return err
	}
	defer f.Close()
	a.temp = name
	if _, err := a.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.Copy(f, a.File); err != nil {
		return err
	}
	return f.Sync()
}

// Flush tells the system to start writing these bytes to the disk, so that Commit waits less for them. It promises nothing.
func (a *File) Flush(off, n int64) {
	_ = unix.SyncFileRange(int(a.Fd()), off, n, unix.SYNC_FILE_RANGE_WRITE)
}

// Reserve takes room for a file of n bytes, so that a full disk is found before the work and the file's blocks lie
// together. Where the file system can't, it does nothing.
func (a *File) Reserve(n int64) error {
	if n <= 0 {
		return nil
	}
	err := unix.Fallocate(int(a.Fd()), 0, 0, n)
	if errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT) || errors.Is(err, unix.EFBIG) {
		return &fs.PathError{Op: "fallocate", Path: a.path, Err: err}
	}
	return nil
}

// SyncData puts what was written so far on the disk, with what is needed to read it back.
func (a *File) SyncData() error {
	for {
		err := unix.Fdatasync(int(a.Fd()))
		if err == nil || !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
