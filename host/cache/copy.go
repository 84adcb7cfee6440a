// Package cache keeps what may be lost: private copies of plugins' programs and the checksums of files that haven't changed.
//
// It must not know what a plugin is trusted for, offers or does.
package cache

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/fkzoo/fkzoo/host/file"
)

// ErrChanged says that a file is not what was hashed.
var ErrChanged = errors.New("the file changed while it was read")

// Copy opens the copy, in folder, for a checksum, and makes it of the original if there is none or it is damaged. It
// fails with ErrChanged where the original has another checksum. The copy is not synced to disk: it is hashed
// again whenever it is used.
func Copy(folder string, original io.ReadSeeker, sum string) (*os.File, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	if err := file.CheckPrivate(folder); err != nil {
		return nil, err
	}
	path := filepath.Join(folder, sum)
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	if f := openCopy(path, sum); f != nil {
		return f, nil
	}

	Prune(folder)
	temporary := ""
	_, err := original.Seek(0, io.SeekStart)
	if err == nil {
		temporary, err = file.WriteTemporary(path, original, 0o500)
	}
	if err == nil {
		defer os.Remove(temporary) // gone already if all went well
		err = os.Rename(temporary, path)
	}
	if f := openCopy(path, sum); f != nil { // another process may have made it meanwhile
		return f, nil
	}
	if err != nil {
		return nil, err
	}
	return nil, ErrChanged
}

// openCopy opens a copy that has the checksum, or gives nil.
func openCopy(path, sum string) *os.File {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	if found, err := file.Checksum(f); err != nil || found != sum {
		f.Close()
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // in use: not to be pruned
	return f
}

// Unused is how long a copy or a memory is kept without being used.
const Unused = 30 * 24 * time.Hour

// Prune removes what has not been used for long from one of the cache's
// folders. What goes wrong is left for the next time.
func Prune(folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil {
			continue
		}
		limit := Unused
		if strings.HasPrefix(entry.Name(), file.TemporaryPrefix) {
			limit = 24 * time.Hour
		}
		if time.Since(info.ModTime()) > limit {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}
