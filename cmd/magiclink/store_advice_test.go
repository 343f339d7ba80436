package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// A first connection that fails ends with what to do.
func TestAdviceAboutServers(t *testing.T) {
	t.Parallel()
	postgres, redis := dbtest.SharedPostgres(t), dbtest.SharedRedis(t)
	member := dbtest.SharedRedisCluster(t).Addresses()[0]
	at := "postgres://magiclink@" + postgres.Address()
	for store, cure := range map[string]string{
		at + "/no_such_database?sslmode=disable":                  "correct the name of the database in -store, or make it with createdb",
		at + "/postgres?sslmode=require":                          "turn TLS on at the server",
		at + "/postgres?sslmod=require":                           "correct the parameters of -store",
		"postgres:///postgres":                                    "for a Unix socket write postgres:///DATABASE?host=",
		"redis://" + redis.Address() + "/99":                      "write a number in -store that is below databases of the server",
		"redis://" + redis.Address() + "?addr=" + redis.Address(): "leave addr out of -store",
		"redis://" + member + "/2":                                "leave the number of the database out",
	} {
		got := command(t, t.TempDir(), []string{"MAGICLINK_STORE=" + store}, "purge")
		require.NotZero(t, got.code, store)
		require.Contains(t, got.stderr, cure, store)
		require.Len(t, strings.Split(strings.TrimSpace(got.stderr), "\n"), 1, got.stderr)
	}
}

// An attempt without TLS, which sslmode=prefer makes after one with it, says why it has failed, and the other one is not shown.
func TestAttemptWithTLSIsNotShown(t *testing.T) {
	t.Parallel()
	store := "MAGICLINK_STORE=postgres://magiclink@" + dbtest.SharedPostgres(t).Address() + "/no_such_database"
	got := command(t, t.TempDir(), []string{store + "?sslmode=prefer"}, "purge")
	requireFailure(t, got, `database "no_such_database" does not exist`)
	require.NotContains(t, got.stderr, "refused TLS")
	requireFailure(t, command(t, t.TempDir(), []string{store + "?sslmode=require"}, "purge"), "server refused TLS connection")
}

func TestPostgresOverUnixSocket(t *testing.T) {
	t.Parallel()
	folder, err := os.MkdirTemp("", "magiclink") // the name of a socket is short
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o777)) // the server has a user of its own
	server := dbtest.StartPostgres(t, "unix_socket_directories="+folder)
	service := filepath.Join(t.TempDir(), "services")
	text := fmt.Sprintf("[links]\nhost=%s\nport=%d\nuser=magiclink\ndbname=postgres\n", folder, server.Port)
	require.NoError(t, os.WriteFile(service, []byte(text), 0o600))
	for _, store := range []string{
		fmt.Sprintf("postgres:///postgres?host=%s&port=%d&user=magiclink", folder, server.Port),
		fmt.Sprintf("postgres://magiclink@/postgres?host=%s&port=%d", folder, server.Port),
		"postgres:///?service=links",
	} {
		got := command(t, t.TempDir(), []string{"PGSERVICEFILE=" + service}, "migrate", "-store", store)
		require.Zero(t, got.code, got.stderr)
	}
}

// Behind a pooler that keeps no prepared statements most calls would fail, also where the first look at the server has succeeded.
func TestPoolerWithoutStatements(t *testing.T) {
	t.Parallel()
	server := dbtest.StartPostgres(t)
	require.Zero(t, command(t, t.TempDir(), nil, "migrate", "-store", server.URL()).code)
	pooler := server.Bouncer(t, 0)
	for _, more := range []string{"", "&pool_max_conns=3"} {
		requireFailure(t, command(t, installed(t), nil, "serve", "-addr", "127.0.0.1:0", "-store", pooler+more),
			"the pooler between this process and the server keeps no prepared statements")
	}
	p := serve(t, t.TempDir(), testClient, "-store", pooler+"&default_query_exec_mode=exec")
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	direct := serve(t, t.TempDir(), testClient, "-store", server.URL())
	require.Equal(t, http.StatusCreated, direct.issue(direct.token(), acme).status, "the server itself keeps them")
}

func TestPoolerWithStatements(t *testing.T) {
	t.Parallel()
	server := dbtest.StartPostgres(t)
	require.Zero(t, command(t, t.TempDir(), nil, "migrate", "-store", server.URL()).code)
	p := serve(t, t.TempDir(), testClient, "-store", server.Bouncer(t, 10))
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
}
