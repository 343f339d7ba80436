package crashtest_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestFailingDisk lets the log fail under load. The service recovers by itself, or is killed and started again.
func TestFailingDisk(t *testing.T) {
	for _, fault := range []string{"sync-eio", "write-enospc", "write-torn"} {
		for _, kill := range []bool{false, true} {
			name := fault + ", recovers"
			if kill {
				name = fault + ", is killed"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				failDisk(t, fault, kill)
			})
		}
	}
}

func failDisk(t *testing.T, fault string, kill bool) {
	d, data, b := newDisk(t), t.TempDir(), newBook()
	s := serve(t, data, d.under)
	for range 4 {
		b.issue(t, s, 8)
	}
	require.Len(t, b.links, 32)
	b.redeem(s, b.ids(8))
	require.Len(t, b.redeemed, 8)

	d.fail(fault)
	requireAll(t, http.StatusServiceUnavailable, b.issue(t, s, 8))
	doubtful := b.ids(6)
	// Of two redemptions one may find the link used by the other, whose outcome is unknown. Nobody is let in.
	require.NotContains(t, b.redeem(s, slices.Concat(doubtful, doubtful)), http.StatusOK)
	requireAll(t, http.StatusServiceUnavailable, b.issue(t, s, 8))
	require.Less(t, b.slowest, 6*time.Second)
	if kill {
		s.Kill()
		d.heal(fault)
		s = serve(t, data, d.under)
	} else {
		d.heal(fault)
	}
	requireAll(t, http.StatusCreated, b.issue(t, s, 8))
	b.settle(t, s, doubtful)
}

func requireAll(t *testing.T, status int, statuses []int) {
	t.Helper()
	for _, each := range statuses {
		require.Equal(t, status, each)
	}
}

// TestFullDisk fills a small file system under the service, kills it, and starts it while there is no space and after
// there is some again.
func TestFullDisk(t *testing.T) {
	for _, kill := range []bool{false, true} {
		name := map[bool]string{false: "recovers", true: "is killed"}[kill]
		t.Run(name, func(t *testing.T) {
			small := mount(t, "2m")
			b := newBook()
			s := serve(t, small, nil)
			b.issue(t, s, 8)
			require.Len(t, b.links, 8)
			ballast := fill(t, small)
			for range 500 { // until the space that the log has in reserve is used up
				if slices.Contains(b.issue(t, s, 8), http.StatusServiceUnavailable) {
					break
				}
			}
			require.NotZero(t, b.refused)
			if kill {
				s.Kill()
				full := launch(t, small, nil)
				t.Logf("started on a full disk: listens=%t, %s", full.Origin != "", full.Stderr())
				full.Kill()
			}
			require.NoError(t, os.Remove(ballast))
			if kill {
				s = serve(t, small, nil)
			}
			requireAll(t, http.StatusCreated, b.issue(t, s, 8))
			b.settle(t, s, nil)
			t.Logf("%d links acknowledged, %d answered with 503", len(b.links), b.refused)
		})
	}
}

func mount(t *testing.T, size string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "mode=700,size="+size); err != nil {
		missing(t, "the right to mount a file system", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(folder, syscall.MNT_DETACH)) })
	return folder
}

// fill takes all the space that is left.
func fill(t *testing.T, folder string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(folder, "ballast")
	file, err := os.Create(ballast)
	require.NoError(t, err)
	defer file.Close()
	_, err = io.Copy(file, zeros{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	return ballast
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
