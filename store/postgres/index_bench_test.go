package postgres_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

func liveLinks() int {
	if links, _ := strconv.Atoi(os.Getenv("MAGICLINK_LIVE_LINKS")); links > 0 {
		return links
	}
	return 300_000
}

// BenchmarkIndexes measures what each index costs Create and Consume with one caller and with 64, in turns on one server, beside
// MAGICLINK_LIVE_LINKS links (default: 300,000) of one tenant or of 1,000.
func BenchmarkIndexes(b *testing.B) {
	pool := openPool(b, dbtest.StartPostgres(b, "max_wal_size=8GB", "shared_buffers=2GB").URL(), nil)
	indexes := []postgres.Index{"", postgres.ByTenant, postgres.ByEmail, postgres.ByBusiness}
	for _, tenants := range []int{1, 1000} {
		stores := make([]*postgres.Store, len(indexes))
		for i, index := range indexes {
			schema := newSchema()
			stores[i] = openStore(b, pool, schema)
			_, err := pool.Exec(b.Context(), `INSERT INTO `+quote(schema)+`.magiclink_links (id, tenant_id, business_id, external_business_id,
				email, path, session_timeout, extension, created_at, expires_at, consumed_by, purge_at)
				SELECT 'mlk_' || lpad(i::text, 22, '0'), 'tenant-' || floor(random() * $2::int), 'biz_' || floor(random() * 5000), '',
				substr(md5(i::text), 1, 12) || '@example.com', '/orders', 86400, '', 1800000000000 + i, 1900000000000 + i, '', 1900000000000 + i
				FROM generate_series(1, $1::bigint) AS i`, liveLinks(), tenants)
			require.NoError(b, err)
			if index != "" {
				createIndexes(b, stores[i], index)
			}
			_, err = pool.Exec(b.Context(), "VACUUM ANALYZE "+quote(schema)+".magiclink_links")
			require.NoError(b, err)
		}
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("tenants=%d/callers=%d", tenants, callers), func(b *testing.B) {
				benchIndexes(b, stores, []string{"none", "tenant", "email", "business"}, tenants, callers)
			})
		}
	}
}

func benchIndexes(b *testing.B, stores []*postgres.Store, names []string, tenants, callers int) {
	creates, consumes := make([]time.Duration, len(stores)), make([]time.Duration, len(stores))
	calls := 0
	for turn := 0; calls < b.N; turn++ {
		n := 16 * callers
		calls += n
		for k := range stores {
			i := (turn + k) % len(stores)
			from := 1_000_000_000 + reserve(n)
			records := make([]magiclink.Record, n)
			for j := range records {
				r := benchRecord(from + j)
				r.TenantID, r.BusinessID = fmt.Sprint("tenant-", rand.N(tenants)), fmt.Sprint("biz_", rand.N(5000))
				r.Email = fmt.Sprintf("%012x@example.com", rand.Int64N(1<<48))
				records[j] = r
			}
			creates[i] += crowd(b, callers, n, func(ctx context.Context, j int) error { return stores[i].Create(ctx, records[j]) })
			consumes[i] += crowd(b, callers, n, func(ctx context.Context, j int) error {
				_, err := stores[i].Consume(ctx, records[j].ID, records[j].CreatedAt, "browser")
				return err
			})
		}
	}
	for i, name := range names {
		b.ReportMetric(float64(calls)/creates[i].Seconds(), name+"-create/s")
		b.ReportMetric(float64(creates[i])/float64(creates[0]), name+"-create-x")
		b.ReportMetric(float64(consumes[i])/float64(consumes[0]), name+"-consume-x")
	}
}

// BenchmarkList measures the first and the hundredth page of 100 records among MAGICLINK_LIVE_LINKS links (default: 300,000), and
// reports the medians. The tenant has 99 of 100 records, the rare one the others.
func BenchmarkList(b *testing.B) {
	pool, schema := openPool(b, dbtest.StartPostgres(b, "max_wal_size=8GB", "shared_buffers=2GB").URL(), nil), newSchema()
	store := openStore(b, pool, schema)
	fillTable(b, pool, schema, 1, liveLinks())
	_, err := pool.Exec(b.Context(), "VACUUM ANALYZE "+quote(schema)+".magiclink_links")
	require.NoError(b, err)
	tenant := magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1"}, Limit: 100}
	live, rare, jane, business := tenant, tenant, tenant, tenant
	live.State, live.At = magiclink.StateLive, time.UnixMilli(1_850_000_000_000)
	rare.TenantID = "rare"
	jane.Email = "a1@example.com" // the oldest
	business.BusinessID = "biz_7"
	for _, part := range []struct {
		name    string
		index   postgres.Index
		queries map[string]magiclink.ListQuery
	}{
		{"NoIndex", "", map[string]magiclink.ListQuery{"tenant": tenant, "live": live, "rare": rare, "business": business}},
		{"ByTenant", postgres.ByTenant, map[string]magiclink.ListQuery{"tenant": tenant, "live": live, "rare": rare}},
		{"ByEmail", postgres.ByEmail, map[string]magiclink.ListQuery{"jane": jane}},
		{"ByBusiness", postgres.ByBusiness, map[string]magiclink.ListQuery{"business": business}},
	} {
		if part.index != "" {
			createIndexes(b, store, part.index)
		}
		for name, query := range part.queries {
			b.Run(part.name+"/"+name, func(b *testing.B) { benchList(b, store, query) })
		}
	}
}

func benchList(b *testing.B, s magiclink.Lister, query magiclink.ListQuery) {
	cursor := query
	for range 99 {
		page, err := s.List(b.Context(), cursor)
		require.NoError(b, err)
		if len(page) == query.Limit {
			cursor.Before = page[len(page)-1].ID
		}
	}
	took := make([][]time.Duration, 2)
	for range b.N {
		for i, q := range []magiclink.ListQuery{query, cursor} {
			began := time.Now()
			page, err := s.List(b.Context(), q)
			took[i] = append(took[i], time.Since(began))
			require.NoError(b, err)
			require.True(b, i > 0 || len(page) > 0)
		}
	}
	for i, name := range []string{"first-ms", "hundredth-ms"} {
		slices.Sort(took[i])
		b.ReportMetric(float64(took[i][b.N/2])/1e6, name)
	}
}

// BenchmarkTake measures Take of one key, and of many.
func BenchmarkTake(b *testing.B) {
	pool := openPool(b, dbtest.StartPostgres(b).URL(), nil)
	for _, kind := range []struct {
		name string
		key  func(i int) string
	}{{"one key", func(int) string { return "key" }}, {"many keys", func(i int) string { return fmt.Sprint(i % 100_000) }}} {
		for _, callers := range []int{1, 64} {
			for outcome, rate := range map[string]magiclink.Rate{
				"granted": {Burst: 1_000_000, Every: time.Millisecond}, "refused": {Burst: 1, Every: 24 * time.Hour},
			} {
				b.Run(fmt.Sprintf("%s/%s/%d", kind.name, outcome, callers), func(b *testing.B) {
					store := openStore(b, pool, newSchema())
					for i := range min(b.N, 2000) {
						_, err := store.Take(b.Context(), kind.key(i), rate, time.Now())
						require.NoError(b, err)
					}
					took := crowd(b, callers, b.N, func(ctx context.Context, i int) error {
						_, err := store.Take(ctx, kind.key(i%2000), rate, time.Now())
						return err
					})
					b.ReportMetric(float64(b.N)/took.Seconds(), "takes/s")
				})
			}
		}
	}
}
