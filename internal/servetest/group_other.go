//go:build !unix

package servetest

import "os/exec"

func ownGroup(*exec.Cmd) {}

func killGroup(command *exec.Cmd) { _ = command.Process.Kill() }
