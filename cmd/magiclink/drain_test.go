package main_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A proxy that asks /readyz learns of the end before a request is refused.
func TestDrain(t *testing.T) {
	t.Parallel()
	const drain = 2 * time.Second
	p := serve(t, t.TempDir(), testClient, "-drain", drain.String())
	token := p.token()
	require.Equal(t, http.StatusOK, p.get("/readyz").status)
	require.False(t, closes(t, p), "the control")

	began := time.Now()
	p.Signal(syscall.SIGTERM)
	p.eventually(func() bool { return p.get("/readyz").status == http.StatusServiceUnavailable }, "it says that it ends")
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "it serves on")
	require.Equal(t, http.StatusOK, p.get("/healthz").status, "it is alive")
	require.True(t, closes(t, p), "no connection outlasts it")
	<-p.Exited()
	require.GreaterOrEqual(t, time.Since(began), drain)
	require.Zero(t, p.ExitCode())
	require.Contains(t, p.errors(), "draining: /readyz is 503 from now on")
}

// closes reports whether the answer to a request ends its connection.
func closes(t *testing.T, p *process) bool {
	t.Helper()
	answer, err := http.Get(p.origin + "/healthz")
	require.NoError(t, err)
	defer answer.Body.Close()
	return answer.Close
}

func TestDrainHasBounds(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"-1s", "11m"} {
		got := command(t, t.TempDir(), nil, "serve", "-addr", "127.0.0.1:0", "-drain", wrong)
		require.Equal(t, 2, got.code)
		require.True(t, strings.Contains(got.stderr, "-drain must be 0s to 10m0s"), got.stderr)
	}
}
