package signin_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/signin"
)

// inJar is a browser with a jar of the standard library, which like every browser gives a host's cookies to all of its ports.
type inJar struct {
	t       *testing.T
	jar     http.CookieJar
	service http.Handler
	origin  string
}

func (b inJar) send(method, path string, form url.Values) answer {
	b.t.Helper()
	at, err := url.Parse(b.origin + path)
	require.NoError(b.t, err)
	r := httptest.NewRequestWithContext(b.t.Context(), method, at.String(), strings.NewReader(form.Encode()))
	r.Header.Set("Origin", b.origin)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, cookie := range b.jar.Cookies(at) {
		r.AddCookie(cookie)
	}
	w := httptest.NewRecorder()
	b.service.ServeHTTP(w, r)
	b.jar.SetCookies(at, w.Result().Cookies())
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (b inJar) submit(path string, values ...string) answer {
	b.t.Helper()
	form := b.send(http.MethodGet, path, nil).fields(b.t)
	form.Set(values[0], values[1])
	return b.send(http.MethodPost, path, form)
}

// Two applications under development on one machine leave each other's people signed in, and each other's flows alone.
func TestTwoApplicationsOnOneHost(t *testing.T) {
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	open := func(origin string) (*site, inJar) {
		s := newSite(t, func(c *signin.Config) { c.Config.BaseURL = origin + "/magic" })
		return s, inJar{t, jar, s, origin}
	}
	s, one := open("http://127.0.0.1:8090")
	other, two := open("http://127.0.0.1:8091")

	require.Equal(t, http.StatusSeeOther, one.submit("/sign-in", "email", jane).status)
	require.Equal(t, http.StatusSeeOther, two.submit("/sign-in", "email", "kim@open.example").status)
	require.Equal(t, http.StatusSeeOther, one.submit("/sign-in/check", "code", s.last().Code).status)
	require.Equal(t, http.StatusSeeOther, two.submit("/sign-in/check", "code", other.last().Code).status)

	require.Contains(t, one.send(http.MethodGet, "/session", nil).body, jane)
	require.Contains(t, two.send(http.MethodGet, "/session", nil).body, "kim@open.example")
	require.Equal(t, http.StatusSeeOther, two.send(http.MethodPost, "/logout", nil).status)
	require.Equal(t, http.StatusUnauthorized, two.send(http.MethodGet, "/session", nil).status)
	require.Contains(t, one.send(http.MethodGet, "/session", nil).body, jane)
}
