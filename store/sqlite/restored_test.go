//go:build cgo

package sqlite_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

const restoreIt = "restore it from a backup"

// A copy that SQLite makes of a database in use has everything that was acknowledged. A copy of the file alone lacks what is in
// the log.
func TestBackup(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	create(t, s, 1, 2)
	used := liveRecord(1)
	_, err := s.Consume(t.Context(), used.ID, used.CreatedAt, "")
	require.NoError(t, err)
	copied := newPath(t)
	run(t, path, fmt.Sprintf("VACUUM INTO '%s'", copied))
	_, err = s.Consume(t.Context(), liveRecord(2).ID, used.CreatedAt, "")
	require.NoError(t, err)

	restored := open(t, copied)
	_, err = restored.Consume(t.Context(), used.ID, used.CreatedAt, "")
	require.ErrorIs(t, err, magiclink.ErrConsumed)
	_, err = restored.Consume(t.Context(), liveRecord(2).ID, used.CreatedAt, "")
	require.NoError(t, err, "the control: the copy is from before that use")
}

// SQLite takes a log that was left beside the file for the log of whatever file is there.
func TestBackupBesideTheLogOfAnotherCopy(t *testing.T) {
	path := newPath(t)
	require.NoError(t, open(t, path).Close())
	backup := read(t, path)
	const fill = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO magiclink_links
		SELECT 'x'||i, 't', '', '', '', '', 60, x'', 0, 4e12, NULL, 4e12 FROM n; PRAGMA wal_checkpoint(TRUNCATE)`
	s := open(t, path)
	run(t, path, fill)
	create(t, s, 1)
	log := read(t, path+"-wal")
	require.NotEmpty(t, log)
	require.NoError(t, s.Close())

	require.NoError(t, os.WriteFile(path, backup, 0o600))
	require.NoError(t, os.WriteFile(path+"-wal", log, 0o600))
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "the log beside it belongs to another copy")
	require.ErrorContains(t, err, restoreIt)

	require.NoError(t, os.WriteFile(path, backup, 0o600))
	require.NoError(t, os.Remove(path+"-wal"))
	create(t, open(t, path), 1)
}

func TestDamagedDatabase(t *testing.T) {
	const page = 4096
	for name, damage := range map[string]func([]byte) []byte{
		"truncated":      func(file []byte) []byte { return file[:page+100] },
		"a wrong schema": func(file []byte) []byte { return append(file[:100], bytes.Repeat([]byte{0xFF}, len(file)-100)...) },
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			require.NoError(t, open(t, path).Close())
			require.NoError(t, os.WriteFile(path, damage(read(t, path)), 0o600))
			_, err := sqlite.Open(path)
			require.ErrorContains(t, err, restoreIt)
		})
	}
}

// Damage that opening does not meet is told by the calls that meet it.
func TestDamagedTable(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	create(t, s, 1)
	require.NoError(t, s.Close())
	var root int
	require.NoError(t, pool(t, path).QueryRow("SELECT rootpage FROM sqlite_schema WHERE name = 'magiclink_links'").Scan(&root))
	file := read(t, path)
	copy(file[(root-1)*4096:], bytes.Repeat([]byte{0xFF}, 4096))
	require.NoError(t, os.WriteFile(path, file, 0o600))

	s = open(t, path)
	_, err := s.Get(t.Context(), liveRecord(1).ID)
	require.ErrorContains(t, err, restoreIt)
	require.ErrorContains(t, s.Create(t.Context(), liveRecord(2)), restoreIt)
	_, err = s.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.ErrorContains(t, err, restoreIt)
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
}

// A file beside the database that cannot be made, as on a file system that is read-only.
func TestDirectoryThatCannotBeWritten(t *testing.T) {
	path := newPath(t)
	require.NoError(t, open(t, path).Close())
	require.NoError(t, os.Mkdir(path+"-wal", 0o700))
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "let the user of this process write the file and its directory: unable to open database file")
	require.NoError(t, os.Remove(path+"-wal"))
	create(t, open(t, path), 1)
}

// A database of an older version that comes into an open store, as by the command .restore of sqlite3, is an outage until it is
// opened anew.
func TestOlderVersionUnderAnOpenStore(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	create(t, s, 1)
	run(t, path, "DROP TABLE magiclink_limits; UPDATE magiclink_schema SET version = 3")
	require.ErrorContains(t, s.Ping(t.Context()), "the schema has version 3 instead of 4: open the database anew")
	open(t, path)
	require.NoError(t, s.Ping(t.Context()))
	requirePresent(t, s, 1)
}

// A call that has failed leaves the lock of the database to other processes, although no further call follows: a program of
// before an upgrade would stop the one of after it.
func TestFailedCallFreesTheLock(t *testing.T) {
	for name, test := range map[string]struct {
		statements string
		call       func(*sqlite.Store) error
	}{
		"a newer version": {"UPDATE magiclink_schema SET version = 99", func(s *sqlite.Store) error { return s.Ping(t.Context()) }},
		"a failing trigger": {
			"CREATE TRIGGER refuse BEFORE INSERT ON magiclink_links BEGIN SELECT RAISE(ABORT, 'refused'); END",
			func(s *sqlite.Store) error { return s.Create(t.Context(), liveRecord(2)) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := newPath(t)
			s := open(t, path)
			create(t, s, 1)
			run(t, path, test.statements)
			require.Error(t, test.call(s))
			run(t, path+"?_busy_timeout=0", "DELETE FROM magiclink_limits")
		})
	}
}

func TestEmptyVersion(t *testing.T) {
	path := newPath(t)
	require.NoError(t, open(t, path).Close())
	run(t, path, "DELETE FROM magiclink_schema")
	_, err := sqlite.Open(path)
	require.ErrorContains(t, err, "the table magiclink_schema is empty: restore the database from a backup")
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Clean(path))
	require.NoError(t, err)
	return content
}
