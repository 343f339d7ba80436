package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"
)

// TestCookies shows that Chromium keeps cookies with the prefix __Host-, which demands Secure, from a loopback address over
// plain HTTP, and sends them.
func TestCookies(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(l.url))
	form := b.cookies(s.origin)[formCookie]
	requireHostCookie(t, form)
	require.True(t, form.Session, "it goes when the browser is closed")
	require.Len(t, b.cookies(s.origin), 1)

	require.Equal(t, http.StatusOK, b.signIn())
	posted := b.wire(b.find(http.MethodPost, s.baseURL))
	require.Equal(t, formCookie+"="+form.Value, posted["cookie"])
	session := b.cookies(s.origin)[sessionCookie]
	requireHostCookie(t, session)
	require.False(t, session.Session)
	require.Len(t, b.cookies(s.origin), 1, "the form cookie has gone")
	landed := b.wire(b.find(http.MethodGet, s.origin+"/reports"))
	require.Equal(t, sessionCookie+"="+session.Value, landed["cookie"])
}

func requireHostCookie(t *testing.T, cookie *network.Cookie) {
	t.Helper()
	require.NotNil(t, cookie)
	require.True(t, cookie.Secure)
	require.True(t, cookie.HTTPOnly)
	require.Equal(t, network.CookieSameSiteLax, cookie.SameSite)
	require.Equal(t, "/", cookie.Path)
	require.Equal(t, "127.0.0.1", cookie.Domain)
}
