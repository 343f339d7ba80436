package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

// takeAtOnce lets many goroutines take from one key at one moment, by turns from each store, and returns how many were granted.
func takeAtOnce(t testing.TB, takes int, rate magiclink.Rate, at time.Time, stores ...magiclink.Limiter) int {
	t.Helper()
	var granted atomic.Int64
	var group sync.WaitGroup
	for i := range takes {
		group.Go(func() {
			wait, err := stores[i%len(stores)].Take(context.Background(), "key", rate, at)
			if err != nil {
				t.Errorf("Take: %v", err)
			} else if wait == 0 {
				granted.Add(1)
			}
		})
	}
	group.Wait()
	return int(granted.Load())
}

// Three stores, each with a pool of its own, stand for three replicas.
func TestTenThousandTakes(t *testing.T) {
	schema := newSchema()
	rate, at := magiclink.Rate{Burst: 100, Every: time.Minute}, time.Now()
	var stores []magiclink.Limiter
	for range 3 {
		pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 8 })
		stores = append(stores, openStore(t, pool, schema))
	}
	require.Equal(t, 100, takeAtOnce(t, 10_000, rate, at, stores[0]))
	require.NoError(t, stores[0].Reset(t.Context(), "key"))
	require.Equal(t, 100, takeAtOnce(t, 10_000, rate, at, stores...), "over three replicas")
	require.Equal(t, 7, takeAtOnce(t, 1000, rate, at.Add(7*time.Minute), stores...), "seven periods later")
}

// TestTakesShareStatements keeps the only connection busy while takes of several keys queue up.
func TestTakesShareStatements(t *testing.T) {
	counter := new(statementCounter)
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) {
		c.MaxConns = 1
		c.ConnConfig.Tracer = counter
	})
	store := openStore(t, pool, newSchema())
	at := time.Now()
	for round := range 3 {
		granted, waits := make([]atomic.Int64, 10), make([]atomic.Int64, 10)
		before := counter.n.Load()
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		time.AfterFunc(100*time.Millisecond, conn.Release)
		for _, err := range callAll(200, func(i int) error {
			rate := magiclink.Rate{Burst: 1 + i%10, Every: time.Minute}
			wait, err := store.Take(t.Context(), fmt.Sprint("key ", i%10), rate, at.Add(time.Duration(round)*time.Minute))
			if err == nil && wait == 0 {
				granted[i%10].Add(1)
			}
			if wait == time.Minute {
				waits[i%10].Add(1)
			}
			return err
		}) {
			require.NoError(t, err)
		}
		require.LessOrEqual(t, counter.n.Load()-before, int64(20), "statements for 200 takes")
		for i := range granted {
			want := int64(1)
			if round == 0 {
				want = int64(1 + i)
			}
			require.Equal(t, want, granted[i].Load(), "round %d, key %d", round, i)
			require.Equal(t, 20-want, waits[i].Load(), "round %d, key %d", round, i)
		}
	}
}

// Another replica takes between the two statements of a batch.
func TestTakesBesideAnotherReplica(t *testing.T) {
	for name, known := range map[string]bool{"new key": false, "known key": true} {
		t.Run(name, func(t *testing.T) {
			schema := newSchema()
			other := openStore(t, openPool(t, dbtest.PostgresURL(t), nil), schema)
			rate, at := magiclink.Rate{Burst: 20, Every: time.Minute}, time.Now()
			want := 20
			if known {
				require.Equal(t, 1, takeAtOnce(t, 1, rate, at, other))
				want--
			}
			before := 0
			tracer := &interloper{text: "WHERE before IS NULL", do: func() { before = takeAtOnce(t, 7, rate, at, other) }}
			pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) {
				c.MaxConns = 1
				c.ConnConfig.Tracer = tracer
			})
			store := openStore(t, pool, schema)
			conn, err := pool.Acquire(t.Context())
			require.NoError(t, err)
			time.AfterFunc(50*time.Millisecond, conn.Release)
			granted := takeAtOnce(t, 50, rate, at, store)
			require.Equal(t, 7, before)
			require.Equal(t, want, before+granted)
		})
	}
}

// Each replica has one call at a time, so that no two share a statement.
func TestLoneTakesOfReplicas(t *testing.T) {
	schema := newSchema()
	stores := make([]magiclink.Limiter, 8)
	for i := range stores {
		stores[i] = openStore(t, openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 }), schema)
	}
	rate, at := magiclink.Rate{Burst: 30, Every: time.Minute}, time.Now()
	var granted atomic.Int64
	for _, err := range callAll(len(stores), func(i int) error {
		for range 100 {
			wait, err := stores[i].Take(context.Background(), "key", rate, at)
			if err != nil {
				return err
			}
			if wait == 0 {
				granted.Add(1)
			}
		}
		return nil
	}) {
		require.NoError(t, err)
	}
	require.Equal(t, int64(30), granted.Load())
}

// The control: a twin that reads and then writes lets more through.
func TestTakesOfATwinThatIsNotAtomic(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 8 })
	schema := newSchema()
	openStore(t, pool, schema)
	twin := &readsThenWrites{pool, quote(schema) + ".magiclink_limits"}
	for range 10 {
		if takeAtOnce(t, 1000, magiclink.Rate{Burst: 10, Every: time.Minute}, time.Now(), twin) > 10 {
			return
		}
	}
	require.Fail(t, "the test does not tell the twin from the store")
}

type readsThenWrites struct {
	pool  *pgxpool.Pool
	table string
}

func (r *readsThenWrites) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	var arrival int64
	err := r.pool.QueryRow(ctx, "SELECT coalesce(max(arrival), 0) FROM "+r.table+" WHERE key = $1", []byte(key)).Scan(&arrival)
	if err != nil {
		return 0, err
	}
	next, wait := rate.Take(arrival, at)
	_, err = r.pool.Exec(ctx, "INSERT INTO "+r.table+" VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET arrival = $2", []byte(key), next)
	return wait, err
}

func (r *readsThenWrites) Reset(context.Context, string) error { return nil }

func TestTakesSurviveACrashOfTheServer(t *testing.T) {
	server := dbtest.StartPostgres(t)
	rate, at := magiclink.Rate{Burst: 3, Every: time.Minute}, time.Now()
	store := openStore(t, openPool(t, server.URL(), nil), newSchema())
	require.Equal(t, 3, takeAtOnce(t, 5, rate, at, store))
	server.Stop(t)
	server.Start(t)
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, takeAtOnce(t, 5, rate, at, store))
	require.Equal(t, 1, takeAtOnce(t, 5, rate, at.Add(time.Minute), store))
}

// TestRuleInSQL compares the statement with the pure rule, for numbers that a key can have and others.
func TestRuleInSQL(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	set := "INSERT INTO " + quote(schema) + ".magiclink_limits VALUES ('key', $1) ON CONFLICT (key) DO UPDATE SET arrival = $1"
	get := "SELECT arrival FROM " + quote(schema) + ".magiclink_limits WHERE key = 'key'"
	random := rand.New(rand.NewPCG(7, 8))
	granted := 0
	for range 3000 {
		rate := magiclink.Rate{Burst: 1 + random.IntN(5), Every: time.Duration(1+random.IntN(90_000)) * time.Millisecond}
		at := time.UnixMilli(random.Int64N(4_000_000_000_000))
		full := rate.Every.Milliseconds() * int64(rate.Burst)
		arrival := at.UnixMilli() + []int64{
			0, full, full - rate.Every.Milliseconds(), full + 60_000, random.Int64N(2*full + 1), random.Int64N(1_000_000) - 500_000,
		}[random.IntN(6)] + int64(random.IntN(3)) - 1
		_, err := pool.Exec(t.Context(), set, arrival)
		require.NoError(t, err)
		next, want := rate.Take(arrival, at)
		wait, err := store.Take(t.Context(), "key", rate, at)
		require.NoError(t, err)
		var kept int64
		require.NoError(t, pool.QueryRow(t.Context(), get).Scan(&kept))
		require.Equal(t, want, wait, "%+v at %d with %d", rate, at.UnixMilli(), arrival)
		require.Equal(t, next, kept, "%+v at %d with %d", rate, at.UnixMilli(), arrival)
		if wait == 0 {
			granted++
		}
	}
	require.True(t, granted > 500 && granted < 2500, granted)
}

// Takes change the row in its page, and takes that are refused write nothing.
func TestTakesAreHOT(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	watcher := openPool(t, dbtest.PostgresURL(t), nil)
	store := openStore(t, pool, schema)
	rate, at := magiclink.Rate{Burst: 500, Every: time.Hour}, time.Now()
	for range 1000 {
		_, err := store.Take(t.Context(), "key", rate, at)
		require.NoError(t, err)
	}
	require.NoError(t, store.Close())
	pool.Close() // the server publishes the statistics of a connection when it ends
	var inserted, updated, hot int
	require.Eventually(t, func() bool {
		watcher.Reset()
		err := watcher.QueryRow(t.Context(), `SELECT n_tup_ins, n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables
			WHERE schemaname = $1 AND relname = 'magiclink_limits'`, schema).Scan(&inserted, &updated, &hot)
		return err == nil && inserted+updated >= 500
	}, 5*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, inserted)
	require.Equal(t, 499, updated, "500 were granted")
	require.Equal(t, updated, hot)
}

// Purge removes the rows of idle keys, and none of the others.
func TestPurgeRemovesIdleKeys(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	at := time.Now()
	const keys = 1200
	for _, err := range callAll(keys, func(i int) error {
		_, err := store.Take(t.Context(), fmt.Sprint("key ", i), magiclink.Rate{Burst: 2, Every: time.Duration(1+i) * time.Second}, at)
		return err
	}) {
		require.NoError(t, err)
	}
	requireKeys(t, store, pool, schema, at, keys)
	requireKeys(t, store, pool, schema, at.Add(100*time.Second), keys-100)
	tx, err := pool.Begin(t.Context()) // a take that is under way
	require.NoError(t, err)
	defer tx.Rollback(context.Background())
	_, err = tx.Exec(t.Context(), "UPDATE "+quote(schema)+".magiclink_limits SET arrival = arrival + 1 WHERE key = 'key 150'")
	require.NoError(t, err)
	requireKeys(t, store, pool, schema, at.Add(keys*time.Second), 1)
	require.NoError(t, tx.Rollback(t.Context()))
	requireKeys(t, store, pool, schema, at.Add(keys*time.Second), 0)
}

func requireKeys(t *testing.T, store *postgres.Store, pool *pgxpool.Pool, schema string, before time.Time, want int) {
	t.Helper()
	n, err := store.Purge(t.Context(), before, 10)
	require.NoError(t, err)
	require.Zero(t, n)
	var rows int
	require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM "+quote(schema)+".magiclink_limits").Scan(&rows))
	require.Equal(t, want, rows)
}

// Several Takes that lose a race under SERIALIZABLE are repeated.
func TestTakesUnderOtherIsolation(t *testing.T) {
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) {
				c.ConnConfig.RuntimeParams["default_transaction_isolation"] = level
			})
			store := openStore(t, pool, newSchema())
			require.Equal(t, 50, takeAtOnce(t, 1000, magiclink.Rate{Burst: 50, Every: time.Minute}, time.Now(), store))
		})
	}
}
