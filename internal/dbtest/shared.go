package dbtest

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"testing"
)

var shared struct {
	sync.Mutex
	postgres     *Postgres
	redis        *Redis
	redisCluster *RedisCluster
	cleanups     []func()
}

// lasting is a test whose cleaning up waits for [Stop].
type lasting struct{ testing.TB }

// Cleanup is called with the lock of shared held.
func (lasting) Cleanup(f func()) { shared.cleanups = append(shared.cleanups, f) }

// Main runs the tests of a package and then stops the servers that they have shared. Call it from TestMain, and exit with the code
// that it returns.
func Main(m *testing.M) (code int) {
	defer Stop()
	return m.Run()
}

// Stop stops the servers that the tests have shared. It is for a TestMain that has more to do than [Main].
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	for i := len(shared.cleanups) - 1; i >= 0; i-- {
		shared.cleanups[i]()
	}
	shared.cleanups, shared.postgres, shared.redis, shared.redisCluster = nil, nil, nil, nil
}

// SharedPostgres returns a private server that all tests of the package share. It does not sync to the disk.
func SharedPostgres(t testing.TB) *Postgres {
	t.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.postgres == nil {
		shared.postgres = StartPostgres(lasting{t}, "fsync=off")
	}
	return shared.postgres
}

// PostgresURL returns MAGICLINK_TEST_POSTGRES_URL, or a connection string for the shared server.
func PostgresURL(t testing.TB) string {
	t.Helper()
	if url := os.Getenv("MAGICLINK_TEST_POSTGRES_URL"); url != "" {
		return url
	}
	return SharedPostgres(t).URL()
}

var databases atomic.Int64

// PostgresDatabase returns a connection string for an empty database of the same server, which is dropped when the test ends.
func PostgresDatabase(t testing.TB) string {
	t.Helper()
	server := PostgresURL(t)
	at, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("magiclink_test_%d_%d", os.Getpid(), databases.Add(1))
	execute := func(statement string) {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if _, err := psql(ctx, server, statement); err != nil {
			t.Fatal(err)
		}
	}
	execute("CREATE DATABASE " + name)
	t.Cleanup(func() { execute("DROP DATABASE " + name + " WITH (FORCE)") })
	at.Path = "/" + name
	return at.String()
}
