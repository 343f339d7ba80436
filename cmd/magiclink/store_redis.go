package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	goredis "github.com/redis/go-redis/v9"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/redis"
)

// openRedis refuses a server that cannot be reached, or on which links would not be safe.
func openRedis(ctx context.Context, server string, options redis.Options) (magiclink.Store, func() error, error) {
	goredis.SetLogger(quiet{})
	client, err := redisClient(server)
	if err != nil {
		return nil, nil, usagef("-store: %s", err)
	}
	store, err := redis.New(client, options)
	if err != nil {
		return nil, nil, errors.Join(err, client.Close())
	}
	closeAll := func() error { return errors.Join(store.Close(), client.Close()) }
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	if err := store.Ping(ctx); err != nil {
		return nil, nil, errors.Join(adviseRedis(server, err), closeAll())
	}
	return store, closeAll, nil
}

// adviseRedis says what to do where the database or the kind of the server is not the one of the URL, or the server is not reached.
func adviseRedis(server string, err error) error {
	for text, advice := range map[string]string{
		"DB index is out of range":                   "write a number in -store that is below databases of the server: 0 to 15, if nobody has changed it",
		"SELECT is not allowed in cluster mode":      "the server is part of a cluster: leave the number of the database out, and name another of its servers, redis://HOST:6379?addr=HOST2:6379",
		"This instance has cluster support disabled": "the server is part of no cluster: leave addr out of -store",
	} {
		if strings.Contains(err.Error(), text) {
			return fmt.Errorf("%w: %s", err, advice)
		}
	}
	return mentionTLS(server, err)
}

// quiet keeps go-redis from writing to standard error by itself: what matters comes back as errors of calls.
type quiet struct{}

// Printf implements the logger of go-redis.
func (quiet) Printf(context.Context, string, ...any) {}

// databaseOf returns the path of a URL that check has accepted.
func databaseOf(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return ""
	}
	return u.Path
}

// redisClient returns a client that asks sentinels for the server if the URL has a master_name, that of a cluster if it names further servers
// by addr=HOST:PORT, and that of one server otherwise.
func redisClient(server string) (goredis.UniversalClient, error) {
	server, files, err := cutTLSFiles(server)
	if err != nil {
		return nil, err
	}
	_, query, _ := strings.Cut(server, "?")
	switch {
	case strings.Contains("&"+query, "&master_name="):
		return failoverClient(server, files)
	case strings.Contains("&"+query, "&addr="):
		return clusterClient(server, files)
	}
	options, err := goredis.ParseURL(server)
	if err != nil {
		return nil, err
	}
	if err := files.apply(options.TLSConfig); err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true
	return goredis.NewClient(options), nil
}

func failoverClient(server string, files tlsFiles) (goredis.UniversalClient, error) {
	options, err := goredis.ParseFailoverURL(server)
	switch {
	case err != nil:
		return nil, err
	case options.ReplicaOnly || options.RouteByLatency || options.RouteRandomly:
		return nil, errors.New("replicas may not know yet that a link was used: leave replica_only, route_by_latency and route_randomly out")
	}
	if err := files.apply(options.TLSConfig); err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true
	return goredis.NewFailoverClient(options), nil
}

func clusterClient(server string, files tlsFiles) (goredis.UniversalClient, error) {
	options, err := goredis.ParseClusterURL(server)
	if err != nil {
		return nil, err
	}
	if strings.Trim(databaseOf(server), "0/") != "" {
		return nil, errors.New("a cluster has the database 0 alone: leave the number of the database out")
	}
	if err := files.apply(options.TLSConfig); err != nil {
		return nil, err
	}
	options.ContextTimeoutEnabled = true
	return goredis.NewClusterClient(options), nil
}
