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

// copyFile is writeFile for what is read from somewhere.
func copyFile(path string, from io.Reader, mode os.FileMode) error {
	temporary, err := os.CreateTemp(filepath.Dir(path), temporaryPrefix+"*")
	if err != nil {
		return err
	}
	defer os.Remove(temporary.Name()) // gone already if all went well
	_, err = io.Copy(temporary, from)
	if err == nil {
		err = temporary.Chmod(mode)
	}
	if err == nil {
		err = temporary.Sync()
	}
	if closing := temporary.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	if err := os.Rename(temporary.Name(), path); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(path))
}

// temporaryPrefix starts the names of files that are being written.
const temporaryPrefix = ".writing-"
