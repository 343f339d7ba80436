package redis_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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
