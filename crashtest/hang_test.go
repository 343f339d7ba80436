package crashtest_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
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
	answers := atOnce(12, func(n int) answer {
		if n < len(doubtful) {
			return s.redeem(b.links[doubtful[n]])
		}
		return s.issue()
	})
	for n, a := range answers {
		t.Logf("after %v: %d %s", a.took.Round(100*time.Millisecond), a.status, a.text[:min(60, len(a.text))])
		require.Less(t, a.took, deadline+time.Second)
		require.Equal(t, http.StatusServiceUnavailable, a.status)
		require.NotEmpty(t, a.retryAfter)
		if n >= len(doubtful) {
			b.refused++
		}
	}
	requireAll(t, http.StatusCreated, b.issue(t, s, 8))
	b.settle(t, s, doubtful)
}

// TestReadsDuringAHang: reads wait for no writer.
func TestReadsDuringAHang(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := serve(t, t.TempDir(), d.under)
	require.Equal(t, http.StatusCreated, s.issue().status)
	d.fail("sync-hang")
	written := make(chan answer, 1)
	go func() { written <- s.issue() }()
	for range 20 {
		r, err := http.NewRequest(http.MethodGet, s.origin+"/readyz", nil)
		require.NoError(t, err)
		got := send(r, time.Now())
		require.Equal(t, http.StatusOK, got.status)
		require.Less(t, got.took, time.Second)
	}
	d.heal("sync-hang")
	require.Equal(t, http.StatusCreated, (<-written).status)
}

// TestStopDuringAHang stops a service whose disk does not answer. It does not wait for the disk for ever.
func TestStopDuringAHang(t *testing.T) {
	t.Parallel()
	d := newDisk(t)
	s := serve(t, t.TempDir(), d.under)
	require.Equal(t, http.StatusCreated, s.issue().status)
	d.fail("sync-hang")
	go s.issue()
	require.Eventually(t, func() bool { return d.hangs() }, 30*time.Second, time.Millisecond)
	begun := time.Now()
	require.NoError(t, syscall.Kill(s.pid(), syscall.SIGTERM))
	<-s.exited
	t.Logf("stopped after %v", time.Since(begun).Round(100*time.Millisecond))
	require.Less(t, time.Since(begun), deadline)
	require.Zero(t, s.cmd.ProcessState.ExitCode(), s.log())
}
