package main_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/internal/servetest"
)

func TestMain(m *testing.M) {
	code := servetest.Main(m)
	dbtest.Stop()
	os.Exit(code)
}

// result is what a finished command has left.
type result struct {
	code           int
	stdout, stderr string
}

// command runs the binary to its end in the folder.
func command(t *testing.T, folder string, env []string, args ...string) result {
	t.Helper()
	got := servetest.Run(t, folder, env, args...)
	return result{got.Code, got.Stdout, got.Stderr}
}

// process is a running serve.
type process struct {
	*servetest.Process
	t      *testing.T
	origin string
}

// serve starts "magiclink serve" in the folder on a free port and waits until it listens.
func serve(t *testing.T, folder string, env []string, args ...string) *process {
	t.Helper()
	return serveUnder(t, nil, folder, env, args...)
}

// serveUnder is serve with another program around the process.
func serveUnder(t *testing.T, wrap func(*exec.Cmd) *exec.Cmd, folder string, env []string, args ...string) *process {
	t.Helper()
	started := servetest.Start(t, servetest.Config{Dir: folder, Env: env, Args: args, Wrap: wrap})
	return &process{Process: started, t: t, origin: started.Origin}
}

func (p *process) output() string { return p.Stdout() }

func (p *process) errors() string { return p.Stderr() }

// stop ends the process by a signal and returns its exit code.
func (p *process) stop(signal syscall.Signal) int { p.t.Helper(); return p.Stop(signal) }
