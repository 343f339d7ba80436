package main_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// binary is the command, built once.
var binary string

func TestMain(m *testing.M) {
	folder, err := os.MkdirTemp("", "magiclink-command-")
	if err != nil {
		panic(err)
	}
	binary = filepath.Join(folder, "magiclink")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
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
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second) // a serve that should have refused to start
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = folder, append(os.Environ(), env...), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return result{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// process is a running serve.
type process struct {
	t      *testing.T
	cmd    *exec.Cmd
	origin string
	exited chan struct{}

	mu             sync.Mutex
	stdout, stderr bytes.Buffer
}

// serve starts "magiclink serve" in the folder on a free port and waits until it listens.
func serve(t *testing.T, folder string, env []string, args ...string) *process {
	t.Helper()
	return start(t, exec.Command(binary, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...), folder, env)
}

// start starts a command that serves, and waits until it listens.
func start(t *testing.T, cmd *exec.Cmd, folder string, env []string) *process {
	t.Helper()
	p := &process{t: t, cmd: cmd, exited: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = folder, append(os.Environ(), env...)
	stdout, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	p.cmd.Stderr = lockedWriter{p}
	require.NoError(t, p.cmd.Start())
	serving := make(chan string, 1)
	go func() {
		defer close(p.exited)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			p.mu.Lock()
			p.stdout.WriteString(lines.Text() + "\n")
			p.mu.Unlock()
			if rest, ok := strings.CutPrefix(lines.Text(), "Serving on "); ok {
				serving <- strings.SplitN(rest, ";", 2)[0]
			}
		}
		_ = p.cmd.Wait()
	}()
	t.Cleanup(func() { p.cmd.Process.Kill(); <-p.exited })
	select {
	case p.origin = <-serving:
	case <-p.exited:
		t.Fatalf("serve ended at once: %s", p.errors())
	case <-time.After(30 * time.Second):
		t.Fatalf("serve does not listen: %s", p.errors())
	}
	return p
}

// lockedWriter takes the process's standard error.
type lockedWriter struct{ p *process }

func (w lockedWriter) Write(text []byte) (int, error) {
	w.p.mu.Lock()
	defer w.p.mu.Unlock()
	return w.p.stderr.Write(text)
}

func (p *process) output() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stdout.String()
}

func (p *process) errors() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

// stop ends the process by a signal and returns its exit code.
func (p *process) stop(signal syscall.Signal) int {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(signal))
	select {
	case <-p.exited:
	case <-time.After(30 * time.Second):
		p.t.Fatal("serve does not stop")
	}
	return p.cmd.ProcessState.ExitCode()
}
