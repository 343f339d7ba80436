package main

import (
	"context"
	"errors"
	"flag"
	"net/url"
	"slices"
	"strconv"
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
	where      string
	redisIndex listFlag
}

func (f *storeFlag) declare(set *flag.FlagSet) {
	set.StringVar(&f.where, "store", storeSQLite, "where links are kept: sqlite, memory, which forgets them at the end, or the `URL` of a server that several "+
		"machines share, as postgres://USER:PASSWORD@HOST/DATABASE, redis://HOST:6379/0, or redis://HOST:6379?addr=HOST2:6379 for a cluster; other users of the machine see a password "+
		"on the command line, and none in MAGICLINK_STORE")
	f.redisIndex = listFlag{values: []string{string(redis.ByTenant)}, replace: true}
	set.Var(&f.redisIndex, "redis-index", "with Redis: the `fields` by which links can be listed and ended: tenant, which serves every search, email, business, external-business, or none; "+
		"the same for every command on one database. Each makes issuing slower")
}

// engine returns what opens the store, or nil.
func (f *storeFlag) engine() func(ctx context.Context, url string) (magiclink.Store, func() error, error) {
	switch f.scheme() {
	case "postgres", "postgresql":
		return openPostgres
	case "redis", "rediss":
		return func(ctx context.Context, url string) (magiclink.Store, func() error, error) {
			return openRedis(ctx, url, f.redisIndexes())
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
func (f *storeFlag) expires() bool {
	return f.scheme() == "redis" || f.scheme() == "rediss"
}

// shared reports whether several machines can use the store.
func (f *storeFlag) shared() bool { return f.engine() != nil }

func (f *storeFlag) check() error {
	switch {
	case f.where == storeSQLite, f.where == storeMemory:
		return nil
	case !f.shared():
		return usagef("-store is not one that magiclink knows: write sqlite, memory, postgres://…, redis://… or rediss://…")
	}
	for _, index := range f.redisIndexes() {
		if !slices.Contains([]redis.Index{redis.ByTenant, redis.ByEmail, redis.ByBusiness, redis.ByExternalBusiness}, index) {
			return usagef("-redis-index %q is none: write some of tenant, email, business, external-business, or none", plain(string(index)))
		}
	}
	if u, err := url.Parse(f.where); err != nil || u.Host == "" || strings.Count(f.authority(), "@") > 1 || f.misplaced(u) {
		return usagef("-store is not a URL: write SCHEME://USER:PASSWORD@HOST/DATABASE, and in the password %%40 for @, %%2F for /, %%3F for ? and %%23 for #")
	}
	return nil
}

// authority is what stands between the scheme and the path: user, password and hosts.
func (f *storeFlag) authority() string {
	_, rest, _ := strings.Cut(f.where, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	return rest[:end]
}

// misplaced reports whether a part of the URL may be a part of a password: the path and the parameters of Redis appear in its errors.
func (f *storeFlag) misplaced(u *url.URL) bool {
	if !f.expires() {
		return false
	}
	_, err := strconv.Atoi(strings.TrimPrefix(u.Path, "/"))
	return err != nil && strings.Trim(u.Path, "/") != "" || strings.Contains(u.RawQuery, "@") || strings.Contains(u.RawQuery, "%40") || u.Fragment != ""
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
