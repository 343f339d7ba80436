//go:build cgo

package sqlite_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

func TestReopenKeepsEverything(t *testing.T) {
	path := newPath(t)
	want := liveRecord(1)
	s := open(t, path)
	require.NoError(t, s.Create(t.Context(), want))
	want.ConsumedAt = want.CreatedAt.Add(time.Second)
	_, err := s.Consume(t.Context(), want.ID, want.ConsumedAt, "")
	require.NoError(t, err)
	want.RevokedAt = want.CreatedAt.Add(time.Minute)
	require.NoError(t, s.Revoke(t.Context(), want.ID, want.RevokedAt))
	require.NoError(t, s.Close())

	got, err := open(t, path).Get(t.Context(), want.ID)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestPathsAreTakenLiterally(t *testing.T) {
	for _, name := range []string{
		"with space.db", "what?.db", "a#b.db", "100%.db", "%41.db", "a&b=c.db", "?mode=memory", "ü.db", "'quoted\".db", "+.db",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			create(t, open(t, filepath.Join(dir, name)), 1)
			entries, err := os.ReadDir(dir)
			require.NoError(t, err)
			var names []string
			for _, entry := range entries {
				names = append(names, entry.Name())
			}
			require.ElementsMatch(t, []string{name, name + "-wal", name + "-shm"}, names)
		})
	}
}

func TestRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	create(t, open(t, "links.db"), 1)
	require.FileExists(t, "links.db")
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	path := newPath(t)
	create(t, open(t, path), 1)
	for _, suffix := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(path + suffix)
		require.NoError(t, err)
		require.Equal(t, fs.FileMode(0o600), info.Mode().Perm(), "mode of links.db%s", suffix)
	}
}

func TestOpenRefusesWhatIsNoPath(t *testing.T) {
	for path, hint := range map[string]string{
		"":                                 "the path is empty",
		":memory:":                         "store/memory",
		"file:links.db?cache=shared":       "use New",
		filepath.Dir(newPath(t)):           "is a directory",
		filepath.Join(newPath(t), "x"):     "does not exist",
		filepath.Join(newPath(t), "x\x00"): "invalid",
	} {
		_, err := sqlite.Open(path)
		require.ErrorContains(t, err, hint)
		require.ErrorContains(t, err, "magiclink/sqlite: open")
	}
}

func TestOpenRefusesAndLeavesUntouched(t *testing.T) {
	const foreign = "CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('x');"
	for _, test := range []struct{ name, statements, content, hint string }{
		{name: "a text", content: "hello", hint: "not a database"},
		{name: "a long text", content: string(make([]byte, 100_000)) + "x", hint: "not a database"},
		{name: "tables of another application", statements: foreign, hint: "another application"},
		{name: "tables of another application in WAL", statements: "PRAGMA journal_mode=WAL;" + foreign, hint: "another application"},
		{name: "the mark of another application", statements: "PRAGMA application_id=7; PRAGMA user_version=1", hint: "another application"},
		{
			name:       "a newer schema",
			statements: "CREATE TABLE magiclink_schema (version INTEGER); INSERT INTO magiclink_schema VALUES (99)",
			hint:       "upgrade the package",
		},
		{
			name:       "a schema that was never released",
			statements: "CREATE TABLE magiclink_schema (version INTEGER); INSERT INTO magiclink_schema VALUES (1)",
			hint:       "never released",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := newPath(t)
			if test.content != "" {
				require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			} else {
				run(t, path, test.statements)
			}
			before, err := os.ReadFile(path)
			require.NoError(t, err)

			_, err = sqlite.Open(path)
			require.ErrorContains(t, err, test.hint)

			after, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, before, after)
			entries, err := os.ReadDir(filepath.Dir(path))
			require.NoError(t, err)
			require.Len(t, entries, 1, "nothing is left beside the file")
		})
	}
}

func TestEmptyFileIsTaken(t *testing.T) {
	path := newPath(t)
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	create(t, open(t, path), 1)
}

// Many openers of one new file, each with connections of its own as separate processes have them.
func TestOpenTogether(t *testing.T) {
	const rounds, openers = 20, 4
	for range rounds {
		path := newPath(t)
		stores, errs := make([]*sqlite.Store, openers), make([]error, openers)
		var group sync.WaitGroup
		for i := range openers {
			group.Go(func() { stores[i], errs[i] = sqlite.Open(path) })
		}
		group.Wait()
		for i := range openers {
			require.NoError(t, errs[i])
			create(t, stores[i], i)
			requirePresent(t, stores[0], i)
		}
		for i := range openers {
			require.NoError(t, stores[i].Close())
		}
	}
}

// A write to a database that has disappeared must not go to a new, empty one.
func TestFileDisappears(t *testing.T) {
	path := newPath(t)
	s := open(t, path) // it holds no connection before its first call
	require.NoError(t, os.Remove(path))
	require.Error(t, s.Create(t.Context(), liveRecord(1)))
	require.NoFileExists(t, path)
}

func TestNewSharesADatabase(t *testing.T) {
	path := newPath(t)
	db := pool(t, path)
	_, err := db.ExecContext(t.Context(), `PRAGMA application_id = 7; PRAGMA user_version = 42;
		CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('kept')`)
	require.NoError(t, err)
	s, err := sqlite.New(db)
	require.NoError(t, err)
	create(t, s, 1)
	require.NoError(t, s.Close())

	var name string
	var id, version int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT name FROM users").Scan(&name), "Close leaves the pool open")
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA application_id").Scan(&id))
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA user_version").Scan(&version))
	require.Equal(t, []any{"kept", 7, 42}, []any{name, id, version}, "what the application has set stays")
	requirePresent(t, open(t, path), 1)
}

func TestNewRefuses(t *testing.T) {
	_, err := sqlite.New(nil)
	require.ErrorContains(t, err, "magiclink/sqlite: new: the database is nil")

	narrow := pool(t, newPath(t))
	narrow.SetMaxOpenConns(1)
	_, err = sqlite.New(narrow)
	require.ErrorContains(t, err, "two or more")

	for _, name := range []string{":memory:", "file:x?mode=memory&cache=shared"} {
		_, err = sqlite.New(pool(t, name))
		require.ErrorContains(t, err, "store/memory")
	}

	for _, mode := range []string{"DELETE", "TRUNCATE", "PERSIST", "MEMORY", "OFF"} {
		_, err = sqlite.New(pool(t, newPath(t)+"?_journal="+mode))
		require.ErrorContains(t, err, "remove _journal_mode", mode)
	}
	_, err = sqlite.New(pool(t, newPath(t)+"?_journal=WAL"))
	require.NoError(t, err)

	path := newPath(t)
	run(t, path, "CREATE TABLE magiclink_schema (version INTEGER); INSERT INTO magiclink_schema VALUES (99)")
	_, err = sqlite.New(pool(t, path))
	require.ErrorContains(t, err, "upgrade the package")
}

func TestClose(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	create(t, s, 1)
	require.NoError(t, s.Close())
	require.NoError(t, s.Close())
	require.NoFileExists(t, path+"-wal", "the last to close moves the log into the database")

	_, getErr := s.Get(t.Context(), liveRecord(1).ID)
	_, consumeErr := s.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	_, purgeErr := s.Purge(t.Context(), time.Now(), 1)
	for name, err := range map[string]error{
		"create":  s.Create(t.Context(), liveRecord(2)),
		"get":     getErr,
		"consume": consumeErr,
		"revoke":  s.Revoke(t.Context(), liveRecord(1).ID, time.Now()),
		"purge":   purgeErr,
		"ping":    s.Ping(t.Context()),
	} {
		require.ErrorIs(t, err, sqlite.ErrClosed)
		require.EqualError(t, err, "magiclink/sqlite: "+name+": the store is closed")
	}
}

// Calls that meet Close are carried out or refused, and those that were acknowledged are there.
func TestCloseBesideWrites(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	const writers = 16
	acknowledged := make([]bool, writers)
	started := make(chan struct{}, writers)
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			started <- struct{}{}
			err := s.Create(t.Context(), liveRecord(i))
			acknowledged[i] = err == nil
			if err != nil {
				require.ErrorIs(t, err, sqlite.ErrClosed)
			}
		})
	}
	<-started
	require.NoError(t, s.Close())
	group.Wait()

	s = open(t, path)
	for i, yes := range acknowledged {
		_, err := s.Get(t.Context(), liveRecord(i).ID)
		if yes {
			require.NoError(t, err)
		} else {
			require.ErrorIs(t, err, magiclink.ErrNotFound)
		}
	}
}

func TestZeroTimeIsRefused(t *testing.T) {
	s := open(t, newPath(t))
	create(t, s, 1)
	_, err := s.Consume(t.Context(), liveRecord(1).ID, time.Time{}, "")
	require.EqualError(t, err, "magiclink/sqlite: consume: the time is zero: pass the time of the redemption")
	require.EqualError(t, s.Revoke(t.Context(), liveRecord(1).ID, time.Time{}), "magiclink/sqlite: revoke: the time is zero: pass the time of the revocation")
	_, err = s.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.NoError(t, err, "the refused calls have changed nothing")
}
