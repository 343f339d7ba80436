package sqlite_test

import (
	"context"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// The mode of the files is what anyone can change; a read-only file system and the immutable attribute are found by the
// same check. Without it the process dies of a signal at the next write to the mapped file.
func TestRecoversFromReadOnlyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "links.db")
	s := open(t, path)
	create(t, s, 0)
	for number, suffix := range []string{"", "-wal", "-shm"} {
		require.NoError(t, os.Chmod(path+suffix, 0o400))
		err := s.Create(context.Background(), liveRecord(number+1))
		require.ErrorIs(t, err, syscall.EACCES)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)

		_, err = s.Get(context.Background(), liveRecord(0).ID)
		require.Equal(t, suffix == "-shm", err != nil, "reading needs the mapped file alone")

		require.NoError(t, os.Chmod(path+suffix, 0o600))
		requireAbsent(t, s, number+1)
		create(t, s, number+1)
		requirePresent(t, s, number+1)
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
