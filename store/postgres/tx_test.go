package postgres_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

func TestInTxCommitAndRollBack(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	at := time.Now()

	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, store.InTx(tx).Create(t.Context(), link(1)))
	_, err = store.Get(t.Context(), link(1).ID)
	require.ErrorIs(t, err, magiclink.ErrNotFound, "nobody sees what is not committed")
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = store.Get(t.Context(), link(1).ID)
	require.ErrorIs(t, err, magiclink.ErrNotFound)

	require.NoError(t, pgxBegin(t, pool, func(in magiclink.Store) {
		require.NoError(t, in.Create(t.Context(), link(1)))
	}, store))
	_, err = store.Get(t.Context(), link(1).ID)
	require.NoError(t, err)

	tx, err = pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = store.InTx(tx).Consume(t.Context(), link(1).ID, at, "one")
	require.NoError(t, err)
	require.NoError(t, tx.Rollback(t.Context()))
	got, err := store.Consume(t.Context(), link(1).ID, at, "two")
	require.NoError(t, err, "a use that was rolled back is none")
	require.Equal(t, "two", got.ConsumedBy)
}

// TestInTxOutcomes checks that an ordinary outcome leaves the transaction usable.
func TestInTxOutcomes(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	at := time.Now()
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.NoError(t, pgxBegin(t, pool, func(in magiclink.Store) {
		require.ErrorIs(t, in.Create(t.Context(), link(1)), magiclink.ErrExists)
		require.NoError(t, in.Create(t.Context(), link(2)))
		_, err := in.Get(t.Context(), link(3).ID)
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		got, err := in.Consume(t.Context(), link(2).ID, at, "one")
		require.NoError(t, err)
		again, err := in.Consume(t.Context(), link(2).ID, at.Add(time.Second), "one")
		require.NoError(t, err)
		require.Equal(t, got, again)
		_, err = in.Consume(t.Context(), link(2).ID, at, "two")
		require.ErrorIs(t, err, magiclink.ErrConsumed)
		_, err = in.Consume(t.Context(), link(3).ID, at, "two")
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		require.ErrorIs(t, in.Revoke(t.Context(), link(3).ID, at), magiclink.ErrNotFound)
		require.NoError(t, in.Revoke(t.Context(), link(1).ID, at))
		_, err = in.Consume(t.Context(), link(1).ID, at, "two")
		require.ErrorIs(t, err, magiclink.ErrRevoked)
		require.Error(t, in.Revoke(t.Context(), link(1).ID, time.Time{}))
		_, err = in.Purge(t.Context(), at, 0)
		require.Error(t, err)
		n, err := in.Purge(t.Context(), at.Add(24*time.Hour), 10)
		require.NoError(t, err)
		require.Equal(t, 2, n)
		require.NoError(t, in.Create(t.Context(), link(4)))
	}, store))
	_, err := store.Get(t.Context(), link(4).ID)
	require.NoError(t, err)
	_, err = store.Get(t.Context(), link(1).ID)
	require.ErrorIs(t, err, magiclink.ErrNotFound)
}

func TestInTxMisuse(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	for _, in := range []magiclink.Store{postgres.InTx(nil), postgres.InTx((*pgxpool.Tx)(nil)), new(postgres.Store).InTx(nil)} {
		require.Error(t, in.Create(ctx, link(1)))
		_, err := in.Get(ctx, link(1).ID)
		require.Error(t, err)
	}
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	cancel()
	require.NoError(t, pgxBegin(t, pool, func(in magiclink.Store) {
		require.ErrorIs(t, in.Create(ctx, link(1)), context.Canceled, "the call has not begun, so the connection stays open")
		require.NoError(t, in.Create(t.Context(), link(1)))
	}, store))
}

// TestInTxHoldsUpNobodyElse keeps a link locked. Calls for other links, in the same statements, go on.
func TestInTxHoldsUpNobodyElse(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	for i := range 100 {
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(t.Context())
	at := time.Now()
	_, err = store.InTx(tx).Consume(t.Context(), link(0).ID, at, "in the transaction")
	require.NoError(t, err)
	require.NoError(t, store.InTx(tx).Create(t.Context(), link(1000)))

	blocked := make(chan error, 2)
	results := make(chan error, 198)
	for i := range 100 {
		go func() {
			_, err := store.Consume(t.Context(), link(i).ID, at, "outside")
			if i == 0 {
				blocked <- err
				return
			}
			results <- err
		}()
		go func() {
			if i == 0 {
				blocked <- store.Create(t.Context(), link(1000))
				return
			}
			results <- store.Create(t.Context(), link(1000+i))
		}()
	}
	for range cap(results) {
		select {
		case err := <-results:
			require.NoError(t, err)
		case <-time.After(3 * time.Second):
			t.Fatal("a locked link holds up calls for others")
		}
	}
	select {
	case err := <-blocked:
		t.Fatalf("the calls for what is locked wait, got %v", err)
	default:
	}
	require.NoError(t, tx.Commit(t.Context()))
	first, second := <-blocked, <-blocked
	require.ElementsMatch(t, []error{magiclink.ErrConsumed, magiclink.ErrExists}, []error{first, second})
}

func TestPurgePassesOverLockedRows(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	for i := range 20 {
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
	late := time.Now().Add(24 * time.Hour)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	require.NoError(t, store.InTx(tx).Revoke(t.Context(), link(3).ID, time.Now()))
	n, err := store.Purge(t.Context(), late, 19)
	require.NoError(t, err)
	require.Equal(t, 19, n, "everything but what is locked")

	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	n, err = store.Purge(ctx, late, 10)
	require.ErrorIs(t, err, context.DeadlineExceeded, "fewer than limit means that nothing was left: Purge waits")
	require.Zero(t, n)
	time.AfterFunc(100*time.Millisecond, func() { _ = tx.Commit(context.Background()) })
	n, err = store.Purge(t.Context(), late, 10)
	require.NoError(t, err)
	_, missing := store.Get(t.Context(), link(3).ID)
	require.ErrorIs(t, missing, magiclink.ErrNotFound)
	require.LessOrEqual(t, n, 1)
}

// TestNobodyUsesALinkUp lets a caller leave while its call waits for a lock. When the other transaction is rolled back, the link is still
// there: the server does not carry the call out for nobody.
func TestNobodyUsesALinkUp(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, newSchema())
	require.NoError(t, store.Create(t.Context(), link(1)))
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = store.InTx(tx).Consume(t.Context(), link(1).ID, time.Now(), "in the transaction")
	require.NoError(t, err)
	_, err = limited(t, 100*time.Millisecond, func(ctx context.Context) error {
		_, err := store.Consume(ctx, link(1).ID, time.Now(), "has left")
		return err
	})
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)

	waiting := func() (n int) {
		query := "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid' AND transactionid = pg_current_xact_id()::xid"
		require.NoError(t, tx.QueryRow(t.Context(), query).Scan(&n))
		return n
	}
	require.Equal(t, 1, waiting(), "the control: the call waits for this transaction")
	require.Eventually(t, func() bool { return waiting() == 0 }, 10*time.Second, 10*time.Millisecond)
	require.NoError(t, tx.Rollback(t.Context()))
	_, err = store.Consume(t.Context(), link(1).ID, time.Now(), "comes later")
	require.NoError(t, err)
}
