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

	"github.com/fkzoo/fkzoo/internal/plainfile"
)

// ErrExists is what a refusal to replace an existing file matches; it also matches fs.ErrExist.
var ErrExists error = existsError{}

type existsError struct{}

func (existsError) Error() string { return "exists already" }

func (existsError) Is(target error) bool { return target == fs.ErrExist }

// PlaceError is the refusal of a path where something is that a file must not replace, with force neither.
type PlaceError struct{ Path, Reason string }

func (e *PlaceError) Error() string { return e.Path + ": " + e.Reason }

// maxLinks is how many symbolic links are followed; Linux follows as many.
const maxLinks = 40

// Place finds the path of the file that writing to path would make, and what it would replace (nil for nothing): itself,
// or where a symbolic link leads to, whether there is a file yet or not. What is there and no ordinary file is refused
// with a *PlaceError; any other thing, dangling links too, with ErrExists unless force is set.
func Place(path string, force bool) (target string, old fs.FileInfo, err error) {
	old, err = os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		old = nil
	case err != nil:
		return "", nil, err
	case old.IsDir():
		return "", nil, &PlaceError{path, "is a folder, want a file's name"}
	case !old.Mode().IsRegular():
		refused := plainfile.Error{Path: path, Mode: old.Mode()}
		return "", nil, &PlaceError{path, "found " + refused.Kind() + ", want an ordinary file or a new name"}
	}
	if !force {
		if _, err := os.Lstat(path); err == nil {
			return "", nil, fmt.Errorf("%s: %w", path, ErrExists)
		}
	}
	if target, err = follow(path); err != nil || old == nil {
		return target, nil, err
	}
	// A link below /proc may lead to a file whose name is gone. (Another file than a moment ago is another writer's.)
	if info, err := os.Lstat(target); target != path && (err != nil || !info.Mode().IsRegular()) {
		return "", nil, &PlaceError{path, "found a link to a file that is not at " + target + ", want an ordinary file or a new name"}
	}
	return target, old, nil
}

// follow gives the path that symbolic links lead to, where there may be nothing; a path that is no link as it is.
func follow(path string) (string, error) {
	target := path
	for range maxLinks {
		info, err := os.Lstat(target)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			if target == path {
				return path, nil
			}
			// The rest of the package takes paths apart by their text, which is wrong where a link has «..» behind it.
			folder, name := filepath.Split(target)
			if folder, err = filepath.EvalSymlinks(folder); err != nil {
				return "", fmt.Errorf("%s: is a link to %s, whose folder can't be found: %w", path, target, err)
			}
			return filepath.Join(folder, name), nil
		}
		to, err := os.Readlink(target)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			folder, _ := filepath.Split(target)
			to = folder + to
		}
		target = to
	}
	return "", &PlaceError{path, fmt.Sprintf("found more than %d links, want a file", maxLinks)}
}

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
// is lost) and in Commit (without a race). With force a regular file is replaced, keeping its permission bits; of a
// symbolic link the file that it leads to. What Place refuses is never replaced.
func Create(path string, force bool) (*File, error) {
	path, old, err := Place(path, force)
	if err != nil {
		return nil, err
	}
	f, temp, err := createTemp(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot create a file beside it: %w", path, err)
	}
	a := &File{File: f, path: path, temp: temp, force: force}
	if old != nil {
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
