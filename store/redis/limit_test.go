package redis_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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

// takeAtOnce lets many goroutines take from one key at one moment, by turns from each store, and returns how many were granted.
func takeAtOnce(t testing.TB, takes int, rate magiclink.Rate, at time.Time, stores ...magiclink.Limiter) int {
	t.Helper()
	var granted atomic.Int64
	var group sync.WaitGroup
	for i := range takes {
		group.Go(func() {
			wait, err := stores[i%len(stores)].Take(context.Background(), "key", rate, at)
			if err != nil {
				t.Errorf("Take: %v", err)
			} else if wait == 0 {
				granted.Add(1)
			}
		})
	}
	group.Wait()
	return int(granted.Load())
}

// clients returns what opens clients of a server and of a cluster.
func clients(t *testing.T) map[string]func() goredis.UniversalClient {
	t.Helper()
	return map[string]func() goredis.UniversalClient{
		"server":  func() goredis.UniversalClient { return openClient(t, dbtest.RedisURL(t), nil) },
		"cluster": func() goredis.UniversalClient { return openCluster(t, dbtest.SharedRedisCluster(t)) },
	}
}

// Three stores, each with a client of its own, stand for three replicas.
func TestTenThousandTakes(t *testing.T) {
	for name, open := range clients(t) {
		t.Run(name, func(t *testing.T) {
			prefix := newPrefix()
			rate, at := magiclink.Rate{Burst: 100, Every: time.Minute}, time.Now()
			var stores []magiclink.Limiter
			for range 3 {
				stores = append(stores, openStore(t, open(), redis.Options{Prefix: prefix}))
			}
			require.Equal(t, 100, takeAtOnce(t, 10_000, rate, at, stores[0]))
			require.NoError(t, stores[0].Reset(t.Context(), "key"))
			require.Equal(t, 100, takeAtOnce(t, 10_000, rate, at, stores...), "over three replicas")
			require.Equal(t, 7, takeAtOnce(t, 1000, rate, at.Add(7*time.Minute), stores...), "seven periods later")
		})
	}
}

// The control: a twin that reads and then writes lets more through.
func TestTakesOfATwinThatIsNotAtomic(t *testing.T) {
	for name, open := range clients(t) {
		t.Run(name, func(t *testing.T) {
			twin := &readsThenWrites{open(), newPrefix()}
			require.Greater(t, takeAtOnce(t, 10_000, magiclink.Rate{Burst: 100, Every: time.Minute}, time.Now(), twin), 100,
				"the test does not tell the twin from the store")
		})
	}
}

type readsThenWrites struct {
	client goredis.UniversalClient
	prefix string
}

func (r *readsThenWrites) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	arrival, err := r.client.Get(ctx, r.prefix+key).Int64()
	if err != nil && !errors.Is(err, goredis.Nil) {
		return 0, err
	}
	next, wait := rate.Take(arrival, at)
	return wait, r.client.Set(ctx, r.prefix+key, next, time.Hour).Err()
}

func (r *readsThenWrites) Reset(context.Context, string) error { return nil }

// TestRuleInLua compares the script with the pure rule, for numbers that a key can have and others.
func TestRuleInLua(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	store, prefix := openWithPrefix(t, client)
	random := rand.New(rand.NewPCG(7, 8))
	granted, large := 0, 0
	for range 5000 {
		rate := magiclink.Rate{Burst: 1 + random.IntN(5), Every: time.Duration(1+random.IntN(90_000)) * time.Millisecond}
		at := time.UnixMilli(random.Int64N(4_000_000_000_000))
		if random.IntN(3) == 0 {
			rate = magiclink.Rate{Burst: 1_000_000 - random.IntN(3), Every: 366*24*time.Hour - time.Duration(random.IntN(1000))*time.Millisecond}
		}
		full := rate.Every.Milliseconds() * int64(rate.Burst)
		arrival := max(0, at.UnixMilli()+[]int64{
			0, full, full - rate.Every.Milliseconds(), full + 60_000, random.Int64N(2*full + 1), random.Int64N(1_000_000) - 500_000, -at.UnixMilli(),
		}[random.IntN(7)]+int64(random.IntN(3))-1)
		require.NoError(t, client.Set(t.Context(), prefix+"\xfflimit:key", arrival, 0).Err())
		next, want := rate.Take(arrival, at)
		wait, err := store.Take(t.Context(), "key", rate, at)
		require.NoError(t, err)
		kept, err := client.Get(t.Context(), prefix+"\xfflimit:key").Int64()
		require.NoError(t, err)
		require.Equal(t, want, wait, "%+v at %d with %d", rate, at.UnixMilli(), arrival)
		require.Equal(t, next, kept, "%+v at %d with %d", rate, at.UnixMilli(), arrival)
		if wait == 0 {
			granted++
		}
		if next > 1<<53 {
			large++
		}
	}
	require.True(t, granted > 1000 && granted < 4000, granted)
	require.Greater(t, large, 500, "positive control: numbers that a double does not hold")
}

func openWithPrefix(t *testing.T, client goredis.UniversalClient, indexes ...redis.Index) (*redis.Store, string) {
	t.Helper()
	prefix := newPrefix()
	return openStore(t, client, redis.Options{Prefix: prefix, Indexes: indexes}), prefix
}

// TestServerForgetsIdleKeys looks at when the server removes a key: a margin after the key grants a whole burst, whatever the clock of the
// caller says.
func TestServerForgetsIdleKeys(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	rate := magiclink.Rate{Burst: 3, Every: time.Minute}
	for name, at := range map[string]time.Time{
		"now": time.Now(), "long ago": time.UnixMilli(0), "far ahead": time.Date(9000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		t.Run(name, func(t *testing.T) {
			store, prefix := openWithPrefix(t, client)
			requireLeft := func(want time.Duration) {
				t.Helper()
				left := client.PTTL(t.Context(), prefix+"\xfflimit:key").Val()
				require.True(t, left <= want && left > want-30*time.Second, "%v is left instead of %v", left, want)
			}
			for takes := 1; takes <= 3; takes++ {
				require.Equal(t, 1, takeAtOnce(t, 1, rate, at, store))
				requireLeft(time.Duration(takes)*rate.Every + redis.Margin)
			}
			require.Zero(t, takeAtOnce(t, 1, rate, at, store))
			requireLeft(3*rate.Every + redis.Margin)
			if name != "long ago" {
				back := at.Add(-24 * time.Hour)
				require.Equal(t, 1, takeAtOnce(t, 3, rate, back, store), "the clock is set back")
				requireLeft(3*rate.Every + redis.Margin)
			}
			require.NoError(t, store.Reset(t.Context(), "key"))
			require.Zero(t, client.Exists(t.Context(), prefix+"\xfflimit:key").Val())
		})
	}
}

// TestLimitKeysOnCluster takes keys with braces, which mean something to a cluster.
func TestLimitKeysOnCluster(t *testing.T) {
	store := openStore(t, openCluster(t, dbtest.SharedRedisCluster(t)), redis.Options{})
	at, rate := time.Now(), magiclink.Rate{Burst: 2, Every: time.Minute}
	for range 3 {
		for i, key := range []string{"a{b}c", "b", "a{b}", "{}", "{", "}{", "{\xff}", "{a}{b}", "\xff", "\x00{\x00}"} {
			granted := 0
			for range 3 {
				wait, err := store.Take(t.Context(), key, rate, at)
				require.NoError(t, err)
				if wait == 0 {
					granted++
				}
			}
			require.Equal(t, 2, granted, "key %d", i)
			require.NoError(t, store.Reset(t.Context(), key))
		}
	}
}

// TestTakesShareRoundTrips holds the server up while takes of several keys queue up.
func TestTakesShareRoundTrips(t *testing.T) {
	store, spy := spied(t)
	require.NoError(t, allCalls(store)["take"](t.Context(), 0)) // the server knows the script
	before := spy.trips.Load()
	begun, release := spy.hold()
	time.AfterFunc(50*time.Millisecond, release)
	for _, err := range callAll(200, func(i int) error { return allCalls(store)["take"](t.Context(), i%10) }) {
		require.NoError(t, err)
	}
	<-begun
	require.LessOrEqual(t, spy.trips.Load()-before, int64(20), "round trips for 200 takes")
}

// TestTakeWithoutAnswer cuts the connection between a Take and its answer. It is not sent again: a second one would take twice.
func TestTakeWithoutAnswer(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	rate, at := magiclink.Rate{Burst: 3, Every: time.Minute}, time.Now()
	require.Equal(t, 1, takeAtOnce(t, 1, rate, at, store))
	proxy.Deaf()
	time.AfterFunc(30*time.Millisecond, func() {
		proxy.Pass(server.Address())
		proxy.Cut()
	})
	_, err := store.Take(t.Context(), "key", rate, at)
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.Equal(t, 1, takeAtOnce(t, 5, rate, at, store), "it has used up one take, and no second one")
}

func TestTakesSurviveARestart(t *testing.T) {
	server := dbtest.StartRedis(t, "appendonly yes", "appendfsync always")
	store := openStore(t, openClient(t, server.URL(), nil), redis.Options{})
	rate, at := magiclink.Rate{Burst: 3, Every: time.Minute}, time.Now()
	require.Equal(t, 3, takeAtOnce(t, 5, rate, at, store))
	server.Stop(t)
	server.Start(t)
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)
	require.Zero(t, takeAtOnce(t, 5, rate, at, store))
	require.Equal(t, 1, takeAtOnce(t, 5, rate, at.Add(time.Minute), store))
}

// TestLimitsAreNoRecords looks for a limit by ids that its key could have.
func TestLimitsAreNoRecords(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	store, prefix := openWithPrefix(t, client, everyIndex...)
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.NoError(t, allCalls(store)["take"](t.Context(), 1))
	for _, key := range client.Keys(t.Context(), "*").Val() {
		if len(key) < len(prefix) || key[:len(prefix)] != prefix || key == prefix+link(1).ID {
			continue
		}
		id := key[len(prefix):]
		_, err := store.Get(t.Context(), id)
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		_, err = store.Consume(t.Context(), id, time.Now(), "by")
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		require.ErrorIs(t, store.Revoke(t.Context(), id, time.Now()), magiclink.ErrNotFound)
		record := link(1)
		record.ID = id
		require.ErrorContains(t, store.Create(t.Context(), record), "not valid UTF-8")
	}
	require.NoError(t, client.Set(t.Context(), prefix+"\xfflimit:alien", "not a number", 0).Err())
	_, err := store.Take(t.Context(), "alien", magiclink.Rate{Burst: 1, Every: time.Second}, time.Now())
	require.ErrorContains(t, err, "give the store a prefix of its own")
	n, err := store.Purge(t.Context(), time.Now().Add(1000*time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n, "Purge counts no key")
	require.EqualValues(t, 1, client.Exists(t.Context(), prefix+"\xfflimit:"+fmt.Sprint("key ", 1)).Val(), "and forgets none too early")
}
