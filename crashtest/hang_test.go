package crashtest_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/servetest"
)

const (
	hang     = 8 * time.Second
	deadline = 5 * time.Second // of a request
)

// TestHangingDisk lets a sync take longer than the deadline of a request. All are answered at their deadline, the one too
// that began the write.
func TestHangingDisk(t *testing.T) {
	t.Parallel()
	d, b := newDisk(t), newBook()
	s := serve(t, t.TempDir(), d.under)
	requireAll(t, http.StatusCreated, b.issue(t, s, 8))
	doubtful := b.ids(4)

	d.fail("sync-hang")
	time.AfterFunc(hang, func() { d.heal("sync-hang") })
	answers := atOnce(12, func(n int) servetest.Answer {
		if n < len(doubtful) {
			return s.Redeem(b.links[doubtful[n]])
		}
		return s.issue()
	})
	for n, a := range answers {
		t.Logf("after %v: %d %s", a.Took.Round(100*time.Millisecond), a.Status, a.Body[:min(60, len(a.Body))])
		require.Less(t, a.Took, deadline+time.Second)
		require.Equal(t, http.StatusServiceUnavailable, a.Status)
		require.NotEmpty(t, a.Header.Get("Retry-After"))
		if n >= len(doubtful) {
			b.refused++
		}
	}
	requireAll(t, http.StatusCreated, b.issue(t, s, 8))
	b.settle(t, s, doubtful)
}

// TestReadsDuringAHang: reads wait for no writer. A service that cannot write is not ready.
func TestReadsDuringAHang(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := serve(t, t.TempDir(), d.under)
	page := strings.TrimPrefix(s.issue().Text(t, "magic_link"), strings.TrimSuffix(baseURL, "/magic"))
	d.fail("sync-hang")
	written := make(chan servetest.Answer, 1)
	go func() { written <- s.issue() }()
	for range 20 {
		got := s.Send(http.MethodGet, page, "")
		require.Equal(t, http.StatusOK, got.Status)
		require.Less(t, got.Took, time.Second)
	}
	require.Equal(t, http.StatusServiceUnavailable, s.Send(http.MethodGet, "/readyz", "").Status)
	d.heal("sync-hang")
	require.NotZero(t, (<-written).Status)
}

// TestStopDuringAHang stops a service whose disk does not answer. It does not wait for the disk for ever.
func TestStopDuringAHang(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := serve(t, t.TempDir(), d.under)
	require.Equal(t, http.StatusCreated, s.issue().Status)
	d.fail("sync-hang")
	go s.issue()
	require.Eventually(t, func() bool { return d.hangs() }, 30*time.Second, time.Millisecond)
	begun := time.Now()
	s.Signal(syscall.SIGTERM)
	<-s.Exited()
	t.Logf("stopped after %v", time.Since(begun).Round(100*time.Millisecond))
	require.Less(t, time.Since(begun), deadline)
	require.Zero(t, s.ExitCode(), s.Stderr())
}
