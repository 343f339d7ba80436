package httpadapter_test

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// serveSessions starts a service with the page of sessions.
func serveSessions(t *testing.T) (*site, *httpadapter.Service) {
	t.Helper()
	mux := http.NewServeMux()
	s := &site{tb: t, server: httptest.NewTLSServer(mux)}
	t.Cleanup(s.server.Close)
	service := newService(t, func(c *httpadapter.ServiceConfig) {
		c.Config.BaseURL, c.SessionsPath, c.AfterLogout = s.server.URL+"/magic", httpadapter.SessionsPath, "/bye"
		c.DescribeSession = func(*http.Request, magiclink.Session) string { return "Firefox" }
		c.Page.Language = "de"
	})
	mux.Handle("/", service)
	s.issuer, s.redeemer, s.sessions = service.Issuer(), service.Redeemer(), service.Sessions()
	return s, service
}

// Two browsers of one person: one signs the other out, signs in anew, and signs out everywhere, all by forms of pages.
func TestServiceSessionsPage(t *testing.T) {
	s, service := serveSessions(t)
	require.NotNil(t, service.SessionsPage())
	desktop, phone := s.browser(), s.browser()
	for _, b := range []*browser{desktop, phone} {
		link, _ := s.link(create)
		require.Equal(t, http.StatusSeeOther, b.click(link).status)
	}
	address := s.server.URL + httpadapter.SessionsPath
	press := func(b *browser, shown view, end string) view {
		action := html.UnescapeString(actionOf.FindStringSubmatch(shown.body)[1])
		require.Equal(t, address, action)
		return b.post(form{action, url.Values{"form": {fieldsOf.FindStringSubmatch(shown.body)[2]}, "end": {end}}})
	}
	list := desktop.get(address)
	require.Equal(t, http.StatusOK, list.status, list.body)
	require.Contains(t, list.body, `<html lang="de"`)
	require.Contains(t, list.body, "<bdi>Firefox</bdi> · Dieser Browser")
	require.Len(t, list.buttons(), 3)
	require.Empty(t, list.cookies, "the form cookie is that of the redemption page")
	mine, other := list.buttons()[0], list.buttons()[1]
	require.Equal(t, []string{other, mine, "everywhere"}, phone.get(address).buttons())

	ended := press(desktop, list, other)
	require.Equal(t, http.StatusSeeOther, ended.status)
	require.Equal(t, address, ended.header.Get("Location"))
	require.Equal(t, http.StatusUnauthorized, phone.get(s.server.URL+httpadapter.SessionPath).status)
	sent := phone.get(address)
	require.Equal(t, http.StatusSeeOther, sent.status)
	require.Equal(t, "/sign-in?next=%2Fsessions", sent.header.Get("Location"))

	link, _ := s.link(create)
	require.Equal(t, http.StatusSeeOther, desktop.click(link).status, "a new sign-in ends the session that the browser had")
	again := desktop.get(address)
	require.Len(t, again.buttons(), 2)
	require.NotEqual(t, mine, again.buttons()[0])
	unused, _ := s.link(create)
	require.Equal(t, http.StatusForbidden, press(desktop, list, "everywhere").status, "the form of the session before")
	left := press(desktop, again, "everywhere")
	require.Equal(t, http.StatusSeeOther, left.status)
	require.Equal(t, "/bye", left.header.Get("Location"))
	require.Equal(t, -1, left.cookie(httpadapter.SessionCookie).MaxAge)
	require.Equal(t, http.StatusUnauthorized, desktop.get(s.server.URL+httpadapter.SessionPath).status)
	require.Equal(t, http.StatusGone, phone.get(unused).status)
}

func TestServiceSessionsPath(t *testing.T) {
	s := newService(t)
	require.Nil(t, s.SessionsPage())
	require.Equal(t, http.StatusNotFound, call(s, http.MethodGet, httpadapter.SessionsPath).Code)
	for path, want := range map[string][]string{
		"/account": nil, "/session": {"SessionsPath"}, "/logout": {"SessionsPath"}, "/healthz": {"SessionsPath"}, "sessions": {"SessionsPath"},
		"/sessions?x": {"SessionsPath"}, "/magic/sessions": {"Config.BaseURL"},
	} {
		service, err := httpadapter.NewService(serviceConfig(t, func(c *httpadapter.ServiceConfig) { c.SessionsPath = path }))
		if want == nil {
			require.NoError(t, err, path)
			require.Equal(t, http.StatusSeeOther, call(service, http.MethodGet, path).Code, "to NewLinkURL")
			continue
		}
		require.Equal(t, want, faultyFields(t, err), path)
	}
	_, err := httpadapter.NewService(serviceConfig(t, func(c *httpadapter.ServiceConfig) {
		c.SessionsPath, c.NewLinkURL, c.AfterLogout, c.Page.Logo, c.Page.Language = "x", "javascript:x", "//evil.example", "logo", "nl"
	}))
	require.ElementsMatch(t, []string{"SessionsPath", "NewLinkURL", "AfterLogout", "Page.Logo", "Page.Language"}, faultyFields(t, err), "each once")
}
