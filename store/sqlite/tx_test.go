//go:build cgo

package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"
	"time"

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

func (s oneByOne) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (wait time.Duration, err error) {
	return wait, s.do(func(in magiclink.Store) (err error) {
		wait, err = in.(magiclink.Limiter).Take(ctx, key, rate, at)
		return err
	})
}

func (s oneByOne) Reset(ctx context.Context, key string) error {
	return s.do(func(in magiclink.Store) error { return in.(magiclink.Limiter).Reset(ctx, key) })
}

func TestStoreInTransactions(t *testing.T) {
	t.Parallel() // waits for the disk
	storetest.Run(t, func(t *testing.T) magiclink.Store {
		path := newPath(t)
		open(t, path)
		db := immediate(t, path)
		db.SetMaxOpenConns(1) // so that callers wait in Go, where a wait ends at once
		return oneByOne{db, sqlite.InTx}
	})
}

func TestStoreInTransactionsOfAStore(t *testing.T) {
	t.Parallel() // waits for the disk
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
