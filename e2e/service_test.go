package e2e_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a condition may take to come true. Nothing waits that long unless something is broken.
const patience = 30 * time.Second

// waitFor waits until a condition comes true.
func waitFor(t *testing.T, condition func() bool) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(2*time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-tick.C:
		case <-deadline:
			require.FailNow(t, "this never came true")
		}
	}
}

const (
	clientID     = "crm"
	clientSecret = "correct-horse-battery-staple"
)

// service is a running "magiclink serve".
type service struct {
	t       *testing.T
	cmd     *exec.Cmd
	exited  chan struct{}
	data    string // the data directory
	origin  string // where it listens
	baseURL string // what its links begin with
	token   func() string

	mu  sync.Mutex
	log bytes.Buffer
}

// start serves on a free port, with a data directory of its own.
func start(t *testing.T) *service { return startIn(t, t.TempDir(), "") }

// startIn serves from a data directory. Without a base URL the links lead to the port that is listened on.
func startIn(t *testing.T, data, baseURL string) *service {
	t.Helper()
	s := &service{t: t, exited: make(chan struct{}), data: data, baseURL: baseURL}
	args := []string{"serve", "-addr", "127.0.0.1:0", "-data", data}
	if baseURL != "" {
		args = append(args, "-base-url", baseURL)
	}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Env = append(os.Environ(), "MAGICLINK_CLIENT_ID="+clientID, "MAGICLINK_CLIENT_SECRET="+clientSecret)
	stdout, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	s.cmd.Stderr = s
	require.NoError(t, s.cmd.Start())
	serving := make(chan string, 1)
	go func() {
		defer close(s.exited)
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if rest, ok := strings.CutPrefix(lines.Text(), "Serving on "); ok {
				serving <- rest
			}
		}
		_ = s.cmd.Wait()
	}()
	t.Cleanup(s.stop)
	select {
	case rest := <-serving:
		s.origin, s.baseURL, _ = strings.Cut(rest, "; links begin with ")
	case <-s.exited:
		require.FailNow(t, "serve ended at once", s.logged())
	case <-time.After(patience):
		require.FailNow(t, "serve does not listen", s.logged())
	}
	s.token = sync.OnceValue(s.accessToken)
	return s
}

// stop ends the process as an operator does, and expects it to end well.
func (s *service) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.exited
		s.t.Error("serve does not stop")
	}
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		s.t.Errorf("serve ended with code %d: %s", code, s.logged())
	}
}

// Write takes the process's standard error.
func (s *service) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(text)
}

func (s *service) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// posts counts the POST requests to the redemption page that were answered with a status.
func (s *service) posts(status string) int {
	count := 0
	for line := range strings.Lines(s.logged()) {
		if strings.Contains(line, "method=POST path=/magic ") && strings.Contains(line, "status="+status) {
			count++
		}
	}
	return count
}

// inspect asks the command, in a process of its own, whether a link can be used.
func (s *service) inspect(l link) (live bool, says string) {
	s.t.Helper()
	cmd := exec.Command(binary, "redeem", "-inspect", "-data", s.data, "-base-url", s.baseURL, l.url)
	text, err := cmd.CombinedOutput()
	return err == nil, string(text)
}

func (s *service) requireLive(l link) {
	s.t.Helper()
	live, says := s.inspect(l)
	require.True(s.t, live, says)
	require.Contains(s.t, says, l.id)
	require.False(s.t, s.record(l).consumed.Valid)
}

func (s *service) requireUsed(l link) {
	s.t.Helper()
	live, says := s.inspect(l)
	require.False(s.t, live, says)
	require.Contains(s.t, says, "used")
	require.True(s.t, s.record(l).consumed.Valid)
}
