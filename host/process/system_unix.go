//go:build unix

package process

import (
	"os"

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
