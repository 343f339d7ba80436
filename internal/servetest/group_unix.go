//go:build unix

package servetest

import (
	"os/exec"
	"syscall"
)

// ownGroup makes the process the leader of a group, so that it and the programs that it starts end together.
func ownGroup(command *exec.Cmd) { command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func killGroup(command *exec.Cmd) { _ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
