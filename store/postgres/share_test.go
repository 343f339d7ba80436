package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

// callAll makes n calls at the same time and returns their errors.
func callAll(n int, call func(i int) error) []error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range errs {
		group.Go(func() { errs[i] = call(i) })
	}
	group.Wait()
	return errs
}

// TestCallsShareStatements keeps the only connection busy while calls queue up.
func TestCallsShareStatements(t *testing.T) {
	counter := new(statementCounter)
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.ConnConfig.Tracer = counter
	})
	store := openStore(t, pool, newSchema())
	const calls = 200
	for name, call := range map[string]func(i int) error{
		"1 create": func(i int) error { return store.Create(t.Context(), link(i)) },
		"2 get":    func(i int) error { _, err := store.Get(t.Context(), link(i).ID); return err },
		"3 consume": func(i int) error {
			_, err := store.Consume(t.Context(), link(i).ID, time.Now(), fmt.Sprint(i))
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "1 create" { // the map has no order
				callAll(calls, func(i int) error { return store.Create(t.Context(), link(i)) })
			}
			before := counter.n.Load()
			conn, err := pool.Acquire(t.Context())
			require.NoError(t, err)
			time.AfterFunc(100*time.Millisecond, conn.Release)
			for _, err := range callAll(calls, call) {
				if name == "1 create" && errors.Is(err, magiclink.ErrExists) {
					continue
				}
				require.NoError(t, err)
			}
			require.LessOrEqual(t, counter.n.Load()-before, int64(calls/10), "statements for %d calls", calls)
		})
	}
}

// TestFaultyCallFailsAlone stores a record that PostgreSQL refuses beside others.
func TestFaultyCallFailsAlone(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	store := openStore(t, pool, newSchema())
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	time.AfterFunc(100*time.Millisecond, conn.Release)
	long := link(3)
	random := make([]rune, 5000)
	for i := range random {
		random[i] = rune(0x4e00 + (i*i*7919+i*104729)%20000)
	}
	long.ID = string(random) // longer than a row of an index can be
	errs := callAll(50, func(i int) error {
		switch i {
		case 3:
			return store.Create(t.Context(), long)
		case 7:
			invalid := link(7)
			invalid.Email = "\xff"
			return store.Create(t.Context(), invalid)
		}
		return store.Create(t.Context(), link(i))
	})
	for i, err := range errs {
		if i == 3 || i == 7 {
			require.Error(t, err)
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
			require.NotContains(t, err.Error(), "jane.doe")
			continue
		}
		require.NoError(t, err)
	}
}

// TestContextEndsInFlight lets a call meet a lock. Its caller leaves, and its connection stays.
func TestContextEndsInFlight(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 3 })
	store := openStore(t, pool, newSchema())
	require.NoError(t, store.Create(t.Context(), link(1)))
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	defer tx.Rollback(context.Background())
	require.NoError(t, store.InTx(tx).Revoke(t.Context(), link(1).ID, time.Now()))

	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = store.Consume(ctx, link(1).ID, time.Now(), "one")
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	connections := pool.Stat().NewConnsCount()
	require.NoError(t, tx.Rollback(t.Context()))
	require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, 5*time.Second, time.Millisecond)
	require.Equal(t, connections, pool.Stat().NewConnsCount())
	require.Zero(t, pool.Stat().CanceledAcquireCount())
	got, err := store.Consume(t.Context(), link(1).ID, time.Now(), "one")
	require.NoError(t, err, "the same by settles what came of it")
	require.Equal(t, "one", got.ConsumedBy)
}

// TestContextEndsInTheQueue keeps the only connection busy: the calls have changed nothing, and say so.
func TestContextEndsInTheQueue(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	store := openStore(t, pool, newSchema())
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, err := range callAll(20, func(i int) error { return store.Create(ctx, link(i)) }) {
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	}
	conn.Release()
	for i := range 20 {
		_, err := store.Get(t.Context(), link(i).ID)
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
}

// TestPoolExhausted lets the application keep the only connection for longer than Options.Timeout.
func TestPoolExhausted(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	schema := newSchema()
	openStore(t, pool, schema)
	store, err := postgres.New(pool, postgres.Options{Schema: schema, Timeout: 200 * time.Millisecond})
	require.NoError(t, err)
	defer store.Close()
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	err = store.Create(t.Context(), link(1))
	require.ErrorContains(t, err, "all 1 are in use: allow more with MaxConns")
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	conn.Release()
	require.NoError(t, store.Create(t.Context(), link(1)))
}

// hostile is a context that misbehaves in one of its methods.
type hostile struct {
	context.Context //nolint:containedctx // the one that it spoils
	err, done       func()
}

func (h hostile) Err() error {
	h.err()
	return h.Context.Err()
}

func (h hostile) Done() <-chan struct{} {
	h.done()
	return h.Context.Done()
}

func TestHostileContexts(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	store := openStore(t, pool, newSchema())
	hang := make(chan struct{})
	defer close(hang)
	number := 0
	for name, harm := range map[string]func(){
		"panic": func() { panic("hostile") }, "goexit": runtime.Goexit, "hang": func() { <-hang },
	} {
		for _, spoilt := range []hostile{{t.Context(), harm, func() {}}, {t.Context(), func() {}, harm}} {
			number++
			victim := number
			for _, call := range everyCall(store) {
				go func() {
					defer func() { _ = recover() }()
					_ = call(spoilt, victim)
				}()
			}
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				require.NoError(t, store.Create(ctx, link(1000+number)), "others go on")
				for _, call := range everyCall(store) {
					err := call(ctx, 1000+number)
					require.True(t, err == nil || errors.Is(err, magiclink.ErrRevoked) || errors.Is(err, magiclink.ErrExists), err)
				}
			})
		}
	}
}

func everyCall(store *postgres.Store) []func(ctx context.Context, i int) error {
	return []func(ctx context.Context, i int) error{
		func(ctx context.Context, i int) error { return store.Create(ctx, link(i)) },
		func(ctx context.Context, i int) error { _, err := store.Get(ctx, link(i).ID); return err },
		func(ctx context.Context, i int) error {
			_, err := store.Consume(ctx, link(i).ID, time.Now(), "by")
			return err
		},
		func(ctx context.Context, i int) error { return store.Revoke(ctx, link(i).ID, time.Now()) },
		func(ctx context.Context, _ int) error { _, err := store.Purge(ctx, time.UnixMilli(1), 10); return err },
		func(ctx context.Context, _ int) error { return store.Ping(ctx) },
	}
}

// TestHookOfThePool lets a hook of the application panic, or end its goroutine.
func TestHookOfThePool(t *testing.T) {
	for name, harm := range map[string]func(){"panic": func() { panic("secret") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			tracer := &hostileTracer{}
			pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.ConnConfig.Tracer = tracer })
			store := openStore(t, pool, newSchema())
			require.NoError(t, store.Create(t.Context(), link(1)))
			for i := range 10 {
				tracer.set(harm)
				err := store.Create(t.Context(), link(100+i))
				require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
				require.NotContains(t, err.Error(), "secret")
				tracer.set(nil)
				require.NoError(t, store.Create(t.Context(), link(200+i)))
			}
		})
	}
}

func TestCloseAndMisuse(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	before := runtime.NumGoroutine()
	store, err := postgres.New(pool, postgres.Options{Schema: newSchema()})
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	callAll(100, func(i int) error { return store.Create(t.Context(), link(i)) })
	require.NoError(t, store.Close())
	require.NoError(t, store.Close())
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 5*time.Second, time.Millisecond)
	for _, call := range everyCall(store) {
		require.ErrorIs(t, call(t.Context(), 1), postgres.ErrClosed)
	}

	for _, zero := range []*postgres.Store{new(postgres.Store), nil} {
		for _, call := range everyCall(zero) {
			require.ErrorContains(t, call(t.Context(), 1), "use New")
		}
		require.ErrorContains(t, zero.Close(), "use New")
		require.ErrorContains(t, zero.Migrate(t.Context()), "use New")
	}
	_, err = postgres.New(nil, postgres.Options{})
	require.ErrorContains(t, err, "pgxpool.New")
	_, err = postgres.New(pool, postgres.Options{Timeout: -1})
	require.ErrorContains(t, err, "Options.Timeout")
}

// TestIDsThatNobodyHas checks texts that PostgreSQL refuses.
func TestIDsThatNobodyHas(t *testing.T) {
	store := openStore(t, openPool(t, dbtest.PostgresURL(t), nil), newSchema())
	for _, id := range []string{"", "\xff", "nul\x00", `\0`, strings.Repeat("x", 100_000)} {
		_, err := store.Get(t.Context(), id)
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		_, err = store.Consume(t.Context(), id, time.Now(), "by")
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		require.ErrorIs(t, store.Revoke(t.Context(), id, time.Now()), magiclink.ErrNotFound)
	}
}
