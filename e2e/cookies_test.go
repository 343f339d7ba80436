package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/stretchr/testify/require"
)

// TestCookies looks at the cookies over HTTPS: how the browser keeps them, and when it sends them. The form cookie outlasts
// the click, since the same click may be sent again, and other tabs have forms.
func TestCookies(t *testing.T) {
	s, b := startPublic(t)
	l := s.issue("/reports")
	origin := "https://" + publicHost
	require.Equal(t, http.StatusOK, b.visit(l.url))
	form := b.cookies(origin)[formCookie]
	requireHostCookie(t, form)
	require.True(t, form.Session, "it goes when the browser is closed")
	require.Len(t, b.cookies(origin), 1)

	require.Equal(t, http.StatusOK, b.signIn())
	posted := b.wire(b.find(http.MethodPost, s.BaseURL))
	require.Equal(t, formCookie+"="+form.Value, posted["cookie"])
	session := b.cookies(origin)[sessionCookie]
	requireHostCookie(t, session)
	require.False(t, session.Session)
	require.Equal(t, form.Value, b.cookies(origin)[formCookie].Value)
	require.Len(t, b.cookies(origin), 2)
	landed := b.wire(b.find(http.MethodGet, origin+"/reports"))
	require.Contains(t, landed["cookie"], sessionCookie+"="+session.Value)
}

func requireHostCookie(t *testing.T, cookie *network.Cookie) {
	t.Helper()
	require.NotNil(t, cookie)
	require.True(t, cookie.Secure)
	require.True(t, cookie.HTTPOnly)
	require.Equal(t, network.CookieSameSiteLax, cookie.SameSite)
	require.Equal(t, "/", cookie.Path)
	require.Equal(t, publicHost, cookie.Domain)
}
