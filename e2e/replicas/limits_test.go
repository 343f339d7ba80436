package replicas_test

import (
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/internal/servetest"
)

// server is one that a test may kill.
type server interface {
	URL() string
	Stop(t testing.TB)
	Start(t testing.TB)
}

// lastingServers keep what they have acknowledged when they are killed.
var lastingServers = map[string]func(t *testing.T) server{
	"postgres": func(t *testing.T) server {
		s := dbtest.StartPostgres(t)
		got := servetest.Run(t, "", nil, "migrate", "-store", s.URL())
		require.Zero(t, got.Code, got.Stderr)
		return s
	},
	"redis": func(t *testing.T) server { return dbtest.StartRedis(t, "appendonly yes", "appendfsync always") },
}

// Three processes, whose clocks differ by seconds, issue no more links for one person than one process. The count outlives a crash of the
// server that keeps it, and the end of all processes.
func TestLimitOfThreeProcesses(t *testing.T) {
	const burst, before = 40, 25
	for name, startServer := range lastingServers {
		t.Run(name, func(t *testing.T) {
			server := startServer(t)
			f := start(t, server.URL(), "-limit-subject", "40/100h")
			require.Equal(t, before, f.issueAtOnce(before))
			server.Stop(t)
			server.Start(t)
			f.awaitReady()
			require.Equal(t, burst-before, f.issueAtOnce(size(3000, 300)))
			for i := range f.replicas {
				require.Zero(t, f.replicas[i].Stop(syscall.SIGTERM))
				f.serve(i)
			}
			require.Zero(t, f.issueAtOnce(30))
		})
	}
}

// awaitReady waits until all replicas reach their store.
func (f *fleet) awaitReady() {
	f.t.Helper()
	for _, replica := range f.replicas {
		require.Eventually(f.t, func() bool {
			return replica.Send(http.MethodGet, "/readyz", "").Status == http.StatusOK
		}, patience, 10*time.Millisecond)
	}
}

// issueAtOnce asks for links for one person at all replicas, and returns how many were issued.
func (f *fleet) issueAtOnce(requests int) int {
	f.t.Helper()
	var issued atomic.Int64
	token := f.token()
	together(60, requests, func(n int) {
		switch got := issue(f.replicas[n%3].Origin, token); got.Status {
		case http.StatusCreated:
			issued.Add(1)
		case http.StatusTooManyRequests:
			if got.Header.Get("Retry-After") == "" {
				f.t.Errorf("429 without Retry-After")
			}
		default:
			f.t.Errorf("answered %d %s %v", got.Status, got.Body, got.Err)
		}
	})
	return int(issued.Load())
}
