package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"

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

// What needs a Lister asks before whether the indexes are enough.
func TestCheckList(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	person := magiclink.Subject{TenantID: "t", Email: "jane@example.com"}
	for _, c := range []struct {
		indexes        []redis.Index
		person, tenant bool
	}{
		{nil, false, false},
		{[]redis.Index{redis.ByBusiness}, false, false},
		{[]redis.Index{redis.ByEmail}, true, false},
		{[]redis.Index{redis.ByTenant}, true, true},
	} {
		store := openStore(t, client, redis.Options{Indexes: c.indexes})
		for subject, enough := range map[magiclink.Subject]bool{person: c.person, {TenantID: "t"}: c.tenant} {
			err := store.CheckList(subject)
			_, listErr := store.List(t.Context(), magiclink.ListQuery{Subject: subject, Limit: 1})
			if enough {
				require.NoError(t, errors.Join(err, listErr))
				continue
			}
			require.ErrorIs(t, err, magiclink.ErrUnsupported)
			require.Equal(t, listErr, err, "List says the same")
		}
		keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
		require.NoError(t, err)
		_, err = magiclink.New(magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store, Supersede: true})
		if c.person {
			require.NoError(t, err)
		} else {
			require.ErrorContains(t, err, "set Options.Indexes to ByEmail or ByTenant")
		}
	}
	require.Error(t, new(redis.Store).CheckList(person))
}
