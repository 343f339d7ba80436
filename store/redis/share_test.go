package redis_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// spied returns a store whose client has a hook.
func spied(t *testing.T, indexes ...redis.Index) (*redis.Store, *spy) {
	t.Helper()
	client := openClient(t, dbtest.RedisURL(t), nil)
	s := &spy{}
	client.AddHook(s)
	return openStore(t, client, redis.Options{Indexes: indexes}), s
}

// hold keeps every round trip waiting until release is called. Begun has a value for each of them.
func (s *spy) hold() (begun chan struct{}, release func()) {
	begun, gate := make(chan struct{}, 1000), make(chan struct{})
	s.set(func() {
		begun <- struct{}{}
		<-gate
	})
	return begun, func() {
		s.set(nil)
		close(gate)
	}
}

func TestCallsShareRoundTrips(t *testing.T) {
	store, spy := spied(t)
	const calls = 200
	for _, name := range []string{"create", "get", "consume", "revoke"} {
		call := everyCall(store)[name]
		require.NoError(t, ignoreExists(everyCall(store)["create"](t.Context(), 0)))
		before := spy.trips.Load()
		begun, release := spy.hold()
		time.AfterFunc(50*time.Millisecond, release)
		errs := callAll(calls, func(i int) error { return call(t.Context(), i) })
		<-begun
		for _, err := range errs {
			require.NoError(t, ignoreExists(err))
		}
		require.LessOrEqual(t, spy.trips.Load()-before, int64(calls/10), "round trips for %d calls of %s", calls, name)
	}
	require.GreaterOrEqual(t, spy.commands.Load(), int64(4*calls))
}

func ignoreExists(err error) error {
	if errors.Is(err, magiclink.ErrExists) {
		return nil
	}
	return err
}

// TestLoneCallWaitsForNobody makes calls one after the other: each is a round trip of its own.
func TestLoneCallWaitsForNobody(t *testing.T) {
	store, spy := spied(t)
	require.NoError(t, store.Create(t.Context(), link(0)))
	before := spy.trips.Load()
	for i := range 50 {
		require.NoError(t, store.Create(t.Context(), link(1+i)))
	}
	require.EqualValues(t, 50, spy.trips.Load()-before)
}

// TestFaultyCallFailsAlone shares a pipeline with calls for keys that hold something else.
func TestFaultyCallFailsAlone(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	spy := &spy{}
	client.AddHook(spy)
	prefix := newPrefix()
	store := openStore(t, client, redis.Options{Prefix: prefix})
	t.Cleanup(func() { client.Del(context.Background(), prefix+link(3).ID, prefix+link(5).ID) })
	require.NoError(t, client.RPush(t.Context(), prefix+link(3).ID, "a list").Err())
	require.NoError(t, client.Set(t.Context(), prefix+link(5).ID, "another text", 0).Err())
	for i := range 40 {
		require.NoError(t, ignoreExists(ignoreForeign(i, store.Create(t.Context(), link(i)))))
	}
	begun, release := spy.hold()
	time.AfterFunc(50*time.Millisecond, release)
	errs := callAll(40, func(i int) error {
		_, err := store.Consume(t.Context(), link(i).ID, time.Now(), "by")
		return err
	})
	<-begun
	for i, err := range errs {
		if i == 3 || i == 5 {
			require.ErrorContains(t, err, "give the store a prefix of its own by Options.Prefix")
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
			continue
		}
		require.NoError(t, err)
	}
	_, err := store.Get(t.Context(), link(5).ID)
	require.ErrorContains(t, err, "give the store a prefix of its own")
	n, err := store.Purge(t.Context(), time.Now().Add(1000*time.Hour), 100)
	require.NoError(t, err)
	require.Equal(t, 38, n, "a purge leaves alone what is not a record")
	require.EqualValues(t, 2, client.Exists(t.Context(), prefix+link(3).ID, prefix+link(5).ID).Val())
}

func ignoreForeign(i int, err error) error {
	if i == 3 || i == 5 {
		return nil
	}
	return err
}

// TestContextEndsInFlight lets the caller leave a pipeline that is on its way.
func TestContextEndsInFlight(t *testing.T) {
	store, spy := spied(t)
	require.NoError(t, store.Create(t.Context(), link(1)))
	begun, release := spy.hold()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-begun
		cancel()
	}()
	_, err := store.Consume(ctx, link(1).ID, time.Now(), "one")
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.ErrorIs(t, err, context.Canceled)
	release()
	require.Eventually(t, func() bool {
		got, err := store.Get(t.Context(), link(1).ID)
		return err == nil && got.ConsumedBy == "one"
	}, 5*time.Second, time.Millisecond, "the pipeline goes on")
	_, err = store.Consume(t.Context(), link(1).ID, time.Now(), "one")
	require.NoError(t, err, "the same by settles what came of it")
}

// TestContextEndsInTheQueue fills both places for pipelines: the calls behind them have changed nothing, and say so.
func TestContextEndsInTheQueue(t *testing.T) {
	store, spy := spied(t)
	begun, release := spy.hold()
	running := make(chan error, 2)
	for i := range 2 {
		go func() { running <- store.Create(context.WithoutCancel(t.Context()), link(100+i)) }()
		<-begun
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for _, err := range callAll(20, func(i int) error { return store.Create(ctx, link(i)) }) {
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	}
	release()
	require.NoError(t, errors.Join(<-running, <-running))
	for i := range 20 {
		_, err := store.Get(t.Context(), link(i).ID)
		require.ErrorIs(t, err, magiclink.ErrNotFound)
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
}

// hostile is a context that misbehaves in one of its methods.
type hostile struct {
	context.Context //nolint:containedctx // the one that it spoils
	err, done       func()
}

func (h hostile) Err() error {
	h.err()
	return h.Context.Err()
}

func (h hostile) Done() <-chan struct{} {
	h.done()
	return h.Context.Done()
}

func TestHostileContexts(t *testing.T) {
	store, _ := spied(t, everyIndex...)
	hang := make(chan struct{})
	defer close(hang)
	number := 0
	for name, harm := range map[string]func(){
		"panic": func() { panic("hostile") }, "goexit": runtime.Goexit, "hang": func() { <-hang },
	} {
		for _, spoilt := range []hostile{{t.Context(), harm, func() {}}, {t.Context(), func() {}, harm}} {
			number++
			victim := number
			for _, call := range allCalls(store) {
				go func() {
					defer func() { _ = recover() }()
					_ = call(spoilt, victim)
				}()
			}
			t.Run(name, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				require.NoError(t, store.Create(ctx, link(1000+number)), "others go on")
				for _, call := range allCalls(store) {
					err := call(ctx, 1000+number)
					require.True(t, err == nil || errors.Is(err, magiclink.ErrRevoked) || errors.Is(err, magiclink.ErrExists), err)
				}
			})
		}
	}
}

// TestHookOfTheClient lets a hook of the application panic, or end its goroutine.
func TestHookOfTheClient(t *testing.T) {
	for name, harm := range map[string]func(){"panic": func() { panic("secret") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			store, spy := spied(t)
			indexed, other := spied(t, everyIndex...)
			require.NoError(t, store.Create(t.Context(), link(1)))
			for i := range 10 {
				spy.set(harm)
				other.set(harm)
				for _, call := range []string{"create", "purge", "ping", "take", "reset"} {
					err := allCalls(store)[call](t.Context(), 100+i)
					require.ErrorContains(t, err, "a hook of the client has panicked")
					require.NotContains(t, err.Error(), "secret")
					require.Equal(t, call != "purge" && call != "ping", errors.Is(err, magiclink.ErrUnknownOutcome))
				}
				for _, call := range []string{"create", "list", "revoke subject"} {
					err := allCalls(indexed)[call](t.Context(), 100+i)
					require.ErrorContains(t, err, "a hook of the client has panicked")
					require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome, "%s has changed nothing that anybody sees", call)
				}
				spy.set(nil)
				require.NoError(t, store.Create(t.Context(), link(200+i)))
			}
		})
	}
}

// TestScriptsAreForgotten empties the script cache of the server under load.
func TestScriptsAreForgotten(t *testing.T) {
	client := openClient(t, dbtest.StartRedis(t).URL(), nil)
	store := openStore(t, client, redis.Options{})
	var stop atomic.Bool
	var flushes int
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ; !stop.Load(); flushes++ {
			client.ScriptFlush(context.Background())
			runtime.Gosched()
		}
	}()
	for round := range 20 {
		for _, err := range callAll(40, func(i int) error {
			i += 1000 * round
			err := store.Create(t.Context(), link(i))
			if err == nil {
				_, err = store.Consume(t.Context(), link(i).ID, time.Now(), "by")
			}
			return errors.Join(err, store.Revoke(t.Context(), link(i).ID, time.Now()))
		}) {
			require.NoError(t, err)
		}
	}
	stop.Store(true)
	<-done
	n, err := store.Purge(t.Context(), time.Now().Add(1000*time.Hour), 10_000)
	require.NoError(t, err)
	require.Equal(t, 800, n)
	info := client.Info(t.Context(), "commandstats").Val()
	require.Contains(t, info, "cmdstat_eval:", "positive control: the server did not know a script")
	t.Logf("%d flushes", flushes)
}

func TestCloseAndMisuse(t *testing.T) {
	before := runtime.NumGoroutine()
	client := goredis.NewClient(&goredis.Options{Addr: dbtest.StartRedis(t).Address(), ContextTimeoutEnabled: true})
	store, err := redis.New(client, redis.Options{Indexes: everyIndex})
	require.NoError(t, err)
	callAll(100, func(i int) error { return store.Create(t.Context(), link(i)) })
	require.NoError(t, store.Close())
	require.NoError(t, store.Close())
	for name, call := range allCalls(store) {
		err := call(t.Context(), 1)
		require.ErrorIs(t, err, redis.ErrClosed)
		require.True(t, strings.HasPrefix(err.Error(), "magiclink/redis: "+name+": "), err)
	}
	require.NoError(t, client.Ping(t.Context()).Err(), "the client stays open")
	require.NoError(t, client.Close())
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before+2 }, 5*time.Second, time.Millisecond)
	for _, store := range []*redis.Store{nil, {}} {
		for _, call := range allCalls(store) {
			require.ErrorContains(t, call(t.Context(), 1), "use New")
		}
		require.Error(t, store.Close())
	}
}
