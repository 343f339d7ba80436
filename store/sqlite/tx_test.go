//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mattn/go-sqlite3"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
	"github.com/magiclink-go/magiclink/store/storetest"
)

// immediate opens the database as InTx asks for.
func immediate(t testing.TB, path string) *sql.DB {
	t.Helper()
	return pool(t, "file:"+path+"?_txlock=immediate&_synchronous=FULL")
}

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.BeginTx(context.Background(), nil)
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback() })
	return tx
}

// oneByOne is a store whose every call is a transaction of its own.
type oneByOne struct {
	db *sql.DB
	in func(*sql.Tx) magiclink.Store
}

func (s oneByOne) do(call func(magiclink.Store) error) error {
	tx, err := s.db.BeginTx(context.Background(), nil)
	if err != nil {
		return err
	}
	err = call(s.in(tx))
	for _, outcome := range []error{nil, magiclink.ErrNotFound, magiclink.ErrExists, magiclink.ErrConsumed, magiclink.ErrExpired, magiclink.ErrRevoked} {
		if errors.Is(err, outcome) {
			return errors.Join(err, tx.Commit())
		}
	}
	return errors.Join(err, tx.Rollback())
}

func (s oneByOne) Create(ctx context.Context, r magiclink.Record) error {
	return s.do(func(in magiclink.Store) error { return in.Create(ctx, r) })
}

func (s oneByOne) Get(ctx context.Context, id string) (r magiclink.Record, err error) {
	return r, s.do(func(in magiclink.Store) (err error) { r, err = in.Get(ctx, id); return err })
}

func (s oneByOne) Consume(ctx context.Context, id string, at time.Time, by string) (r magiclink.Record, err error) {
	return r, s.do(func(in magiclink.Store) (err error) { r, err = in.Consume(ctx, id, at, by); return err })
}

func (s oneByOne) Revoke(ctx context.Context, id string, at time.Time) error {
	return s.do(func(in magiclink.Store) error { return in.Revoke(ctx, id, at) })
}

func (s oneByOne) Purge(ctx context.Context, before time.Time, limit int) (n int, err error) {
	return n, s.do(func(in magiclink.Store) (err error) { n, err = in.Purge(ctx, before, limit); return err })
}

func TestStoreInTransactions(t *testing.T) {
	storetest.Run(t, func(t *testing.T) magiclink.Store {
		path := newPath(t)
		open(t, path)
		db := immediate(t, path)
		db.SetMaxOpenConns(1) // so that callers wait in Go, where a wait ends at once
		return oneByOne{db, sqlite.InTx}
	})
}

func TestStoreInTransactionsOfAStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) magiclink.Store {
		path := newPath(t)
		s, db := open(t, path), immediate(t, path)
		db.SetMaxOpenConns(1)
		return oneByOne{db, s.InTx}
	})
}

func TestInTxCommitAndRollBack(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	run(t, path, "CREATE TABLE invoices (id INTEGER PRIMARY KEY, link TEXT)")
	invoice := func(tx *sql.Tx) {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO invoices (link) VALUES (?)", liveRecord(1).ID)
		require.NoError(t, err)
	}
	invoices := func() (n int) {
		require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM invoices").Scan(&n))
		return n
	}

	tx := begin(t, db)
	invoice(tx)
	create(t, sqlite.InTx(tx), 1)
	requirePresent(t, sqlite.InTx(tx), 1)
	requireAbsent(t, s, 1)
	require.NoError(t, tx.Rollback())
	requireAbsent(t, s, 1)
	require.Zero(t, invoices())

	tx = begin(t, db)
	invoice(tx)
	create(t, sqlite.InTx(tx), 1)
	require.NoError(t, tx.Commit())
	requirePresent(t, s, 1)
	require.Equal(t, 1, invoices())

	at := time.Now()
	tx = begin(t, db)
	_, err := sqlite.InTx(tx).Consume(t.Context(), liveRecord(1).ID, at, "one")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback())
	got, err := s.Consume(t.Context(), liveRecord(1).ID, at, "two")
	require.NoError(t, err, "a use that was rolled back is none")
	require.Equal(t, "two", got.ConsumedBy)

	require.ErrorIs(t, sqlite.InTx(tx).Create(t.Context(), liveRecord(2)), sql.ErrTxDone)
}

// An ordinary outcome leaves the transaction usable.
func TestInTxOutcomes(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	create(t, s, 1)
	at := time.Now()
	tx := begin(t, db)
	in := s.InTx(tx)
	require.ErrorIs(t, in.Create(t.Context(), liveRecord(1)), magiclink.ErrExists)
	create(t, in, 2)
	requireAbsent(t, in, 3)
	first, err := in.Consume(t.Context(), liveRecord(2).ID, at, "one")
	require.NoError(t, err)
	again, err := in.Consume(t.Context(), liveRecord(2).ID, at.Add(time.Second), "one")
	require.NoError(t, err)
	require.Equal(t, first, again)
	_, err = in.Consume(t.Context(), liveRecord(2).ID, at, "two")
	require.ErrorIs(t, err, magiclink.ErrConsumed)
	_, err = in.Consume(t.Context(), liveRecord(3).ID, at, "two")
	require.ErrorIs(t, err, magiclink.ErrNotFound)
	require.ErrorIs(t, in.Revoke(t.Context(), liveRecord(3).ID, at), magiclink.ErrNotFound)
	require.NoError(t, in.Revoke(t.Context(), liveRecord(1).ID, at))
	_, err = in.Consume(t.Context(), liveRecord(1).ID, at, "two")
	require.ErrorIs(t, err, magiclink.ErrRevoked)
	require.ErrorContains(t, in.Revoke(t.Context(), liveRecord(2).ID, time.Time{}), "the time is zero")
	_, err = in.Purge(t.Context(), at, 0)
	require.ErrorContains(t, err, "the limit is 0")
	n, err := in.Purge(t.Context(), at.Add(24*time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	create(t, in, 4)
	require.NoError(t, tx.Commit())
	requirePresent(t, s, 4)
	requireAbsent(t, s, 1)
}

// A call that fails half-way changes nothing, also where the application commits what came before.
func TestInTxFailureChangesNothing(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	run(t, path, `CREATE TRIGGER poison BEFORE INSERT ON magiclink_uses BEGIN SELECT RAISE(ABORT, 'poisoned'); END`)
	tx := begin(t, db)
	in := s.InTx(tx)
	create(t, in, 1)
	used := liveRecord(2)
	used.ConsumedAt = used.CreatedAt
	require.ErrorContains(t, in.Create(t.Context(), used), "magiclink/sqlite: create: poisoned")
	_, err := in.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.ErrorContains(t, err, "poisoned")
	create(t, in, 3)
	require.NoError(t, tx.Commit())
	requirePresent(t, s, 1)
	requireAbsent(t, s, 2)
	requirePresent(t, s, 3)
}

// After some errors SQLite rolls the whole transaction back, and database/sql does not notice. What is written then must not
// be committed by itself.
func TestInTxThatSQLiteHasRolledBack(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	run(t, path, `CREATE TABLE invoices (id INTEGER PRIMARY KEY);
		CREATE TRIGGER undo BEFORE INSERT ON invoices BEGIN SELECT RAISE(ROLLBACK, 'undone'); END;
		CREATE TRIGGER undo_use BEFORE INSERT ON magiclink_uses BEGIN SELECT RAISE(ROLLBACK, 'undone'); END;`)
	create(t, s, 1)

	tx := begin(t, db)
	_, err := tx.ExecContext(t.Context(), "INSERT INTO invoices DEFAULT VALUES")
	require.ErrorContains(t, err, "undone")
	const cure = "roll back, and repeat it from its beginning"
	require.ErrorContains(t, sqlite.InTx(tx).Create(t.Context(), liveRecord(2)), cure)
	_, err = sqlite.InTx(tx).Get(t.Context(), liveRecord(1).ID)
	require.ErrorContains(t, err, cure)
	_ = tx.Rollback()
	requireAbsent(t, s, 2)

	tx = begin(t, db)
	in := sqlite.InTx(tx)
	create(t, in, 3)
	_, err = in.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
	require.ErrorContains(t, err, "undone")
	require.ErrorContains(t, err, cure)
	require.ErrorContains(t, in.Create(t.Context(), liveRecord(4)), cure)
	_ = tx.Commit()
	requireAbsent(t, s, 3)
	requireAbsent(t, s, 4)
}

// A context is looked at before a call begins. It interrupts nothing: SQLite would roll the transaction back.
func TestInTxContext(t *testing.T) {
	path := newPath(t)
	s, db := open(t, path), immediate(t, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tx := begin(t, db)
	in := s.InTx(tx)
	create(t, in, 1)
	require.ErrorIs(t, in.Create(ctx, liveRecord(2)), context.Canceled)
	_, err := in.Get(ctx, liveRecord(1).ID)
	require.ErrorIs(t, err, context.Canceled)
	create(t, in, 3)
	require.NoError(t, tx.Commit())
	requirePresent(t, s, 1)
	requireAbsent(t, s, 2)
	requirePresent(t, s, 3)
}

func TestInTxMisuse(t *testing.T) {
	path := newPath(t)
	s := open(t, path)
	for name, row := range map[string]struct {
		in   magiclink.Store
		says string
	}{
		"no transaction":           {sqlite.InTx(nil), "the transaction is nil"},
		"no transaction, a store":  {s.InTx(nil), "the transaction is nil"},
		"no store":                 {new(sqlite.Store).InTx(nil), "use Open or New"},
		"nil store":                {(*sqlite.Store)(nil).InTx(nil), "use Open or New"},
		"another database":         {s.InTx(begin(t, immediate(t, openElsewhere(t)))), "another database than the Store"},
		"a database without ours":  {sqlite.InTx(begin(t, immediate(t, newPath(t)))), "call New for the database first"},
		"a schema of later":        {sqlite.InTx(begin(t, immediate(t, ofVersion(t, 4)))), "upgrade the package"},
		"a schema of before":       {sqlite.InTx(begin(t, immediate(t, ofVersion(t, 1)))), "has version 1"},
		"a transaction that ended": {ended(t, path), "already been committed or rolled back"},
	} {
		require.ErrorContains(t, row.in.Create(t.Context(), liveRecord(1)), row.says, name)
		_, err := row.in.Consume(t.Context(), liveRecord(1).ID, time.Now(), "")
		require.ErrorContains(t, err, row.says, name)
		require.ErrorContains(t, row.in.Revoke(t.Context(), liveRecord(1).ID, time.Now()), row.says, name)
		_, err = row.in.Purge(t.Context(), time.Now(), 1)
		require.ErrorContains(t, err, row.says, name)
		require.Regexp(t, `^magiclink/sqlite: purge: `, err.Error())
		_, err = row.in.Get(t.Context(), liveRecord(1).ID)
		require.ErrorContains(t, err, row.says, name)
	}
	requireAbsent(t, s, 1)
}

func openElsewhere(t *testing.T) (path string) {
	t.Helper()
	path = newPath(t)
	open(t, path)
	return path
}

func ofVersion(t *testing.T, version int) (path string) {
	t.Helper()
	path = newPath(t)
	s, err := sqlite.Open(path)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	db := pool(t, path)
	_, err = db.ExecContext(t.Context(), "UPDATE magiclink_schema SET version = ?", version)
	require.NoError(t, err)
	return path
}

func ended(t *testing.T, path string) magiclink.Store {
	t.Helper()
	tx := begin(t, pool(t, path))
	require.NoError(t, tx.Rollback())
	return sqlite.InTx(tx)
}

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
