package process

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// tryLock takes the lock of an open file; it fails with errLocked if somebody
// has it.
func tryLock(f *os.File) error {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, new(windows.Overlapped))
	if err == windows.ERROR_LOCK_VIOLATION || err == windows.ERROR_IO_PENDING {
		return errLocked
	}
	return err
}

// prepare makes the plugin a process group of its own, so that a console's
// Ctrl-C is the host's alone to answer. The plugin itself watches whether the
// host still lives.
func prepare(cmd *exec.Cmd, _ *os.File) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true}
}

const canAwaitExit = false

// awaitExit has no equivalent here.
func awaitExit(int) {}

// killGroup ends the plugin.
func killGroup(p *os.Process) { _ = p.Kill() }
