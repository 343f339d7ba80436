package redis_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/redis"
)

// TestSentinelsPromote kills a primary under load whose replicas have fallen behind. Three sentinels promote one of them. The clients find it by
// themselves. What the replicas have confirmed is there, and what they have not is lost.
func TestSentinelsPromote(t *testing.T) {
	primary := dbtest.StartRedis(t)
	replicas := []*dbtest.Redis{primary.Replica(t), primary.Replica(t)}
	sentinels := dbtest.StartSentinels(t, primary)
	prefix := newPrefix()
	confirmed := openStore(t, openFailover(t, sentinels), redis.Options{Prefix: prefix, RequireReplicas: len(replicas)})
	plain := openStore(t, openFailover(t, sentinels), redis.Options{Prefix: prefix})
	stopConfirmed, stopPlain := load(t, confirmed), load(t, openStore(t, openFailover(t, sentinels), redis.Options{}))
	used := useLinks(t, confirmed, 50)

	for _, replica := range replicas {
		replica.Freeze(t)
	}
	primary.Ask(t, "CLIENT KILL TYPE replica")
	const behind = 2e9
	require.NoError(t, plain.Create(t.Context(), link(behind)), "the primary acknowledges without them")
	require.Error(t, confirmed.Create(t.Context(), link(behind+1)))
	require.NoError(t, plain.Create(t.Context(), link(behind+2)))
	primary.Stop(t)
	for _, replica := range replicas {
		replica.Thaw(t)
	}

	promoted := awaitCreate(t, plain, 3e9, 15*time.Second)
	t.Logf("links are made again after %v", promoted)
	require.NotEmpty(t, stopPlain())
	requireAll(t, plain, stopConfirmed())
	for _, i := range used {
		_, err := plain.Consume(t.Context(), link(i).ID, time.Now(), "somebody else")
		require.ErrorIs(t, err, magiclink.ErrConsumed, "no use that was confirmed is undone")
	}
	for _, i := range []int{behind, behind + 1, behind + 2} {
		_, err := plain.Get(t.Context(), link(i).ID)
		require.ErrorIs(t, err, magiclink.ErrNotFound, "positive control: the primary alone had it")
	}
	require.ErrorContains(t, confirmed.Create(t.Context(), link(4e9)), "1 of 2 replicas follow the server")

	primary.Start(t)
	t.Logf("two replicas confirm again after %v", awaitCreate(t, confirmed, 5e9, 15*time.Second, func() {
		primary.Ask(t, "REPLICAOF "+newPrimary(t, replicas)) // a sentinel would do that ten seconds later
	}))
}

func openFailover(t *testing.T, sentinels []string) *goredis.Client {
	t.Helper()
	client := goredis.NewFailoverClient(&goredis.FailoverOptions{
		MasterName: dbtest.SentinelMaster, SentinelAddrs: sentinels, ContextTimeoutEnabled: true,
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// useLinks makes and uses so many links, and returns their numbers.
func useLinks(t *testing.T, store *redis.Store, n int) (numbers []int) {
	t.Helper()
	for i := range n {
		number := 1e9 + i
		require.NoError(t, store.Create(t.Context(), link(number)))
		_, err := store.Consume(t.Context(), link(number).ID, time.Now(), fmt.Sprint(i))
		require.NoError(t, err)
		numbers = append(numbers, number)
	}
	return numbers
}

// awaitCreate returns how long it took until a link could be made. It calls the functions before each attempt.
func awaitCreate(t *testing.T, store *redis.Store, number int, atMost time.Duration, before ...func()) time.Duration {
	t.Helper()
	began := time.Now()
	require.Eventually(t, func() bool {
		number++
		for _, do := range before {
			do()
		}
		_, err := limited(t, within, func(ctx context.Context) error { return store.Create(ctx, link(number)) })
		return err == nil
	}, atMost, 10*time.Millisecond)
	return time.Since(began)
}

// newPrimary returns the host and port of the server that was promoted.
func newPrimary(t *testing.T, servers []*dbtest.Redis) string {
	t.Helper()
	for _, server := range servers {
		if strings.Contains(server.Ask(t, "ROLE"), "master\r\n") {
			return fmt.Sprintf("127.0.0.1 %d", server.Port)
		}
	}
	t.Fatal("no server was promoted")
	return ""
}
