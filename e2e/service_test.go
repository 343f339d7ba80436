package e2e_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
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

// service is a running "magiclink serve".
type service struct {
	*servetest.Process
	t    *testing.T
	data string // the data directory
}

// start serves on a free port, with a data directory of its own. Flags of serve may be added.
func start(t *testing.T, flags ...string) *service {
	t.Helper()
	return startIn(t, t.TempDir(), flags...)
}

// startIn serves from a data directory. Without -base-url the links lead to the port that is listened on. The service has
// to end well when the test has ended.
func startIn(t *testing.T, data string, flags ...string) *service {
	t.Helper()
	s := &service{t: t, data: data, Process: servetest.Start(t, servetest.Config{
		Args: append([]string{"-data", data}, flags...), Env: servetest.ClientEnv(),
	})}
	t.Cleanup(func() {
		if code := s.Stop(syscall.SIGTERM); code != 0 {
			t.Errorf("serve ended with code %d", code)
		}
		if t.Failed() {
			t.Log(s.Stderr())
		}
	})
	return s
}

// posts counts the POST requests to the redemption page that were answered with a status, or with any if that is empty.
func (s *service) posts(status string) int {
	count := 0
	for line := range strings.Lines(s.Stderr()) {
		if strings.Contains(line, "method=POST route=/magic/{path...} status="+status) {
			count++
		}
	}
	return count
}

// inspect asks the command, in a process of its own, whether a link can be used.
func (s *service) inspect(l link) (live bool, says string) {
	s.t.Helper()
	got := servetest.Run(s.t, "", nil, "redeem", "-inspect", "-data", s.data, "-base-url", s.BaseURL, l.url)
	return got.Code == 0, got.Stdout + got.Stderr
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
