package redis_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// within is how soon a store must work again.
const within = time.Second

// behindProxy returns a store whose client connects through a proxy.
func behindProxy(t *testing.T, server *dbtest.Redis) (*redis.Store, *dbtest.Proxy) {
	t.Helper()
	proxy := dbtest.NewProxy(t, server.Address())
	goroutines := runtime.NumGoroutine()
	client := openClient(t, "redis://"+proxy.Address(), nil)
	store := openStore(t, client, redis.Options{})
	t.Cleanup(func() { requireNoLeak(t, store, client, proxy, goroutines) })
	return store, proxy
}

// requireNoLeak closes the store and the client. It runs before the other cleanups.
func requireNoLeak(t *testing.T, store *redis.Store, client *goredis.Client, proxy *dbtest.Proxy, goroutines int) {
	t.Helper()
	require.NoError(t, store.Close())
	stats := client.PoolStats()
	require.Equal(t, stats.TotalConns, stats.IdleConns, "a connection has leaked")
	require.NoError(t, client.Close())
	require.Eventually(t, func() bool { return proxy.Links() == 0 }, 20*time.Second, time.Millisecond, "a connection has leaked")
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, 20*time.Second, time.Millisecond,
		"a goroutine has leaked")
}

// load creates links from 8 callers until stop is called. Stop returns the numbers of those that were acknowledged.
func load(t *testing.T, store *redis.Store) (stop func() []int) {
	t.Helper()
	var group sync.WaitGroup
	var mu sync.Mutex
	var acknowledged []int
	done := make(chan struct{})
	for caller := range 8 {
		group.Go(func() {
			for i := caller; ; i += 8 {
				select {
				case <-done:
					return
				default:
				}
				_, err := limited(t, 300*time.Millisecond, func(ctx context.Context) error { return store.Create(ctx, link(i)) })
				if err != nil {
					time.Sleep(time.Millisecond)
					continue
				}
				mu.Lock()
				acknowledged = append(acknowledged, i)
				mu.Unlock()
			}
		})
	}
	return func() []int {
		close(done)
		group.Wait()
		return acknowledged
	}
}

// requireRecovery fails unless all calls succeed soon, and go on doing so.
func requireRecovery(t *testing.T, store *redis.Store) {
	t.Helper()
	started := time.Now()
	number := int(started.UnixNano() % 1e15)
	for {
		_, err := limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(number)) })
		if err == nil || errors.Is(err, magiclink.ErrExists) {
			break
		}
		require.Less(t, time.Since(started), within, "not recovered: %v", err)
	}
	t.Logf("recovered after %v", time.Since(started))
	require.Less(t, time.Since(started), within)
	for _, err := range callAll(100, func(i int) error {
		_, err := limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(number+1+i)) })
		return err
	}) {
		require.NoError(t, err)
	}
	_, err := limited(t, within, func(ctx context.Context) error {
		_, err := store.Consume(ctx, link(number).ID, time.Now(), "by")
		return err
	})
	require.NoError(t, err)
}

func requireAll(t *testing.T, store *redis.Store, numbers []int) {
	t.Helper()
	require.NotEmpty(t, numbers)
	for _, i := range numbers {
		_, err := store.Get(t.Context(), link(i).ID)
		require.NoError(t, err, "an acknowledged link is lost")
	}
}

// TestServerStops kills a server that syncs each write to its file.
func TestServerStops(t *testing.T) {
	server := dbtest.StartRedis(t, "appendonly yes", "appendfsync always")
	store, _ := behindProxy(t, server)
	stop := load(t, store)
	time.Sleep(300 * time.Millisecond)
	server.Stop(t)
	took, err := limited(t, 2*time.Second, func(ctx context.Context) error { return store.Create(ctx, link(1e9)) })
	require.Error(t, err)
	require.Less(t, took, 2*time.Second, "a server that is down is no reason to wait")
	require.Error(t, store.Ping(t.Context()))
	time.Sleep(300 * time.Millisecond)
	server.Start(t)
	requireRecovery(t, store)
	requireAll(t, store, stop())
}

// TestAnswerIsLost cuts the connection between a use and its answer.
func TestAnswerIsLost(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	lost := 0
	for i := range 20 {
		require.NoError(t, store.Create(t.Context(), link(i)))
		lost += raceWithoutAnswer(t, store, i, proxy, server)
	}
	require.NotZero(t, lost, "positive control: the answer of the use itself was lost")
}

// raceWithoutAnswer lets callers race for a link while no answer arrives, and then repeat. It returns 1 if the link was used by a call
// whose answer was lost.
func raceWithoutAnswer(t *testing.T, store *redis.Store, number int, proxy *dbtest.Proxy, server *dbtest.Redis) (lost int) {
	t.Helper()
	const racers = 8
	at := time.Now()
	consume := func(i int) error {
		_, err := limited(t, 200*time.Millisecond, func(ctx context.Context) error {
			got, err := store.Consume(ctx, link(number).ID, at, fmt.Sprint("racer ", i))
			if err == nil {
				require.Equal(t, fmt.Sprint("racer ", i), got.ConsumedBy)
			}
			return err
		})
		return err
	}
	proxy.Deaf()
	before := callAll(racers, consume)
	proxy.Pass(server.Address())
	proxy.Cut()
	after := callAll(racers, consume)
	won := 0
	for i, err := range after {
		if err != nil {
			require.ErrorIs(t, err, magiclink.ErrConsumed)
			require.Error(t, before[i], "a call that has succeeded succeeds again")
			continue
		}
		won++
		if errors.Is(before[i], magiclink.ErrUnknownOutcome) {
			lost = 1
		}
	}
	require.Equal(t, 1, won, "one racer gets in by repeating, and no other")
	return lost
}

// TestConnectionBreaksBeforeTheAnswer cuts the connection while the caller waits: the store sends the call again, and every kind of
// write recognises itself.
func TestConnectionBreaksBeforeTheAnswer(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	broken := func(call func() error) error {
		proxy.Deaf()
		time.AfterFunc(30*time.Millisecond, func() {
			proxy.Pass(server.Address())
			proxy.Cut()
		})
		return call()
	}
	for i := range 5 {
		require.NoError(t, broken(func() error { return store.Create(t.Context(), link(i)) }))
		require.ErrorIs(t, store.Create(t.Context(), link(i)), magiclink.ErrExists)
		for _, by := range []string{"", "somebody"} {
			id := link(10*(i+1)).ID + by
			r := link(0)
			r.ID = id
			require.NoError(t, store.Create(t.Context(), r))
			require.NoError(t, broken(func() error {
				_, err := store.Consume(t.Context(), id, time.Now(), by)
				return err
			}), "by %q", by)
			_, err := store.Consume(t.Context(), id, time.Now(), "")
			require.ErrorIs(t, err, magiclink.ErrConsumed, "positive control: the first one has taken place")
		}
		require.NoError(t, broken(func() error { return store.Revoke(t.Context(), link(i).ID, time.Now()) }))
	}
}

// TestServerDiesWithACallOnItsWay makes the next attempts meet a closed port: the outcome of the first stays unknown.
func TestServerDiesWithACallOnItsWay(t *testing.T) {
	server := dbtest.StartRedis(t)
	store := openStore(t, openClient(t, server.URL(), nil), redis.Options{})
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.NoError(t, openClient(t, server.URL(), nil).ClientPause(t.Context(), time.Minute).Err())
	time.AfterFunc(50*time.Millisecond, func() { server.Stop(t) })
	_, err := store.Consume(t.Context(), link(1).ID, time.Now(), "by")
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)

	err = store.Create(t.Context(), link(2))
	require.Error(t, err)
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome, "positive control: nothing was ever sent")
}

// TestAnswerIsLate lets callers with short deadlines meet a server that answers late.
func TestAnswerIsLate(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	require.NoError(t, store.Create(t.Context(), link(1)))
	links := proxy.Links()
	proxy.Delay(300 * time.Millisecond)
	took, err := limited(t, 100*time.Millisecond, func(ctx context.Context) error {
		_, err := store.Consume(ctx, link(1).ID, time.Now(), "late")
		return err
	})
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, took, 200*time.Millisecond)
	proxy.Pass(server.Address())
	got, err := store.Consume(t.Context(), link(1).ID, time.Now(), "late")
	require.NoError(t, err)
	require.Equal(t, "late", got.ConsumedBy)
	require.LessOrEqual(t, proxy.Links(), links+1, "the connection of the caller that left goes on")
	requireRecovery(t, store)
}

// TestNetworkStalls loses everything for a while. Connections of that time never carry anything again.
func TestNetworkStalls(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	stop := load(t, store)
	time.Sleep(300 * time.Millisecond)
	proxy.Stall()
	took, err := limited(t, 200*time.Millisecond, func(ctx context.Context) error { return store.Create(ctx, link(1e9)) })
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, took, 400*time.Millisecond)
	time.Sleep(2 * time.Second)
	proxy.Pass(server.Address())
	requireRecovery(t, store)
	requireAll(t, store, stop())
}

func TestConnectionsAreCut(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	stop := load(t, store)
	for range 10 {
		time.Sleep(30 * time.Millisecond)
		proxy.Cut()
	}
	requireRecovery(t, store)
	requireAll(t, store, stop())
}
