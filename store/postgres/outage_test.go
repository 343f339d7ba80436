package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/postgres"
)

// within is how soon a store must work again.
const within = time.Second

// behindProxy returns a store whose pool connects through a proxy.
func behindProxy(t *testing.T, server *dbtest.Postgres) (*postgres.Store, *pgxpool.Pool, *dbtest.Proxy) {
	t.Helper()
	proxy := dbtest.NewProxy(t, server.Address())
	url := strings.ReplaceAll(server.URL(), server.Address(), proxy.Address())
	goroutines := runtime.NumGoroutine()
	pool := openPool(t, url, func(c *pgxpool.Config) { c.ConnConfig.ConnectTimeout = time.Second })
	store := openStore(t, pool, newSchema())
	t.Cleanup(func() { // before the store and the pool are closed
		require.Eventually(t, func() bool { return pool.Stat().AcquiredConns() == 0 }, 10*time.Second, time.Millisecond,
			"a connection has leaked")
		require.NoError(t, store.Close())
		pool.Close()
		require.Eventually(t, func() bool { return proxy.Links() == 0 }, 20*time.Second, time.Millisecond, "a connection has leaked")
		require.Eventually(t, func() bool { return runtime.NumGoroutine() <= goroutines+2 }, 20*time.Second, time.Millisecond,
			"a goroutine has leaked")
	})
	return store, pool, proxy
}

// limited calls with a deadline, as a handler of a request does.
func limited(t *testing.T, deadline time.Duration, call func(ctx context.Context) error) (time.Duration, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), deadline)
	defer cancel()
	started := time.Now()
	err := call(ctx)
	return time.Since(started), err
}

// load creates links from 8 callers until stop is called. Stop returns the numbers of those that were acknowledged.
func load(t *testing.T, store *postgres.Store) (stop func() []int) {
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
func requireRecovery(t *testing.T, store *postgres.Store) {
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

func requireAll(t *testing.T, store *postgres.Store, numbers []int) {
	t.Helper()
	require.NotEmpty(t, numbers)
	for _, i := range numbers {
		_, err := store.Get(t.Context(), link(i).ID)
		require.NoError(t, err, "an acknowledged link is lost")
	}
}

func TestServerStops(t *testing.T) {
	server := dbtest.StartPostgres(t)
	store, _, _ := behindProxy(t, server)
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

// TestAnswerIsLost cuts the connection between a use and its answer. Each round has a new pool: one that has lost a connection tests
// the others before it sends a statement.
func TestAnswerIsLost(t *testing.T) {
	server := dbtest.SharedPostgres(t)
	lost := 0
	for range 20 {
		store, pool, proxy := behindProxy(t, server)
		require.NoError(t, store.Create(t.Context(), link(1)))
		lost += raceWithoutAnswer(t, store, proxy, server)
		pool.Reset()
	}
	require.NotZero(t, lost, "positive control: the answer of the use itself was lost")
}

// raceWithoutAnswer lets callers race for a link while no answer arrives, and then repeat. It returns 1 if the link was used by a call
// whose answer was lost.
func raceWithoutAnswer(t *testing.T, store *postgres.Store, proxy *dbtest.Proxy, server *dbtest.Postgres) (lost int) {
	t.Helper()
	const racers = 8
	at := time.Now()
	callAll(racers, func(i int) error { // prepares the statements: an answer to that is not the one to lose
		_, err := store.Consume(t.Context(), link(2).ID, at, fmt.Sprint("racer ", i))
		return err
	})
	consume := func(i int) error {
		got, err := store.Consume(t.Context(), link(1).ID, at, fmt.Sprint("racer ", i))
		if err == nil {
			require.Equal(t, fmt.Sprint("racer ", i), got.ConsumedBy)
		}
		return err
	}
	proxy.Deaf()
	time.AfterFunc(50*time.Millisecond, func() {
		proxy.Pass(server.Address())
		proxy.Cut()
	})
	before := callAll(racers, consume)
	proxy.Pass(server.Address())
	used, err := store.Get(t.Context(), link(1).ID)
	require.NoError(t, err)
	after := callAll(racers, consume)
	won := 0
	for i, err := range after {
		if err != nil {
			require.ErrorIs(t, err, magiclink.ErrConsumed)
			require.Error(t, before[i], "a call that has succeeded succeeds again")
			continue
		}
		won++
		if used.ConsumedBy == fmt.Sprint("racer ", i) && errors.Is(before[i], magiclink.ErrUnknownOutcome) {
			lost = 1
		}
	}
	require.Equal(t, 1, won, "one racer gets in by repeating, and no other")
	return lost
}

// TestAnswerIsLate lets callers with short deadlines meet a server that answers late.
func TestAnswerIsLate(t *testing.T) {
	server := dbtest.SharedPostgres(t)
	store, pool, proxy := behindProxy(t, server)
	require.NoError(t, store.Create(t.Context(), link(1)))
	connections := pool.Stat().NewConnsCount()
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
	require.LessOrEqual(t, pool.Stat().NewConnsCount(), connections+1, "the connection of the caller that left goes on")
	requireRecovery(t, store)
}

// TestNetworkStalls loses everything for a while. Connections of that time never carry anything again.
func TestNetworkStalls(t *testing.T) {
	server := dbtest.SharedPostgres(t)
	store, _, proxy := behindProxy(t, server)
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
	proxy.Cut() // pgx tells the server of each connection that it gives up, and waits up to 15 seconds for the answer
}

func TestConnectionsAreCut(t *testing.T) {
	server := dbtest.SharedPostgres(t)
	store, _, proxy := behindProxy(t, server)
	stop := load(t, store)
	for range 10 {
		time.Sleep(30 * time.Millisecond)
		proxy.Cut()
	}
	requireRecovery(t, store)
	requireAll(t, store, stop())
}

// TestStandbyIsPromoted moves the clients to a standby. As long as it is read-only the store says so.
func TestStandbyIsPromoted(t *testing.T) {
	server := dbtest.StartPostgres(t, "fsync=off")
	standby := server.Standby(t)
	store, _, proxy := behindProxy(t, server)
	for i := range 50 {
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
	_, err := store.Consume(t.Context(), link(7).ID, time.Now(), "before")
	require.NoError(t, err)
	standby.CatchUp(t, server)
	server.Stop(t)
	proxy.Pass(standby.Address())
	proxy.Cut()
	require.Eventually(t, func() bool {
		err := store.Create(t.Context(), link(1000))
		return err != nil && strings.Contains(err.Error(), "the server is read-only: connect to the primary")
	}, 5*time.Second, 10*time.Millisecond)
	require.Error(t, store.Ping(t.Context()))
	standby.Promote(t)
	requireRecovery(t, store)
	_, err = store.Consume(t.Context(), link(7).ID, time.Now(), "after")
	require.ErrorIs(t, err, magiclink.ErrConsumed)
}
