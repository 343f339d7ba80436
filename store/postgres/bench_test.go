package postgres_test

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// BenchmarkCreate measures Create beside a bare INSERT of one row into a table of the same shape, through the same pool.
func BenchmarkCreate(b *testing.B) {
	store, bare := benchStores(b)
	beside(b, func(n int) []caller {
		from := reserve(n)
		return []caller{
			func(ctx context.Context, i int) error { return store.Create(ctx, benchRecord(from+i)) },
			func(ctx context.Context, i int) error { return bare.insert(ctx, from+i) },
		}
	})
}

// BenchmarkConsume measures Consume beside a bare UPDATE of one row, and beside one that returns the row.
func BenchmarkConsume(b *testing.B) {
	store, bare := benchStores(b)
	beside(b, func(n int) []caller {
		from := reserve(n)
		crowd(b, 64, n, func(ctx context.Context, i int) error { return store.Create(ctx, benchRecord(from+i)) })
		again := reserve(n)
		bare.fill(b, from, n)
		bare.fill(b, again, n)
		return []caller{
			func(ctx context.Context, i int) error {
				_, err := store.Consume(ctx, benchID(from+i), time.Now(), "browser "+strconv.Itoa(i))
				return err
			},
			func(ctx context.Context, i int) error { return bare.update(ctx, from+i, "") },
			func(ctx context.Context, i int) error { return bare.update(ctx, again+i, " RETURNING *") },
		}
	})
}

// BenchmarkGet measures Get beside a bare SELECT of one row.
func BenchmarkGet(b *testing.B) {
	const records = 1000
	store, bare := benchStores(b)
	from := reserve(records)
	crowd(b, 64, records, func(ctx context.Context, i int) error { return store.Create(ctx, benchRecord(from+i)) })
	bare.fill(b, from, records)
	beside(b, func(int) []caller {
		return []caller{
			func(ctx context.Context, i int) error {
				_, err := store.Get(ctx, benchID(from+i%records))
				return err
			},
			func(ctx context.Context, i int) error { return bare.get(ctx, from+i%records) },
		}
	})
}

// benchStores starts a server with the settings of production: every commit is synced.
func benchStores(b *testing.B) (magiclink.Store, bare) {
	b.Helper()
	pool := openPool(b, dbtest.StartPostgres(b).URL(), nil)
	return openStore(b, pool, newSchema()), newBare(b, pool)
}

// caller makes the call with this number.
type caller func(ctx context.Context, i int) error

// beside measures the store and the floor in turns of some milliseconds, so that the other work of the machine slows both down.
// They take turns in being the first. Prepare returns what makes the n calls of a turn: the store, the floor, and perhaps a floor that
// returns the row.
func beside(b *testing.B, prepare func(n int) []caller) {
	b.Helper()
	for _, callers := range []int{1, 8, 64} {
		b.Run(strconv.Itoa(callers), func(b *testing.B) {
			var took [3]time.Duration
			for left, turn := b.N, 0; left > 0; turn++ {
				n := min(left, 64*callers)
				kinds := prepare(n)
				for k := range kinds {
					which := (turn + k) % len(kinds)
					took[which] += crowd(b, callers, n, kinds[which])
				}
				left -= n
			}
			b.ReportMetric(float64(b.N)/took[0].Seconds(), "calls/s")
			b.ReportMetric(float64(b.N)/took[1].Seconds(), "bare/s")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "x-bare")
			if took[2] > 0 {
				b.ReportMetric(took[2].Seconds()/took[0].Seconds(), "x-returning")
			}
		})
	}
}

// bare is what an application writes by itself: one statement for one row.
type bare struct {
	pool  *pgxpool.Pool
	table string
}

func newBare(b *testing.B, pool *pgxpool.Pool) bare {
	b.Helper()
	table := pgx.Identifier{fmt.Sprintf("bare_%d", schemas.Add(1))}.Sanitize()
	_, err := pool.Exec(b.Context(), `CREATE TABLE `+table+` (
		id text COLLATE "C" PRIMARY KEY, tenant_id text NOT NULL, business_id text NOT NULL, external_business_id text NOT NULL,
		email text NOT NULL, path text NOT NULL, session_timeout bigint NOT NULL, extension bytea NOT NULL, created_at bigint NOT NULL,
		expires_at bigint NOT NULL, consumed_at bigint, revoked_at bigint, consumed_by bytea NOT NULL)`)
	require.NoError(b, err)
	_, err = pool.Exec(b.Context(), `CREATE INDEX ON `+table+` (expires_at)`)
	require.NoError(b, err)
	return bare{pool, table}
}

func (b bare) insert(ctx context.Context, i int) error {
	r := benchRecord(i)
	_, err := b.pool.Exec(ctx, "INSERT INTO "+b.table+" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
		r.ID, r.TenantID, r.BusinessID, r.ExternalBusinessID, r.Email, r.Path, int64(r.SessionTimeout/time.Second), []byte(r.Extension),
		r.CreatedAt.UnixMilli(), r.ExpiresAt.UnixMilli(), nil, nil, []byte{})
	return err
}

// fill inserts n rows in one statement.
func (b bare) fill(tb testing.TB, from, n int) {
	tb.Helper()
	_, err := b.pool.Exec(tb.Context(), "INSERT INTO "+b.table+` SELECT 'mlk_' || lpad(i::text, 22, '0'), 'tenant-1',
		'biz_0000000000000000000001', 'shop/4711', 'jane.doe@example.com', '/orders/17?tab=items', 3600, '',
		1800000000000, 1800003600000, NULL, NULL, '' FROM generate_series($1::bigint, $2::bigint) AS i`, from, from+n-1)
	require.NoError(tb, err)
}

func (b bare) update(ctx context.Context, i int, returning string) error {
	_, err := b.pool.Exec(ctx, "UPDATE "+b.table+" SET consumed_at = $2, consumed_by = $3 WHERE id = $1"+returning,
		benchID(i), time.Now().UnixMilli(), []byte("browser "+strconv.Itoa(i)))
	return err
}

func (b bare) get(ctx context.Context, i int) error {
	var email string
	return b.pool.QueryRow(ctx, "SELECT email FROM "+b.table+" WHERE id = $1", benchID(i)).Scan(&email)
}

func benchID(i int) string { return fmt.Sprintf("mlk_%022d", i) }

func benchRecord(i int) magiclink.Record {
	now := time.Now()
	return magiclink.Record{
		ID: benchID(i), Subject: magiclink.Subject{
			TenantID: "tenant-1", BusinessID: "biz_0000000000000000000001", ExternalBusinessID: "shop/4711", Email: "jane.doe@example.com",
		},
		Path: "/orders/17?tab=items", SessionTimeout: time.Hour, CreatedAt: now, ExpiresAt: now.Add(time.Hour),
	}
}

var serial atomic.Int64

// reserve returns the first of n numbers that nobody else uses.
func reserve(n int) int { return int(serial.Add(int64(n))) - n }

// crowd makes n calls from a number of callers at the same time and returns how long that took.
func crowd(b *testing.B, callers, n int, call caller) time.Duration {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	started := time.Now()
	for range callers {
		group.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := call(context.Background(), int(i-1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(started)
}
