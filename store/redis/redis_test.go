package redis_test

import (
	"fmt"
	"os"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func TestMain(m *testing.M) { os.Exit(dbtest.Main(m)) }

var prefixes atomic.Int64

// newPrefix returns a prefix that no other test uses. It holds what means something in a pattern.
func newPrefix() string { return fmt.Sprintf("magiclink-test[*?%d-%d]:", os.Getpid(), prefixes.Add(1)) }

// openClient opens a client that is closed when the test ends. Change may be nil.
func openClient(t testing.TB, url string, change func(*goredis.Options)) *goredis.Client {
	t.Helper()
	options, err := goredis.ParseURL(url)
	require.NoError(t, err)
	options.ContextTimeoutEnabled = true
	if change != nil {
		change(options)
	}
	client := goredis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func openCluster(t testing.TB, cluster *dbtest.RedisCluster) *goredis.ClusterClient {
	t.Helper()
	client := goredis.NewClusterClient(&goredis.ClusterOptions{Addrs: cluster.Addresses(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// openStore returns a store on keys of its own.
func openStore(t testing.TB, client goredis.UniversalClient, options redis.Options) *redis.Store {
	t.Helper()
	if options.Prefix == "" {
		options.Prefix = newPrefix()
	}
	store, err := redis.New(client, options)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, store.Close()) })
	return store
}

var everyIndex = []redis.Index{redis.ByTenant, redis.ByEmail, redis.ByBusiness, redis.ByExternalBusiness}

// fresh makes stores with these indexes. The suite asks a store without any for no lists.
func fresh(client goredis.UniversalClient, options redis.Options) func(t *testing.T) magiclink.Store {
	return func(t *testing.T) magiclink.Store {
		store := openStore(t, client, options)
		if len(options.Indexes) == 0 {
			return listless{store, store}
		}
		return store
	}
}

// listless hides List and RevokeSubject.
type listless struct {
	magiclink.Store
	magiclink.Limiter
}

func TestStore(t *testing.T) {
	url := dbtest.RedisURL(t)
	for name, change := range map[string]func(*goredis.Options){
		"Default":       nil,
		"OneConnection": func(o *goredis.Options) { o.PoolSize, o.PipelinePoolSize = 1, -1 },
		"RESP2":         func(o *goredis.Options) { o.Protocol = 2 },
	} {
		if name == "RESP2" && !dbtest.Full() {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, fresh(openClient(t, url, change), redis.Options{Indexes: everyIndex}))
		})
	}
	t.Run("WithoutIndexes", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, fresh(openClient(t, url, nil), redis.Options{}))
	})
	t.Run("OneIndex", func(t *testing.T) {
		t.Parallel()
		storetest.Run(t, fresh(openClient(t, url, nil), redis.Options{Indexes: []redis.Index{redis.ByTenant}}))
	})
}

func TestStoreOnValkey(t *testing.T) {
	t.Run("Server", func(t *testing.T) {
		storetest.Run(t, fresh(openClient(t, dbtest.StartValkey(t).URL(), nil), redis.Options{Indexes: everyIndex}))
	})
	t.Run("Cluster", func(t *testing.T) {
		storetest.Run(t, fresh(openCluster(t, dbtest.StartValkeyCluster(t)), redis.Options{Indexes: everyIndex}))
	})
}

func TestStoreOnCluster(t *testing.T) {
	storetest.Run(t, fresh(openCluster(t, dbtest.SharedRedisCluster(t)), redis.Options{Indexes: everyIndex}))
}
