package main_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// requireOutage asserts that issuing is answered with 503 inside the handler's deadline of five seconds, and that the
// answer says when to come back and nothing about the cause.
func requireOutage(t *testing.T, p *process, token string) {
	t.Helper()
	start := time.Now()
	got := p.issue(token, acme)
	require.Less(t, time.Since(start), 6*time.Second)
	require.Equal(t, http.StatusServiceUnavailable, got.status, got.body)
	seconds, err := strconv.Atoi(got.header.Get("Retry-After"))
	require.NoError(t, err)
	require.Positive(t, seconds)
	require.JSONEq(t, `{"error":"temporarily unavailable, try again later","data":null}`, got.body)
	id := "request_id=" + got.header.Get("X-Request-Id")
	logged := func() bool { // it comes through a pipe
		for line := range strings.Lines(p.errors()) {
			if strings.Contains(line, "answered 503") && strings.Contains(line, id) {
				return true
			}
		}
		return false
	}
	require.Eventually(t, logged, 30*time.Second, 10*time.Millisecond)
}

func TestLockHeldByAnotherProcess(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	token := p.token()
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)

	release := hold(t, filepath.Join(folder, "magiclink-data", "magiclink.db"))
	requireOutage(t, p, token)
	require.Equal(t, http.StatusServiceUnavailable, p.get("/readyz").status, "as every issue is")
	release()
	require.Equal(t, http.StatusOK, p.get("/readyz").status)
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "it has recovered by itself")
}

// mountTmpfs mounts a file system of this size, which takes root: without it the test is skipped, except in CI.
func mountTmpfs(t *testing.T, size string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size="+size)
	if err != nil && os.Getenv("CI") == "" {
		t.Skipf("mount a tmpfs: %v", err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { syscall.Unmount(folder, syscall.MNT_DETACH) })
	return folder
}

func TestDatabaseFileGoesReadOnly(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	token := p.token()
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)

	for _, name := range []string{"magiclink.db", "magiclink.db-wal", "magiclink.db-shm"} {
		path := filepath.Join(folder, "magiclink-data", name)
		require.NoError(t, os.Chmod(path, 0o400))
		noticed := func() bool { return p.issue(token, acme).status != http.StatusCreated }
		require.Eventually(t, noticed, 30*time.Second, time.Millisecond)
		requireOutage(t, p, token)
		require.NoError(t, os.Chmod(path, 0o600))
		require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "it has recovered by itself")
	}
}

func TestDiskFull(t *testing.T) {
	folder := mountTmpfs(t, "1m")
	p := serve(t, folder, testClient)
	token := p.token()
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)

	ballast := fill(t, folder)
	full := false
	for range 5000 { // until the space that the database has in reserve is used up
		if full = p.issue(token, acme).status == http.StatusServiceUnavailable; full {
			break
		}
	}
	require.True(t, full)
	require.Equal(t, http.StatusServiceUnavailable, p.get("/readyz").status, "as every issue is")
	require.NoError(t, os.Remove(ballast))
	require.Equal(t, http.StatusOK, p.get("/readyz").status)
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "it has recovered by itself")
}

// fill takes all the space that is left.
func fill(t *testing.T, folder string) (ballast string) {
	t.Helper()
	ballast = filepath.Join(folder, "ballast")
	file, err := os.Create(ballast)
	require.NoError(t, err)
	defer file.Close()
	for _, size := range []int{1 << 16, 1 << 10, 1} {
		block := []byte(strings.Repeat("x", size))
		for err = nil; err == nil; _, err = file.Write(block) {
		}
		require.ErrorIs(t, err, syscall.ENOSPC)
	}
	return ballast
}
