package dbtest

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// RedisCluster is a private cluster of three masters. The masters come first.
type RedisCluster struct {
	Nodes []*Redis
	IDs   []string // of the nodes, in the cluster
}

// StartRedisCluster starts three masters and a number of replicas for each of them.
func StartRedisCluster(t testing.TB, replicas int) *RedisCluster {
	t.Helper()
	return startCluster(t, redisServer(), replicas)
}

// StartValkeyCluster starts three masters of Valkey. It skips the test where the program is missing, as [StartValkey] does.
func StartValkeyCluster(t testing.TB) *RedisCluster {
	t.Helper()
	return startCluster(t, valkeyServer(t), 0)
}

func startCluster(t testing.TB, program string, replicas int) *RedisCluster {
	t.Helper()
	c := &RedisCluster{}
	arguments := []string{"--cluster", "create"}
	for range 3 * (1 + replicas) {
		node := startClusterNode(t, program)
		c.Nodes = append(c.Nodes, node)
		arguments = append(arguments, node.Address())
	}
	run(t, c.Nodes[0].dir, clientOf(program), append(arguments, "--cluster-replicas", strconv.Itoa(replicas), "--cluster-yes")...)
	for _, node := range c.Nodes {
		node.Await(t, "CLUSTER INFO", "cluster_state:ok")
		c.IDs = append(c.IDs, firstWord(t, node.Ask(t, "CLUSTER MYID")))
	}
	for _, master := range c.Nodes[:3] {
		master.Await(t, fmt.Sprintf("FLUSHALL\r\nWAIT %d 100", replicas), fmt.Sprintf("+OK\r\n:%d", replicas)) // they confirm what comes now
	}
	return c
}

// startClusterNode picks a port whose cluster bus port, 10000 above, exists.
func startClusterNode(t testing.TB, server string) *Redis {
	t.Helper()
	program(t, server)
	bus := freePort(t)
	return startRedis(t, server, []string{
		"cluster-enabled yes", "cluster-config-file nodes.conf", "cluster-node-timeout 1000", "cluster-port " + strconv.Itoa(bus),
	})
}

// firstWord returns the text of a bulk string.
func firstWord(t testing.TB, answer string) string {
	t.Helper()
	_, text, ok := strings.Cut(answer, "\r\n")
	if !ok {
		t.Fatalf("not an answer: %q", answer)
	}
	return strings.TrimSpace(text)
}

// Addresses returns the hosts and ports.
func (c *RedisCluster) Addresses() []string {
	var all []string
	for _, node := range c.Nodes {
		all = append(all, node.Address())
	}
	return all
}
