//go:build unix && !linux

package process

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// prepare makes the plugin a process group of its own, so that a terminal's
// Ctrl-C is the host's alone to answer. The plugin itself watches whether the
// host still lives.
func prepare(cmd *exec.Cmd, _ *os.File) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}

const canAwaitExit = false

// awaitExit has no equivalent here.
func awaitExit(int) {}

// killGroup ends the plugin and what it has started.
func killGroup(p *os.Process) { _ = unix.Kill(-p.Pid, unix.SIGKILL) }
