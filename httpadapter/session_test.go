package httpadapter_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func cookieOf(token string) string { return httpadapter.SessionCookie + "=" + token }

// whoIsThere answers with the session that it finds.
var whoIsThere = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	session, ok := httpadapter.SessionFromRequest(r)
	fmt.Fprint(w, session.Email, " ", ok)
})

// call sends a request to a handler, with headers given as names and values in turn.
func call(handler http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	for n := 0; n < len(headers); n += 2 {
		r.Header.Add(headers[n], headers[n+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestRequireSession(t *testing.T) {
	c := newCore(t)
	handler := httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{})(whoIsThere)
	jane, kim := c.session(t, "jane@example.com"), c.session(t, "kim@example.com")
	past := newCore(t, func(config *magiclink.Config) {
		config.Store, config.Now = c.store, func() time.Time { return noon.Add(-time.Hour) }
	}).session(t, "jane@example.com")
	foreign := newCore(t, func(config *magiclink.Config) {
		config.Store, config.BaseURL = c.store, "https://app.example.org"
	}).session(t, "jane@example.com")
	unknown := newCore(t).session(t, "jane@example.com")
	for name, row := range map[string]struct {
		target         string
		cookies, auths []string
		want           string
	}{
		"nothing":              {},
		"cookie":               {cookies: []string{cookieOf(jane)}, want: "jane@example.com true"},
		"bearer":               {auths: []string{"Bearer " + jane}, want: "jane@example.com true"},
		"bearer, small":        {auths: []string{"bearer " + jane}, want: "jane@example.com true"},
		"other cookies":        {cookies: []string{"a=b; " + cookieOf(jane) + "; c=d"}, want: "jane@example.com true"},
		"another cookie":       {cookies: []string{"magiclink_session=" + jane}},
		"cookie in small":      {cookies: []string{strings.ToLower(httpadapter.SessionCookie) + "=" + jane}},
		"garbage cookie":       {cookies: []string{cookieOf("garbage")}},
		"empty cookie":         {cookies: []string{cookieOf("")}},
		"quoted cookie":        {cookies: []string{cookieOf(`"` + jane + `"`)}, want: "jane@example.com true"},
		"expired cookie":       {cookies: []string{cookieOf(past)}},
		"cookie of others":     {cookies: []string{cookieOf(foreign)}},
		"no record":            {cookies: []string{cookieOf(unknown)}},
		"garbage bearer":       {auths: []string{"Bearer garbage"}},
		"expired bearer":       {auths: []string{"Bearer " + past}},
		"basic":                {auths: []string{"Basic " + jane}},
		"two bearers":          {auths: []string{"Bearer " + jane, "Bearer " + jane}},
		"token in the query":   {target: "/?access_token=" + jane},
		"query beside bearer":  {target: "/?access_token=" + jane, auths: []string{"Bearer " + jane}},
		"dead cookie, bearer":  {cookies: []string{cookieOf(past)}, auths: []string{"Bearer " + kim}, want: "kim@example.com true"},
		"cookie, dead bearer":  {cookies: []string{cookieOf(jane)}, auths: []string{"Bearer " + past}, want: "jane@example.com true"},
		"both, of one account": {cookies: []string{cookieOf(jane)}, auths: []string{"Bearer " + jane}, want: "jane@example.com true"},
		"both, of two":         {cookies: []string{cookieOf(jane)}, auths: []string{"Bearer " + kim}, want: "kim@example.com true"},
	} {
		t.Run(name, func(t *testing.T) {
			if row.target == "" {
				row.target = "/"
			}
			r := httptest.NewRequest(http.MethodGet, row.target, nil)
			r.Header["Cookie"], r.Header["Authorization"] = row.cookies, row.auths
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			if row.want != "" {
				require.Equal(t, http.StatusOK, w.Code)
				require.Equal(t, row.want, w.Body.String())
				return
			}
			requireEnvelope(t, http.StatusUnauthorized, w)
			require.Equal(t, `Bearer realm="magiclink"`, w.Header().Get("WWW-Authenticate"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
			require.JSONEq(t, `{"error":"there is no session","data":null}`, w.Body.String())
			require.Empty(t, w.Header().Values("Set-Cookie"))
		})
	}
}

// Over http, which is for loopback hosts alone, the cookie has the name that WebKit keeps.
func TestSessionCookieOverHTTP(t *testing.T) {
	c := newCore(t, func(config *magiclink.Config) { config.BaseURL = "http://127.0.0.1:8080/magic" })
	handler := httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{})(whoIsThere)
	jane := c.session(t, "jane@example.com")
	require.Equal(t, 200, call(handler, "GET", "/", "Cookie", "magiclink_session="+jane).Code)
	require.Equal(t, 401, call(handler, "GET", "/", "Cookie", cookieOf(jane)).Code)
}

func TestRequireSessionOptional(t *testing.T) {
	c := newCore(t)
	handler := httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{Optional: true, SignIn: "/sign-in"})(whoIsThere)
	jane := c.session(t, "jane@example.com")
	require.Equal(t, "jane@example.com true", call(handler, "GET", "/", "Cookie", cookieOf(jane)).Body.String())
	require.Equal(t, " false", call(handler, "GET", "/").Body.String())
	require.Equal(t, " false", call(handler, "POST", "/", "Origin", "https://evil.example").Body.String())
	require.Equal(t, " false", call(handler, "GET", "/", "Cookie", cookieOf(jane+"x")).Body.String())
	require.Equal(t, "Cookie", call(handler, "GET", "/").Header().Get("Vary"))
}

// An outage of the store lets nobody in, and is no proof that there is no session.
func TestRequireSessionOutage(t *testing.T) {
	c := newCore(t)
	jane := c.session(t, "jane@example.com")
	failures := map[string]func(context.Context) error{
		"error":    func(context.Context) error { return errors.New("the-cause") },
		"panic":    func(context.Context) error { panic("the-cause") },
		"deadline": func(context.Context) error { return context.DeadlineExceeded },
	}
	for name, options := range map[string]httpadapter.RequireOptions{
		"plain": {}, "optional": {Optional: true}, "sign in": {SignIn: "/sign-in"},
		"otherwise": {Otherwise: http.NotFoundHandler()},
	} {
		logger, log := logTo()
		options.Logger = logger
		handler := httpadapter.RequireSession(c.sessions, options)(whoIsThere)
		for failure, fail := range failures {
			for _, header := range [][]string{{"Cookie", cookieOf(jane)}, {"Authorization", "Bearer " + jane}} {
				log.Reset()
				c.store.set(fail, nil)
				w := call(handler, "GET", "/", header...)
				requireEnvelope(t, http.StatusServiceUnavailable, w)
				require.Equal(t, "2", w.Header().Get("Retry-After"), "%s, %s", name, failure)
				require.NotContains(t, w.Body.String(), "the-cause")
				require.NotEmpty(t, log.String())
				c.store.set(nil, nil)
				require.Equal(t, http.StatusOK, call(handler, "GET", "/", header...).Code, "control")
			}
		}
	}
}

// Nothing is known about a request by Sessions that no constructor has made.
func TestRequireSessionWithoutSessions(t *testing.T) {
	token := newCore(t).session(t, "jane@example.com")
	for _, none := range []*magiclink.Sessions{nil, {}} {
		for _, options := range []httpadapter.RequireOptions{{}, {Optional: true}} {
			logger, log := logTo()
			options.Logger = logger
			w := call(httpadapter.RequireSession(none, options)(whoIsThere), "GET", "/", "Authorization", "Bearer "+token)
			requireEnvelope(t, http.StatusServiceUnavailable, w)
			require.Contains(t, log.String(), "use NewSessions")
		}
	}
}

func TestRequireSessionDeadline(t *testing.T) {
	for timeout, want := range map[time.Duration]time.Duration{0: 5 * time.Second, time.Second: time.Second, -1: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c := newCore(t)
			jane := c.session(t, "jane@example.com")
			c.store.set(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, nil)
			logger, _ := logTo()
			handler := httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{Timeout: timeout, Logger: logger})(whoIsThere)
			start := time.Now()
			require.Equal(t, http.StatusServiceUnavailable, call(handler, "GET", "/", "Cookie", cookieOf(jane)).Code)
			require.Equal(t, want, time.Since(start))
		})
	}
}

// A cookie comes along with a request that another page has made; a bearer token does not.
func TestRequireSessionOtherOrigins(t *testing.T) {
	c := newCore(t)
	jane := c.session(t, "jane@example.com")
	for _, optional := range []bool{false, true} {
		handler := httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{Optional: optional})(whoIsThere)
		for _, row := range []struct {
			headers []string
			refused bool
		}{
			{nil, false},
			{[]string{"Origin", "https://app.example.com"}, false},
			{[]string{"Origin", "https://app.example.com", "Sec-Fetch-Site", "same-origin"}, false},
			{[]string{"Sec-Fetch-Site", "same-origin"}, false},
			{[]string{"Sec-Fetch-Site", "none"}, false},
			{[]string{"Origin", "https://evil.example"}, true},
			{[]string{"Origin", "https://blog.example.com", "Sec-Fetch-Site", "same-site"}, true},
			{[]string{"Sec-Fetch-Site", "same-site"}, true},
			{[]string{"Sec-Fetch-Site", "cross-site"}, true},
			{[]string{"Origin", "http://app.example.com"}, true},
			{[]string{"Origin", "https://app.example.com:8443"}, true},
			{[]string{"Origin", "null"}, true},
			{[]string{"Origin", ""}, true},
			{[]string{"Origin", "https://app.example.com", "Origin", "https://app.example.com"}, true},
		} {
			for _, method := range []string{"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "PROPFIND"} {
				want := http.StatusOK
				if row.refused && method != "GET" && method != "HEAD" && method != "OPTIONS" {
					want = http.StatusForbidden
				}
				w := call(handler, method, "/", append([]string{"Cookie", cookieOf(jane)}, row.headers...)...)
				require.Equal(t, want, w.Code, "%s %v", method, row.headers)
				if want == http.StatusForbidden {
					requireEnvelope(t, want, w)
				}
				w = call(handler, method, "/", append([]string{"Authorization", "Bearer " + jane}, row.headers...)...)
				require.Equal(t, http.StatusOK, w.Code, "%s %v with a bearer token", method, row.headers)
			}
		}
	}
}

func TestRequireSessionSignIn(t *testing.T) {
	c := newCore(t)
	linkToken := c.link(t, create)
	handler := func(signIn string) http.Handler {
		logger, _ := logTo()
		return httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{SignIn: signIn, Logger: logger})(whoIsThere)
	}
	for _, row := range []struct{ signIn, target, want string }{
		{"/sign-in", "/reports", "/sign-in?next=%2Freports"},
		{"/sign-in", "/reports?y=1&z=%2F", "/sign-in?next=%2Freports%3Fy%3D1%26z%3D%252F"},
		{"/sign-in", "https://app.example.com/reports?y=1", "/sign-in?next=%2Freports%3Fy%3D1"},
		{"/sign-in?a=b#c", "/reports", "/sign-in?a=b&next=%2Freports#c"},
		{"https://id.example.com/", "/reports", "https://id.example.com/?next=%2Freports"},
		{"/sign-in", "/", "/sign-in?next=%2F"},
		{"/sign-in", "//evil.example/x", "/sign-in"},
		{"/sign-in", "/%5cevil.example", "/sign-in"},
		{"/sign-in", "/a/../b", "/sign-in"},
		{"/sign-in", "/%2e%2e//evil.example", "/sign-in"},
		{"/sign-in", "/" + strings.Repeat("a", 600), "/sign-in"},
		{"/sign-in", "/reports?token=" + linkToken, "/sign-in"},
		{"/sign-in", "/reports?access_token=x", "/sign-in"},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			w := call(handler(row.signIn), method, row.target)
			require.Equal(t, http.StatusSeeOther, w.Code)
			require.Equal(t, row.want, w.Header().Get("Location"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			require.Empty(t, w.Body.String())
		}
		requireEnvelope(t, http.StatusUnauthorized, call(handler(row.signIn), http.MethodPost, row.target))
	}
	for _, signIn := range []string{"sign-in", "//evil.example", "javascript:alert(1)", "http://id.example.com"} {
		require.Equal(t, http.StatusUnauthorized, call(handler(signIn), http.MethodGet, "/").Code, signIn)
	}
}

// The address that the client has sent is the one to come back to.
func TestRequireSessionSignInBehindStripPrefix(t *testing.T) {
	c := newCore(t)
	handler := http.StripPrefix("/app", httpadapter.RequireSession(c.sessions, httpadapter.RequireOptions{SignIn: "/sign-in"})(whoIsThere))
	w := call(handler, http.MethodGet, "/app/reports?y=1")
	require.Equal(t, "/sign-in?next=%2Fapp%2Freports%3Fy%3D1", w.Header().Get("Location"))
}

func TestRequireSessionOtherwise(t *testing.T) {
	c := newCore(t)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let through") })
	otherwise := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := httpadapter.SessionFromRequest(r)
		require.False(t, ok)
		require.Zero(t, session)
		w.WriteHeader(http.StatusTeapot)
	})
	for method, signIn := range map[string]string{"GET": "", "HEAD": "", "POST": "/sign-in", "DELETE": "/sign-in"} {
		options := httpadapter.RequireOptions{Otherwise: otherwise, SignIn: signIn}
		w := call(httpadapter.RequireSession(c.sessions, options)(next), method, "/", "Authorization", "Bearer x")
		require.Equal(t, http.StatusTeapot, w.Code)
	}
}

// One of two cookies may be somebody else's: a browser that keeps to the prefix never sends two.
func TestTwoSessionCookies(t *testing.T) {
	c := newCore(t)
	handler := sessionHandler(t, c.sessions)
	jane, mallory := c.session(t, "jane@example.com"), c.session(t, "mallory@example.com")
	for name, values := range map[string][2]string{"both live": {mallory, jane}, "one dead": {"x", jane}, "the same": {jane, jane}} {
		t.Run(name, func(t *testing.T) {
			w := call(handler, http.MethodGet, "/session", "Cookie", cookieOf(values[0])+"; "+cookieOf(values[1]))
			require.Equal(t, http.StatusUnauthorized, w.Code, "a cookie that somebody else has planted first does not win")
		})
	}
}

// A session lasts to the second.
func TestSessionExpiry(t *testing.T) {
	at := noon
	c := newCore(t, func(config *magiclink.Config) { config.Now = func() time.Time { return at } })
	handler := sessionHandler(t, c.sessions)
	token := c.session(t, "jane@example.com")
	for offset, status := range map[time.Duration]int{0: 200, time.Hour - 1: 200, time.Hour: 401, 2 * time.Hour: 401} {
		at = noon.Add(offset)
		for _, header := range [][]string{{"Cookie", cookieOf(token)}, {"Authorization", "Bearer " + token}} {
			require.Equal(t, status, call(handler, http.MethodGet, "/session", header...).Code, offset)
		}
	}
}

func TestSessionHandler(t *testing.T) {
	c := newCore(t)
	handler := sessionHandler(t, c.sessions)
	for want, in := range map[string]magiclink.MagicLinkCreate{
		`"business_id":"` + business + `","external_business_id":"<Zürich>","email":"jane@example.com"`: {
			Caller: magiclink.Caller{TenantID: "secret-tenant"}, BusinessID: business, ExternalBusinessID: "<Zürich>",
			Email: "jane@example.com", SessionTimeout: 3600,
		},
		`"business_id":null,"external_business_id":"x","email":null`: {ExternalBusinessID: "x", SessionTimeout: 3600},
	} {
		token := c.sessionOf(t, in)
		session, err := c.sessions.Verify(t.Context(), token)
		require.NoError(t, err)
		w := call(handler, http.MethodGet, "/session", "Cookie", cookieOf(token))
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, `{"data":{`+want+`,"magic_link_id":"`+session.MagicLinkID+`","expires_at":"2026-03-14T13:00:07Z"}}`+"\n",
			w.Body.String())
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
}

// The current session is there to be read.
func TestSessionHandlerOtherMethods(t *testing.T) {
	c := newCore(t)
	token := c.session(t, "jane@example.com")
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		w := call(sessionHandler(t, c.sessions), method, "/session", "Authorization", "Bearer "+token)
		requireEnvelope(t, http.StatusMethodNotAllowed, w)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
}

func TestNewSessionHandlerReportsEveryFaultAtOnce(t *testing.T) {
	_, err := httpadapter.NewSessionHandler(httpadapter.SessionConfig{Timeout: -1, Realm: `"`})
	require.Equal(t, []string{"Sessions", "Timeout", "Realm"}, faultyFields(t, err))
}

// The cookie lasts as long as the session, under the name that browsers keep. A token that no browser would keep is
// refused.
func TestSetSessionCookie(t *testing.T) {
	for base, want := range map[string]string{
		baseURL:                       httpadapter.SessionCookie + "=abc; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8080/magic": "magiclink_session=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax",
	} {
		c := newCore(t, func(config *magiclink.Config) { config.BaseURL = base })
		session := magiclink.Session{CreatedAt: noon, ExpiresAt: noon.Add(time.Hour)}
		w := httptest.NewRecorder()
		require.NoError(t, httpadapter.SetSessionCookie(w, c.sessions, "abc", session))
		require.Equal(t, []string{want}, w.Header().Values("Set-Cookie"))

		w = httptest.NewRecorder()
		err := httpadapter.SetSessionCookie(w, c.sessions, strings.Repeat("a", 4096), session)
		require.ErrorIs(t, err, magiclink.ErrTokenTooLong)
		require.Empty(t, w.Header().Values("Set-Cookie"))
	}
}

func TestClearSessionCookie(t *testing.T) {
	for base, want := range map[string]string{
		baseURL:                       httpadapter.SessionCookie + "=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax",
		"http://127.0.0.1:8080/magic": "magiclink_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
	} {
		c := newCore(t, func(config *magiclink.Config) { config.BaseURL = base })
		w := httptest.NewRecorder()
		httpadapter.ClearSessionCookie(w, c.sessions)
		require.Equal(t, []string{want}, w.Header().Values("Set-Cookie"))
	}
}

func TestNoSessionInAnEmptyRequest(t *testing.T) {
	session, ok := httpadapter.SessionFromRequest(httptest.NewRequest(http.MethodGet, "/", nil))
	require.False(t, ok)
	require.Zero(t, session)
}
