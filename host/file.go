package host

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
)

// writeFile puts bytes at path so that a crash at any moment leaves the old
// file or the new one.
func writeFile(path string, text []byte, mode os.FileMode) error {
	return copyFile(path, bytes.NewReader(text), mode)
}

// writeMemory is writeFile without waiting for the disk, for what may be lost:
// after a crash of the system the file may be damaged, and is then ignored.
func writeMemory(path string, text []byte) error {
	temporary, err := writeTemporary(path, bytes.NewReader(text), 0o600, func(*os.File) error { return nil })
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // gone already if all went well
	return os.Rename(temporary, path)
}

// copyFile is writeFile for what is read from somewhere.
func copyFile(path string, from io.Reader, mode os.FileMode) error {
	temporary, err := writeTemporary(path, from, mode, (*os.File).Sync)
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // gone already if all went well
	if err := os.Rename(temporary, path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// temporaryPrefix starts the names of files that are being written.
const temporaryPrefix = ".writing-"

// writeTemporary writes a file beside path and gives its name.
func writeTemporary(path string, from io.Reader, mode os.FileMode, finish func(*os.File) error) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix+"*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, from)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = finish(f)
	}
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}
