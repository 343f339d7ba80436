package redis

import (
	"context"
	"errors"
	"fmt"

	goredis "github.com/redis/go-redis/v9"
)

// checkClient refuses clients with which the contract would not hold.
func checkClient(client goredis.UniversalClient) (err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the client is not initialized: make it with goredis.NewClient or goredis.NewClusterClient")
		}
	}()
	switch c := client.(type) {
	case *goredis.Client:
		if c == nil {
			return errNoClient
		}
		o := c.Options()
		return checkTimeouts(o.ContextTimeoutEnabled, int64(min(o.ReadTimeout, o.WriteTimeout)))
	case *goredis.ClusterClient:
		if c == nil {
			return errNoClient
		}
		return checkCluster(c.Options())
	case *goredis.Ring:
		return errors.New("a Ring moves keys to other servers while one is down, and loses the links there: use goredis.NewClusterClient")
	case nil:
		return errNoClient
	}
	return fmt.Errorf("the settings of a %T cannot be checked: pass a *goredis.Client or a *goredis.ClusterClient", client)
}

var errNoClient = errors.New("the client is nil: pass one from goredis.NewClient or goredis.NewClusterClient")

func checkTimeouts(contexts bool, timeout int64) error {
	switch {
	case !contexts:
		return errors.New("the client ignores the deadline of a context: set ContextTimeoutEnabled")
	case timeout < 0:
		return errors.New("the client waits for ever: a ReadTimeout or WriteTimeout of -2 is not possible, use -1 or more")
	}
	return nil
}

func checkCluster(o *goredis.ClusterOptions) error {
	switch {
	case o.ReadOnly || o.RouteByLatency || o.RouteRandomly:
		return errors.New("the client reads from replicas, which may not know yet that a link was used or a session ended: " +
			"unset ReadOnly, RouteByLatency and RouteRandomly")
	case o.MaxRedirects < 1:
		return errors.New("the client does not follow slots to other servers: set MaxRedirects to 3 or more")
	}
	return checkTimeouts(o.ContextTimeoutEnabled, int64(min(o.ReadTimeout, o.WriteTimeout)))
}

// reload returns what makes a client of a cluster ask who has which slot. By itself go-redis asks once a minute, or when a server has
// sent it to another one: a server that is gone does not.
func reload(client goredis.UniversalClient) func(context.Context) {
	if cluster, ok := client.(*goredis.ClusterClient); ok {
		return cluster.ReloadState
	}
	return func(context.Context) {}
}
