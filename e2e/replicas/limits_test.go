package replicas_test

import (
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

// Three processes, whose clocks differ by seconds, issue no more links for one person than one process, and remember that when all of
// them have started again.
func TestLimitOfThreeProcesses(t *testing.T) {
	const burst = 40
	onEachStore(t, func(t *testing.T, store string) {
		f := start(t, store, "-limit-subject", "40/100h")
		require.Equal(t, burst, f.issueAtOnce(size(3000, 300)))
		for i := range f.replicas {
			require.Zero(t, f.replicas[i].Stop(syscall.SIGTERM))
			f.serve(i)
		}
		require.Zero(t, f.issueAtOnce(30))
	})
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
