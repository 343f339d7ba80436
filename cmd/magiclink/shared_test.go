package main_test

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// sharedStores are the stores that several machines can use, ready for serve.
var sharedStores = map[string]func(t *testing.T) (url string){
	"postgres": func(t *testing.T) string {
		t.Helper()
		url := dbtest.PostgresDatabase(t)
		require.Zero(t, command(t, t.TempDir(), nil, "migrate", "-store", url).code)
		return url
	},
	"redis": func(t *testing.T) string {
		t.Helper()
		return dbtest.RedisURL(t)
	},
	"redis cluster": func(t *testing.T) string {
		t.Helper()
		nodes := dbtest.SharedRedisCluster(t).Addresses()
		return "redis://" + nodes[0] + "?addr=" + nodes[1] + "&addr=" + nodes[2]
	},
}

// sharedFiles makes a key file and a configuration, and returns the flags and the environment that every replica gets.
func sharedFiles(t *testing.T, store string) (folder string, env, args []string) {
	t.Helper()
	folder = installed(t)
	return folder, []string{"MAGICLINK_STORE=" + store},
		[]string{"-keys", dataFile(folder, "keys.json"), "-config", dataFile(folder, "config.json"), "-base-url", "http://127.0.0.1:8080/magic"}
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	for name, ready := range sharedStores {
		t.Run(name, func(t *testing.T) {
			folder, env, args := sharedFiles(t, ready(t))
			empty := t.TempDir()
			one, two := serve(t, empty, env, args...), serve(t, empty, env, args...)
			kept, err := os.ReadDir(filepath.Join(empty, "magiclink-data"))
			require.NoError(t, err)
			require.Len(t, kept, 1, "nothing is kept there but mails")
			require.Equal(t, "mail", kept[0].Name())

			made := command(t, folder, nil, "clients", "add", "erp", "-tenant", "dev")
			require.Zero(t, made.code, made.stderr)
			secret := strings.TrimSpace(made.stdout)
			for _, replica := range []*process{one, two} {
				replica.eventually(func() bool { return replica.tokenStatus("erp", secret) == http.StatusOK }, "both follow")
			}

			link := strings.TrimSpace(command(t, empty, env, append([]string{"issue", "-external-business", "acme"}, args...)...).stdout)
			require.Contains(t, link, "http://127.0.0.1:8080/magic?token=")
			require.Equal(t, http.StatusOK, two.get("/magic?token="+bareToken(link)).status)
			redeem := append([]string{"redeem", link}, args...)
			got := command(t, empty, env, redeem...)
			require.Zero(t, got.code, got.stderr)
			requireFailure(t, command(t, empty, env, redeem...), "the link was already used")
			require.Zero(t, command(t, empty, env, "purge").code)
			require.Zero(t, one.stop(syscall.SIGTERM))
		})
	}
}

func TestPasswordsStayHidden(t *testing.T) {
	folder := t.TempDir()
	for _, url := range []string{
		"postgres://app:hunter2@127.0.0.1:1/app", "postgres://app:hunter2@[::1/app", "postgres://app:hunter2%zz@db/app",
		"postgres://app:hunter2@127.0.0.1:port/app", "postgres://app:hunter2@db/app?sslmode=nonsense", "mysql://app:hunter2@db/app",
		"postgres://app:hunter2@", "hunter2", "postgres://app:p@hunter2@db/app", "redis://:p@hunter2@db/0",
		"redis://127.0.0.1:1?addr=u:hunter2@127.0.0.1:2", "redis://h/hunter2", "postgres://app:hunter2#x@db/app", "redis://127.0.0.1:1#hunter2",
		"redis://127.0.0.1:1?master_name=x&sentinel_password=hunter2", "postgres://app:p@hunter2#w@127.0.0.1:1/app", "redis://:p@hunter2#w@127.0.0.1:1",
		"redis://127.0.0.1:1/3?addr=127.0.0.1:2&password=hunter2",
		"redis://app:hunter2@127.0.0.1:1/0", "rediss://:hunter2@127.0.0.1:1", "redis://:hunter2@db/nonsense", "redis://:hunter2@db?no=thing",
		"redis://:hunter2@127.0.0.1:1?addr=127.0.0.1:2", "redis://:hunter2@db?addr=db&no=thing", "redis://:hunter2@db:port",
	} {
		t.Run(url, func(t *testing.T) {
			t.Parallel() // some wait for a name to be looked up
			for _, args := range [][]string{{"serve", "-addr", "127.0.0.1:0"}, {"migrate"}, {"purge"}} {
				got := command(t, folder, []string{"MAGICLINK_STORE=" + url}, args...)
				require.NotZero(t, got.code, url)
				require.Len(t, strings.Split(strings.TrimSpace(got.stderr), "\n"), 1, got.stderr)
				require.NotContains(t, got.stdout+got.stderr, "hunter2")
			}
		})
	}
}

func TestMigrate(t *testing.T) {
	url, folder := dbtest.PostgresDatabase(t), installed(t)
	env := []string{"MAGICLINK_STORE=" + url}
	requireFailure(t, command(t, folder, env, "serve", "-addr", "127.0.0.1:0"), `run "magiclink migrate" with the same -store`)
	for range 2 {
		got := command(t, folder, nil, "migrate", "-store", url)
		require.Zero(t, got.code, got.stderr)
	}
	p := serve(t, folder, env)
	require.Equal(t, http.StatusOK, p.get("/readyz").status)
	p.eventually(func() bool {
		return strings.Contains(p.output(), "Other machines that serve these links need the same keys")
	}, "it comes through a pipe")

	printed := command(t, folder, nil, "migrate", "-print")
	require.Zero(t, printed.code)
	require.Contains(t, printed.stdout, `CREATE TABLE "magiclink".magiclink_links`)
	wrong := command(t, folder, nil, "migrate")
	require.Equal(t, 2, wrong.code)
	require.Contains(t, wrong.stderr, "give its URL with -store postgres://")
}

func TestNamedKeys(t *testing.T) {
	folder := installed(t)
	keys := filepath.Join(t.TempDir(), "keys.json")
	requireFailure(t, command(t, folder, nil, "serve", "-addr", "127.0.0.1:0", "-keys", keys), `make one with "magiclink keys rotate -force -keys `+keys)
	require.NoFileExists(t, keys)
	made := command(t, folder, nil, "keys", "rotate", "-force", "-keys", keys)
	require.Zero(t, made.code, made.stderr)
	p := serve(t, folder, nil, "-keys", keys)
	require.Contains(t, p.get("/.well-known/jwks.json").body, strings.TrimSpace(made.stdout))

	prepared := command(t, folder, nil, "keys", "prepare", "-keys", keys)
	require.Zero(t, prepared.code, prepared.stderr)
	p.eventually(func() bool {
		return strings.Contains(p.get("/.well-known/jwks.json").body, strings.TrimSpace(prepared.stdout))
	}, "a running serve follows the named file")
	own, err := os.ReadFile(dataFile(folder, "keys.json"))
	require.NoError(t, err)
	require.NotContains(t, string(own), strings.TrimSpace(prepared.stdout), "the file of the data directory is left alone")
}

// behindProxy returns the URL of a store that is reached through a proxy, and the proxy.
func behindProxy(t *testing.T, store string) (through string, proxy *dbtest.Proxy, server string) {
	t.Helper()
	at, err := url.Parse(store)
	require.NoError(t, err)
	server = at.Host
	proxy = dbtest.NewProxy(t, server)
	at.Host = proxy.Address()
	return at.String(), proxy, server
}

// TestServerOutage lets the server of the store be gone, and be silent. Serve says so, recovers by itself, and ends in time.
func TestServerOutage(t *testing.T) {
	t.Parallel()
	for name, ready := range sharedStores {
		if name == "redis cluster" {
			continue // its servers tell clients their own addresses, which lead past a proxy
		}
		t.Run(name, func(t *testing.T) {
			store, proxy, server := behindProxy(t, ready(t))
			p := serve(t, t.TempDir(), append([]string{"MAGICLINK_STORE=" + store}, testClient...))
			token := p.token()
			require.Equal(t, http.StatusCreated, p.issue(token, acme).status)

			proxy.Refuse()
			requireOutage(t, p, token)
			require.Equal(t, http.StatusServiceUnavailable, p.get("/readyz").status)
			require.Equal(t, http.StatusOK, p.get("/healthz").status)
			proxy.Pass(server)
			p.eventually(func() bool { return p.issue(token, acme).status == http.StatusCreated }, "it recovers")
			require.Equal(t, http.StatusOK, p.get("/readyz").status)

			proxy.Stall()
			requireOutage(t, p, token)
			began := time.Now()
			require.Zero(t, p.stop(syscall.SIGTERM))
			require.Less(t, time.Since(began), 6*time.Second)
		})
	}
}

// The commands see and end links in a store that several machines share, from a machine that keeps nothing of its own.
func TestLinksInSharedStores(t *testing.T) {
	for name, ready := range sharedStores {
		t.Run(name, func(t *testing.T) {
			folder, empty, shop := installed(t), t.TempDir(), "shop-"+strings.ToLower(rand.Text()) // other tests use the same server
			env := []string{"MAGICLINK_STORE=" + ready(t)}
			require.Zero(t, command(t, folder, nil, "businesses", "add", shop).code)
			p := serve(t, folder, env)
			token := p.token()
			body := func(who string) string {
				return `{"external_business_id":"` + shop + `","email":"` + who + "@" + shop + `.example.com"}`
			}
			var sessions []string
			for _, who := range []string{"jane", "jane", "john"} {
				session, _ := p.redeemed(t, p.issue(token, body(who)).body)
				sessions = append(sessions, session)
			}
			require.Equal(t, http.StatusCreated, p.issue(token, body("jane")).status)
			jane, john := "jane@"+shop+".example.com", "john@"+shop+".example.com"

			list := func(args ...string) []map[string]any {
				return rows(t, command(t, empty, env, append(args, "-tenant", "dev", "-external-business", shop, "-json")...))
			}
			require.Len(t, list("links", "list"), 4)
			require.Len(t, list("links", "list", "-email", jane), 3)
			require.Len(t, list("links", "list", "-state", "live"), 1)
			require.Len(t, list("sessions", "list"), 3)
			require.Empty(t, rows(t, command(t, empty, env, "links", "list", "-tenant", "other", "-json")))
			id := list("sessions", "list", "-email", john)[0]["session_id"].(string)
			require.Contains(t, command(t, empty, env, "links", "show", id).stdout, john, "its tenant is known by the link")

			got := command(t, empty, env, "sessions", "end", "-email", jane, "-tenant", "dev")
			require.Equal(t, "revoked 3 links with their sessions\n", got.stdout, got.stderr)
			for n, want := range []int{http.StatusUnauthorized, http.StatusUnauthorized, http.StatusOK} {
				require.Equal(t, want, p.session(sessions[n]))
			}
			require.Zero(t, command(t, empty, env, "sessions", "end", id).code)
			require.Equal(t, http.StatusUnauthorized, p.session(sessions[2]))
			requireFailure(t, command(t, empty, env, "links", "list"), "name one with -tenant")
		})
	}
}

// Redis lists by what every process has indexed.
func TestRedisIndexes(t *testing.T) {
	folder := installed(t)
	env := []string{"MAGICLINK_STORE=" + dbtest.RedisURL(t), "MAGICLINK_REDIS_INDEX=none"}
	p := serve(t, folder, env)
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	requireFailure(t, command(t, folder, env, "links", "list"), "Redis has no index for this search: give serve and this command the same -redis-index")
	refused := command(t, folder, env, "serve", "-addr", "127.0.0.1:0", "-supersede")
	require.Equal(t, 2, refused.code)
	require.Contains(t, refused.stderr, "write -redis-index tenant or email")
	wrong := command(t, folder, env, "links", "list", "-redis-index", "email,path")
	require.Equal(t, 2, wrong.code)
	require.Contains(t, wrong.stderr, "external-business")
	email, who := []string{env[0], "MAGICLINK_REDIS_INDEX=email external-business"}, strings.ToLower(rand.Text())+"@example.com"
	p = serve(t, folder, email)
	require.Equal(t, http.StatusCreated, p.issue(p.token(), strings.Replace(acme, "jane@example.com", who, 1)).status)
	require.Len(t, rows(t, command(t, folder, email, "links", "list", "-json", "-email", who)), 1)
	require.NotEmpty(t, rows(t, command(t, folder, email, "links", "list", "-json", "-external-business", "acme")))
	requireFailure(t, command(t, folder, email, "links", "list"), "Redis has no index for this search")
}
