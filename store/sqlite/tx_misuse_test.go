//go:build cgo

package sqlite_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

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
		"a schema of later":        {sqlite.InTx(begin(t, immediate(t, ofVersion(t, 99)))), "upgrade the package"},
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
