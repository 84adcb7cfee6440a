// Package atomicfile writes files that appear whole or not at all.
//
// What is written goes to a temporary file in the target's folder, is synced to the disk and only then gets its name;
// a crash at any moment leaves the old file or the new one. The package knows nothing of what the files hold.
package atomicfile

import (
	"bufio"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists is what a refusal to replace an existing file matches; it also matches fs.ErrExist.
var ErrExists error = existsError{}

type existsError struct{}

func (existsError) Error() string { return "exists already" }

func (existsError) Is(target error) bool { return target == fs.ErrExist }

// File is a file being written. Nothing is at its path until Commit; Discard throws it away.
// Its methods may not be used at the same time.
type File struct {
	*os.File
	path  string
	temp  string // the temporary file's path; empty while it has no name at all
	force bool
	done  bool
}

// Create starts a file that Commit puts at path. Without force an existing path is refused, here (early, so that no work
// is lost) and in Commit (without a race). With force a regular file is replaced, keeping its permission bits;
// a symbolic link is replaced itself, not what it points to.
func Create(path string, force bool) (*File, error) {
	old, err := os.Lstat(path)
	switch {
	case err == nil && old.IsDir():
		return nil, fmt.Errorf("%s: is a folder, want a file's name", path)
	case err == nil && !force:
		return nil, fmt.Errorf("%s: %w", path, ErrExists)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	f, temp, err := createTemp(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot create a file beside it: %w", path, err)
	}
	a := &File{File: f, path: path, temp: temp, force: force}
	if old != nil && old.Mode().IsRegular() {
		// Best effort: some file systems have no permission bits.
		_ = f.Chmod(old.Mode().Perm())
	}
	return a, nil
}

// Commit syncs the file, gives it its name and syncs the folder. After an error nothing new is at the path, except where
// the error is the folder's sync: then the new file is there, but may not outlive a loss of power.
func (a *File) Commit() error {
	if a.done {
		return fmt.Errorf("%s: %w", a.path, fs.ErrClosed)
	}
	defer a.Discard()
	if err := a.SyncData(); err != nil {
		return fmt.Errorf("%s: %w", a.path, err)
	}
	if err := a.publish(); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s: %w", a.path, ErrExists)
		}
		return fmt.Errorf("%s: %w", a.path, err)
	}
	a.temp = ""
	if err := syncDir(filepath.Dir(a.path)); err != nil {
		return fmt.Errorf("%s: written, but its folder cannot be synced: %w", a.path, err)
	}
	return nil
}

// Discard closes the file and removes what is temporary. After Commit it does nothing, so it can be deferred.
func (a *File) Discard() {
	if a.done {
		return
	}
	a.done = true
	_ = a.Close()
	if a.temp != "" {
		_ = os.Remove(a.temp)
	}
}

// Write makes the file at path from what fn writes (buffered), or leaves everything as it was if fn fails.
// Without force an existing file is refused with ErrExists.
func Write(path string, force bool, fn func(io.Writer) error) error {
	f, err := Create(path, force)
	if err != nil {
		return err
	}
	defer f.Discard()
	w := bufio.NewWriterSize(f, 1<<16)
	err = fn(w)
	if err == nil {
		err = w.Flush()
	}
	if own, ok := errors.AsType[*fs.PathError](err); ok && own.Path == f.Name() {
		return fmt.Errorf("%s: %s: %w", path, own.Op, own.Err) // the temporary name says nothing to anybody
	}
	if err != nil {
		return err
	}
	return f.Commit()
}

// tempName returns a new name in dir that nothing has yet, most likely.
func tempName(dir string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return filepath.Join(dir, ".fkzoo-"+hex.EncodeToString(b[:])+".tmp")
}

// createNamed makes an empty temporary file with a name.
func createNamed(dir string) (*os.File, string, error) {
	for range 100 {
		name := tempName(dir)
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		return f, name, err
	}
	return nil, "", fmt.Errorf("%s: found no free temporary name", dir)
}

// reserve puts temp at path without replacing anything, where the system has no call for that: it takes the name with
// an empty file first. A crash between the two steps leaves that empty file.
func reserve(temp, path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_ = f.Close()
	if err := os.Rename(temp, path); err != nil {
		_ = os.Remove(path)
		return err
	}
	return nil
}
