package main_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var pasteLines = regexp.MustCompile(`(?m)^(TOKEN=|curl ).*$`)

// paste runs the lines that serve has printed, in a shell, and returns what they print.
func paste(t *testing.T, p *process, env ...string) string {
	t.Helper()
	lines := pasteLines.FindAllString(p.output(), -1)
	require.Len(t, lines, 2)
	shell := exec.Command("sh", "-c", strings.Join(lines, "\n"))
	shell.Env = append(os.Environ(), env...)
	out, err := shell.CombinedOutput()
	require.NoError(t, err, "curl and sed are needed: %s", out)
	return string(out)
}

func TestFirstStartPrintsLinesThatWork(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, nil)
	require.Regexp(t, `"magic_link":"`+p.origin+`/magic/reports\?token=`, paste(t, p))
	require.Zero(t, p.stop(syscall.SIGTERM))

	for path, mode := range map[string]os.FileMode{"": 0o700, "magiclink.db": 0o600, "keys.json": 0o600, "config.json": 0o600} {
		info, err := os.Stat(filepath.Join(folder, "magiclink-data", path))
		require.NoError(t, err)
		require.Equal(t, mode, info.Mode().Perm(), path)
	}
}

func TestSecondStartKeepsEverythingAndShowsNoSecret(t *testing.T) {
	folder := t.TempDir()
	first := serve(t, folder, nil)
	lines := pasteLines.FindAllString(first.output(), -1)
	require.Zero(t, first.stop(syscall.SIGINT))

	second := serve(t, folder, nil)
	require.Empty(t, pasteLines.FindAllString(second.output(), -1))
	shell := exec.Command("sh", "-c", strings.ReplaceAll(strings.Join(lines, "\n"), first.origin, second.origin))
	out, err := shell.CombinedOutput()
	require.NoError(t, err)
	require.Contains(t, string(out), "/magic/reports?token=", "the client of the first start still works")
}

func TestClientOfTheEnvironment(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	require.NotContains(t, p.output(), "correct-horse", "a secret that was given is not printed")
	require.Contains(t, paste(t, p, testClient...), "/magic/reports?token=")
	require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)

	config, err := os.ReadFile(filepath.Join(folder, "magiclink-data", "config.json"))
	require.NoError(t, err)
	require.NotContains(t, string(config), "correct-horse")
}

func TestRoutes(t *testing.T) {
	p := serve(t, t.TempDir(), testClient, "-store", "memory", "-log", "json")
	for path, want := range map[string]struct {
		status   int
		contains string
	}{
		"/healthz":               {http.StatusOK, `"ok"`},
		"/readyz":                {http.StatusOK, `"ok"`},
		"/openapi.yaml":          {http.StatusOK, "openapi: 3.1.0"},
		"/.well-known/jwks.json": {http.StatusOK, `"crv": "Ed25519"`},
		"/v0/auth/magic-link":    {http.StatusMethodNotAllowed, `"data":null`},
		"/v0/auth/token":         {http.StatusMethodNotAllowed, `"data":null`},
		"/anything":              {http.StatusOK, "You are not signed in"},
	} {
		got := p.get(path)
		require.Equal(t, want.status, got.status, path)
		require.Contains(t, got.body, want.contains, path)
		require.NotEmpty(t, got.header.Get("X-Request-Id"), path)
	}
	require.NotContains(t, p.get("/.well-known/jwks.json").body, `"d"`)
}

func TestRequestID(t *testing.T) {
	p := serve(t, t.TempDir(), testClient)
	for given, kept := range map[string]bool{"trace-1.a_B": true, "two words": false, strings.Repeat("x", 65): false} {
		r, err := http.NewRequest(http.MethodGet, p.origin+"/healthz", nil)
		require.NoError(t, err)
		r.Header.Set("X-Request-Id", given)
		got := do(t, r).header.Get("X-Request-Id")
		require.Equal(t, kept, got == given)
		logged := func() bool { return strings.Contains(p.errors(), "request_id="+got) } // after the answer
		require.Eventually(t, logged, 30*time.Second, 10*time.Millisecond)
	}
}

func TestTwoFirstStartsAtOnce(t *testing.T) {
	folder := t.TempDir()
	const starts = 4
	processes := make(chan *process, starts)
	for range starts {
		go func() { processes <- serve(t, folder, testClient) }()
	}
	made := 0
	var tokens []string
	all := make([]*process, 0, starts)
	for range starts {
		p := <-processes
		all = append(all, p)
		made += strings.Count(p.output(), "First start")
		tokens = append(tokens, p.get("/.well-known/jwks.json").body)
	}
	require.Equal(t, 1, made, "one of them has made the configuration")
	for n, p := range all {
		require.Equal(t, tokens[0], tokens[n], "all have the same key")
		require.Equal(t, http.StatusCreated, p.issue(p.token(), acme).status)
	}
}

func TestNothingSecretIsLogged(t *testing.T) {
	p := serve(t, t.TempDir(), testClient)
	token := p.token()
	link := p.issue(token, `{"external_business_id":"acme","email":"canary@example.com"}`)
	require.Equal(t, http.StatusCreated, link.status)
	require.Equal(t, http.StatusUnprocessableEntity, p.issue(token, `{"email":"canary@example.com","path":"//canary"}`).status)
	require.Equal(t, http.StatusUnauthorized, p.issue(token+"x", acme).status)
	p.get("/magic/reports?token=canary-token")
	require.Equal(t, 0, p.stop(syscall.SIGTERM))

	log := p.errors()
	require.Contains(t, log, "route=/magic/{path...}", "the control: requests are logged")
	require.NotContains(t, log, "reports")
	jws := link.body[strings.Index(link.body, "token=")+len("token="):]
	for _, secret := range []string{"canary", "correct-horse", token, jws[:40]} {
		require.NotContains(t, log, secret)
	}
}
