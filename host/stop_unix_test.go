//go:build unix

package host

import (
	"syscall"
	"time"
)

// stopSelf halts the whole process, as a debugger or a lack of memory may.
func stopSelf() error {
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(time.Hour)
	return nil
}
