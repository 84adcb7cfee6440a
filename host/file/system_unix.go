//go:build unix

package host

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// tryLock takes the lock of an open file; it fails with errLocked if somebody
// has it.
func tryLock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return errLocked
	}
	return err
}

// checkPrivate tells whether a folder is this user's and nobody else may write
// to it.
func checkPrivate(folder string) error {
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

// identity is what changes when a file's content does, short of reading it.
func identity(info fs.FileInfo) fileIdentity {
	id := fileIdentity{Size: info.Size(), Modified: info.ModTime().UnixNano()}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		id.Inode = uint64(stat.Ino)
		id.Device = uint64(stat.Dev)
		id.Changed = changeTime(stat)
	}
	return id
}
