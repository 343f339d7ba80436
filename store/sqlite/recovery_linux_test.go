//go:build cgo

package sqlite_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// mountSmall mounts a file system of 2 MB on a new directory. Where that is not permitted it skips the test, except
// in CI.
func mountSmall(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=700,size=2m"); err != nil {
		if os.Getenv("CI") == "true" {
			require.NoError(t, err, "CI has to be able to mount a file system")
		}
		t.Skipf("cannot mount a file system: %v", err)
	}
	t.Cleanup(func() { require.NoError(t, syscall.Unmount(dir, 0)) })
	return dir
}

func remount(t *testing.T, dir string, flags uintptr) {
	t.Helper()
	require.NoError(t, syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|flags, ""))
}

// A connection that is opened while the file system is read-only stays read-only for ever.
func TestRecoversFromReadOnly(t *testing.T) {
	dir := mountSmall(t)
	s := open(t, filepath.Join(dir, "links.db")) // it holds no connection before its first call
	remount(t, dir, syscall.MS_RDONLY)
	require.Error(t, s.Ping(t.Context()))
	err := s.Create(t.Context(), liveRecord(1))
	require.Error(t, err)
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	_, err = s.Get(t.Context(), liveRecord(1).ID)
	require.Error(t, err)

	remount(t, dir, 0)
	requireAbsent(t, s, 1)
	create(t, s, 1)
	requirePresent(t, s, 1)
	require.NoError(t, s.Ping(t.Context()))
}

func TestRecoversFromAFullDisk(t *testing.T) {
	dir := mountSmall(t)
	s := open(t, filepath.Join(dir, "links.db"))
	create(t, s, 0)
	filler := fill(t, dir)

	failed := 0
	var err error
	for n := 1; err == nil; n++ { // the log may still have some room
		failed = n
		err = s.Create(t.Context(), liveRecord(n))
	}
	failure := sqlite3.Error{}
	require.ErrorAs(t, err, &failure)
	require.Equal(t, sqlite3.ErrFull, failure.Code)
	for n := range failed {
		requirePresent(t, s, n)
	}

	require.NoError(t, os.Remove(filler))
	if !errors.Is(err, magiclink.ErrUnknownOutcome) {
		requireAbsent(t, s, failed)
	}
	create(t, s, failed+1)
	requirePresent(t, s, failed+1)
}

// fill uses up the space of the file system.
func fill(t *testing.T, dir string) (filler string) {
	t.Helper()
	filler = filepath.Join(dir, "filler")
	file, err := os.Create(filler)
	require.NoError(t, err)
	defer func() { require.NoError(t, file.Close()) }()
	_, err = io.Copy(file, endless{})
	require.ErrorIs(t, err, syscall.ENOSPC)
	return filler
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }
