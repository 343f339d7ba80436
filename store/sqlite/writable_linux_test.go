//go:build cgo

package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// The mode of the files is what anyone can change, and what root can write in spite of. That a file system is read-only is
// found at once: see TestRecoversFromReadOnly.
func TestRecoversFromReadOnlyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links.db")
	s := open(t, path)
	number := 0
	next := func() error {
		number++
		return s.Create(context.Background(), liveRecord(number))
	}
	require.NoError(t, next())
	for _, suffix := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.Chmod(path+suffix, 0o400))
		var err error
		noticed := func() bool { err = next(); return err != nil }
		require.Eventually(t, noticed, 30*time.Second, time.Millisecond)
		require.ErrorIs(t, err, syscall.EACCES)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)

		require.NoError(t, os.Chmod(path+suffix, 0o600))
		requireAbsent(t, s, number)
		require.NoError(t, next())
		requirePresent(t, s, number)
	}
}

func TestCloseOfAReadOnlyDatabaseLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links.db")
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	create(t, s, 0)
	require.NoError(t, os.Chmod(path, 0o400))
	require.ErrorIs(t, s.Close(), syscall.EACCES)
	require.NoError(t, os.Chmod(path, 0o600))
	requirePresent(t, open(t, path), 0)
}
