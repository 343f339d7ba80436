package dbtest

import (
	"os"
	"testing"
)

// SharedRedis returns a private Redis server that all tests of the package share.
func SharedRedis(t testing.TB) *Redis {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.redis == nil {
		shared.redis = StartRedis(lasting{t})
	}
	return shared.redis
}

// SharedRedisCluster returns a private cluster of three masters that all tests of the package share.
func SharedRedisCluster(t testing.TB) *RedisCluster {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.redisCluster == nil {
		shared.redisCluster = StartRedisCluster(lasting{t}, 0)
	}
	return shared.redisCluster
}

// RedisURL returns MAGICLINK_TEST_REDIS_URL, or a connection string for the shared server.
func RedisURL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("MAGICLINK_TEST_REDIS_URL"); url != "" {
		return url
	}
	return SharedRedis(t).URL()
}
