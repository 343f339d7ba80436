package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

// stalled returns a store with a number of connections and a long timeout.
func stalled(t *testing.T, connections int32) (*postgres.Store, *pgxpool.Pool, *dbtest.Proxy, *dbtest.Postgres) {
	t.Helper()
	server := dbtest.SharedPostgres(t)
	proxy := dbtest.NewProxy(t, server.Address())
	url := strings.ReplaceAll(server.URL(), server.Address(), proxy.Address())
	pool := openPool(t, url, func(c *pgxpool.Config) { c.MaxConns = connections })
	schema := newSchema()
	openStore(t, pool, schema)
	store, err := postgres.New(pool, postgres.Options{Schema: schema, Timeout: 20 * time.Second})
	require.NoError(t, err)
	t.Cleanup(func() {
		proxy.Pass(server.Address())
		proxy.Cut()
		require.NoError(t, store.Close())
	})
	return store, pool, proxy, server
}

// TestPatientCaller lets a call without a deadline hang. Other calls use another connection.
func TestPatientCaller(t *testing.T) {
	store, _, proxy, server := stalled(t, 4)
	require.NoError(t, store.Create(t.Context(), link(1)))
	proxy.Stall()
	patient := make(chan error, 1)
	go func() { patient <- store.Create(context.Background(), link(2)) }()
	time.Sleep(50 * time.Millisecond)
	proxy.Pass(server.Address())
	_, err := limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(3)) })
	require.NoError(t, err)
	select {
	case err := <-patient:
		t.Fatalf("positive control: the first call hangs, got %v", err)
	default:
	}
	proxy.Cut()
	require.ErrorIs(t, <-patient, magiclink.ErrUnknownOutcome)
}

// TestNobodyWaits lets the only caller of the only connection leave. The connection is given up soon, not after Options.Timeout.
func TestNobodyWaits(t *testing.T) {
	store, _, proxy, server := stalled(t, 1)
	require.NoError(t, store.Create(t.Context(), link(1)))
	proxy.Stall()
	_, err := limited(t, 100*time.Millisecond, func(ctx context.Context) error { return store.Create(ctx, link(2)) })
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	proxy.Pass(server.Address())
	_, err = limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(3)) })
	require.NoError(t, err)
}

// TestOneFailureForManyDeadConnections cuts idle connections. The first call finds that out, and the others need not.
func TestOneFailureForManyDeadConnections(t *testing.T) {
	store, pool, proxy, _ := stalled(t, 4)
	var held []*pgxpool.Conn
	for range 4 {
		conn, err := pool.Acquire(t.Context())
		require.NoError(t, err)
		held = append(held, conn)
	}
	for _, conn := range held {
		conn.Release()
	}
	require.EqualValues(t, 4, pool.Stat().IdleConns())
	proxy.Cut()
	failures := 0
	for i := range 8 {
		if err := store.Create(t.Context(), link(i)); err != nil {
			failures++
		}
	}
	require.LessOrEqual(t, failures, 1)
}

// TestReadOnlyConnectionIsReplaced keeps connections of a time when the database was read-only.
func TestReadOnlyConnectionIsReplaced(t *testing.T) {
	server := dbtest.StartPostgres(t, "fsync=off")
	admin := openPool(t, server.URL(), nil)
	schema := newSchema()
	openStore(t, admin, schema)
	set := func(value string) {
		_, err := admin.Exec(t.Context(), "ALTER DATABASE postgres SET default_transaction_read_only = "+value)
		require.NoError(t, err)
	}
	set("on")
	pool := openPool(t, server.URL(), func(c *pgxpool.Config) { c.MaxConns = 1 })
	store, err := postgres.New(pool, postgres.Options{Schema: schema})
	require.NoError(t, err)
	defer store.Close()
	require.ErrorContains(t, store.Ping(t.Context()), "read-only")
	set("off")
	err = store.Create(t.Context(), link(1))
	require.ErrorContains(t, err, "the server is read-only")
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.NoError(t, store.Create(t.Context(), link(1)), "a new connection finds that the server takes writes")
}

// TestServerGivesFewerConnections has a pool that asks for more connections than the server gives to the role.
func TestServerGivesFewerConnections(t *testing.T) {
	pool, schema, role := openPool(t, dbtest.SharedPostgres(t).URL(), nil), newSchema(), fmt.Sprintf("magiclink_few_%d", os.Getpid())
	openStore(t, pool, schema)
	for _, statement := range []string{
		"CREATE ROLE " + role + " LOGIN CONNECTION LIMIT 1", "GRANT USAGE ON SCHEMA " + quote(schema) + " TO " + role,
		"GRANT ALL ON ALL TABLES IN SCHEMA " + quote(schema) + " TO " + role,
	} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		_, _ = pool.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role, pgx.QueryExecModeSimpleProtocol)
	})
	few := openPool(t, dbtest.SharedPostgres(t).URL(), func(c *pgxpool.Config) { c.ConnConfig.User, c.MaxConns = role, 8 })
	store, err := postgres.New(few, postgres.Options{Schema: schema})
	require.NoError(t, err)
	defer store.Close()
	for _, err := range callAll(64, func(i int) error {
		if err := store.Create(t.Context(), link(i)); err != nil {
			return err
		}
		if _, err := store.Get(t.Context(), link(i).ID); err != nil {
			return err
		}
		return store.Revoke(t.Context(), link(i).ID, time.Now())
	}) {
		require.NoError(t, err)
	}
	require.EqualValues(t, 1, few.Stat().AcquiredConns()+few.Stat().IdleConns())

	other := openPool(t, dbtest.SharedPostgres(t).URL(), func(c *pgxpool.Config) { c.ConnConfig.User = role })
	without, err := postgres.New(other, postgres.Options{Schema: schema})
	require.NoError(t, err)
	defer without.Close()
	took, err := limited(t, 2*time.Second, without.Ping)
	require.ErrorContains(t, err, "lower MaxConns", "with no connection at all there is none to wait for")
	require.Less(t, took, time.Second)
}
