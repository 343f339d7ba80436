package redis_test

import (
	"context"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
	"github.com/magiclink-go/magiclink/store/storetest"
)

func errorStats(t *testing.T, client *goredis.Client) []string {
	t.Helper()
	text, err := client.Info(t.Context(), "errorstats").Result()
	require.NoError(t, err)
	return strings.Split(text, "\r\n")
}

func TestStoreWithReplicas(t *testing.T) {
	primary := dbtest.StartRedis(t)
	primary.Replica(t)
	client := openClient(t, primary.URL(), nil)
	storetest.Run(t, fresh(client, redis.Options{RequireReplicas: 1, Indexes: everyIndex}))
}

func TestStoreOnClusterWithReplicas(t *testing.T) {
	if !dbtest.Full() { // each of the two is tested by itself
		t.Skip("in full only: make full")
	}
	client := openCluster(t, dbtest.StartRedisCluster(t, 1))
	storetest.Run(t, fresh(client, redis.Options{RequireReplicas: 1, Indexes: everyIndex}))
}

// TestReplicaHangs stops the only replica without closing its connection. Then the replica is gone, and later it is back.
func TestReplicaHangs(t *testing.T) {
	primary := dbtest.StartRedis(t)
	proxy := dbtest.NewProxy(t, primary.Address())
	replica := primary.ReplicaThrough(t, proxy.Address())
	options := redis.Options{Prefix: newPrefix(), RequireReplicas: 1, Timeout: 3 * time.Second} // a busy machine confirms late
	store := openStore(t, openClient(t, primary.URL(), nil), options)
	require.NoError(t, store.Create(t.Context(), link(1)), "positive control")
	require.NoError(t, store.Create(t.Context(), link(2)))
	require.NoError(t, store.Create(t.Context(), link(4)))
	_, err := store.Consume(t.Context(), link(4).ID, time.Now(), "by") // the server knows the script
	require.NoError(t, err)

	proxy.Stall()
	_, err = store.Consume(t.Context(), link(1).ID, time.Now(), "by")
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome, "the primary has the write")
	require.ErrorContains(t, err, "0 of 1 replicas have confirmed the write")
	err = store.Create(t.Context(), link(3))
	require.ErrorContains(t, err, "0 of 1 replicas follow the server")
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome, "the store knows that the replica hangs")
	other := openStore(t, openClient(t, primary.URL(), nil), options)
	require.ErrorContains(t, other.Revoke(t.Context(), link(2).ID, time.Now()), "0 of 1 replicas follow the server")
	_, err = store.Get(t.Context(), link(2).ID)
	require.NoError(t, err, "reads go on")

	proxy.Pass("127.0.0.1:1") // nobody listens there
	proxy.Cut()
	primary.Await(t, "INFO replication", "connected_slaves:0")
	err = store.Create(t.Context(), link(3))
	require.ErrorContains(t, err, "0 of 1 replicas follow the server")
	require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	_, err = store.Get(t.Context(), link(3).ID)
	require.ErrorIs(t, err, magiclink.ErrNotFound, "a write that is refused is not there")

	proxy.Pass(primary.Address())
	replica.Await(t, "INFO replication", "master_link_status:up")
	require.Eventually(t, func() bool { return store.Create(t.Context(), link(3)) == nil }, 5*time.Second, 10*time.Millisecond)
	_, err = store.Consume(t.Context(), link(1).ID, time.Now(), "by")
	require.NoError(t, err, "the same by completes what was unknown")
}

// TestRepetitionIsReplicated repeats calls that change nothing. Where replicas confirm, each writes all the same: Redis promises that WAIT
// waits for the writes of its connection, and for no others.
func TestRepetitionIsReplicated(t *testing.T) {
	for required, want := range map[int]string{0: "cmdstat_set:calls=4,", 1: "cmdstat_set:calls=7,"} {
		primary := dbtest.StartRedis(t)
		replica := primary.Replica(t)
		client := openClient(t, primary.URL(), nil)
		store := openStore(t, client, redis.Options{RequireReplicas: required})
		require.NoError(t, store.Create(t.Context(), link(1)))
		for range 2 {
			_, err := store.Consume(t.Context(), link(1).ID, time.Now(), "by")
			require.NoError(t, err)
		}
		for range 2 {
			require.NoError(t, store.Revoke(t.Context(), link(1).ID, time.Now()))
		}
		require.NoError(t, client.Set(t.Context(), "last", "", 0).Err())
		replica.Await(t, "GET last", "$0")
		require.Contains(t, replica.Ask(t, "INFO commandstats"), want, "three writes and the last; one before the first to count the replicas; and each repetition")
	}
}

// TestReplicaTakesOver moves the clients to a replica: as long as it is read-only the store says so, and no call reads from it.
func TestReplicaTakesOver(t *testing.T) {
	primary := dbtest.StartRedis(t)
	replica := primary.Replica(t)
	proxy := dbtest.NewProxy(t, primary.Address())
	store := openStore(t, openClient(t, "redis://"+proxy.Address(), nil), redis.Options{RequireReplicas: 1})
	plain := openStore(t, openClient(t, "redis://"+proxy.Address(), nil), redis.Options{Indexes: everyIndex})
	require.NoError(t, store.Create(t.Context(), link(1)))
	_, err := store.Consume(t.Context(), link(1).ID, time.Now(), "before")
	require.NoError(t, err)
	primary.Stop(t)
	proxy.Pass(replica.Address())
	proxy.Cut()
	for name, call := range allCalls(plain) {
		if name == "purge" {
			continue
		}
		err := call(t.Context(), 1)
		require.ErrorContains(t, err, "connect to the primary", name)
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
	}
	replica.Promote(t)
	requireRecovery(t, plain)
	_, err = store.Get(t.Context(), link(1).ID)
	require.NoError(t, err, "what the replica has confirmed is there")
	_, err = store.Consume(context.Background(), link(1).ID, time.Now(), "after")
	require.ErrorIs(t, err, magiclink.ErrConsumed)
}

// TestEmptyReplicaTakesOver moves the clients to a server that has nothing, as a replica that was promoted too early. Links are lost,
// and nobody gets in twice.
func TestEmptyReplicaTakesOver(t *testing.T) {
	server, empty := dbtest.StartRedis(t), dbtest.StartRedis(t)
	store, proxy := behindProxy(t, server)
	used := link(1e9)
	require.NoError(t, store.Create(t.Context(), used))
	_, err := store.Consume(t.Context(), used.ID, time.Now(), "by")
	require.NoError(t, err)
	stop := load(t, store)
	server.Stop(t)
	proxy.Pass(empty.Address())
	proxy.Cut()
	requireRecovery(t, store)
	stop()
	for _, by := range []string{"by", "another", ""} {
		_, err = store.Consume(t.Context(), used.ID, time.Now(), by)
		require.ErrorIs(t, err, magiclink.ErrNotFound, "a link that is lost cannot be used")
	}
}
