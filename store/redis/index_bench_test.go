package redis_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// BenchmarkIndexes measures what indexes cost Create and Consume with one caller and with 64, in turns on one server and on one cluster, as a
// multiple of the time without indexes.
func BenchmarkIndexes(b *testing.B) {
	for name, client := range map[string]goredis.UniversalClient{
		"server":  openClient(b, dbtest.StartRedis(b, "appendonly yes", "appendfsync everysec").URL(), nil),
		"cluster": openCluster(b, dbtest.StartRedisCluster(b, 0)),
	} {
		names, stores := []string{"none", "tenant", "email", "two", "four"}, []*redis.Store{}
		for _, indexes := range [][]redis.Index{nil, {redis.ByTenant}, {redis.ByEmail}, {redis.ByTenant, redis.ByEmail}, everyIndex} {
			stores = append(stores, openStore(b, client, redis.Options{Indexes: indexes}))
		}
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) { benchIndexes(b, stores, names, callers) })
		}
	}
}

func benchIndexes(b *testing.B, stores []*redis.Store, names []string, callers int) {
	creates, consumes := make([]time.Duration, len(stores)), make([]time.Duration, len(stores))
	calls := 0
	for turn := 0; calls < b.N; turn++ {
		n := 64 * callers
		calls += n
		for k := range stores {
			i := (turn + k) % len(stores)
			from := reserve(n)
			records := make([]magiclink.Record, n)
			for j := range records {
				r := benchRecord(from + j)
				r.TenantID, r.BusinessID = fmt.Sprint("tenant-", rand.N(100)), fmt.Sprint("biz_", rand.N(5000))
				r.Email = fmt.Sprintf("%012x@example.com", rand.Int64N(1<<48))
				records[j] = r
			}
			creates[i] += crowd(b, b.Context(), callers, n, func(ctx context.Context, j int) error { return stores[i].Create(ctx, records[j]) })
			consumes[i] += crowd(b, b.Context(), callers, n, func(ctx context.Context, j int) error {
				_, err := stores[i].Consume(ctx, records[j].ID, records[j].CreatedAt, "browser")
				return err
			})
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(calls)/creates[0].Seconds(), "creates/s")
	for i, name := range names[1:] {
		b.ReportMetric(creates[i+1].Seconds()/creates[0].Seconds(), "x-create-"+name)
		b.ReportMetric(consumes[i+1].Seconds()/consumes[0].Seconds(), "x-consume-"+name)
	}
}

// BenchmarkTake measures takes of one key, and of many, with one caller and with 64.
func BenchmarkTake(b *testing.B) {
	store, _ := benchStores(b)
	for _, keys := range []int{1, 100_000} {
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("keys=%d/callers=%d", keys, callers), func(b *testing.B) {
				rate := magiclink.Rate{Burst: 1_000_000, Every: time.Hour}
				took := crowd(b, b.Context(), callers, b.N, func(ctx context.Context, i int) error {
					_, err := store.Take(ctx, fmt.Sprint("key ", i%keys), rate, time.Now())
					return err
				})
				b.ReportMetric(float64(b.N)/took.Seconds(), "takes/s")
			})
		}
	}
}
