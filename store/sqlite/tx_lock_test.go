//go:build cgo

package sqlite_test

import (
	"context"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// A transaction that has only read takes the lock late. Where another connection has written since, the error says what to do,
// and nothing has happened.
func TestInTxWithADeferredTransaction(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), pool(t, "file:"+path+"?_busy_timeout=0")
	create(t, s, 1)

	tx := begin(t, db)
	in := s.InTx(tx)
	requirePresent(t, in, 1)
	create(t, s, 2)
	_, err := in.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	failure := sqlite3.Error{}
	require.ErrorAs(t, err, &failure)
	require.Equal(t, sqlite3.ErrBusySnapshot, failure.ExtendedCode)
	require.ErrorContains(t, err, "write _txlock=immediate into the name of the data source")
	require.NoError(t, tx.Rollback())

	tx = begin(t, db)
	_, err = s.InTx(tx).Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.NoError(t, err, "the first call of a transaction takes the lock before it reads")
	unlocked := pool(t, "file:"+path+"?_busy_timeout=0&_txlock=immediate")
	_, err = unlocked.BeginTx(t.Context(), nil)
	require.ErrorContains(t, err, "locked", "the control")
	require.NoError(t, tx.Commit())
}

// A call that changes nothing holds the lock, too: what it has seen stays true until the transaction ends.
func TestInTxHoldsTheLock(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), pool(t, "file:"+path+"?_busy_timeout=0")
	tx := begin(t, db)
	_, err := s.InTx(tx).Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.ErrorIs(t, err, magiclink.ErrNotFound)
	_, err = pool(t, "file:"+path+"?_busy_timeout=0&_txlock=immediate").BeginTx(t.Context(), nil)
	require.ErrorContains(t, err, "locked")
}

// The store's own writer waits for the transaction, and for two seconds at most.
func TestTheStoreWaitsForATransaction(t *testing.T) {
	inBubble(t, func(t *testing.T, s *sqlite.Store, path string) {
		db := immediate(t, path)
		defer db.Close()
		tx, err := db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		create(t, s.InTx(tx), 1)
		later := make(chan error, 1)
		go func() { later <- s.Create(t.Context(), liveRecord(2)) }()
		synctest.Wait()
		requireAbsent(t, s, 1)
		require.NoError(t, tx.Commit())
		require.NoError(t, <-later)
		requirePresent(t, s, 1)
		requirePresent(t, s, 2)

		tx, err = db.BeginTx(t.Context(), nil)
		require.NoError(t, err)
		create(t, s.InTx(tx), 3)
		require.ErrorContains(t, s.Create(t.Context(), liveRecord(4)), "locked by another process")
		create(t, s.InTx(tx), 5)
		require.NoError(t, tx.Commit(), "the transaction loses nothing by it")
		requirePresent(t, s, 5)
	})
}

// Racing transactions use a link once.
func TestInTxRace(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	run(t, path, "CREATE TABLE accounts (id INTEGER PRIMARY KEY)")
	const racers = 8
	for link := range 10 {
		create(t, s, link)
		results := make(chan error, racers)
		for i := range racers {
			go func() {
				if i%2 == 0 {
					_, err := s.Consume(context.Background(), liveRecord(link).ID, time.Now(), "")
					results <- err
					return
				}
				results <- oneByOne{db, s.InTx}.do(func(in magiclink.Store) error {
					_, err := in.Consume(context.Background(), liveRecord(link).ID, time.Now(), "")
					return err
				})
			}()
		}
		won := 0
		for range racers {
			if err := <-results; err == nil {
				won++
			} else {
				require.ErrorIs(t, err, magiclink.ErrConsumed)
			}
		}
		require.Equal(t, 1, won)
	}
}

// A file that was replaced under a Store is an outage for its transactions, too.
func TestInTxOfAReplacedFile(t *testing.T) {
	if os.PathSeparator != '/' {
		t.Skip("files are not compared here")
	}
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	create(t, s, 1)
	tx := begin(t, db)
	in := s.InTx(tx)
	require.NoError(t, os.Rename(path, path+".away"))
	content, err := os.ReadFile(path + ".away")
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, content, 0o600))

	_, err = in.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.ErrorContains(t, err, "was replaced while it was open")
	_, err = in.Get(t.Context(), liveRecord(1).ID)
	require.ErrorContains(t, err, "was replaced while it was open")
	require.NoError(t, os.Rename(path+".away", path))
	_, err = in.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.NoError(t, err)
	require.NoError(t, tx.Commit())
}
