package main_test

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// retiredKeys returns the content of the key file without its old key, and a running serve that knows both keys, with a
// token that the old key has signed.
func retiredKeys(t *testing.T) (folder string, p *process, token, without string) {
	t.Helper()
	folder = installed(t)
	p = serve(t, folder, testClient)
	token = p.token()
	old := signingKey(t, folder)
	both := changeKeys(t, folder, "rotate", "-force")
	p.eventually(func() bool { return strings.Contains(p.get("/.well-known/jwks.json").body, both) }, "both keys are known")
	text, err := os.ReadFile(dataFile(folder, "keys.json"))
	require.NoError(t, err)
	require.Zero(t, command(t, folder, nil, "keys", "retire", old, "-force", "-data", copyOf(t, folder)).code)
	after, err := os.ReadFile(dataFile(lastCopy, "keys.json"))
	require.NoError(t, err)
	require.NotEqual(t, string(text), string(after))
	return folder, p, token, string(after)
}

// lastCopy is the folder that copyOf made last.
var lastCopy string

// copyOf copies the data directory, and returns the path of the copy.
func copyOf(t *testing.T, folder string) (data string) {
	t.Helper()
	lastCopy = t.TempDir()
	data = dataFile(lastCopy, "")
	require.NoError(t, os.CopyFS(data, os.DirFS(dataFile(folder, ""))))
	require.NoError(t, os.Chmod(data, 0o700))
	for _, name := range []string{"keys.json", "config.json", ".lock", "magiclink.db"} {
		require.NoError(t, os.Chmod(dataFile(lastCopy, name), 0o600))
	}
	return data
}

// A reload that failed is tried again until it succeeds, is logged each time, and is seen at /readyz meanwhile.
func TestReloadIsTriedAgain(t *testing.T) {
	t.Parallel()
	folder, p, token, without := retiredKeys(t)
	path := dataFile(folder, "keys.json")
	for range 100 { // a flood of changes
		require.NoError(t, os.WriteFile(path, []byte(without), 0o644))
		require.NoError(t, os.Chmod(path, 0o644))
	}
	p.eventually(func() bool { return p.get("/readyz").status == http.StatusServiceUnavailable }, "not ready")
	const line = `file=keys.json`
	p.eventually(func() bool { return strings.Count(p.errors(), line) >= 3 }, "logged each time")
	require.Contains(t, p.errors(), "chmod 600")
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status, "the keys of before are in force")
	require.Equal(t, http.StatusOK, p.get("/healthz").status)

	require.NoError(t, os.Chmod(path, 0o600)) // which changes neither content nor time
	p.eventually(func() bool { return p.issue(token, acme).status == http.StatusUnauthorized }, "the retired key is refused")
	p.eventually(func() bool { return p.get("/readyz").status == http.StatusOK }, "ready again")
}

func TestConfigIsFollowed(t *testing.T) {
	t.Parallel()
	folder := installed(t)
	p := serve(t, folder, nil)
	path := dataFile(folder, "config.json")
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	for name, spoil := range map[string]func(){
		"a fault": func() {
			require.NoError(t, os.WriteFile(path, []byte(`{"clients":[{"scopes":["auth:creat"]}]}`), 0o600))
		},
		"gone":   func() { require.NoError(t, os.Remove(path)) },
		"others": func() { require.NoError(t, os.Chmod(path, 0o666)) },
	} {
		spoil()
		p.eventually(func() bool { return p.get("/readyz").status == http.StatusServiceUnavailable }, name)
		logged := strings.Count(p.errors(), "file=config.json")
		p.eventually(func() bool { return strings.Count(p.errors(), "file=config.json") >= logged+2 }, "logged each time")
		require.Equal(t, http.StatusServiceUnavailable, p.get("/readyz").status)
		require.Equal(t, http.StatusOK, p.tokenStatus("crm", testSecret), "the configuration of before is in force")
		require.NoError(t, os.WriteFile(path, good, 0o600))
		require.NoError(t, os.Chmod(path, 0o600))
		p.eventually(func() bool { return p.get("/readyz").status == http.StatusOK }, name)
	}
	secret := strings.TrimSpace(command(t, folder, nil, "clients", "add", "portal").stdout)
	p.eventually(func() bool { return p.tokenStatus("portal", secret) == http.StatusOK }, "a new client")
	require.NoError(t, os.WriteFile(path, good, 0o600))
	p.eventually(func() bool { return p.tokenStatus("portal", secret) == http.StatusUnauthorized }, "a removed client")
}

// Tokens with unknown keys cannot make serve read its files all the time, and do not hold up others.
func TestFloodOfUnknownKeys(t *testing.T) {
	p := serve(t, t.TempDir(), testClient)
	const forged = "eyJhbGciOiJFZERTQSIsImtpZCI6ImtleV94In0.e30.x"
	done := make(chan answer)
	const flood = 50
	for range flood {
		go func() { done <- p.issue(forged, acme) }()
	}
	token := p.token()
	start := time.Now()
	require.Equal(t, http.StatusCreated, p.issue(token, acme).status)
	require.Less(t, time.Since(start), 5*time.Second)
	for range flood {
		require.Equal(t, http.StatusUnauthorized, (<-done).status)
	}
}
