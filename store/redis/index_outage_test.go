package redis_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// watching is a hook that sees each command before it is sent.
type watching func(goredis.Cmder)

func (w watching) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (w watching) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		w(c)
		return next(ctx, c)
	}
}

func (w watching) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, all []goredis.Cmder) error {
		for _, c := range all {
			w(c)
		}
		return next(ctx, all)
	}
}

// TestRevocationWithoutAnswer cuts the connection between the revocations and their answers.
func TestRevocationWithoutAnswer(t *testing.T) {
	server := dbtest.SharedRedis(t)
	proxy := dbtest.NewProxy(t, server.Address())
	client := openClient(t, "redis://"+proxy.Address(), nil)
	store := openStore(t, client, redis.Options{Indexes: everyIndex})
	require.ErrorIs(t, store.Revoke(t.Context(), link(0).ID, time.Now()), magiclink.ErrNotFound) // the server knows the script
	for i := range 10 {
		require.NoError(t, store.Create(t.Context(), link(i)))
	}
	var once sync.Once
	client.AddHook(watching(func(c goredis.Cmder) {
		args := c.Args()
		if len(args) != 5 || !strings.HasPrefix(fmt.Sprint(args[0]), "eval") || strings.Contains(fmt.Sprint(args[3]), "\xff") {
			return // not a revocation
		}
		once.Do(func() {
			proxy.Deaf()
			time.AfterFunc(30*time.Millisecond, func() {
				proxy.Pass(server.Address())
				proxy.Cut()
			})
		})
	}))
	revoke := func() (int, error) {
		return store.RevokeSubject(t.Context(), link(0).Subject, time.Now().Add(time.Minute), time.Now())
	}
	n, err := revoke()
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	m, err := revoke()
	require.NoError(t, err)
	require.Less(t, n+m, 10, "positive control: some were revoked and not counted")
	for i := range 10 {
		got, err := store.Get(t.Context(), link(i).ID)
		require.NoError(t, err)
		require.False(t, got.RevokedAt.IsZero())
	}
}

// TestOptionalCallsWithoutServer stops the server.
func TestOptionalCallsWithoutServer(t *testing.T) {
	server := dbtest.StartRedis(t, "appendonly yes", "appendfsync always")
	store := openStore(t, openClient(t, server.URL(), nil), redis.Options{Indexes: everyIndex})
	require.NoError(t, store.Create(t.Context(), link(1)))
	names := []string{"list", "revoke subject", "take", "reset", "create"}
	for _, name := range names[:4] {
		require.NoError(t, allCalls(store)[name](t.Context(), 1), "positive control: %s", name)
	}
	server.Stop(t)
	for _, name := range names {
		took, err := limited(t, 2*time.Second, func(ctx context.Context) error { return allCalls(store)[name](ctx, 2) })
		require.Error(t, err, name)
		require.NotErrorIs(t, err, context.DeadlineExceeded, name)
		require.Less(t, took, 2*time.Second, "a server that is down is no reason to wait")
		require.True(t, strings.HasPrefix(err.Error(), "magiclink/redis: "+name+": "), err)
	}
	for _, name := range names { // the first call may have met a connection that just broke
		err := allCalls(store)[name](t.Context(), 2)
		require.Error(t, err, name)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome, name)
	}
	wait, err := store.Take(t.Context(), "key", magiclink.Rate{Burst: 1, Every: time.Second}, time.Now())
	require.Error(t, err)
	require.Zero(t, wait)
	found, err := store.List(t.Context(), query())
	require.Error(t, err)
	require.Nil(t, found)
	server.Start(t)
	require.Eventually(t, func() bool { return store.Ping(t.Context()) == nil }, 10*time.Second, 10*time.Millisecond)
	for _, name := range names {
		require.NoError(t, ignoreExists(allCalls(store)[name](t.Context(), 3)), name)
	}
	requireListed(t, store, query(), 3, 1)
}

// TestOptionalWritesNeedReplicas stops the only replica without closing its connection.
func TestOptionalWritesNeedReplicas(t *testing.T) {
	numbers := map[string]int{"take": 1, "reset": 1, "revoke subject": 1, "create": 3}
	for name := range numbers {
		t.Run(name, func(t *testing.T) {
			primary := dbtest.StartRedis(t)
			proxy := dbtest.NewProxy(t, primary.Address())
			primary.ReplicaThrough(t, proxy.Address())
			client := openClient(t, primary.URL(), nil)
			store := openStore(t, client, redis.Options{RequireReplicas: 1, Timeout: 2 * time.Second, Indexes: everyIndex})
			for i := 1; i <= 2; i++ {
				require.NoError(t, store.Create(t.Context(), link(i)))
				require.NoError(t, allCalls(store)["take"](t.Context(), i), "positive control")
			}
			foreign := link(9)
			foreign.Email = "john@example.com"
			require.NoError(t, store.Create(t.Context(), foreign))
			require.NoError(t, store.Revoke(t.Context(), foreign.ID, time.Now())) // the server knows the script
			proxy.Stall()
			err := allCalls(store)[name](t.Context(), numbers[name])
			require.ErrorContains(t, err, "0 of 1 replicas have confirmed the write")
			require.Equal(t, name != "create", errors.Is(err, magiclink.ErrUnknownOutcome), "without its entries a link is not created")
			if name == "create" {
				_, err = store.Get(t.Context(), link(3).ID)
				require.ErrorIs(t, err, magiclink.ErrNotFound)
			}
			err = allCalls(store)[name](t.Context(), 2)
			require.ErrorContains(t, err, "0 of 1 replicas follow the server")
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
			require.NoError(t, allCalls(store)["list"](t.Context(), 1), "reads go on")
		})
	}
}

// TestRepeatedRevocationIsReplicated repeats a RevokeSubject that was short of replicas: it writes again, so that WAIT has something to wait for.
func TestRepeatedRevocationIsReplicated(t *testing.T) {
	for required, want := range map[int]bool{0: false, 1: true} {
		primary := dbtest.StartRedis(t)
		primary.Replica(t)
		client := openClient(t, primary.URL(), nil)
		store := openStore(t, client, redis.Options{RequireReplicas: required, Indexes: []redis.Index{redis.ByEmail}})
		require.NoError(t, store.Create(t.Context(), link(1)))
		count := func(command string) (n int) {
			for _, line := range strings.Split(client.Info(t.Context(), "commandstats").Val(), "\r\n") {
				_, _ = fmt.Sscanf(line, "cmdstat_"+command+":calls=%d,", &n)
			}
			return n
		}
		before := count("pexpireat")
		require.ErrorIs(t, store.Create(t.Context(), link(1)), magiclink.ErrExists)
		require.Equal(t, want, count("pexpireat") > before, "an entry that is there")
		before = count("set")
		for round := range 2 {
			n, err := store.RevokeSubject(t.Context(), link(1).Subject, time.Now().Add(time.Minute), time.Now())
			require.NoError(t, err)
			require.Equal(t, 1-round, n)
		}
		require.Equal(t, 1+required, count("set")-before)
	}
}
