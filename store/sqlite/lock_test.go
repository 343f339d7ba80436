//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// lock takes the lock for writing as another process would. The returned function frees it.
func lock(t testing.TB, path string) (unlock func()) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	return sync.OnceFunc(func() {
		_, err := conn.ExecContext(context.Background(), "ROLLBACK")
		require.NoError(t, err)
		require.NoError(t, conn.Close())
		require.NoError(t, db.Close())
	})
}

// In the bubble of synctest the two seconds pass as soon as every goroutine waits.
func inBubble(t *testing.T, test func(t *testing.T, s *sqlite.Store, path string)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		path := newPath(t)
		s, err := sqlite.Open(path)
		require.NoError(t, err)
		defer func() { require.NoError(t, s.Close()) }()
		test(t, s, path)
	})
}

func TestLockHeldTooLong(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		create(t, s, 1)
		unlock := lock(t, path)
		defer unlock()
		started := time.Now()
		err := s.Create(t.Context(), liveRecord(2))
		waited := time.Since(started)
		failure := sqlite3.Error{}
		require.ErrorAs(t, err, &failure)
		require.Equal(t, sqlite3.ErrBusy, failure.Code)
		require.ErrorContains(t, err, "magiclink/sqlite: create: locked by another process")
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		require.GreaterOrEqual(t, waited, 2*time.Second)
		require.Less(t, waited, 3*time.Second)
		requirePresent(t, s, 1) // reads wait for no writer

		unlock()
		requireAbsent(t, s, 2)
		create(t, s, 2)
	})
}

func TestDeadlineShorterThanTheLock(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		unlock := lock(t, path)
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		started := time.Now()
		err := s.Create(ctx, liveRecord(1))
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		require.Less(t, time.Since(started), 100*time.Millisecond)
		unlock()
		requireAbsent(t, s, 1)
	})
}

func TestWaitingForALockEndsWithTheLock(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		unlock := lock(t, path)
		defer unlock()
		time.AfterFunc(time.Second, unlock)
		started := time.Now()
		create(t, s, 1)
		require.Less(t, time.Since(started), 1100*time.Millisecond)
	})
}

// While the lock is held the first caller leads and the others wait behind it. Each leaves when its own time is up, the
// leader too; the last is still there when the lock is freed.
func TestWaitersLeaveOneByOne(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		unlock := lock(t, path)
		defer unlock()
		const callers = 8
		started := time.Now()
		var group sync.WaitGroup
		call := func(i int) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(100+100*i)*time.Millisecond)
			defer cancel()
			err := s.Create(ctx, liveRecord(i))
			if i == callers-1 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
			require.InDelta(t, 100+100*i, time.Since(started).Milliseconds(), 10)
		}
		for i := range callers {
			group.Go(func() { call(i) })
			synctest.Wait()
		}
		time.AfterFunc(750*time.Millisecond, unlock)
		group.Wait()
		for i := range callers - 1 {
			requireAbsent(t, s, i)
		}
		requirePresent(t, s, callers-1)
	})
}

func TestLockHeldTooLongForAll(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		unlock := lock(t, path)
		defer unlock()
		started := time.Now()
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				err := s.Create(t.Context(), liveRecord(i))
				require.ErrorContains(t, err, "locked by another process")
				require.Less(t, time.Since(started), 3*time.Second, "the waits run side by side, not one after the other")
			})
		}
		group.Wait()
	})
}
