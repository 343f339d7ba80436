package httpadapter_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// sessionFor grants a session to an address.
func sessionFor(tb testing.TB, sessions *magiclink.Sessions, email string) string {
	tb.Helper()
	token, _, err := sessions.Grant(magiclink.Redemption{
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", BusinessID: business, Email: email, SessionTimeout: time.Hour,
	})
	require.NoError(tb, err)
	return token
}

func newSessions(tb testing.TB, now func() time.Time) *magiclink.Sessions {
	tb.Helper()
	sessions, err := magiclink.NewSessions(magiclink.SessionsConfig{
		BaseURL: "https://app.example.com/magic", Keys: seededKeyring(tb), Now: now,
	})
	require.NoError(tb, err)
	return sessions
}

func TestRequireSession(t *testing.T) {
	sessions := newSessions(t, now)
	handler := httpadapter.RequireSession(sessions, nil, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := httpadapter.SessionFromContext(r.Context())
		fmt.Fprint(w, session.Email, " ", ok)
	}))
	jane, kim := sessionFor(t, sessions, "jane@example.com"), sessionFor(t, sessions, "kim@example.com")
	past := sessionFor(t, newSessions(t, func() time.Time { return noon.Add(-time.Hour) }), "jane@example.com")
	foreign, err := magiclink.NewSessions(magiclink.SessionsConfig{BaseURL: "https://app.example.org", Keys: seededKeyring(t), Now: now})
	require.NoError(t, err)
	cookie := func(value string) string { return httpadapter.SessionCookie + "=" + value }
	for name, row := range map[string]struct {
		target         string
		cookies, auths []string
		want           string
	}{
		"nothing":              {},
		"cookie":               {cookies: []string{cookie(jane)}, want: "jane@example.com true"},
		"bearer":               {auths: []string{"Bearer " + jane}, want: "jane@example.com true"},
		"bearer, small":        {auths: []string{"bearer " + jane}, want: "jane@example.com true"},
		"other cookies":        {cookies: []string{"a=b; " + cookie(jane) + "; c=d"}, want: "jane@example.com true"},
		"another cookie":       {cookies: []string{"magiclink_session=" + jane}},
		"cookie in small":      {cookies: []string{strings.ToLower(httpadapter.SessionCookie) + "=" + jane}},
		"garbage cookie":       {cookies: []string{cookie("garbage")}},
		"empty cookie":         {cookies: []string{cookie("")}},
		"quoted cookie":        {cookies: []string{cookie(`"` + jane + `"`)}, want: "jane@example.com true"},
		"expired cookie":       {cookies: []string{cookie(past)}},
		"cookie of others":     {cookies: []string{cookie(sessionFor(t, foreign, "jane@example.com"))}},
		"garbage bearer":       {auths: []string{"Bearer garbage"}},
		"expired bearer":       {auths: []string{"Bearer " + past}},
		"basic":                {auths: []string{"Basic " + jane}},
		"two bearers":          {auths: []string{"Bearer " + jane, "Bearer " + jane}},
		"token in the query":   {target: "/?access_token=" + jane},
		"query beside bearer":  {target: "/?access_token=" + jane, auths: []string{"Bearer " + jane}},
		"dead cookie, bearer":  {cookies: []string{cookie(past)}, auths: []string{"Bearer " + kim}, want: "kim@example.com true"},
		"cookie, dead bearer":  {cookies: []string{cookie(jane)}, auths: []string{"Bearer " + past}, want: "jane@example.com true"},
		"both, of one account": {cookies: []string{cookie(jane)}, auths: []string{"Bearer " + jane}, want: "jane@example.com true"},
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

// One of two cookies may be somebody else's: a browser that keeps to the prefix never sends two.
func TestTwoSessionCookies(t *testing.T) {
	sessions := newSessions(t, now)
	handler := httpadapter.SessionInfo(sessions)
	jane, mallory := sessionFor(t, sessions, "jane@example.com"), sessionFor(t, sessions, "mallory@example.com")
	for name, values := range map[string][2]string{"both live": {mallory, jane}, "one dead": {"x", jane}, "the same": {jane, jane}} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, "/session", nil)
			r.Header.Set("Cookie", httpadapter.SessionCookie+"="+values[0]+"; "+httpadapter.SessionCookie+"="+values[1])
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			require.NotContains(t, w.Body.String(), "mallory", "a cookie that somebody else has planted first does not win")
		})
	}
}

// A session lasts to the second.
func TestRequireSessionExpiry(t *testing.T) {
	at := noon
	sessions := newSessions(t, func() time.Time { return at })
	handler := httpadapter.SessionInfo(sessions)
	token := sessionFor(t, sessions, "jane@example.com")
	for offset, status := range map[time.Duration]int{0: 200, time.Hour - 1: 200, time.Hour: 401, 2 * time.Hour: 401} {
		at = noon.Add(offset)
		for _, header := range [][2]string{{"Cookie", httpadapter.SessionCookie + "=" + token}, {"Authorization", "Bearer " + token}} {
			r := httptest.NewRequest(http.MethodGet, "/session", nil)
			r.Header.Set(header[0], header[1])
			w := httptest.NewRecorder()
			handler.ServeHTTP(w, r)
			require.Equal(t, status, w.Code, offset)
		}
	}
}

func TestRequireSessionOtherwise(t *testing.T) {
	sessions := newSessions(t, now)
	next := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("let through") })
	otherwise := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, ok := httpadapter.SessionFromContext(r.Context())
		require.False(t, ok)
		require.Zero(t, session)
		w.WriteHeader(http.StatusTeapot)
	})
	for _, none := range []*magiclink.Sessions{sessions, {}, nil} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Authorization", "Bearer x")
		w := httptest.NewRecorder()
		httpadapter.RequireSession(none, otherwise, next).ServeHTTP(w, r)
		require.Equal(t, http.StatusTeapot, w.Code)
	}
}

func TestSessionInfo(t *testing.T) {
	sessions := newSessions(t, now)
	handler := httpadapter.SessionInfo(sessions)
	for want, redeemed := range map[string]magiclink.Redemption{
		`{"business_id":"` + business + `","external_business_id":"<Zürich>","email":"jane@example.com","magic_link_id":"mlk_GA6EG2qFxA97NZHtxeLPUy","expires_at":"2026-03-14T13:00:07Z"}`: {
			TenantID: "secret-tenant", BusinessID: business, ExternalBusinessID: "<Zürich>", Email: "jane@example.com",
			MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", SessionTimeout: time.Hour,
		},
		`{"business_id":null,"external_business_id":"x","email":null,"magic_link_id":"mlk_GA6EG2qFxA97NZHtxeLPUy","expires_at":"2026-03-14T12:00:08Z"}`: {
			ExternalBusinessID: "x", MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", SessionTimeout: time.Second,
		},
	} {
		token, _, err := sessions.Grant(redeemed)
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodGet, "/session", nil)
		r.Header.Set("Cookie", httpadapter.SessionCookie+"="+token)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusOK, w.Code)
		require.Equal(t, `{"data":`+want+"}\n", w.Body.String())
		require.Equal(t, "application/json", w.Header().Get("Content-Type"))
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
	}
}

// The current session is there to be read.
func TestSessionInfoOtherMethods(t *testing.T) {
	sessions := newSessions(t, now)
	for _, method := range []string{http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch} {
		r := httptest.NewRequest(method, "/session", nil)
		r.Header.Set("Authorization", "Bearer "+sessionFor(t, sessions, "jane@example.com"))
		w := httptest.NewRecorder()
		httpadapter.SessionInfo(sessions).ServeHTTP(w, r)
		requireEnvelope(t, http.StatusMethodNotAllowed, w)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	}
}

func TestEndSession(t *testing.T) {
	w := httptest.NewRecorder()
	httpadapter.EndSession(w)
	require.Equal(t, []string{httpadapter.SessionCookie + "=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"}, w.Header().Values("Set-Cookie"))
}

func TestNoSessionInAnEmptyContext(t *testing.T) {
	session, ok := httpadapter.SessionFromContext(t.Context())
	require.False(t, ok)
	require.Zero(t, session)
}
