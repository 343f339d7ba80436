package postgres_test

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

var schemas atomic.Int64

// newSchema returns a name that no other test uses. It needs quotes.
func newSchema() string { return fmt.Sprintf(`Links "%d-%d"`, os.Getpid(), schemas.Add(1)) }

// openPool opens a pool that is closed when the test ends. Change may be nil.
func openPool(t testing.TB, url string, change func(*pgxpool.Config)) *pgxpool.Pool {
	t.Helper()
	config, err := pgxpool.ParseConfig(url)
	require.NoError(t, err)
	if change != nil {
		change(config)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	require.NoError(t, err)
	t.Cleanup(pool.Close)
	return pool
}

// openStore returns a store on empty tables in a schema of its own.
func openStore(t testing.TB, pool *pgxpool.Pool, schema string) *postgres.Store {
	t.Helper()
	store, err := postgres.New(pool, postgres.Options{Schema: schema})
	require.NoError(t, err)
	require.NoError(t, store.Migrate(t.Context()))
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

func fresh(pool *pgxpool.Pool) func(t *testing.T) magiclink.Store {
	return func(t *testing.T) magiclink.Store { return openStore(t, pool, newSchema()) }
}

func mode(mode pgx.QueryExecMode) func(*pgxpool.Config) {
	return func(c *pgxpool.Config) { c.ConnConfig.DefaultQueryExecMode = mode }
}

func TestStore(t *testing.T) {
	url := dbtest.PostgresURL(t)
	for name, change := range map[string]func(*pgxpool.Config){
		"Default":        nil,
		"OneConnection":  func(c *pgxpool.Config) { c.MaxConns = 1 },
		"SimpleProtocol": mode(pgx.QueryExecModeSimpleProtocol),
		"Exec":           mode(pgx.QueryExecModeExec),
		"DescribeExec":   mode(pgx.QueryExecModeDescribeExec),
		"CacheDescribe":  mode(pgx.QueryExecModeCacheDescribe),
		"RepeatableRead": func(c *pgxpool.Config) {
			c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "repeatable read"
		},
		"Serializable": func(c *pgxpool.Config) {
			c.ConnConfig.RuntimeParams["default_transaction_isolation"] = "serializable"
		},
	} {
		if slices.Contains([]string{"OneConnection", "Exec", "DescribeExec", "CacheDescribe", "RepeatableRead"}, name) && !dbtest.Full() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, fresh(openPool(t, url, change)))
		})
	}
}

// TestNewRefusesPoolsThatCannotQuery has pools on which pgx refuses every statement. They need no server.
func TestNewRefusesPoolsThatCannotQuery(t *testing.T) {
	for _, settings := range []string{"statement_cache_capacity=0", "default_query_exec_mode=cache_describe&description_cache_capacity=0"} {
		_, err := postgres.New(openPool(t, "postgres://127.0.0.1:1/x?"+settings, nil), postgres.Options{})
		require.ErrorContains(t, err, "default_query_exec_mode=exec")
	}
	for _, settings := range []string{"", "statement_cache_capacity=0&default_query_exec_mode=exec", "description_cache_capacity=0"} {
		store, err := postgres.New(openPool(t, "postgres://127.0.0.1:1/x?"+settings, nil), postgres.Options{})
		require.NoError(t, err)
		require.NoError(t, store.Close())
	}
}
