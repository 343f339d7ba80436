package redis_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

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
