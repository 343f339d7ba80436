package main_test

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/dbtest"
)

// tlsServers returns the URL of a server that has the certificate, and the command that opens it first. Clients is whether it wants a
// certificate from its clients.
var tlsServers = map[string]func(t *testing.T, ca *dbtest.CA, own dbtest.Certificate, clients bool) (url, command string){
	"redis": func(t *testing.T, ca *dbtest.CA, own dbtest.Certificate, clients bool) (string, string) {
		t.Helper()
		_, port := dbtest.StartRedisTLS(t, ca, own, clients)
		return fmt.Sprintf("rediss://127.0.0.1:%d/0?", port), "purge"
	},
	"postgres": func(t *testing.T, ca *dbtest.CA, own dbtest.Certificate, clients bool) (string, string) {
		t.Helper()
		port := dbtest.StartPostgresTLS(t, ca, own, clients).Port
		return fmt.Sprintf("postgres://magiclink@127.0.0.1:%d/postgres?sslmode=verify-full&", port), "migrate"
	},
}

// Where a server and the command do not trust each other, the command says why in one line, and what to do. It never goes on without TLS.
func TestTLSToServers(t *testing.T) {
	for name, start := range tlsServers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca, other := dbtest.NewCA(t), dbtest.NewCA(t)
			client := ca.Issue(t, "client", time.Hour)
			root, own := "sslrootcert="+ca.File, "&sslcert="+client.Cert+"&sslkey="+client.Key
			good, open := start(t, ca, ca.Issue(t, "127.0.0.1", time.Hour), false)
			strict, _ := start(t, ca, ca.Issue(t, "127.0.0.1", time.Hour), true)
			expired, _ := start(t, ca, ca.Issue(t, "127.0.0.1", -time.Hour), false)
			elsewhere, _ := start(t, ca, ca.Issue(t, "db.example.com", time.Hour), false)
			for name, c := range map[string]struct{ url, env, cure string }{
				"named authority":          {good + root, "", ""},
				"authority by environment": {good, "SSL_CERT_FILE=" + ca.File, ""},
				"certificate of ours":      {strict + root + own, "", ""},
				"unknown authority":        {good, "", "name the file of its authority by sslrootcert=FILE in the URL, or in SSL_CERT_FILE"},
				"another authority":        {good + "sslrootcert=" + other.File, "", "name the file of its authority"},
				"no certificate of ours":   {strict + root, "", "name the files of a certificate by sslcert=FILE and sslkey=FILE"},
				"expired":                  {expired + root, "", "renew the certificate of the server"},
				"another host":             {elsewhere + root, "", "write a host in the URL for which the server has a certificate"},
				"no such file":             {good + "sslrootcert=" + filepath.Join(t.TempDir(), "ca.pem"), "", "no such file"},
				"no certificate":           {good + "sslrootcert=" + client.Key, "", "sslrootcert"},
				"half a pair":              {good + root + "&sslcert=" + client.Cert, "", "sslkey"},
			} {
				got := command(t, t.TempDir(), []string{"MAGICLINK_STORE=" + c.url, c.env}, open)
				if c.cure == "" {
					require.Zero(t, got.code, "%s: %s", name, got.stderr)
					continue
				}
				requireFailureOf(t, name, got, c.cure)
			}
		})
	}
}

func requireFailureOf(t *testing.T, name string, got result, cure string) {
	t.Helper()
	require.NotZero(t, got.code, name)
	require.Contains(t, got.stderr, cure, name)
	require.Len(t, strings.Split(strings.TrimSpace(got.stderr), "\n"), 1, got.stderr)
}

// serve works over TLS, and does not start without it.
func TestServeOverTLS(t *testing.T) {
	t.Parallel()
	ca := dbtest.NewCA(t)
	server, port := dbtest.StartRedisTLS(t, ca, ca.Issue(t, "127.0.0.1", time.Hour), true)
	client := ca.Issue(t, "client", time.Hour)
	parameters := "?sslrootcert=" + ca.File + "&sslcert=" + client.Cert + "&sslkey=" + client.Key
	p := serve(t, t.TempDir(), append([]string{fmt.Sprintf("MAGICLINK_STORE=rediss://127.0.0.1:%d%s", port, parameters)}, testClient...))
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	require.Equal(t, http.StatusOK, p.get("/readyz").status)

	folder := t.TempDir()
	plain := command(t, folder, []string{"MAGICLINK_STORE=redis://" + server.Address() + parameters}, "serve", "-addr", "127.0.0.1:0")
	requireFailureOf(t, "no TLS", plain, "sslrootcert, sslcert and sslkey need TLS: write rediss://")
	wrong := command(t, folder, []string{"MAGICLINK_STORE=rediss://" + server.Address() + parameters}, "serve", "-addr", "127.0.0.1:0")
	requireFailureOf(t, "a port without TLS", wrong, "rediss:// speaks TLS: if the port has none, write redis://")
}
