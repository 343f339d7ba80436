//go:build cgo

package sqlite_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// indexes are the indexes whose cost BenchmarkIndexes measures, each alone.
var indexes = []struct{ name, create string }{
	{"none", ""},
	{"tenant", "CREATE INDEX IF NOT EXISTS magiclink_links_tenant ON magiclink_links (tenant_id, id)"},
	{"email", "CREATE INDEX IF NOT EXISTS magiclink_links_email ON magiclink_links (tenant_id, email, id) WHERE email <> ''"},
	{"business", "CREATE INDEX IF NOT EXISTS magiclink_links_business ON magiclink_links (tenant_id, business_id, id) WHERE business_id <> ''"},
}

// BenchmarkIndexes measures what each index costs Create and Consume with 64 callers, and with one, in turns, beside
// MAGICLINK_LIVE_LINKS links (default: 300,000) of one tenant or of 1,000.
func BenchmarkIndexes(b *testing.B) {
	links, _ := strconv.Atoi(os.Getenv("MAGICLINK_LIVE_LINKS"))
	if links == 0 {
		links = 300_000
	}
	for _, tenants := range []int{1, 1000} {
		stores := make([]*sqlite.Store, len(indexes))
		for i, index := range indexes {
			path := newPath(b)
			stores[i] = open(b, path)
			fillIndexed(b, path, links, tenants)
			db := pool(b, path)
			_, err := db.ExecContext(b.Context(), "DROP INDEX IF EXISTS magiclink_links_tenant; "+index.create)
			require.NoError(b, err)
		}
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("tenants=%d/callers=%d", tenants, callers), func(b *testing.B) { benchIndexes(b, stores, tenants, callers) })
		}
	}
}

func fillIndexed(b *testing.B, path string, links, tenants int) {
	b.Helper()
	db := pool(b, path)
	_, err := db.ExecContext(b.Context(), fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO magiclink_links SELECT printf('mlk_%%022d', i), 'tenant-' || (abs(random()) %% %d), 'biz_' || (abs(random()) %% 5000), '',
		hex(randomblob(6)) || '@example.com', '/orders', 86400, x'', 1800000000000 + i, 1900000000000 + i, NULL, 1900000000000 + i FROM n`, links, tenants))
	require.NoError(b, err)
}

var indexedNumber atomic.Int64

func benchIndexes(b *testing.B, stores []*sqlite.Store, tenants, callers int) {
	creates, consumes := make([]time.Duration, len(stores)), make([]time.Duration, len(stores))
	calls := 0
	for turn := 0; calls < b.N; turn++ {
		n := 16 * callers
		calls += n
		for k := range stores {
			i := (turn + k) % len(stores)
			from := 1_000_000_000 + int(indexedNumber.Add(int64(n)))
			at := time.UnixMilli(1_850_000_000_000)
			records := make([]magiclink.Record, n)
			for j := range records {
				r := liveRecord(from + j)
				r.TenantID, r.BusinessID = fmt.Sprint("tenant-", rand.N(tenants)), fmt.Sprint("biz_", rand.N(5000))
				r.Email = fmt.Sprintf("%012x@example.com", rand.Int64N(1<<48))
				r.CreatedAt, r.ExpiresAt, r.SessionTimeout, r.Path = at, at.Add(time.Hour), 24*time.Hour, "/orders"
				records[j] = r
			}
			creates[i] += together(b, callers, n, func(j int) error { return stores[i].Create(context.Background(), records[j]) })
			consumes[i] += together(b, callers, n, func(j int) error {
				_, err := stores[i].Consume(context.Background(), records[j].ID, at, "browser")
				return err
			})
		}
	}
	for i, index := range indexes {
		b.ReportMetric(float64(calls)/creates[i].Seconds(), index.name+"-create/s")
		b.ReportMetric(float64(creates[i])/float64(creates[0]), index.name+"-create-x")
		b.ReportMetric(float64(consumes[i])/float64(consumes[0]), index.name+"-consume-x")
	}
}

// together makes n calls from a number of callers and returns how long that took.
func together(b *testing.B, callers, n int, call func(i int) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	began := time.Now()
	for range callers {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				if err := call(int(i)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(began)
}
