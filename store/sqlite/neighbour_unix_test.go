//go:build cgo && unix

package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/store/sqlite"
)

// A file with two names would have two logs, and each would accept a link once. A symbolic link is no second name.
func TestSeveralNames(t *testing.T) {
	path := newPath(t)
	first := open(t, path)
	create(t, first, 1)
	beside := func(name string) string { return filepath.Join(filepath.Dir(path), name) }
	require.NoError(t, os.Symlink(path, beside("symbolic.db")))
	require.NoError(t, os.Symlink(filepath.Dir(path), beside("directory")))
	for _, name := range []string{"symbolic.db", "directory/" + filepath.Base(path)} {
		second := open(t, beside(name))
		requirePresent(t, second, 1)
		_, err := second.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
		if name != "symbolic.db" {
			require.Error(t, err, "the link was used by the other name")
			continue
		}
		require.NoError(t, err)
	}

	require.NoError(t, os.Link(path, beside("hard.db")))
	for _, name := range []string{path, beside("hard.db"), beside("symbolic.db")} {
		_, err := sqlite.Open(name)
		require.ErrorContains(t, err, "the file has 2 names (hard links)", name)
		_, err = sqlite.New(pool(t, "file:"+name))
		require.ErrorContains(t, err, "remove all names but one", name)
	}
	create(t, first, 2) // it has the one log

	require.NoError(t, os.Remove(beside("hard.db")))
	requirePresent(t, open(t, path), 2)
}

// A program can leave WAL while the store has no connection open. The next write brings it back.
func TestModeThatAnotherProgramHasChanged(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	require.Equal(t, "delete", journalMode(t, path, " = DELETE"))
	require.Equal(t, "delete", journalMode(t, path, ""))
	create(t, s, 1)
	require.Equal(t, "wal", journalMode(t, path, ""))
}

func journalMode(t *testing.T, path, change string) (mode string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA journal_mode"+change).Scan(&mode))
	require.NoError(t, db.Close())
	return mode
}

// The log grows while another program reads without an end, and is cut afterwards.
func TestLogAfterALongRead(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	create(t, s, 0)
	db := pool(t, path)
	reading, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	var links int
	require.NoError(t, reading.QueryRowContext(t.Context(), "SELECT count(*) FROM magiclink_links").Scan(&links))

	const limit = 32 << 20
	large := strings.Repeat("x", 1<<20)
	write := func(number int) {
		r := liveRecord(number)
		r.Extension = large
		require.NoError(t, s.Create(t.Context(), r))
	}
	for number := range 40 {
		write(number + 1)
	}
	require.Greater(t, logSize(t, path), int64(limit), "the control: the read has kept the log")
	require.NoError(t, reading.Rollback())
	write(41) // moves the log back
	write(42) // begins it anew
	require.LessOrEqual(t, logSize(t, path), int64(limit))
}

func logSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	require.NoError(t, err)
	return info.Size()
}

// A read inside a transaction of the application, which has the last connection of the pool, does not wait for ever.
func TestReadWithoutAConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		prepared, err := sqlite.Open(path)
		require.NoError(t, err)
		require.NoError(t, prepared.Close())
		db, err := sql.Open("sqlite3", "file:"+path+"?_txlock=immediate")
		require.NoError(t, err)
		defer db.Close()
		db.SetMaxOpenConns(2)
		s, err := sqlite.New(db)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		create(t, s, 1)
		requirePresent(t, s, 1)
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)

		for name, read := range map[string]func(context.Context) error{
			"get":  func(ctx context.Context) error { _, err := s.Get(ctx, liveRecord(1).ID); return err },
			"list": func(ctx context.Context) error { _, err := s.Indexes(ctx); return err },
		} {
			started := time.Now()
			require.ErrorContains(t, read(context.Background()), "raise SetMaxOpenConns", name)
			require.InDelta(t, 2, time.Since(started).Seconds(), 0.1)
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			started = time.Now()
			require.ErrorIs(t, read(ctx), context.DeadlineExceeded)
			require.InDelta(t, 0.05, time.Since(started).Seconds(), 0.02)
			cancel()
		}
		time.AfterFunc(time.Second, func() { _ = tx.Rollback() })
		requirePresent(t, s, 1)
	})
}

// Two goroutines that use the store of one transaction get their own records, although the documentation asks for one.
func TestInTxOfSeveralGoroutines(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	const goroutines, links = 4, 200
	tx := begin(t, db)
	in := s.InTx(tx)
	for number := range goroutines * links {
		create(t, in, number)
	}
	var group sync.WaitGroup
	wrong := make(chan string, 2*goroutines*links)
	for goroutine := range goroutines {
		group.Go(func() {
			for n := range links {
				id := liveRecord(goroutine*links + n).ID
				if got, err := in.Consume(t.Context(), id, time.Now(), ""); err != nil || got.ID != id {
					wrong <- fmt.Sprintf("use %s: %s %v", id, got.ID, err)
				}
				if got, err := in.Get(t.Context(), id); err != nil || got.ID != id {
					wrong <- fmt.Sprintf("get %s: %s %v", id, got.ID, err)
				}
			}
		})
	}
	group.Wait()
	close(wrong)
	for each := range wrong {
		require.Fail(t, "another link's answer", each)
	}
	require.NoError(t, tx.Commit())
}
