package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// BenchmarkCreate measures Create beside a bare SET of a value of the same size with an expiry, through the same client: unpipelined,
// and through go-redis's own automatic pipelines.
func BenchmarkCreate(b *testing.B) {
	store, bare := benchStores(b)
	beside(b, "auto", func(n int) []caller {
		records, keys := benchInputs(n)
		return []caller{
			func(ctx context.Context, i int) error { return store.Create(ctx, records[i]) },
			func(ctx context.Context, i int) error { return bare.set(ctx, bare.client, keys[i]) },
			func(ctx context.Context, i int) error { return bare.set(ctx, bare.automatic, keys[i]) },
		}
	})
}

// BenchmarkConsume measures Consume beside a bare SET, and beside a script that does nothing but this SET: the least that one script costs.
func BenchmarkConsume(b *testing.B) {
	store, bare := benchStores(b)
	beside(b, "script", func(n int) []caller {
		records, keys := benchInputs(n)
		crowd(b, b.Context(), 64, n, func(ctx context.Context, i int) error { return store.Create(ctx, records[i]) })
		return []caller{
			func(ctx context.Context, i int) error {
				_, err := store.Consume(ctx, records[i].ID, time.Now(), keys[i])
				return err
			},
			func(ctx context.Context, i int) error { return bare.set(ctx, bare.client, keys[i]) },
			func(ctx context.Context, i int) error { return bare.runScript(ctx, keys[i]) },
		}
	})
}

// BenchmarkGet measures Get beside a bare GET.
func BenchmarkGet(b *testing.B) {
	const records = 1000
	store, bare := benchStores(b)
	links, keys := benchInputs(records)
	crowd(b, b.Context(), 64, records, func(ctx context.Context, i int) error { return store.Create(ctx, links[i]) })
	crowd(b, b.Context(), 64, records, func(ctx context.Context, i int) error { return bare.set(ctx, bare.client, keys[i]) })
	beside(b, "auto", func(int) []caller {
		return []caller{
			func(ctx context.Context, i int) error {
				_, err := store.Get(ctx, links[i%records].ID)
				return err
			},
			func(ctx context.Context, i int) error { return bare.client.Get(ctx, keys[i%records]).Err() },
			func(ctx context.Context, i int) error { return bare.automatic.Get(ctx, keys[i%records]).Err() },
		}
	})
}

// BenchmarkClusterCreate is BenchmarkCreate on a cluster of three masters.
func BenchmarkClusterCreate(b *testing.B) {
	client := openCluster(b, dbtest.StartRedisCluster(b, 0))
	store, bare := openStore(b, client, redis.Options{}), newBare(b, client)
	beside(b, "auto", func(n int) []caller {
		records, keys := benchInputs(n)
		return []caller{
			func(ctx context.Context, i int) error { return store.Create(ctx, records[i]) },
			func(ctx context.Context, i int) error { return bare.set(ctx, bare.client, keys[i]) },
			func(ctx context.Context, i int) error { return bare.set(ctx, bare.automatic, keys[i]) },
		}
	})
}

// benchStores starts a server that appends to a file and syncs it every second.
func benchStores(b *testing.B) (*redis.Store, bare) {
	b.Helper()
	client := openClient(b, dbtest.StartRedis(b, "appendonly yes", "appendfsync everysec").URL(), nil)
	return openStore(b, client, redis.Options{}), newBare(b, client)
}

// caller makes the call with this number.
type caller func(ctx context.Context, i int) error

// beside measures the store, the bare command and a second floor in turns of some milliseconds, so that the other work of the
// machine slows all of them down. "handler" is one caller whose context can end, as that of a
// request can: go-redis alone does not notice such an end.
func beside(b *testing.B, second string, prepare func(n int) []caller) {
	b.Helper()
	for _, kind := range []struct {
		name    string
		callers int
		ends    bool
	}{{"1", 1, false}, {"handler", 1, true}, {"8", 8, true}, {"64", 64, true}} {
		b.Run(kind.name, func(b *testing.B) {
			ctx := context.Background()
			if kind.ends {
				ctx = b.Context()
			}
			var took [3]time.Duration
			for left := b.N; left > 0; {
				n := min(left, 64*kind.callers)
				calls := prepare(n)
				for _, which := range rand.Perm(len(calls)) { // what runs before can leave work behind
					took[which] += crowd(b, ctx, kind.callers, n, calls[which])
				}
				left -= n
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(b.N)/took[0].Seconds(), "calls/s")
			b.ReportMetric(float64(b.N)/took[1].Seconds(), "bare/s")
			b.ReportMetric(took[1].Seconds()/took[0].Seconds(), "x-bare")
			b.ReportMetric(took[2].Seconds()/took[0].Seconds(), "x-"+second)
		})
	}
}

// bare is what an application writes by itself.
type bare struct {
	client    goredis.UniversalClient
	automatic goredis.Cmdable
	value     string
}

func newBare(b *testing.B, client goredis.UniversalClient) bare {
	b.Helper()
	automatic, err := client.AutoPipeline()
	require.NoError(b, err)
	store := openStore(b, client, redis.Options{Prefix: redis.DefaultPrefix})
	require.NoError(b, store.Create(b.Context(), benchRecord(-1)))
	size, err := client.StrLen(b.Context(), redis.DefaultPrefix+benchID(-1)).Result()
	require.NoError(b, err)
	require.Positive(b, size)
	return bare{client, automatic, strings.Repeat("0", int(size))}
}

func (b bare) set(ctx context.Context, client goredis.Cmdable, key string) error {
	return client.Set(ctx, key, b.value, time.Hour).Err()
}

var setScript = goredis.NewScript("return redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])")

func (b bare) runScript(ctx context.Context, key string) error {
	return setScript.Run(ctx, b.client, []string{key}, b.value, time.Hour.Milliseconds()).Err()
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

// benchInputs returns n records that nobody has created, and as many keys for the floors.
func benchInputs(n int) (records []magiclink.Record, keys []string) {
	from := reserve(n)
	for i := from; i < from+n; i++ {
		records, keys = append(records, benchRecord(i)), append(keys, fmt.Sprintf("bare:%022d", i))
	}
	return records, keys
}

var serial atomic.Int64

// reserve returns the first of n numbers that nobody else uses.
func reserve(n int) int { return int(serial.Add(int64(n))) - n }

// crowd makes n calls from a number of callers at the same time and returns how long that took.
func crowd(b *testing.B, ctx context.Context, callers, n int, call caller) time.Duration {
	b.Helper()
	var next atomic.Int64
	var group sync.WaitGroup
	started := time.Now()
	for range callers {
		group.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				if err := call(ctx, int(i-1)); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	return time.Since(started)
}
