package file

import (
	"bytes"
	"io"
	"os"
	"path/filepath"

	"github.com/fkzoo/fkzoo/internal/atomicfile"
)

// Write puts what is read at path so that a crash at any moment leaves the
// old file or the new one.
func Write(path string, from io.Reader, mode os.FileMode) error {
	f, err := atomicfile.Create(path, true)
	if err != nil {
		return err
	}
	defer f.Discard()
	if _, err := io.Copy(f, from); err != nil {
		return err
	}
	if err := f.Chmod(mode); err != nil {
		return err
	}
	return f.Commit()
}

// WriteMemory is Write without waiting for the disk, for what may be lost:
// after a crash of the system the file may be damaged, and is then ignored.
func WriteMemory(path string, text []byte) error {
	temporary, err := WriteTemporary(path, bytes.NewReader(text), 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temporary) // gone already if all went well
	return os.Rename(temporary, path)
}

// TemporaryPrefix starts the names of files that are being written.
const TemporaryPrefix = ".writing-"

// WriteTemporary writes a file beside path, not synced, and gives its name.
func WriteTemporary(path string, from io.Reader, mode os.FileMode) (string, error) {
	f, err := os.CreateTemp(filepath.Dir(path), TemporaryPrefix+"*")
	if err != nil {
		return "", err
	}
	_, err = io.Copy(f, from)
	if err == nil {
		err = f.Chmod(mode)
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
