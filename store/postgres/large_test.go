package postgres_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// BenchmarkLiveLinks measures calls of 64 callers beside ten thousand live links and beside MAGICLINK_LIVE_LINKS of them (default: one
// million), in turns on one server. Links are used soon after they were issued, or spread over all of them.
//
// The server has the settings of one that is busy: a quarter of the memory for shared_buffers, and no checkpoint while it is measured.
func BenchmarkLiveLinks(b *testing.B) {
	large, _ := strconv.Atoi(os.Getenv("MAGICLINK_LIVE_LINKS"))
	if large == 0 {
		large = 1_000_000
	}
	pool := openPool(b, dbtest.StartPostgres(b, "max_wal_size=64GB", "checkpoint_timeout=1h", "shared_buffers=6GB").URL(), nil)
	sizes := []int{10_000, large}
	var calls [2]map[string]func(n int) caller
	for which, size := range sizes {
		schema := newSchema()
		store := openStore(b, pool, schema)
		_, err := pool.Exec(b.Context(), `INSERT INTO `+quote(schema)+`.magiclink_links (id, tenant_id, business_id, external_business_id,
			email, path, session_timeout, extension, created_at, expires_at, consumed_by, purge_at)
			SELECT 'mlk_' || lpad(i::text, 22, '0'), 'tenant-1', 'biz_0000000000000000000001', 'shop/4711', 'jane.doe@example.com',
			'/orders/17?tab=items', 3600, '', 1800000000000 + i, 1900003600000 + i, '', 1900003600000 + i FROM generate_series(1, $1::bigint) AS i`, size)
		require.NoError(b, err)
		_, err = pool.Exec(b.Context(), "VACUUM ANALYZE "+quote(schema)+".magiclink_links")
		require.NoError(b, err)
		warm(b, pool, quote(schema)+".magiclink_links")
		next := 1_000_000_000
		spread := rand.Perm(size)
		calls[which] = map[string]func(n int) caller{
			"Create": func(n int) caller {
				from := next
				next += n
				return func(ctx context.Context, i int) error { return store.Create(ctx, benchRecord(from+i)) }
			},
			"ConsumeNew": func(n int) caller {
				from := next
				next += n
				crowd(b, 64, n, func(ctx context.Context, i int) error { return store.Create(ctx, benchRecord(from+i)) })
				return func(ctx context.Context, i int) error {
					_, err := store.Consume(ctx, benchID(from+i), time.Now(), "b")
					return err
				}
			},
			"ConsumeSpread": func(n int) caller {
				ids := spread[:min(n, len(spread))]
				spread = spread[len(ids):]
				return func(ctx context.Context, i int) error {
					if i >= len(ids) {
						return nil
					}
					_, err := store.Consume(ctx, benchID(ids[i]+1), time.UnixMilli(1_800_000_000_000), "b")
					return err
				}
			},
			"BareGet": func(int) caller {
				query := "SELECT email FROM " + quote(schema) + ".magiclink_links WHERE id = $1"
				return func(ctx context.Context, _ int) error {
					var email string
					return pool.QueryRow(ctx, query, benchID(1+rand.N(size))).Scan(&email)
				}
			},
			"Get": func(int) caller {
				return func(ctx context.Context, _ int) error {
					_, err := store.Get(ctx, benchID(1+rand.N(size)))
					return err
				}
			},
		}
	}
	for _, each := range []struct {
		name   string
		repeat int // ten thousand calls would take too little time: only the links of the small table, which are used once, allow no more
	}{{"Create", 4}, {"ConsumeNew", 1}, {"ConsumeSpread", 1}, {"Get", 20}, {"BareGet", 10}} {
		b.Run(each.name, func(b *testing.B) {
			var took [2]time.Duration
			for turn, left := 0, b.N; left > 0; turn++ {
				n := min(left, 1000)
				for k := range 2 {
					which := (turn + k) % 2
					took[which] += crowd(b, 64, n*each.repeat, calls[which][each.name](n*each.repeat))
				}
				left -= n
			}
			b.ReportMetric(float64(b.N*each.repeat)/took[0].Seconds(), "small/s")
			b.ReportMetric(float64(b.N*each.repeat)/took[1].Seconds(), "large/s")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "x-slower")
		})
	}
}

// warm lets every connection of the pool read all of a table and of the index of its ids. A process pays for the first touch of each
// page of the shared memory, and the processes of a server that has run for an hour have paid long ago.
func warm(b *testing.B, pool *pgxpool.Pool, table string) {
	b.Helper()
	conns := make([]*pgxpool.Conn, pool.Config().MaxConns)
	for i := range conns {
		conn, err := pool.Acquire(b.Context())
		require.NoError(b, err)
		conns[i] = conn
		_, err = conn.Conn().PgConn().Exec(b.Context(), `BEGIN; SET LOCAL max_parallel_workers_per_gather = 0;
			SELECT count(extension) FROM `+table+`;
			SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_sort = off;
			SELECT count(id) FROM (SELECT id FROM `+table+` ORDER BY id OFFSET 0) AS ids; COMMIT`).ReadAll()
		require.NoError(b, err)
	}
	for _, conn := range conns {
		conn.Release()
	}
}
