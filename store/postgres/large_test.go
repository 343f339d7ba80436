package postgres_test

import (
	"context"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// BenchmarkLiveLinks measures calls of 64 callers beside ten thousand live links and beside MAGICLINK_LIVE_LINKS of them (default: one
// million), in turns on one server. Links are used soon after they were issued, or spread over all of them.
func BenchmarkLiveLinks(b *testing.B) {
	large, _ := strconv.Atoi(os.Getenv("MAGICLINK_LIVE_LINKS"))
	if large == 0 {
		large = 1_000_000
	}
	pool := openPool(b, dbtest.StartPostgres(b, "max_wal_size=8GB", "checkpoint_timeout=1h", "shared_buffers=6GB").URL(), nil)
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
	for _, name := range []string{"Create", "ConsumeNew", "ConsumeSpread", "Get", "BareGet"} {
		b.Run(name, func(b *testing.B) {
			var took [2]time.Duration
			for turn, left := 0, b.N; left > 0; turn++ {
				n := min(left, 1000)
				for k := range 2 {
					which := (turn + k) % 2
					took[which] += crowd(b, 64, n, calls[which][name](n))
				}
				left -= n
			}
			b.ReportMetric(float64(b.N)/took[0].Seconds(), "small/s")
			b.ReportMetric(float64(b.N)/took[1].Seconds(), "large/s")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "x-slower")
		})
	}
}
