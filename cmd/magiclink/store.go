package main

import (
	"context"
	"errors"
	"flag"
	"slices"
	"strings"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/redis"
)

// The stores that need no server.
const (
	storeSQLite = "sqlite"
	storeMemory = "memory"
)

// storeFlag says where links are kept: sqlite, memory, or the URL of a server. The URL may hold a password, so no message shows it.
type storeFlag struct {
	where         string
	redisIndex    listFlag
	redisReplicas int
}

func (f *storeFlag) declare(set *flag.FlagSet) {
	set.StringVar(&f.where, "store", storeSQLite, "where links are kept: sqlite, memory, which forgets them at the end, or the `URL` of a server that several "+
		"machines share, as postgres://USER:PASSWORD@HOST/DATABASE, redis://HOST:6379/0, redis://HOST:6379?addr=HOST2:6379 for a cluster, or "+
		"redis://SENTINEL:26379?master_name=NAME&addr=SENTINEL2:26379; TLS is rediss://… or ?sslmode=verify-full, with the parameters sslrootcert=FILE for the authority "+
		"of the server, and sslcert=FILE and sslkey=FILE for a certificate of ours; other users of the machine see a password "+
		"on the command line, and none in MAGICLINK_STORE")
	f.redisIndex = listFlag{values: []string{string(redis.ByTenant)}, replace: true}
	set.Var(&f.redisIndex, "redis-index", "with Redis: the `fields` by which links can be listed and ended: tenant, which serves every search, email, business, external-business, or none; "+
		"the same for every command on one database. Each makes issuing slower")
	set.IntVar(&f.redisReplicas, "redis-replicas", 0, "with Redis: the `number` of replicas that must confirm a write before it counts; the same for every command. Take all that can be promoted: "+
		"a failover to one that has not confirmed a use makes the link usable again")
}

// engine returns what opens the store, or nil.
func (f *storeFlag) engine() func(ctx context.Context, url string) (magiclink.Store, func() error, error) {
	switch f.scheme() {
	case "postgres", "postgresql":
		return openPostgres
	case "redis", "rediss":
		return func(ctx context.Context, url string) (magiclink.Store, func() error, error) {
			return openRedis(ctx, url, redis.Options{Indexes: f.redisIndexes(), RequireReplicas: f.redisReplicas})
		}
	}
	return nil
}

func (f *storeFlag) redisIndexes() []redis.Index {
	if slices.Equal(f.redisIndex.values, []string{"none"}) {
		return nil
	}
	indexes := make([]redis.Index, 0, len(f.redisIndex.values))
	for _, name := range f.redisIndex.values {
		indexes = append(indexes, redis.Index(strings.ReplaceAll(name, "-", "_")))
	}
	return indexes
}

// scheme returns what stands before "://", or nothing.
func (f *storeFlag) scheme() string {
	scheme, _, isURL := strings.Cut(f.where, "://")
	if !isURL {
		return ""
	}
	return scheme
}

// expires reports whether the server removes ended links by itself.
func (f *storeFlag) expires() bool { return f.isRedis() }

func (f *storeFlag) isRedis() bool { return f.scheme() == "redis" || f.scheme() == "rediss" }

// shared reports whether several machines can use the store.
func (f *storeFlag) shared() bool { return f.engine() != nil }

func (f *storeFlag) check() error {
	switch {
	case (f.where == storeSQLite || f.where == storeMemory) && f.redisReplicas == 0:
		return nil
	case !f.shared() && f.where != storeSQLite && f.where != storeMemory:
		return usagef("-store is not one that magiclink knows: write sqlite, memory, postgres://…, redis://… or rediss://…")
	}
	for _, index := range f.redisIndexes() {
		if !slices.Contains([]redis.Index{redis.ByTenant, redis.ByEmail, redis.ByBusiness, redis.ByExternalBusiness}, index) {
			return usagef("-redis-index %q is none: write some of tenant, email, business, external-business, or none", plain(string(index)))
		}
	}
	if f.redisReplicas < 0 || f.redisReplicas > 0 && !f.isRedis() {
		return usagef("-redis-replicas is a number of replicas of a Redis server: write 0 or more, and -store redis://…")
	}
	return f.checkURL()
}

// open opens the store of serve.
func (f *storeFlag) open(ctx context.Context, data *dataDir) (magiclink.Store, func() error, error) {
	switch f.where {
	case storeMemory:
		return memory.New(), func() error { return nil }, nil
	case storeSQLite:
		store, err := data.openDatabase()
		if err != nil {
			return nil, nil, err
		}
		return store, store.Close, nil
	}
	return f.engine()(ctx, f.where)
}

// openBeside opens the store that a serve may be using at the same time.
func (f *storeFlag) openBeside(ctx context.Context, data *dataDir) (magiclink.Store, func() error, error) {
	if err := f.check(); err != nil {
		return nil, nil, err
	}
	switch f.where {
	case storeMemory:
		return nil, nil, usagef("-store memory: another process cannot reach the memory of serve: use its API")
	case storeSQLite:
		if err := data.checkSetUp(); err != nil {
			return nil, nil, err
		}
	}
	return f.open(ctx, data)
}

// withStore calls do with the keys and the store of an installation, and closes the store.
func withStore[T any](ctx context.Context, data *dataDir, where *storeFlag, do func(magiclink.Config) (T, error)) (result T, err error) {
	keys, err := data.keys()
	if err != nil {
		return result, err
	}
	store, closeStore, err := where.openBeside(ctx, data)
	if err != nil {
		return result, err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	return do(magiclink.Config{Keys: keys, Store: store})
}
