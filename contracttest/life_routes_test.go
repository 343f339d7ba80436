package contracttest

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// lifeRoute is a route that shows or ends what was issued.
type lifeRoute struct {
	name, method string
	path         func(linkID string) string
	body         string
	scope        string
	lists        bool // reads parameters
	optional     bool // needs an optional interface of the store
}

func below(base, rest string) func(string) string {
	return func(linkID string) string {
		rest := strings.ReplaceAll(rest, "{link}", linkID)
		return base + strings.ReplaceAll(rest, "{session}", sessionIDOf(linkID))
	}
}

var lifeRoutes = []lifeRoute{
	{"list links", "GET", below(httpadapter.LinksPath, ""), "", "auth:read", true, true},
	{"get a link", "GET", below(httpadapter.LinksPath, "/{link}"), "", "auth:read", false, false},
	{"revoke a link", "POST", below(httpadapter.LinksPath, "/{link}/revoke"), "", "auth:revoke", false, false},
	{
		"revoke a subject", "POST", below(httpadapter.LinksPath, "/revoke"), `{"email":"jane@example.com"}`, "auth:revoke", false,
		true,
	},
	{"list sessions", "GET", below(httpadapter.SessionsAPIPath, ""), "", "auth:read", true, true},
	{"end a session", "POST", below(httpadapter.SessionsAPIPath, "/{session}/revoke"), "", "auth:revoke", false, false},
	{"show limits", "GET", below(httpadapter.LimitsPath, ""), "", "auth:read", true, true},
	{"reset a limit", "POST", below(httpadapter.LimitsPath, "/reset"), `{"email":"jane@example.com"}`, "auth:revoke", false, true},
}

// lifeFault is a way to break a request to a route, and the answer to it, in the order in which they are judged.
type lifeFault struct {
	name   string
	status int
	for_   func(lifeRoute) bool
	spoil  func(l *life, r lifeRoute, q *request)
	check  func(t *testing.T, r lifeRoute, got answer)
}

func every(lifeRoute) bool   { return true }
func reads(r lifeRoute) bool { return r.body != "" }
func has(text string) func(lifeRoute) bool {
	return func(r lifeRoute) bool { return strings.Contains(r.path("x"), text) }
}

func challenged(parameters string) func(*testing.T, lifeRoute, answer) {
	return func(t *testing.T, r lifeRoute, got answer) {
		want := realm + strings.ReplaceAll(parameters, "{scope}", r.scope)
		require.Equal(t, []string{want}, got.header.Values("WWW-Authenticate"))
	}
}

func (l *life) scopes(tb testing.TB, scopes ...string) string {
	return "Bearer " + l.access(tb, holding(scopes...))
}

func lifeFaults(tb testing.TB) []lifeFault {
	none := func(*testing.T, lifeRoute, answer) {}
	return []lifeFault{
		{"another method", 405, every, func(_ *life, r lifeRoute, q *request) {
			q.method = map[string]string{"GET": "DELETE", "POST": "GET"}[r.method]
		}, func(t *testing.T, r lifeRoute, got answer) {
			require.Equal(t, map[string]string{"GET": "GET, HEAD", "POST": "POST"}[r.method], got.header.Get("Allow"))
		}},
		{"no credentials", 401, every, func(_ *life, _ lifeRoute, q *request) { q.header.Del("Authorization") }, challenged("")},
		{
			"a bad token", 401, every, func(_ *life, _ lifeRoute, q *request) { q.header.Set("Authorization", "Bearer x") },
			challenged(`, error="invalid_token"`),
		},
		{
			"a token in the query", 401, every, func(_ *life, _ lifeRoute, q *request) { q.path = withQuery(q.path, "access_token=x") },
			challenged(`, error="invalid_token"`),
		},
		{"the other scopes", 403, every, func(l *life, r lifeRoute, q *request) {
			all := []string{"auth:create", "auth:read", "auth:revoke", r.scope + "2", strings.ToUpper(r.scope)}
			q.header.Set("Authorization", l.scopes(tb, slices.DeleteFunc(all, func(s string) bool { return s == r.scope })...))
		}, challenged(`, error="insufficient_scope", scope="{scope}"`)},
		{"too large", 413, reads, func(_ *life, _ lifeRoute, q *request) { q.body += strings.Repeat(" ", limit) }, none},
		{"not JSON", 422, reads, func(_ *life, _ lifeRoute, q *request) { q.body = "{" }, broken()},
		{"no subject", 422, reads, func(_ *life, _ lifeRoute, q *request) { q.body = "{}" }, broken("email:required_without")},
		{"a bad parameter", 422, func(r lifeRoute) bool { return r.lists }, func(_ *life, _ lifeRoute, q *request) {
			q.path = withQuery(q.path, "email=x")
		}, broken("email:email")},
		{"an unknown id", 404, has("x"), func(_ *life, _ lifeRoute, q *request) {
			q.path = strings.ReplaceAll(q.path, "_", "_2")
			at := strings.Index(q.path, "_2")
			q.path = q.path[:at+23] + q.path[at+24:]
		}, none},
		{"a malformed id", 404, has("x"), func(_ *life, _ lifeRoute, q *request) {
			q.path = strings.Replace(q.path, "_", "-", 1)
		}, none},
		{"a store that cannot", 501, func(r lifeRoute) bool { return r.optional }, func(l *life, _ lifeRoute, _ *request) {
			l.store.set(magiclink.ErrUnsupported)
		}, none},
		{
			"a store that fails", 503, every, func(l *life, _ lifeRoute, _ *request) { l.store.set(errOutage) },
			func(t *testing.T, _ lifeRoute, got answer) { require.Equal(t, "2", got.header.Get("Retry-After")) },
		},
	}
}

func withQuery(path, query string) string {
	if strings.Contains(path, "?") {
		return path + "&" + query
	}
	return path + "?" + query
}

func broken(want ...string) func(*testing.T, lifeRoute, answer) {
	return func(t *testing.T, _ lifeRoute, got answer) { require.Equal(t, want, brokenFields(t, got)) }
}

// Every route answers every status that it can answer in the order of the contract, and as the document says.
func TestLifeRoutes(t *testing.T) {
	all := lifeFaults(t)
	for _, route := range lifeRoutes {
		t.Run(route.name, func(t *testing.T) {
			l := newLife(t, memory.New(), limited)
			id, _ := l.session(t, jane)
			good := l.request(t, route.method, route.path(id), route.body)
			possible := slices.DeleteFunc(slices.Clone(all), func(f lifeFault) bool { return !f.for_(route) })
			for n, first := range possible {
				for _, second := range possible[n:] {
					if second.status == first.status && second.name != first.name || first.name == "an unknown id" && second.status == 503 {
						continue // two that break the same thing, or what only a store knows that works
					}
					l.refused(t, route, good, second, first)
				}
			}
			got := l.send(t, good)
			require.Equal(t, http.StatusOK, got.status, "the control: %s", got.body)
			checkServed(t, route.method, good.path, got)
			got = l.send(t, good)
			require.Equal(t, http.StatusOK, got.status, "once more: %s", got.body)
		})
	}
}

// refused spoils a request in two ways and expects the answer to the one that is judged first.
func (l *life) refused(t *testing.T, route lifeRoute, good request, second, first lifeFault) {
	t.Helper()
	r := good
	r.header = good.header.Clone()
	if second.name != first.name {
		second.spoil(l, route, &r)
	}
	first.spoil(l, route, &r)
	defer l.store.fail.Store(nil)
	got := l.send(t, r)
	require.Equal(t, first.status, got.status, "%s + %s: %s", first.name, second.name, got.body)
	checkServed(t, route.method, good.path, got)
	object := got.members(t, "error", "data")
	require.NotEmpty(t, object["error"])
	require.Equal(t, first.status != http.StatusUnprocessableEntity, object["data"] == nil)
	require.NotContains(t, string(got.body), errOutage.Error())
	first.check(t, route, got)
}

// HEAD is answered like GET, less the body.
func TestLifeRoutesAnswerHead(t *testing.T) {
	l := newLife(t, memory.New())
	id, _ := l.session(t, jane)
	for _, route := range lifeRoutes {
		got := l.ask(t, http.MethodHead, route.path(id), "")
		require.Empty(t, got.body)
		if route.method == http.MethodGet {
			require.Equal(t, http.StatusOK, got.status)
			require.NotEqual(t, "0", got.header.Get("Content-Length"))
			continue
		}
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
	}
}

// A path that is no route is 404 before anybody is asked for a token.
func TestPathsBelowTheLifeRoutes(t *testing.T) {
	l := newLife(t, memory.New())
	id, _ := l.link(t, jane)
	for _, path := range []string{
		httpadapter.LinksPath + "/", httpadapter.LinksPath + "x", httpadapter.LinksPath + "/" + id + "/", httpadapter.LinksPath + "//",
		httpadapter.LinksPath + "/" + id + "/revoke/", httpadapter.LinksPath + "/" + id + "/use", httpadapter.LinksPath + "//revoke",
		httpadapter.LinksPath + "/revoke/revoke/revoke", httpadapter.SessionsAPIPath + "/", httpadapter.SessionsAPIPath + "/revoke",
		httpadapter.SessionsAPIPath + "/" + sessionIDOf(id), httpadapter.SessionsAPIPath + "//revoke",
		httpadapter.LimitsPath + "/", httpadapter.LimitsPath + "x", httpadapter.LimitsPath + "/reset/", httpadapter.LimitsPath + "//reset",
	} {
		for _, method := range []string{"GET", "POST"} {
			got := l.send(t, at(method, path))
			require.Equal(t, http.StatusNotFound, got.status, "%s %s", method, path)
			require.Nil(t, got.members(t, "error", "data")["data"])
		}
	}
	require.Equal(t, magiclink.StateLive, l.state(t, id))
}

// state is what the store says about a link.
func (l *life) state(tb testing.TB, id string) magiclink.State {
	tb.Helper()
	record, err := l.store.Store.Get(tb.Context(), id)
	require.NoError(tb, err)
	return record.State(l.now())
}

// plainStore has no optional interface.
type plainStore struct{ magiclink.Store }

// A store that cannot list or revoke by subject has no such routes, and has the others.
func TestLifeRoutesOfAPlainStore(t *testing.T) {
	keys, err := magiclink.NewKeyring(seededKey())
	require.NoError(t, err)
	plain, err := httpadapter.NewService(httpadapter.ServiceConfig{
		Config:  magiclink.Config{BaseURL: baseURL, Keys: keys, Store: plainStore{memory.New()}, Businesses: tenants},
		Clients: clients(t),
	})
	require.NoError(t, err)
	for _, route := range lifeRoutes {
		want := http.StatusUnauthorized
		if route.optional {
			want = http.StatusNotFound
		}
		require.Equal(t, want, serve(plain, route.method, route.path("mlk_x")).Code, route.name)
	}
}
