package httpadapter_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func logoutHandler(tb testing.TB, sessions *magiclink.Sessions) http.Handler {
	tb.Helper()
	logger, _ := logTo()
	handler, err := httpadapter.NewLogoutHandler(httpadapter.LogoutConfig{Sessions: sessions, Logger: logger})
	require.NoError(tb, err)
	return handler
}

const clearedCookie = httpadapter.SessionCookie + "=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax"

// Signing out ends the session for every copy of its token, and no other session.
func TestLogoutEndsTheSession(t *testing.T) {
	c := newCore(t)
	logout, session := logoutHandler(t, c.sessions), sessionHandler(t, c.sessions)
	for name, header := range map[string]func(token string) []string{
		"cookie": func(token string) []string {
			return []string{"Cookie", cookieOf(token), "Origin", "https://app.example.com", "Sec-Fetch-Site", "same-origin"}
		},
		"cookie of an old browser": func(token string) []string { return []string{"Cookie", cookieOf(token)} },
		"bearer":                   func(token string) []string { return []string{"Authorization", "Bearer " + token} },
		"bearer of another origin": func(token string) []string {
			return []string{"Authorization", "Bearer " + token, "Origin", "https://x.example"}
		},
		"bearer beside dead cookie": func(token string) []string {
			return []string{"Authorization", "Bearer " + token, "Cookie", cookieOf("x")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			jane, other := c.session(t, "jane@example.com"), c.session(t, "jane@example.com")
			copied := []string{"Authorization", "Bearer " + jane}
			require.Equal(t, http.StatusOK, call(session, http.MethodGet, "/session", copied...).Code, "control")

			w := call(logout, http.MethodPost, "/logout", header(jane)...)
			require.Equal(t, http.StatusSeeOther, w.Code)
			require.Equal(t, "/", w.Header().Get("Location"))
			require.Equal(t, `"cache"`, w.Header().Get("Clear-Site-Data"))
			require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
			if name == "bearer of another origin" {
				require.Empty(t, w.Header().Values("Set-Cookie"))
			} else {
				require.Equal(t, []string{clearedCookie}, w.Header().Values("Set-Cookie"))
			}
			for _, again := range [][]string{copied, {"Cookie", cookieOf(jane)}} {
				requireEnvelope(t, http.StatusUnauthorized, call(session, http.MethodGet, "/session", again...))
			}
			require.Equal(t, http.StatusOK, call(session, http.MethodGet, "/session", "Cookie", cookieOf(other)).Code)
			if name != "bearer of another origin" { // whose token authenticates nobody any more
				require.Equal(t, http.StatusSeeOther, call(logout, http.MethodPost, "/logout", header(jane)...).Code, "again")
			}
		})
	}
}

func TestLogoutEndsBothSessionsOfARequest(t *testing.T) {
	c := newCore(t)
	jane, kim := c.session(t, "jane@example.com"), c.session(t, "kim@example.com")
	require.Equal(t, http.StatusSeeOther, call(logoutHandler(t, c.sessions), http.MethodPost, "/logout",
		"Authorization", "Bearer "+jane, "Cookie", cookieOf(kim)).Code)
	for _, token := range []string{jane, kim} {
		_, err := c.sessions.Verify(t.Context(), token)
		require.ErrorIs(t, err, magiclink.ErrInvalidToken)
	}
}

func TestLogoutWithoutASession(t *testing.T) {
	c := newCore(t)
	for _, headers := range [][]string{nil, {"Cookie", cookieOf("x")}, {"Authorization", "Bearer x"}} {
		w := call(logoutHandler(t, c.sessions), http.MethodPost, "/logout", headers...)
		require.Equal(t, http.StatusSeeOther, w.Code)
		require.Equal(t, []string{clearedCookie}, w.Header().Values("Set-Cookie"))
	}
}

// No page of another origin can sign anybody out, also not a browser that keeps the cookie to itself.
func TestLogoutFromAnotherOrigin(t *testing.T) {
	c := newCore(t)
	jane := c.session(t, "jane@example.com")
	for _, site := range [][]string{
		{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"},
		{"Origin", "https://blog.example.com", "Sec-Fetch-Site", "same-site"},
		{"Origin", "null"},
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
	} {
		for _, credentials := range [][]string{{"Cookie", cookieOf(jane)}, nil, {"Cookie", cookieOf(jane), "Authorization", "Bearer x"}} {
			w := call(logoutHandler(t, c.sessions), http.MethodPost, "/logout", append(credentials, site...)...)
			requireEnvelope(t, http.StatusForbidden, w)
			require.Empty(t, w.Header().Values("Set-Cookie"))
			require.Empty(t, w.Header().Get("Clear-Site-Data"))
		}
	}
	_, err := c.sessions.Verify(t.Context(), jane)
	require.NoError(t, err, "the session lasts")
}

// A bearer token of one session gives no right over the session of the cookie.
func TestLogoutByBearerFromAnotherOriginLeavesTheCookie(t *testing.T) {
	c := newCore(t)
	jane, mallory := c.session(t, "jane@example.com"), c.session(t, "mallory@example.com")
	w := call(logoutHandler(t, c.sessions), http.MethodPost, "/logout",
		"Authorization", "Bearer "+mallory, "Cookie", cookieOf(jane), "Origin", "https://evil.example")
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Empty(t, w.Header().Values("Set-Cookie"))
	_, err := c.sessions.Verify(t.Context(), jane)
	require.NoError(t, err)
}

// The session lasts when the store fails, so the cookie stays and the person can try again.
func TestLogoutOutage(t *testing.T) {
	for name, fail := range map[string]func(*tapStore){
		"look-up": func(s *tapStore) { s.set(func(context.Context) error { return errors.New("the-cause") }, nil) },
		"revoke":  func(s *tapStore) { s.failRevoke(true) },
		"panic":   func(s *tapStore) { s.set(func(context.Context) error { panic("the-cause") }, nil) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCore(t)
			jane := c.session(t, "jane@example.com")
			fail(c.store)
			for _, credentials := range [][]string{{"Cookie", cookieOf(jane)}, {"Authorization", "Bearer " + jane}} {
				w := call(logoutHandler(t, c.sessions), http.MethodPost, "/logout", credentials...)
				requireEnvelope(t, http.StatusServiceUnavailable, w)
				require.Equal(t, "2", w.Header().Get("Retry-After"))
				require.Empty(t, w.Header().Values("Set-Cookie"))
				require.NotContains(t, w.Body.String(), "the-cause")
			}
			c.store.set(nil, nil)
			c.store.failRevoke(false)
			_, err := c.sessions.Verify(t.Context(), jane)
			require.NoError(t, err)
			require.Equal(t, http.StatusSeeOther, call(logoutHandler(t, c.sessions), http.MethodPost, "/logout", "Cookie", cookieOf(jane)).Code)
		})
	}
}

// Without a Store nothing but the cookie can be taken away.
func TestLogoutWithoutAStore(t *testing.T) {
	c := newCore(t)
	sessions, err := magiclink.NewSessions(magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Now: now})
	require.NoError(t, err)
	jane := c.session(t, "jane@example.com")
	w := call(logoutHandler(t, sessions), http.MethodPost, "/logout", "Cookie", cookieOf(jane))
	require.Equal(t, http.StatusSeeOther, w.Code)
	require.Equal(t, []string{clearedCookie}, w.Header().Values("Set-Cookie"))
	_, err = sessions.Verify(t.Context(), jane)
	require.NoError(t, err)
}

func TestLogoutOtherMethods(t *testing.T) {
	c := newCore(t)
	jane := c.session(t, "jane@example.com")
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		w := call(logoutHandler(t, c.sessions), method, "/logout", "Cookie", cookieOf(jane))
		requireEnvelope(t, http.StatusMethodNotAllowed, w)
		require.Equal(t, "POST", w.Header().Get("Allow"))
	}
	_, err := c.sessions.Verify(t.Context(), jane)
	require.NoError(t, err)
}

func TestNewLogoutHandler(t *testing.T) {
	_, err := httpadapter.NewLogoutHandler(httpadapter.LogoutConfig{Destination: "//evil.example", Timeout: -1})
	require.Equal(t, []string{"Sessions", "Destination", "Timeout"}, faultyFields(t, err))
	handler, err := httpadapter.NewLogoutHandler(httpadapter.LogoutConfig{Sessions: newCore(t).sessions, Destination: "/bye?x=1"})
	require.NoError(t, err)
	require.Equal(t, "/bye?x=1", call(handler, http.MethodPost, "/logout").Header().Get("Location"))
}
