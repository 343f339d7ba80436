package main_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// The commands do over the API of a server what they do beside its store.
func TestLinksOfAServer(t *testing.T) {
	folder, elsewhere := t.TempDir(), t.TempDir()
	p := serve(t, folder, testClient)
	env := append([]string{"MAGICLINK_SERVER=" + p.origin}, testClient...)
	remote := func(args ...string) result { return command(t, elsewhere, env, args...) }
	for n := range 3 {
		require.Equal(t, http.StatusCreated, p.issue(p.token(), strings.Replace(acme, "jane", fmt.Sprintf("jane%d", n), 1)).status)
	}
	token, data := p.redeemed(t, p.issue(p.token(), acme).body)
	used := data["magic_link_id"].(string)

	local, far := rows(t, command(t, folder, nil, "links", "list", "-json")), rows(t, remote("links", "list", "-json"))
	require.Len(t, far, 4)
	for n := range far {
		delete(local[n], "tenant")             // the client knows it
		delete(local[n], "session_expires_at") // the API does not say
		delete(local[n], "device")             // nor this
		require.Equal(t, local[n], far[n])
	}
	ids := members(far, "magic_link_id")
	list := func(args ...string) []any {
		return members(rows(t, remote(append([]string{"links", "list", "-json"}, args...)...)), "magic_link_id")
	}
	require.Equal(t, ids[:2], list("-limit", "2"))
	require.Equal(t, ids, list("-all"))
	require.Equal(t, []any{used}, list("-state", "used"))
	require.Equal(t, []any{used}, list("-email", "jane@EXAMPLE.com"))
	require.Equal(t, ids, list("-external-business", "acme", "-since", "1h", "-limit", "4"))
	require.Empty(t, list("-until", "1h"))
	require.Empty(t, list("-since", "2100-01-01"))
	require.Regexp(t, `(?m)^`+used+` +used .* - +acme +jane@example.com +/reports$`, remote("links", "list").stdout)

	shown := remote("links", "show", used)
	require.Zero(t, shown.code, shown.stderr)
	require.Contains(t, shown.stdout, "The link was used once")
	requireFailure(t, remote("links", "show", "mlk_2222222222222222222222"), "there is no such link")
	requireFailure(t, remote("links", "revoke", "mlk_2222222222222222222222"), "there is no such link")

	sessions := rows(t, remote("sessions", "list", "-json"))
	require.Len(t, sessions, 1)
	require.Equal(t, used, sessions[0]["magic_link_id"])
	require.Equal(t, http.StatusOK, p.session(token))
	ended := remote("sessions", "end", sessions[0]["session_id"].(string))
	require.Zero(t, ended.code, ended.stderr)
	require.Equal(t, http.StatusUnauthorized, p.session(token))
	requireFailure(t, remote("sessions", "end", "ses_2222222222222222222222"), "there is no such session")

	require.Zero(t, remote("links", "revoke", ids[3].(string)).code)
	require.JSONEq(t, `{"revoked":1}`, remote("links", "revoke", "-email", "jane1@example.com", "-json").stdout)
	require.Equal(t, "revoked 1 link with its session\n", remote("sessions", "end", "-external-business", "acme").stdout)
	require.Empty(t, list("-state", "live"))
}

// More links than the API gives in one answer.
func TestLinksOfAServerOfManyPages(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	_, err := database(t, dataFile(folder, "magiclink.db")).Exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 450)
		INSERT INTO magiclink_links (id, tenant_id, business_id, external_business_id, email, path, session_timeout, extension, created_at, expires_at, purge_at)
		SELECT printf('mlk_%022d', i), 'dev', '', 'acme', '', '', 1, x'', 1, 4000000000000, 4000000000000 FROM n`)
	require.NoError(t, err)
	for args, want := range map[string]int{"-all": 450, "-limit=401": 401, "-limit=3": 3} {
		got := command(t, t.TempDir(), append([]string{"MAGICLINK_SERVER=" + p.origin}, testClient...), "links", "list", "-json", args)
		require.Len(t, rows(t, got), want)
	}
}

// What a client lacks is said.
func TestClientsOfAServer(t *testing.T) {
	folder := t.TempDir()
	p := serve(t, folder, testClient)
	made := command(t, folder, nil, "clients", "add", "reader", "-scope", "auth:read")
	require.Zero(t, made.code)
	secret := strings.TrimSpace(made.stdout)
	env := []string{"MAGICLINK_SERVER=" + p.origin, "MAGICLINK_CLIENT_ID=reader", "MAGICLINK_CLIENT_SECRET=" + secret}
	p.eventually(func() bool { return strings.Contains(p.errors(), "took over a changed file") }, "serve follows")
	require.Zero(t, command(t, folder, env, "links", "list").code)
	requireFailure(t, command(t, folder, env, "links", "revoke", "-email", "jane@example.com"), `may not ask for the scope auth:revoke`)
	wrong := command(t, folder, append(env, "MAGICLINK_CLIENT_SECRET="+testSecret), "links", "list")
	requireFailure(t, wrong, `the server does not know the client "reader" with this secret`)
	require.NotContains(t, wrong.stderr, testSecret)
	requireFailure(t, command(t, folder, append(env, "MAGICLINK_SERVER=http://127.0.0.1:1"), "links", "list"), "ask http://127.0.0.1:1")
}

// fakeServer answers as a server could that is broken, or that is not meant well.
type fakeServer struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // the Authorization headers and forms that it got
}

func newFakeServer(t *testing.T, links http.HandlerFunc) *fakeServer {
	t.Helper()
	fake := new(fakeServer)
	fake.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fake.mu.Lock()
		fake.seen = append(fake.seen, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		fake.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v0/auth/token" {
			fmt.Fprint(w, `{"access_token":"a-token","token_type":"Bearer","expires_in":60}`)
			return
		}
		links(w, r)
	}))
	t.Cleanup(fake.Close)
	return fake
}

func (f *fakeServer) requests() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.seen...)
}

func TestServersThatAreBroken(t *testing.T) {
	other := newFakeServer(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":{"magic_links":[],"next_cursor":null}}`)
	})
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		says   string
	}{
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		}, "redirects to another address"},
		"no JSON":    {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, "without the JSON of a magiclink server"},
		"other JSON": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[1]}`) }, "not one of this version"},
		"too much": {func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"data":"`, strings.Repeat("x", 9<<20), `"}`)
		}, "without the JSON"},
		"an error":     {envelope(http.StatusUnprocessableEntity, "limit must be \x1b[31mred"), `the server answered 422: limit must be \x1b[31mred`},
		"an outage":    {envelope(http.StatusServiceUnavailable, "temporarily unavailable, try again later"), "answered 503: temporarily unavailable"},
		"limited":      {envelope(http.StatusTooManyRequests, "too many requests"), "too many requests; try again in 7 s"},
		"an older one": {envelope(http.StatusNotFound, "there is nothing at this path: see /openapi.yaml"), "is it older than this command?"},
		"a lost connection": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		}, "read the answer of"},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeServer(t, tt.answer)
			got := command(t, t.TempDir(), testClient, "links", "list", "-server", fake.URL)
			require.Equal(t, 1, got.code)
			require.Contains(t, got.stderr, tt.says)
			require.Equal(t, []string{"POST /v0/auth/token ", "GET /v0/auth/magic-links Bearer a-token"}, fake.requests())
			require.NotContains(t, got.stderr+got.stdout, testSecret)
			require.NotContains(t, got.stderr+got.stdout, "a-token")
		})
	}
	require.Empty(t, other.requests(), "nothing is sent after a redirect")
	require.Zero(t, command(t, t.TempDir(), testClient, "links", "list", "-server", other.URL).code, "the control")
}

// envelope answers with an error.
func envelope(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		body, _ := json.Marshal(map[string]any{"error": text, "data": nil})
		if status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", "7")
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}
}

// A server that repeats a page for ever is left.
func TestServerThatRepeatsItsCursor(t *testing.T) {
	fake := newFakeServer(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"data":{"magic_links":[{"magic_link_id":"mlk_x","state":"live"}],"next_cursor":"same"}}`)
	})
	got := command(t, t.TempDir(), testClient, "links", "list", "-server", fake.URL, "-all", "-json")
	require.Len(t, rows(t, got), 2)
}
