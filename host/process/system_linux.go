package process

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// DeathSignal is what a plugin gets when its host dies; a test sets it to none.
var DeathSignal = syscall.SIGKILL

// prepare makes the plugin a process group of its own (so that a terminal's
// Ctrl-C is the host's alone to answer) that dies with the thread that starts
// it, and makes it run the open file, whatever has become of its path.
func prepare(cmd *exec.Cmd, program *os.File) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: DeathSignal}
	if _, err := os.Stat(fmt.Sprintf("/proc/self/fd/%d", program.Fd())); err == nil {
		cmd.ExtraFiles = []*os.File{program}
		cmd.Path = "/proc/self/fd/3"
	}
}

const canAwaitExit = true

// awaitExit returns when the process has ended but is not yet reaped, so that
// its number can't mean another process.
func awaitExit(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != unix.EINTR {
			return
		}
	}
}

// killGroup ends the plugin and what it has started.
func killGroup(p *os.Process) { _ = unix.Kill(-p.Pid, unix.SIGKILL) }
