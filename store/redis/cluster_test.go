package redis_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// TestSlotMoves moves the slot of all keys from server to server under load. Each link is used by one of two racers.
func TestSlotMoves(t *testing.T) {
	cluster := dbtest.StartRedisCluster(t, 0)
	for name, options := range map[string]redis.Options{
		"plain":   {Prefix: "{plain}:"},
		"indexed": {Prefix: "{indexed}:", Indexes: []redis.Index{redis.ByTenant}},
	} {
		t.Run(name, func(t *testing.T) { moveUnderLoad(t, cluster, options) })
	}
}

// TestSlotMovesBetweenServersWithReplicas is the same with writes that replicas confirm.
func TestSlotMovesBetweenServersWithReplicas(t *testing.T) {
	moveUnderLoad(t, dbtest.StartRedisCluster(t, 1), redis.Options{Prefix: "{confirmed}:", RequireReplicas: 1})
}

func moveUnderLoad(t *testing.T, cluster *dbtest.RedisCluster, options redis.Options) {
	t.Helper()
	store := openStore(t, openCluster(t, cluster), options)
	var stop atomic.Bool
	var group sync.WaitGroup
	var made atomic.Int64
	for caller := range 8 {
		group.Go(func() {
			for i := caller; !stop.Load(); i += 8 {
				useOnce(t, store, i)
				made.Add(1)
			}
		})
	}
	move := slotMover{t, cluster, openNodes(t, cluster)}
	for range 3 {
		move.next(options.Prefix)
	}
	stop.Store(true)
	group.Wait()
	t.Logf("%d links", made.Load())
	require.Greater(t, move.asked(), 0, "positive control: a server has sent callers to another one")
	for i := range int(made.Load()) / 8 {
		got, err := store.Get(t.Context(), link(i).ID)
		require.NoError(t, err)
		require.False(t, got.ConsumedAt.IsZero())
	}
	if len(options.Indexes) > 0 {
		n, err := store.RevokeSubject(t.Context(), link(0).Subject, time.Now().Add(time.Minute), time.Now())
		require.NoError(t, err)
		require.EqualValues(t, made.Load(), n, "each link has its entry")
	}
}

// useOnce makes a link and lets two racers use it.
func useOnce(t *testing.T, store magiclink.Store, i int) {
	if err := store.Create(t.Context(), link(i)); err != nil {
		t.Errorf("create: %v", err)
		return
	}
	won := 0
	for _, err := range callAll(2, func(racer int) error {
		_, err := store.Consume(t.Context(), link(i).ID, time.Now(), fmt.Sprint(racer))
		return err
	}) {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, magiclink.ErrConsumed):
			t.Errorf("consume: %v", err)
		}
	}
	if won != 1 {
		t.Errorf("%d racers have used the link", won)
	}
}

// openNodes opens a client for each master.
func openNodes(t *testing.T, cluster *dbtest.RedisCluster) []*goredis.Client {
	t.Helper()
	var all []*goredis.Client
	for _, node := range cluster.Nodes[:3] {
		all = append(all, openClient(t, node.URL(), nil))
	}
	return all
}

// slotMover moves a slot in small steps, as redis-cli --cluster reshard does.
type slotMover struct {
	t       *testing.T
	cluster *dbtest.RedisCluster
	nodes   []*goredis.Client
}

func (m slotMover) next(key string) {
	m.t.Helper()
	ctx := m.t.Context()
	slot := m.nodes[0].ClusterKeySlot(ctx, key).Val()
	from := m.owner(slot)
	to := (from + 1) % len(m.nodes)
	m.do(to, "cluster", "setslot", slot, "importing", m.cluster.IDs[from])
	m.do(from, "cluster", "setslot", slot, "migrating", m.cluster.IDs[to])
	quiet := time.Now().Add(300 * time.Millisecond)
	for {
		keys := m.nodes[from].ClusterGetKeysInSlot(ctx, int(slot), 20).Val()
		if len(keys) == 0 && time.Now().After(quiet) {
			break
		}
		if len(keys) > 0 {
			args := []any{"migrate", "127.0.0.1", m.cluster.Nodes[to].Port, "", 0, 5000, "keys"}
			for _, key := range keys {
				args = append(args, key)
			}
			require.NoError(m.t, m.nodes[from].Do(ctx, args...).Err())
		}
		time.Sleep(time.Millisecond)
	}
	for _, node := range []int{to, from, (from + 2) % len(m.nodes)} {
		m.do(node, "cluster", "setslot", slot, "node", m.cluster.IDs[to])
	}
}

func (m slotMover) do(node int, args ...any) {
	m.t.Helper()
	require.NoError(m.t, m.nodes[node].Do(m.t.Context(), args...).Err())
}

// owner returns the number of the master that has the slot.
func (m slotMover) owner(slot int64) int {
	m.t.Helper()
	shards, err := m.nodes[0].ClusterShards(m.t.Context()).Result()
	require.NoError(m.t, err)
	for _, shard := range shards {
		for _, part := range shard.Slots {
			if slot < part.Start || part.End < slot {
				continue
			}
			for i, id := range m.cluster.IDs[:3] {
				if slices.ContainsFunc(shard.Nodes, func(n goredis.Node) bool { return n.ID == id }) {
					return i
				}
			}
		}
	}
	m.t.Fatal("nobody has the slot")
	return -1
}

// asked returns how often a server has sent a caller to another one for a slot that moves.
func (m slotMover) asked() int {
	n := 0
	for _, node := range m.nodes {
		var count int
		for _, line := range errorStats(m.t, node) {
			if _, err := fmt.Sscanf(line, "errorstat_ASK:count=%d", &count); err == nil {
				n += count
			}
		}
	}
	return n
}

// TestMasterFailsOver kills a master of a cluster whose replicas take over. What a replica has confirmed stays, and the clients find the
// new master by themselves.
func TestMasterFailsOver(t *testing.T) {
	cluster := dbtest.StartRedisCluster(t, 1)
	options := redis.Options{Prefix: newPrefix(), RequireReplicas: 1}
	confirmed := openStore(t, openCluster(t, cluster), options)
	plain := openStore(t, openCluster(t, cluster), redis.Options{Prefix: options.Prefix})
	for i := range 300 {
		require.NoError(t, confirmed.Create(t.Context(), link(i)))
		_, err := plain.Get(t.Context(), link(i).ID)
		require.NoError(t, err)
	}
	stop := load(t, openStore(t, openCluster(t, cluster), redis.Options{}))
	cluster.Nodes[0].Stop(t)
	started := time.Now()
	cluster.Nodes[1].Await(t, "CLUSTER INFO", "cluster_state:fail")
	cluster.Nodes[1].Await(t, "CLUSTER INFO", "cluster_state:ok")
	cluster.Nodes[2].Await(t, "CLUSTER INFO", "cluster_state:ok")
	t.Logf("the cluster works again after %v", time.Since(started))
	requireAllShards(t, plain)
	for i := range 300 {
		_, err := plain.Get(t.Context(), link(i).ID)
		require.NoError(t, err, "a link that a replica has confirmed is lost")
	}
	require.NotEmpty(t, stop())
	confirmed.Create(t.Context(), link(2000)) // the first call for a server that is gone finds that out
	requireRefusals(t, confirmed)
}

// requireAllShards fails unless links on all servers can be made soon.
func requireAllShards(t *testing.T, store *redis.Store) {
	t.Helper()
	started := time.Now()
	for good, i := 0, int(started.UnixNano()%1e15); good < 50; i++ {
		_, err := limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(i)) })
		if good++; err != nil {
			good = 0
		}
		require.Less(t, time.Since(started), 2*within, "not recovered: %v", err)
	}
	t.Logf("recovered after %v", time.Since(started))
}

// requireRefusals expects that one of three masters has no replica.
func requireRefusals(t *testing.T, store *redis.Store) {
	t.Helper()
	refused, gone := 0, 0
	for i := range 60 {
		err := store.Create(t.Context(), link(1000+i))
		if err == nil {
			continue
		}
		require.NotErrorIs(t, err, magiclink.ErrUnknownOutcome)
		if strings.Contains(err.Error(), "0 of 1 replicas follow the server") {
			refused++
			continue
		}
		gone++
	}
	require.NotZero(t, refused, "the new master has no replica")
	require.LessOrEqual(t, gone, 2, "the client knows the new master soon")
	require.Less(t, refused+gone, 50, "the other masters have theirs")
}
