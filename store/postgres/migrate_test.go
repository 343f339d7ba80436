package postgres_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

func newStore(t *testing.T, url, schema string) *postgres.Store {
	t.Helper()
	store, err := postgres.New(openPool(t, url, nil), postgres.Options{Schema: schema})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func TestMigrateTwice(t *testing.T) {
	store := newStore(t, dbtest.PostgresURL(t), newSchema())
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.NoError(t, store.Migrate(t.Context()))
	got, err := store.Get(t.Context(), link(1).ID)
	require.NoError(t, err, "a second Migrate changes nothing")
	require.Equal(t, link(1).Email, got.Email)
}

func TestMigrateFromSeveralProcesses(t *testing.T) {
	pools := make([]*pgxpool.Pool, 8)
	for i := range pools {
		pools[i] = openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 1 })
	}
	for range 10 {
		schema := newSchema()
		errs := make([]error, len(pools))
		stores := make([]*postgres.Store, len(pools))
		for i := range stores {
			var err error
			stores[i], err = postgres.New(pools[i], postgres.Options{Schema: schema})
			require.NoError(t, err)
			defer stores[i].Close()
		}
		var group sync.WaitGroup
		for i, store := range stores {
			group.Go(func() { errs[i] = store.Migrate(t.Context()) })
		}
		group.Wait()
		for i, err := range errs {
			require.NoError(t, err)
			require.NoError(t, stores[i].Ping(t.Context()))
		}
	}
}

func TestMigrateRefusesNewerTables(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	require.NoError(t, store.Ping(t.Context()))
	_, err := pool.Exec(t.Context(), `UPDATE `+quote(schema)+`.magiclink_version SET version = 99`)
	require.NoError(t, err)
	require.ErrorContains(t, store.Migrate(t.Context()), "version 99 and this package knows up to 3: upgrade the package")
	require.ErrorContains(t, store.Ping(t.Context()), "upgrade the package")
}

// A dump of the schema alone has no version.
func TestMigrateRefusesTablesWithoutVersion(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	_, err := pool.Exec(t.Context(), `DELETE FROM `+quote(schema)+`.magiclink_version`)
	require.NoError(t, err)
	for name, call := range map[string]func(context.Context) error{"Migrate": store.Migrate, "Ping": store.Ping} {
		require.ErrorContains(t, call(t.Context()), "the table magiclink_version is empty: restore the tables from a backup", name)
	}
}

func TestMissingTables(t *testing.T) {
	store := newStore(t, dbtest.PostgresURL(t), newSchema())
	require.ErrorContains(t, store.Ping(t.Context()), "call Migrate")
	require.ErrorContains(t, store.Create(t.Context(), link(1)), "call Migrate")
	_, err := store.Get(t.Context(), link(1).ID)
	require.ErrorContains(t, err, "call Migrate")
}

// TestWriteMigrations applies the migrations as a team does that has a tool of its own.
func TestWriteMigrations(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	var text strings.Builder
	require.NoError(t, postgres.WriteMigrations(&text, schema))
	conn, err := pool.Acquire(t.Context())
	require.NoError(t, err)
	for range 2 { // the second time changes nothing
		_, err = conn.Conn().PgConn().Exec(t.Context(), text.String()).ReadAll()
		require.NoError(t, err)
	}
	conn.Release()

	store, err := postgres.New(pool, postgres.Options{Schema: schema})
	require.NoError(t, err)
	defer store.Close()
	require.NoError(t, store.Ping(t.Context()))
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Create(t.Context(), link(1)))
}

func TestSchemaNames(t *testing.T) {
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	for _, bad := range []string{"nul\x00", "\xff", strings.Repeat("s", 64)} {
		_, err := postgres.New(pool, postgres.Options{Schema: bad})
		require.ErrorContains(t, err, "Options.Schema")
	}
	for _, good := range []string{newSchema() + `'; DROP TABLE x; --`, "Größe " + newSchema(), newSchema() + `\`, newSchema() + "\n;", newSchema() + "$magiclink$"} {
		store := openStore(t, pool, good)
		require.NoError(t, store.Create(t.Context(), link(1)))
		var text strings.Builder
		require.NoError(t, postgres.WriteMigrations(&text, good))
		_, err := pool.Exec(t.Context(), text.String(), pgx.QueryExecModeSimpleProtocol)
		require.NoError(t, err, good)
	}
}

func quote(schema string) string { return `"` + strings.ReplaceAll(schema, `"`, `""`) + `"` }

// TestMigrateWaitsForTheOther lets another process be in the middle of a migration.
func TestMigrateWaitsForTheOther(t *testing.T) {
	pool, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	store := openStore(t, pool, schema)
	_, err := pool.Exec(t.Context(), "DROP TABLE "+quote(schema)+".magiclink_links, "+quote(schema)+".magiclink_limits")
	require.NoError(t, err)
	_, err = pool.Exec(t.Context(), "UPDATE "+quote(schema)+".magiclink_version SET version = 1")
	require.NoError(t, err)
	tx, err := pool.Begin(t.Context())
	require.NoError(t, err)
	_, err = tx.Exec(t.Context(), "SELECT FROM "+quote(schema)+".magiclink_version FOR UPDATE")
	require.NoError(t, err)
	_, err = limited(t, 200*time.Millisecond, store.Migrate)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NoError(t, tx.Commit(t.Context()))
	require.NoError(t, store.Migrate(t.Context()))
	require.NoError(t, store.Create(t.Context(), link(1)))
}

// TestRights lets a role use the tables that lacks a right.
func TestRights(t *testing.T) {
	schema, role := newSchema(), fmt.Sprintf("magiclink_test_%d", os.Getpid())
	pool := openPool(t, dbtest.PostgresURL(t), nil)
	openStore(t, pool, schema)
	for _, statement := range []string{"CREATE ROLE " + role, "GRANT USAGE ON SCHEMA " + quote(schema) + " TO " + role} {
		_, err := pool.Exec(t.Context(), statement)
		require.NoError(t, err)
	}
	t.Cleanup(func() {
		_, _ = pool.Exec(context.Background(), "DROP OWNED BY "+role+"; DROP ROLE "+role, pgx.QueryExecModeSimpleProtocol)
	})
	limited := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) {
		c.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
			_, err := conn.Exec(ctx, "SET ROLE "+role)
			return err
		}
	})
	store, err := postgres.New(limited, postgres.Options{Schema: schema})
	require.NoError(t, err)
	defer store.Close()
	for _, right := range []string{"", "SELECT", "INSERT", "UPDATE"} {
		if right != "" {
			_, err := pool.Exec(t.Context(), "GRANT "+right+" ON ALL TABLES IN SCHEMA "+quote(schema)+" TO "+role)
			require.NoError(t, err)
		}
		require.ErrorContains(t, store.Ping(t.Context()), "grant USAGE on the schema and SELECT, INSERT, UPDATE, DELETE", right)
	}
	_, err = pool.Exec(t.Context(), "GRANT DELETE ON ALL TABLES IN SCHEMA "+quote(schema)+" TO "+role)
	require.NoError(t, err)
	require.NoError(t, store.Ping(t.Context()))
	require.NoError(t, store.Create(t.Context(), link(1)))

	// A migration has added a table that nobody has granted.
	_, err = pool.Exec(t.Context(), "REVOKE INSERT ON "+quote(schema)+".magiclink_limits FROM "+role)
	require.NoError(t, err)
	require.ErrorContains(t, store.Ping(t.Context()), "grant USAGE on the schema and SELECT, INSERT, UPDATE, DELETE")

	other, err := postgres.New(limited, postgres.Options{Schema: newSchema()})
	require.NoError(t, err)
	defer other.Close()
	require.ErrorContains(t, other.Migrate(t.Context()), "grant CREATE on the database")
}
