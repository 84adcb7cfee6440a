//go:build unix

package file

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// CheckPrivate tells whether a folder is this user's and nobody else may write
// to it.
func CheckPrivate(folder string) error {
	info, err := os.Lstat(folder)
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !info.IsDir() || !ok || int(stat.Uid) != os.Geteuid() || info.Mode().Perm()&0o022 != 0 {
		return fmt.Errorf("folder %s: found mode %v, want a folder of this user's that nobody else may write to", folder, info.Mode())
	}
	return nil
}

// executable tells whether a file may be run by somebody.
func executable(info fs.FileInfo) bool { return info.Mode().Perm()&0o111 != 0 }

// IdentityOf is what changes when a file's content does, short of reading it.
func IdentityOf(info fs.FileInfo) Identity {
	id := Identity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		id.Inode = uint64(stat.Ino)
		id.Device = uint64(stat.Dev)
		id.Changed = changeTime(stat)
	}
	return id
}
