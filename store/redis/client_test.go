package redis_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// TestNewRefuses gives New what would break the contract. No server is needed.
func TestNewRefuses(t *testing.T) {
	single := func(change func(*goredis.Options)) goredis.UniversalClient {
		o := &goredis.Options{ContextTimeoutEnabled: true}
		change(o)
		c := goredis.NewClient(o)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	cluster := func(change func(*goredis.ClusterOptions)) goredis.UniversalClient {
		o := &goredis.ClusterOptions{ContextTimeoutEnabled: true, Addrs: []string{"127.0.0.1:1"}}
		change(o)
		c := goredis.NewClusterClient(o)
		t.Cleanup(func() { _ = c.Close() })
		return c
	}
	ring := goredis.NewRing(&goredis.RingOptions{ContextTimeoutEnabled: true})
	t.Cleanup(func() { _ = ring.Close() })
	good := single(func(*goredis.Options) {})
	for name, c := range map[string]struct {
		client  goredis.UniversalClient
		options redis.Options
		cure    string
	}{
		"nil":                     {nil, redis.Options{}, "pass one from goredis.NewClient"},
		"typed nil":               {(*goredis.Client)(nil), redis.Options{}, "pass one from goredis.NewClient"},
		"typed nil cluster":       {(*goredis.ClusterClient)(nil), redis.Options{}, "pass one from goredis.NewClient"},
		"zero client":             {&goredis.Client{}, redis.Options{}, "make it with goredis.NewClient"},
		"zero cluster":            {&goredis.ClusterClient{}, redis.Options{}, "make it with goredis.NewClient"},
		"ring":                    {ring, redis.Options{}, "use goredis.NewClusterClient"},
		"another kind":            {struct{ goredis.UniversalClient }{good}, redis.Options{}, "pass a *goredis.Client"},
		"no context":              {single(func(o *goredis.Options) { o.ContextTimeoutEnabled = false }), redis.Options{}, "set ContextTimeoutEnabled"},
		"no read deadline":        {single(func(o *goredis.Options) { o.ReadTimeout = -2 }), redis.Options{}, "ReadTimeout"},
		"no write deadline":       {single(func(o *goredis.Options) { o.WriteTimeout = -2 }), redis.Options{}, "WriteTimeout"},
		"cluster: no context":     {cluster(func(o *goredis.ClusterOptions) { o.ContextTimeoutEnabled = false }), redis.Options{}, "set ContextTimeoutEnabled"},
		"cluster: read only":      {cluster(func(o *goredis.ClusterOptions) { o.ReadOnly = true }), redis.Options{}, "unset ReadOnly"},
		"cluster: by latency":     {cluster(func(o *goredis.ClusterOptions) { o.RouteByLatency = true }), redis.Options{}, "unset ReadOnly"},
		"cluster: randomly":       {cluster(func(o *goredis.ClusterOptions) { o.RouteRandomly = true }), redis.Options{}, "unset ReadOnly"},
		"cluster: no redirects":   {cluster(func(o *goredis.ClusterOptions) { o.MaxRedirects = -1 }), redis.Options{}, "set MaxRedirects"},
		"cluster: no deadline":    {cluster(func(o *goredis.ClusterOptions) { o.ReadTimeout = -2 }), redis.Options{}, "ReadTimeout"},
		"negative timeout":        {good, redis.Options{Timeout: -1}, "correct Options.Timeout"},
		"negative replicas":       {good, redis.Options{RequireReplicas: -1}, "correct Options.RequireReplicas"},
		"two faults, first cure":  {nil, redis.Options{Timeout: -1}, "correct Options.Timeout"},
		"two faults, second cure": {nil, redis.Options{Timeout: -1}, "pass one from goredis.NewClient"},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := redis.New(c.client, c.options)
			require.ErrorContains(t, err, c.cure)
			require.True(t, strings.HasPrefix(err.Error(), "magiclink/redis: new: "), err)
			require.Nil(t, store)
		})
	}
	for name, client := range map[string]goredis.UniversalClient{
		"positive control": good, "cluster": cluster(func(*goredis.ClusterOptions) {}),
		"no timeout of its own": single(func(o *goredis.Options) { o.ReadTimeout, o.WriteTimeout = -1, -1 }),
	} {
		t.Run(name, func(t *testing.T) {
			store, err := redis.New(client, redis.Options{})
			require.NoError(t, err)
			require.NoError(t, store.Close())
		})
	}
}

// TestServerRefuses meets servers that refuse writes. Nothing is changed, and the error says what to do.
func TestServerRefuses(t *testing.T) {
	primary := dbtest.StartRedis(t)
	full := []string{"maxmemory 1kb", "maxmemory-policy noeviction"}
	for name, c := range map[string]struct {
		server *dbtest.Redis
		change func(*goredis.Options)
		harm   string // a command that the server gets first
		cure   string
		reads  bool // Get works all the same
	}{
		"replica":     {server: primary.Replica(t), cure: "connect to the primary"},
		"full":        {server: dbtest.StartRedis(t, full...), cure: "raise maxmemory", reads: true},
		"password":    {server: dbtest.StartRedis(t, "requirepass secret"), cure: "set Username and Password"},
		"wrong one":   {dbtest.StartRedis(t, "requirepass secret"), func(o *goredis.Options) { o.Password = "guess" }, "", "correct Username and Password", false},
		"no replicas": {server: dbtest.StartRedis(t, "min-replicas-to-write 1"), cure: "min-replicas-to-write"},
		"forbidden":   {server: dbtest.StartRedis(t), harm: "ACL SETUSER default -set -eval -evalsha -getex", cure: "ACL SETUSER"},
		"cluster": {
			server: dbtest.SharedRedisCluster(t).Nodes[0], cure: "use goredis.NewClusterClient",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.harm != "" {
				c.server.Await(t, c.harm, "OK")
			}
			client := openClient(t, c.server.URL(), c.change)
			store := openStore(t, client, redis.Options{Indexes: everyIndex})
			if name != "cluster" {
				require.Error(t, store.Ping(t.Context()))
			}
			failures := 0
			for i := range 3 {
				for kind, call := range allCalls(store) {
					if kind == "ping" || kind == "purge" || kind == "get" && c.reads {
						continue
					}
					err := call(t.Context(), i)
					require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
					if err != nil && !errors.Is(err, magiclink.ErrNotFound) {
						require.ErrorContains(t, err, c.cure)
						failures++
					}
				}
			}
			require.NotZero(t, failures)
		})
	}
}

// permissions are those that the package comment names.
const permissions = "+set +get +getex +del +pexpireat +pexpiretime +incrby +pexpire +zadd +zrange +zrem +time " +
	"+eval +evalsha +scan +wait +ping +info"

// TestPermissions gives a user the commands that the errors name, and no others.
func TestPermissions(t *testing.T) {
	server := dbtest.StartRedis(t)
	server.Await(t, "ACL SETUSER links on >pass ~magiclink-test* "+permissions, "OK")
	client := openClient(t, server.URL(), func(o *goredis.Options) { o.Username, o.Password = "links", "pass" })
	store := openStore(t, client, redis.Options{Prefix: "magiclink-test:", Indexes: everyIndex})
	for _, name := range []string{"ping", "create", "get", "consume", "list", "take", "take", "reset", "revoke subject", "revoke", "purge"} {
		require.NoError(t, allCalls(store)[name](t.Context(), 1), name)
	}
	n, err := store.Purge(t.Context(), time.Now().Add(1000*time.Hour), 10)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	other := openStore(t, client, redis.Options{Prefix: "other:"})
	require.ErrorContains(t, other.Create(t.Context(), link(1)), "ACL SETUSER", "positive control")
	client = openClient(t, server.URL(), func(o *goredis.Options) { o.Username, o.Password, o.DB = "links", "pass", 3 })
	inThree := openStore(t, client, redis.Options{Prefix: "magiclink-test:"})
	require.ErrorContains(t, inThree.Ping(t.Context()), "in a database other than 0 +select")
	server.Await(t, "ACL SETUSER links +select", "OK")
	require.NoError(t, inThree.Ping(t.Context()))
	for i, command := range strings.Fields(permissions)[:12] {
		server.Await(t, "ACL SETUSER links -"+command[1:], "OK")
		missed := 0
		for _, name := range []string{"create", "get", "consume", "list", "take", "take", "reset", "revoke", "purge"} {
			if err := allCalls(store)[name](t.Context(), 10+i); err != nil && !errors.Is(err, magiclink.ErrNotFound) {
				require.ErrorContains(t, err, "ACL SETUSER", command)
				missed++
			}
		}
		if name := command[1:]; name != "pexpireat" && name != "zrem" && name != "del" {
			require.NotZero(t, missed, "nothing needs %s", name)
		}
		server.Await(t, "ACL SETUSER links "+command, "OK")
	}
}

// TestPermissionsOnCluster does the same on a cluster, in whose servers go-redis needs some more.
// TestRenamedCommands takes commands away. The server quotes the command that it does not know, and the error must not.
func TestRenamedCommands(t *testing.T) {
	for command, names := range map[string][]string{
		"set": {"create", "take"}, "get": {"consume", "revoke"}, "getex": {"get"}, "evalsha": {"consume", "revoke", "take"}, "scan": {"purge"}, "eval": {"ping"},
	} {
		store := openStore(t, openClient(t, dbtest.StartRedis(t, "rename-command "+command+` ""`).URL(), nil), redis.Options{})
		for _, name := range names {
			err := allCalls(store)[name](t.Context(), 1)
			require.ErrorContains(t, err, "rename-command must not take away", "%s without %s", name, command)
			require.NotContains(t, err.Error(), "args", "%s without %s", name, command)
			require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		}
	}
	store := openStore(t, openClient(t, dbtest.StartRedis(t, `rename-command info ""`).URL(), nil), redis.Options{})
	require.NoError(t, store.Ping(t.Context()), "what INFO says cannot be read")
}

func TestPermissionsOnCluster(t *testing.T) {
	cluster := dbtest.StartRedisCluster(t, 0)
	for _, node := range cluster.Nodes {
		node.Await(t, "ACL SETUSER links on >pass ~magiclink-test* "+permissions+" +cluster|slots +asking", "OK")
	}
	client := goredis.NewClusterClient(&goredis.ClusterOptions{
		Addrs: cluster.Addresses(), ContextTimeoutEnabled: true, Username: "links", Password: "pass",
	})
	t.Cleanup(func() { _ = client.Close() })
	store := openStore(t, client, redis.Options{Prefix: "magiclink-test:", Indexes: everyIndex})
	for _, name := range []string{"ping", "create", "get", "consume", "list", "take", "take", "reset", "revoke subject", "revoke", "purge"} {
		require.NoError(t, allCalls(store)[name](t.Context(), 1), name)
	}
	for _, err := range callAll(20, func(i int) error { return store.Create(t.Context(), link(10+i)) }) {
		require.NoError(t, err)
	}
}

// TestPingLooksForEviction reads the policy where that is allowed.
func TestPingLooksForEviction(t *testing.T) {
	for name, c := range map[string]struct {
		directives []string
		harm       string
		cure       string
	}{
		"evicts":            {[]string{"maxmemory 100mb", "maxmemory-policy volatile-ttl"}, "", "set maxmemory-policy to noeviction instead of volatile-ttl"},
		"does not":          {[]string{"maxmemory 100mb", "maxmemory-policy noeviction"}, "", ""},
		"without a limit":   {[]string{"maxmemory-policy allkeys-lru"}, "", ""},
		"cannot be read":    {[]string{"maxmemory 100mb", "maxmemory-policy allkeys-lru"}, "ACL SETUSER default -info", ""},
		"runs no script":    {nil, "ACL SETUSER default -eval", "ACL SETUSER"},
		"no writes, script": {[]string{"min-replicas-to-write 1"}, "", "min-replicas-to-write"},
	} {
		t.Run(name, func(t *testing.T) {
			server := dbtest.StartRedis(t, c.directives...)
			if c.harm != "" {
				server.Await(t, c.harm, "OK")
			}
			err := openStore(t, openClient(t, server.URL(), nil), redis.Options{}).Ping(t.Context())
			if c.cure == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.cure)
		})
	}
	require.NoError(t, openStore(t, openCluster(t, dbtest.SharedRedisCluster(t)), redis.Options{}).Ping(t.Context()))
}

// clockHook makes the clock of the server look as if it was ahead.
type clockHook struct{ ahead time.Duration }

func (clockHook) DialHook(next goredis.DialHook) goredis.DialHook { return next }

func (h clockHook) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook {
	return func(ctx context.Context, c goredis.Cmder) error {
		err := next(ctx, c)
		if clock, ok := c.(*goredis.TimeCmd); ok && err == nil {
			clock.SetVal(clock.Val().Add(h.ahead))
		}
		return err
	}
}

func (clockHook) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return next
}

// TestPingLooksAtTheClock has a server that would remove links before they expire.
func TestPingLooksAtTheClock(t *testing.T) {
	for ahead, fine := range map[time.Duration]bool{
		0: true, redis.Margin - time.Minute: true, -24 * time.Hour: true, redis.Margin + time.Minute: false, 24 * time.Hour: false,
	} {
		client := openClient(t, dbtest.RedisURL(t), nil)
		client.AddHook(clockHook{ahead})
		err := openStore(t, client, redis.Options{}).Ping(t.Context())
		if fine {
			require.NoError(t, err, ahead)
			continue
		}
		require.ErrorContains(t, err, "for example by NTP", ahead)
	}
	for _, harm := range []string{"ACL SETUSER default -time", ""} {
		server := dbtest.StartRedis(t)
		if harm == "" {
			server = dbtest.StartRedis(t, `rename-command time ""`)
		} else {
			server.Await(t, harm, "OK")
		}
		require.NoError(t, openStore(t, openClient(t, server.URL(), nil), redis.Options{}).Ping(t.Context()), "the clock cannot be read")
	}
}

// TestScriptOfAnother meets a server that is busy with somebody else's script. Nothing is changed, and the error says what to do.
func TestScriptOfAnother(t *testing.T) {
	server := dbtest.StartRedis(t, "busy-reply-threshold 10")
	store, other := openStore(t, openClient(t, server.URL(), nil), redis.Options{}), openClient(t, server.URL(), nil)
	require.NoError(t, store.Create(t.Context(), link(1)))
	ended := make(chan error, 1)
	go func() { ended <- other.Eval(context.WithoutCancel(t.Context()), "while true do end", nil).Err() }()
	var err error
	require.Eventually(t, func() bool {
		_, err = store.Consume(t.Context(), link(1).ID, time.Now(), "early")
		return err != nil && !errors.Is(err, magiclink.ErrConsumed)
	}, 10*time.Second, time.Millisecond)
	require.ErrorContains(t, err, "SCRIPT KILL")
	server.Await(t, "SCRIPT KILL", "OK", "NOTBUSY")
	require.Error(t, <-ended)
}

// TestClientIsClosed closes the client before the store.
func TestClientIsClosed(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), nil)
	store := openStore(t, client, redis.Options{})
	require.NoError(t, client.Close())
	err := store.Create(t.Context(), link(1))
	require.ErrorContains(t, err, "close the Store before the client")
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
}

// TestPoolIsExhausted lets the application keep the only connection.
func TestPoolIsExhausted(t *testing.T) {
	client := openClient(t, dbtest.RedisURL(t), func(o *goredis.Options) {
		o.PoolSize, o.MaxActiveConns, o.PipelinePoolSize, o.PoolTimeout = 1, 1, -1, 100*time.Millisecond
	})
	store := openStore(t, client, redis.Options{})
	conn := client.Conn()
	require.NoError(t, conn.Ping(context.Background()).Err())
	err := store.Create(t.Context(), link(1))
	require.ErrorContains(t, err, "raise PoolSize")
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	require.NoError(t, conn.Close())
	require.NoError(t, store.Create(t.Context(), link(1)))
}
