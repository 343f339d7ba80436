package postgres_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// TestNoScanOfTheWholeTable lets prepared statements get their plans while the table is small and not analyzed. The table then
// grows.
func TestNoScanOfTheWholeTable(t *testing.T) {
	watcher, schema := openPool(t, dbtest.PostgresURL(t), nil), newSchema()
	openStore(t, watcher, schema)
	scans := func() (n int) {
		query := "SELECT seq_scan FROM pg_stat_user_tables WHERE schemaname = $1 AND relname = 'magiclink_links'"
		require.NoError(t, watcher.QueryRow(t.Context(), query, schema).Scan(&n))
		return n
	}
	_, err := watcher.Exec(t.Context(), "ALTER TABLE "+quote(schema)+".magiclink_links SET (autovacuum_enabled = false)")
	require.NoError(t, err)
	before := scans()

	pool := openPool(t, dbtest.PostgresURL(t), func(c *pgxpool.Config) { c.MaxConns = 2 })
	store := openStore(t, pool, schema)
	for round := range 20 {
		errs := callAll(64, func(i int) error { return store.Create(t.Context(), link(64*round+i)) })
		errs = append(errs, callAll(64, func(i int) error {
			_, err := store.Consume(t.Context(), link(64*round+i).ID, time.Now(), "by")
			return err
		})...)
		errs = append(errs, callAll(64, func(i int) error {
			_, err := store.Get(t.Context(), link(64*round+i).ID)
			return err
		})...)
		for _, err := range errs {
			require.NoError(t, err)
		}
	}
	_, err = limited(t, time.Minute, func(ctx context.Context) error { return store.Revoke(ctx, link(1).ID, time.Now()) })
	require.NoError(t, err)
	require.NoError(t, store.Close())
	pool.Close() // the server publishes the statistics of a connection when it ends
	time.Sleep(100 * time.Millisecond)
	require.Equal(t, before, scans())

	var count int
	require.NoError(t, watcher.QueryRow(t.Context(), "SELECT count(*) FROM "+quote(schema)+".magiclink_links").Scan(&count))
	watcher.Reset()
	require.Eventually(t, func() bool { return scans() > before }, 5*time.Second, 10*time.Millisecond,
		fmt.Sprintf("positive control: counting the %d rows is a scan", count))
}
