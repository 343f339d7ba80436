// Package servetest runs the command magiclink for tests: it builds the command once for each test binary, starts
// "magiclink serve" as a process of its own, and is a client of that process.
//
// The go command does not see that such tests depend on the command. Run them with -count=1 after a change, or the answer may
// be a cached one ("make test" caches none).
//
// A package that uses it hands its TestMain to [Main]. All functions fail the test on what no test expects, such as a
// command that does not compile; what a test may be about, such as an answer or an exit code, is returned.
package servetest

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a process may take to listen, to stop or to answer. Nothing takes that long unless it is broken.
const patience = 30 * time.Second

// Config says how a process is started. The zero value is enough.
type Config struct {
	Dir  string                    // the working directory; empty is the test's own
	Env  []string                  // added to the environment of the test, for example [ClientEnv]
	Args []string                  // added to "serve -addr 127.0.0.1:0"; a second -addr replaces the first
	Wrap func(*exec.Cmd) *exec.Cmd // gets the command with Dir and Env, and may put a program such as strace around it; nil: none
	Skew time.Duration             // how far the clock of the process is ahead
}

// noLimits lets tests and load come from one address and issue for one person. The test of a limit sets it by a flag or in Env, where an
// empty value is the default.
var noLimits = []string{"MAGICLINK_LIMIT_SUBJECT=off", "MAGICLINK_LIMIT_REDEEM=off"}

// Process is a "magiclink serve". Its methods are safe for concurrent use.
type Process struct {
	Origin  string // where it listens, such as http://127.0.0.1:40001; empty when it ended before it listened
	BaseURL string // what its links begin with

	tb             testing.TB
	command        *exec.Cmd
	exited         chan struct{}
	stdout, stderr output
	token          func() string
}

// Start starts a process and waits until it listens. The process is killed when the test ends, unless it has ended.
func Start(tb testing.TB, config Config) *Process {
	tb.Helper()
	p := Launch(tb, config)
	if p.Origin == "" {
		tb.Fatalf("serve ended at once: %s", p.Stderr())
	}
	return p
}

// Launch is [Start] for a process that may fail to start: it waits until the process listens or has ended.
func Launch(tb testing.TB, config Config) *Process {
	tb.Helper()
	p := &Process{tb: tb, exited: make(chan struct{})}
	p.token = sync.OnceValue(p.requestToken)
	args := append([]string{"serve", "-addr", "127.0.0.1:0"}, config.Args...)
	binary, env := "", append(append(os.Environ(), noLimits...), config.Env...)
	if config.Skew == 0 {
		binary = Binary(tb)
	} else {
		binary, env = skewedBinary(tb), append(env, "MAGICLINK_TEST_CLOCK_SKEW="+config.Skew.String())
	}
	p.command = exec.Command(binary, args...) //nolint:gosec // G204: tests choose the arguments
	p.command.Dir, p.command.Env = config.Dir, env
	if config.Wrap != nil {
		p.command = config.Wrap(p.command)
	}
	ownGroup(p.command)
	p.command.Stderr = &p.stderr
	stdout, err := p.command.StdoutPipe()
	if err != nil {
		tb.Fatalf("start serve: %v", err)
	}
	if err := p.command.Start(); err != nil {
		tb.Fatalf("start serve: %v", err)
	}
	tb.Cleanup(p.Kill)
	serving := make(chan string, 1)
	go p.follow(stdout, serving)
	select {
	case line := <-serving:
		p.Origin, p.BaseURL, _ = strings.Cut(line, "; links begin with ")
	case <-p.exited:
	case <-time.After(patience):
		tb.Fatalf("serve does not listen: %s", p.Stderr())
	}
	return p
}

// follow keeps what the process prints, tells once where it listens, and waits for its end.
func (p *Process) follow(stdout io.Reader, serving chan<- string) {
	defer close(p.exited)
	told := false
	for lines := bufio.NewScanner(io.TeeReader(stdout, &p.stdout)); lines.Scan(); {
		if line, found := strings.CutPrefix(lines.Text(), "Serving on "); found && !told {
			serving <- line
			told = true
		}
	}
	_ = p.command.Wait() // the exit code is in ProcessState
}

// Stdout returns what the process has printed so far.
func (p *Process) Stdout() string { return p.stdout.String() }

// Stderr returns what the process has logged so far.
func (p *Process) Stderr() string { return p.stderr.String() }

// Exited is closed when the process has ended and all its output is here.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// ExitCode waits for the end of the process and returns its exit code, which is -1 for a process that was killed.
func (p *Process) ExitCode() int {
	p.tb.Helper()
	select {
	case <-p.exited:
	case <-time.After(patience):
		p.tb.Errorf("serve does not stop: %s", p.Stderr())
		p.Kill()
	}
	return p.command.ProcessState.ExitCode()
}

// Signal sends a signal to the process itself, not to a program around it.
func (p *Process) Signal(signal syscall.Signal) {
	p.tb.Helper()
	process, err := os.FindProcess(p.PID())
	if err == nil {
		err = process.Signal(signal)
	}
	if err != nil {
		p.tb.Errorf("signal %v: %v", signal, err)
	}
}

// Stop sends a signal and returns the exit code.
func (p *Process) Stop(signal syscall.Signal) int {
	p.tb.Helper()
	p.Signal(signal)
	return p.ExitCode()
}

// Kill ends the process and the program around it with no time to say goodbye, as kill -9 does, and waits for their end.
func (p *Process) Kill() {
	select {
	case <-p.exited: // its process id may be another's by now
	default:
		killGroup(p.command)
		<-p.exited
	}
}

// PID returns the process id of the service itself, not that of a program around it.
func (p *Process) PID() int {
	own := p.command.Process.Pid
	name := strconv.Itoa(own)
	children, err := os.ReadFile(filepath.Join("/proc", name, "task", name, "children")) //nolint:gosec // G304: name is a number
	if err != nil {
		return own
	}
	child, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		return own
	}
	return child
}

// output keeps what a process writes while others read it.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(text []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(text)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
