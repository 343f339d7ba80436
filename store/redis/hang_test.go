package redis_test

import (
	"context"
	"errors"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// TestOneMasterHangs lets one of three masters not answer for a while. Calls for the others go on.
func TestOneMasterHangs(t *testing.T) {
	cluster := dbtest.SharedRedisCluster(t)
	prefix := newPrefix()
	store := openStore(t, openCluster(t, cluster), redis.Options{Prefix: prefix})
	nodes := slotMover{t, cluster, openNodes(t, cluster)}
	owners := make([]int, 200)
	for i := range owners {
		slot := nodes.nodes[0].ClusterKeySlot(t.Context(), prefix+link(i).ID).Val()
		if owners[i] = nodes.owner(slot); slot == 5461 {
			owners[i] = 0 // the one slot of the second master that shares a lane with the first one
		}
		_, err := store.Get(t.Context(), link(i).ID) // opens the connections
		require.Error(t, err)
	}
	require.NoError(t, nodes.nodes[0].Do(t.Context(), "client", "pause", 60_000, "write").Err())
	t.Cleanup(func() { _ = nodes.nodes[0].ClientUnpause(context.Background()) })
	failed := 0
	for i, err := range callAll(len(owners), func(i int) error {
		_, err := limited(t, 200*time.Millisecond, func(ctx context.Context) error { return store.Create(ctx, link(i)) })
		return err
	}) {
		if owners[i] == 0 {
			require.Error(t, err, "positive control: the first master hangs")
			failed++
			continue
		}
		require.NoError(t, err)
	}
	require.Greater(t, failed, 20)
}

// TestServerHangs lets the only server not answer for a while: callers leave in time, and calls go on as soon as it answers.
func TestServerHangs(t *testing.T) {
	server := dbtest.StartRedis(t)
	client := openClient(t, server.URL(), nil)
	store := openStore(t, client, redis.Options{})
	require.NoError(t, store.Create(t.Context(), link(1)))
	require.NoError(t, client.ClientPause(t.Context(), time.Second).Err())
	for _, err := range callAll(50, func(i int) error {
		took, err := limited(t, 100*time.Millisecond, func(ctx context.Context) error { return store.Create(ctx, link(10+i)) })
		require.Less(t, took, 300*time.Millisecond)
		return err
	}) {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	time.Sleep(time.Second)
	requireRecovery(t, store)
}

// TestNobodyWaits lets the only caller of the only connection leave. The connection is given up soon, not after Options.Timeout.
func TestNobodyWaits(t *testing.T) {
	server := dbtest.SharedRedis(t)
	proxy := dbtest.NewProxy(t, server.Address())
	client := openClient(t, "redis://"+proxy.Address(), func(o *goredis.Options) {
		o.PoolSize, o.MaxActiveConns, o.PipelinePoolSize, o.ReadTimeout = 1, 1, -1, time.Minute
	})
	store := openStore(t, client, redis.Options{Timeout: 20 * time.Second})
	require.NoError(t, store.Create(t.Context(), link(1)))
	proxy.Stall()
	_, err := limited(t, 100*time.Millisecond, func(ctx context.Context) error { return store.Create(ctx, link(2)) })
	require.ErrorIs(t, err, magiclink.ErrUnknownOutcome)
	proxy.Pass(server.Address())
	_, err = limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(3)) })
	require.NoError(t, err)
}

// TestPatientCaller lets a call without a deadline hang. Other calls use another connection.
func TestPatientCaller(t *testing.T) {
	server := dbtest.SharedRedis(t)
	store, proxy := behindProxy(t, server)
	require.NoError(t, store.Create(t.Context(), link(1)))
	proxy.Stall()
	patient := make(chan error, 2)
	for i := range 2 {
		go func() { patient <- store.Create(context.Background(), link(2+i)) }()
		time.Sleep(50 * time.Millisecond)
	}
	proxy.Pass(server.Address())
	_, err := limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(4)) })
	require.NoError(t, err)
	select {
	case err := <-patient:
		t.Fatalf("positive control: the first calls hang, got %v", err)
	default:
	}
	proxy.Cut()
	require.NoError(t, errors.Join(<-patient, <-patient))
}

// TestServerNeverAnswers ends a call without a deadline after Options.Timeout.
func TestServerNeverAnswers(t *testing.T) {
	server := dbtest.SharedRedis(t)
	proxy := dbtest.NewProxy(t, server.Address())
	store := openStore(t, openClient(t, "redis://"+proxy.Address(), nil), redis.Options{Timeout: 200 * time.Millisecond})
	require.NoError(t, store.Create(t.Context(), link(1)))
	proxy.Stall()
	started := time.Now()
	require.ErrorIs(t, store.Create(context.Background(), link(2)), magiclink.ErrUnknownOutcome)
	require.Less(t, time.Since(started), 2*time.Second)
}
