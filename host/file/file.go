// Package file is a plugin's file: its name, how it is opened and hashed, and what the system says of it.
//
// It must not know which plugins are trusted, nor how one is run.
package file

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"

	"github.com/fkzoo/fkzoo/host/fault"
	"github.com/fkzoo/fkzoo/internal/plainfile"
	"github.com/fkzoo/fkzoo/specs/protocol"
)

// File is a plugin's file, not yet opened.
type File struct {
	Name string
	Path string
	Dev  bool // in the folder whose plugins run unchecked
}

// Fail says what is wrong with the plugin.
func (p File) Fail(kind, cause error, format string, args ...any) *fault.Error {
	return &fault.Error{Plugin: p.Name, Path: p.Path, Kind: kind, Cause: cause, Problem: fmt.Sprintf(format, args...)}
}

// PluginName gives the name of the plugin that a file of this name would be.
func PluginName(file string) (string, bool) {
	name, is := strings.CutPrefix(file, protocol.ExecutablePrefix)
	if runtime.GOOS == "windows" {
		var exe bool
		name, exe = strings.CutSuffix(strings.ToLower(name), ".exe")
		is = is && exe
	}
	return name, is && protocol.CheckName(name) == nil
}

// Base is the name of a plugin's file.
func Base(plugin string) string {
	if runtime.GOOS == "windows" {
		return protocol.ExecutablePrefix + plugin + ".exe"
	}
	return protocol.ExecutablePrefix + plugin
}

// Open opens the plugin's file for hashing and says clearly why it can't be
// run, as far as that shows without running it.
func (p File) Open() (*os.File, fs.FileInfo, error) {
	f, info, err := plainfile.Open(p.Path)
	var refused *plainfile.Error
	switch {
	case errors.As(err, &refused):
		err = p.Fail(fault.ErrNotExecutable, nil, "found %s, want an ordinary file", refused.Kind())
	case errors.Is(err, fs.ErrNotExist):
		err = p.Fail(fault.ErrMissing, err, "missing: there is no such file")
	case err != nil:
		err = p.Fail(fault.ErrNotExecutable, err, "can't be read: %v", err)
	case !executable(info):
		f.Close()
		err = p.Fail(fault.ErrNotExecutable, nil, "not executable: found mode %v, want one with x (chmod +x)", info.Mode())
	}
	if err != nil {
		return nil, nil, err
	}
	return f, info, nil
}

// Checksum hashes a file from its start and gives the SHA-256 in hex.
func Checksum(f io.ReadSeeker) (string, error) {
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// IsChecksum tells whether a text is a SHA-256 in hex.
func IsChecksum(sum string) bool {
	if len(sum) != 64 {
		return false
	}
	return strings.Trim(sum, "0123456789abcdef") == ""
}

// Identity is what the system says of a file without reading it.
type Identity struct {
	Size     int64  `json:"size"`
	Modified int64  `json:"modified"` // ns since 1970
	Changed  int64  `json:"changed"`  // the inode's change, where there is one
	Inode    uint64 `json:"inode"`
	Device   uint64 `json:"device"`
}

// IsAbsent tells whether there is nothing at a path, also because what ought to
// be a folder on the way is none (HOME=/dev/null).
func IsAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
