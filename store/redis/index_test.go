package redis_test

import (
	"context"
	"errors"
	"fmt"
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

// query asks for all links of the address of link, newest first.
func query() magiclink.ListQuery {
	return magiclink.ListQuery{Subject: magiclink.Subject{TenantID: link(0).TenantID, Email: link(0).Email}, Limit: 1000}
}

func requireListed(t *testing.T, store *redis.Store, q magiclink.ListQuery, numbers ...int) {
	t.Helper()
	found, err := store.List(t.Context(), q)
	require.NoError(t, err)
	var want, got []string
	for _, number := range numbers {
		want = append(want, link(number).ID)
	}
	for _, record := range found {
		got = append(got, record.ID)
	}
	require.Equal(t, want, got)
}

// indexKeysOf returns the keys of the indexes, on all servers.
func indexKeysOf(t *testing.T, client goredis.UniversalClient, prefix string) (keys []string) {
	t.Helper()
	scan := func(ctx context.Context, server *goredis.Client) error {
		found, err := server.Keys(ctx, "*").Result()
		for _, key := range found {
			if strings.HasPrefix(key, prefix+"\xff") {
				keys = append(keys, key)
			}
		}
		return err
	}
	if cluster, ok := client.(*goredis.ClusterClient); ok {
		for _, address := range cluster.Options().Addrs {
			require.NoError(t, scan(t.Context(), openClient(t, "redis://"+address, nil)))
		}
		return keys
	}
	require.NoError(t, scan(t.Context(), client.(*goredis.Client)))
	return keys
}

// mortal is a hook that lets a number of round trips through, and none after that.
type mortal struct{ left atomic.Int64 }

var errDied = errors.New("the process has died")

func (m *mortal) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (m *mortal) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		if m.left.Add(-1) < 0 {
			c.SetErr(errDied)
			return errDied
		}
		return next(ctx, c)
	}
}

func (m *mortal) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, all []goredis.Cmder) error {
		if m.left.Add(-1) < 0 {
			for _, c := range all {
				c.SetErr(errDied)
			}
			return errDied
		}
		return next(ctx, all)
	}
}

// TestProcessDiesBetweenIndexAndLink ends a Create at each of its round trips. A link is never without its entries, and an entry without a
// link is in no list.
func TestProcessDiesBetweenIndexAndLink(t *testing.T) {
	for name, open := range clients(t) {
		t.Run(name, func(t *testing.T) {
			client, watcher, mortal := open(), open(), &mortal{}
			client.AddHook(mortal)
			prefix := newPrefix()
			store := openStore(t, client, redis.Options{Prefix: prefix, Indexes: everyIndex})
			other := openStore(t, watcher, redis.Options{Prefix: prefix, Indexes: everyIndex})
			record := link(1)
			record.BusinessID, record.ExternalBusinessID = "biz_0000000000000000000001", "shop/4711"
			died := 0
			for trips := 0; ; trips++ {
				mortal.left.Store(int64(trips))
				err := store.Create(t.Context(), record)
				_, missing := other.Get(t.Context(), record.ID)
				if err == nil {
					break
				}
				died++
				require.ErrorIs(t, missing, magiclink.ErrNotFound)
				requireListed(t, other, query())
				require.Less(t, trips, 100)
			}
			require.GreaterOrEqual(t, died, 2, "positive control: it has died before the entries, and behind them")
			require.Len(t, indexKeysOf(t, watcher, prefix), 4)
			requireListed(t, other, query(), 1)
		})
	}
}

// TestEntriesComeFirst looks at the indexes in the moment in which a Create sends the link.
func TestEntriesComeFirst(t *testing.T) {
	client, watcher, spy := openClient(t, dbtest.RedisURL(t), nil), openClient(t, dbtest.RedisURL(t), nil), &spy{}
	client.AddHook(spy)
	store, prefix := openWithPrefix(t, client, everyIndex...)
	require.NoError(t, store.Create(t.Context(), link(1))) // the server knows the scripts
	var entries []int64
	spy.set(func() {
		sum := int64(0)
		for _, key := range indexKeysOf(t, watcher, prefix) {
			sum += watcher.ZCard(context.Background(), key).Val()
		}
		entries = append(entries, sum)
	})
	require.NoError(t, store.Create(t.Context(), link(2)))
	require.Equal(t, int64(2), entries[0])
	require.Equal(t, int64(4), entries[len(entries)-1], "the tenant and the address have two entries each before the last round trip")
}

func TestIndexesAreOptional(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	store, prefix := openWithPrefix(t, client)
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.Empty(t, indexKeysOf(t, client, prefix))
	for name, call := range map[string]func() error{
		"list":           func() error { return allCalls(store)["list"](t.Context(), 1) },
		"revoke subject": func() error { return allCalls(store)["revoke subject"](t.Context(), 1) },
	} {
		err := call()
		require.ErrorIs(t, err, magiclink.ErrUnsupported)
		require.ErrorContains(t, err, "magiclink/redis: "+name+": ")
		require.ErrorContains(t, err, "set Options.Indexes to ByEmail or ByTenant")
	}

	later := openStore(t, client, redis.Options{Prefix: prefix, Indexes: []redis.Index{redis.ByEmail, redis.ByEmail}})
	requireListed(t, later, query())
	require.NoError(t, later.Create(t.Context(), link(2)))
	requireListed(t, later, query(), 2)
	_, err := later.List(t.Context(), magiclink.ListQuery{Subject: magiclink.Subject{TenantID: "tenant-1"}, Limit: 1})
	require.ErrorIs(t, err, magiclink.ErrUnsupported, "nothing but the address is indexed")
	require.ErrorContains(t, err, "set Options.Indexes to ByTenant")
	require.Len(t, indexKeysOf(t, client, prefix), 1)
	require.NotContains(t, indexKeysOf(t, client, prefix)[0], "jane.doe")

	_, err = redis.New(client, redis.Options{Indexes: []redis.Index{"phone"}})
	require.ErrorContains(t, err, "use the constants in Options.Indexes")
}

// TestRoundTripsWithIndexes counts the round trips of a lone caller.
func TestRoundTripsWithIndexes(t *testing.T) {
	for _, c := range []struct {
		indexes       []redis.Index
		create, other int64
	}{{nil, 1, 1}, {[]redis.Index{redis.ByEmail}, 2, 1}} {
		store, spy := spied(t, c.indexes...)
		trips := func(call string) int64 {
			before := spy.trips.Load()
			require.NoError(t, everyCall(store)[call](t.Context(), 2))
			return spy.trips.Load() - before
		}
		for _, call := range []string{"create", "consume", "revoke"} { // the server knows the scripts
			require.NoError(t, everyCall(store)[call](t.Context(), 1))
		}
		require.Equal(t, c.create, trips("create"))
		require.Equal(t, c.other, trips("consume"))
		require.Equal(t, c.other, trips("revoke"))
	}
}

// ended returns a record whose key the server has removed long ago.
func ended(number int) magiclink.Record {
	r := link(number)
	r.CreatedAt, r.ExpiresAt = r.CreatedAt.Add(-100*time.Hour), r.ExpiresAt.Add(-100*time.Hour)
	return r
}

// TestStaleEntriesLeave makes links that have ended. Their entries leave with the next Creates if their ids are the smallest, and with a Purge
// in any case.
func TestStaleEntriesLeave(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	store, prefix := openWithPrefix(t, client, redis.ByEmail)
	require.NoError(t, errors.Join(store.Create(t.Context(), link(500)), store.Create(t.Context(), link(501))))
	oldest := query()
	oldest.Before = link(510).ID
	entries := func() int64 { return client.ZCard(t.Context(), indexKeysOf(t, client, prefix)[0]).Val() }
	for i := range 20 {
		require.NoError(t, store.Create(t.Context(), link(510+i))) // nothing looks beyond these
	}
	for i := range 1200 { // larger ids
		require.NoError(t, store.Create(t.Context(), ended(1000+i)))
	}
	require.EqualValues(t, 1222, entries())
	for i := range 80 {
		require.NoError(t, store.Create(t.Context(), ended(100+i)))
	}
	require.LessOrEqual(t, entries(), int64(1222+8), "an entry with a small id leaves soon")
	requireListed(t, store, oldest, 501, 500)
	n, err := store.Purge(t.Context(), time.Now(), 10)
	require.NoError(t, err)
	require.Zero(t, n, "there is no record to remove, and Purge counts no entries")
	require.EqualValues(t, 22, entries())
	requireListed(t, store, oldest, 501, 500)
}

// TestEntriesOfOneIDLeaveApart repeats a Create with other times: the entry of the link that is there stays.
func TestEntriesOfOneIDLeaveApart(t *testing.T) {
	store := openStore(t, openClient(t, dbtest.RedisURL(t), nil), redis.Options{Indexes: everyIndex})
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.ErrorIs(t, store.Create(t.Context(), ended(1)), magiclink.ErrExists)
	later := link(1)
	later.ExpiresAt = later.ExpiresAt.Add(time.Minute)
	require.ErrorIs(t, store.Create(t.Context(), later), magiclink.ErrExists)
	foreign := link(1)
	foreign.Email = "john@example.com"
	require.ErrorIs(t, store.Create(t.Context(), foreign), magiclink.ErrExists)
	for range 3 {
		_, err := store.Purge(t.Context(), time.UnixMilli(1), 10)
		require.NoError(t, err)
		requireListed(t, store, query(), 1)
	}
	q := query()
	q.Email = "john@example.com"
	requireListed(t, store, q)
	q = query()
	q.Limit = 1
	requireListed(t, store, q, 1)
	q.Before = link(1).ID
	requireListed(t, store, q)
}

// TestIndexLastsAsLongAsItsLinks looks at when the server removes an index: not before the last session of its links can have ended.
func TestIndexLastsAsLongAsItsLinks(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	store, prefix := openWithPrefix(t, client, redis.ByEmail)
	longest := int64(0)
	for i, timeout := range []time.Duration{time.Hour, 30 * 24 * time.Hour, time.Minute, 0, -time.Hour} {
		r := link(i)
		r.SessionTimeout = timeout
		if i == 3 {
			r.ConsumedAt, r.ConsumedBy, r.SessionTimeout = r.ExpiresAt.Add(40*24*time.Hour), "by", time.Hour
		}
		require.NoError(t, store.Create(t.Context(), r))
		used, err := store.Consume(t.Context(), r.ID, r.ExpiresAt.Add(-time.Millisecond), "by")
		require.NoError(t, err)
		longest = max(longest, used.End().Add(redis.Margin).UnixMilli())
		kept := client.Do(t.Context(), "pexpiretime", indexKeysOf(t, client, prefix)[0]).Val().(int64)
		require.True(t, kept >= longest && kept <= longest+redis.Margin.Milliseconds()+1, "record %d: %d and not %d", i, kept, longest)
	}
}

// TestListPassesOverManyStaleEntries lists few links among many that are gone.
func TestListPassesOverManyStaleEntries(t *testing.T) {
	client := openCluster(t, dbtest.SharedRedisCluster(t))
	store := openStore(t, client, redis.Options{Indexes: []redis.Index{redis.ByEmail}})
	for _, err := range callAll(1500, func(i int) error {
		if i%500 == 7 {
			return store.Create(context.Background(), link(i))
		}
		gone := link(i)
		gone.ExpiresAt = gone.ExpiresAt.Add(-10 * time.Hour)
		gone.SessionTimeout = 100 * time.Hour // so that the entry stays
		return store.Create(context.Background(), gone)
	}) {
		require.NoError(t, err)
	}
	q := query()
	q.Limit = 2
	requireListed(t, store, q, 1007, 507)
	q.Before = link(507).ID
	requireListed(t, store, q, 7)
	n, err := store.RevokeSubject(t.Context(), q.Subject, time.Now().Add(time.Minute), time.Now())
	require.NoError(t, err)
	require.Equal(t, 3, n)
}

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
		if len(args) != 6 || !strings.HasPrefix(fmt.Sprint(args[0]), "eval") || strings.Contains(fmt.Sprint(args[3]), "\xff") {
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
		count := func() (n int) {
			for _, line := range strings.Split(client.Info(t.Context(), "commandstats").Val(), "\r\n") {
				_, _ = fmt.Sscanf(line, "cmdstat_pexpireat:calls=%d,", &n)
			}
			return n
		}
		before := count()
		require.ErrorIs(t, store.Create(t.Context(), link(1)), magiclink.ErrExists)
		require.Equal(t, want, count() > before, "an entry that is there")
		before = count()
		for round := range 2 {
			n, err := store.RevokeSubject(t.Context(), link(1).Subject, time.Now().Add(time.Minute), time.Now())
			require.NoError(t, err)
			require.Equal(t, 1-round, n)
		}
		require.Equal(t, want, count() > before)
	}
}
