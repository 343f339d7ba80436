package httpadapter_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestNewPageReportsEveryFaultAtOnce(t *testing.T) {
	_, err := httpadapter.NewPage(httpadapter.PageConfig{NewLinkURL: "javascript:alert(1)", Timeout: -1})
	require.ElementsMatch(t, []string{"Redeemer", "Sessions", "NewLinkURL", "Timeout"}, faultyFields(t, err))
}

func TestNewPageOfTwoConfigs(t *testing.T) {
	s, other := newSite(t), newSiteOf(t, siteSetup{path: "/other"})
	_, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: other.sessions})
	require.Equal(t, []string{"Sessions"}, faultyFields(t, err))
	_, err = httpadapter.NewPage(httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions})
	require.NoError(t, err, "the control")
}

func TestNewLinkURL(t *testing.T) {
	s := newSite(t)
	for address, ok := range map[string]bool{
		"": true, "/sign-in": true, "/sign-in?a=b": true, "https://app.example.com/sign-in": true, "/": true,
		"http://app.example.com/": false, "javascript:alert(1)": false, "data:text/html,x": false, "sign-in": false,
		"//evil.example/": false, "///evil.example/": false, `/\evil.example/`: false, "https:///x": false, "https:x": false,
		"\x00": false, "mailto:a@b.example": false,
	} {
		_, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, NewLinkURL: address})
		require.Equal(t, ok, err == nil, address)
	}
}

// A Redeemer that was not made by its constructor redeems nothing: that shows at the start, not to the first user.
func TestNewPageOfARedeemerThatWasNotMade(t *testing.T) {
	s := newSite(t)
	_, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: new(magiclink.Redeemer), Sessions: s.sessions})
	require.Error(t, err)
}

// Looking at the page changes nothing, however often, whatever browser looks, and however the address is written.
func TestGetChangesNothing(t *testing.T) {
	s := newSite(t)
	link, id := s.link(create)
	before, err := s.store.Store.Get(t.Context(), id)
	require.NoError(t, err)
	bare := s.server.URL + "/magic?token=" + tokenOf(t, link)
	for _, address := range []string{link, bare, s.server.URL + "/magic/?token=" + tokenOf(t, link), bare + "&form=x&confirm=1"} {
		for _, headers := range [][]string{
			nil,
			{"Purpose", "prefetch", "Sec-Purpose", "prefetch;prerender"},
			{"X-HTTP-Method-Override", "POST"},
			{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"},
		} {
			b := s.browser()
			got := b.send(http.MethodGet, address, "", headers...)
			require.Equal(t, http.StatusOK, got.status)
			require.Nil(t, got.cookie(httpadapter.SessionCookie))
			head := b.send(http.MethodHead, address, "", headers...)
			require.Equal(t, http.StatusOK, head.status)
			require.Empty(t, head.body)
			require.Equal(t, got.header.Get("Content-Type"), head.header.Get("Content-Type"))
			requireSecure(t, head)
		}
	}
	for _, method := range []string{http.MethodOptions, http.MethodPut, http.MethodDelete, http.MethodPatch, "PROPFIND"} {
		got := s.browser().send(method, link, "")
		require.Equal(t, http.StatusMethodNotAllowed, got.status)
		require.Equal(t, "GET, HEAD, POST", got.header.Get("Allow"))
		requireSecure(t, got)
	}
	after, err := s.store.Store.Get(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.Empty(t, s.events)
	require.Equal(t, http.StatusSeeOther, s.browser().click(link).status, "the control: a click does")
}

// A click signs in: with one redirection and these cookies exactly.
func TestClick(t *testing.T) {
	s := newSite(t)
	link, id := s.link(create)
	b := s.browser()
	shown := b.get(link)
	require.Equal(t, http.StatusOK, shown.status)
	require.Equal(t, "text/html; charset=utf-8", shown.header.Get("Content-Type"))
	require.Contains(t, shown.body, "j•••@example.com")
	require.NotContains(t, shown.body, "jane")
	require.Contains(t, strings.ReplaceAll(shown.body, "<wbr>", ""), strings.TrimPrefix(s.server.URL, "https://")+"/reports</bdi>")
	secret := shown.cookie(formCookie)
	require.NotNil(t, secret)
	require.Equal(t, formCookie+"="+secret.Value+"; Path=/; HttpOnly; Secure; SameSite=Lax", secret.Raw, "until the browser is closed")
	require.Len(t, secret.Value, 43)

	got := b.post(shown.form(t))
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	require.Empty(t, got.body)
	require.Equal(t, []string{s.server.URL + "/reports?y=1#top"}, got.header.Values("Location"))
	requireSecure(t, got)
	require.Len(t, got.cookies, 1, "the form cookie stays")
	cookie := got.cookie(httpadapter.SessionCookie)
	require.Equal(t, httpadapter.SessionCookie+"="+cookie.Value+"; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax", cookie.Raw)

	session, err := s.sessions.Verify(t.Context(), cookie.Value)
	require.NoError(t, err)
	require.Equal(t, magiclink.Session{
		ID: session.ID, MagicLinkID: id, Subject: magiclink.Subject{
			TenantID: "t1", BusinessID: business, ExternalBusinessID: "shop-7", Email: "jane@example.com",
		},
		CreatedAt: noon, ExpiresAt: noon.Add(time.Hour),
	}, session)
	s.requireUsed(link)
}

// Where one arrives is on the configured origin, whatever the request says about itself.
func TestDestinationIsNotTheRequests(t *testing.T) {
	s := newSite(t)
	for path, want := range map[string]string{"/reports?y=1#top": "/reports?y=1#top", "": "/", "/": "/", "/a/?b=//c": "/a/?b=//c"} {
		in := create
		in.Path = path
		link, _ := s.link(in)
		for _, lie := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Host", "Forwarded", "X-Forwarded-Prefix", "Referer"} {
			require.NotContains(t, s.browser().send(http.MethodGet, link, "", lie, "evil.example").body, "evil")
		}
		require.NotContains(t, s.browser().send(http.MethodGet, link, "", "Host", "evil.example").body, "evil")
		b := s.browser()
		shown := b.get(link)
		cookie := shown.cookie(formCookie) // which the client would not send to another host
		got := s.browser().post(shown.form(t), "Cookie", formCookie+"="+cookie.Value, "X-Forwarded-Host", "evil.example", "X-Forwarded-Proto", "http", "Forwarded", "host=evil.example",
			"Host", "evil.example", "X-Forwarded-Prefix", "//evil.example", "Referer", "https://evil.example/")
		require.Equal(t, http.StatusSeeOther, got.status)
		require.Equal(t, s.server.URL+want, got.header.Get("Location"))
	}
}

// Neither the path in the address nor a field of the form says where one arrives: the record does.
func TestDestinationIsTheRecords(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	shown := s.browser()
	page := shown.get(s.server.URL + "/magic/evil?path=//evil.example&next=//evil.example&token=" + tokenOf(t, link))
	require.Equal(t, http.StatusOK, page.status)
	require.NotContains(t, page.body, "evil")
	f := page.form(t)
	f.fields.Set("path", "//evil.example")
	f.fields.Set("next", "//evil.example")
	got := shown.post(f)
	require.Equal(t, http.StatusSeeOther, got.status)
	require.Equal(t, s.server.URL+"/reports?y=1#top", got.header.Get("Location"))

	s.store.tamper = func(record *magiclink.Record) { record.Path = `/\evil.example` }
	link, _ = s.link(create)
	require.NotContains(t, s.browser().get(link).body, "evil")
	require.Equal(t, s.server.URL+"/", s.browser().click(link).header.Get("Location"))
}

// Every link that can be issued leads to its page, also where the path has a query and a token of its own.
func TestEveryLinkLeadsToItsPage(t *testing.T) {
	s := newSite(t)
	for _, path := range []string{
		"", "/", "/a", "/a/", "/a/b.html", "/a?", "/a?b", "/a?b=c&", "/a?token=x", "/a?token=x&token=y#token=z", "/a?b;c",
		"/a#", "/a?#", "/%7Bid%7D", "/{id}", "/a%20b", "/%C3%BC", "/a?b=%26token%3Dx", "/...", "/a?b=/../c", "/~a+b,c;d=e@f:g",
	} {
		in := create
		in.Path = path
		link, _ := s.link(in)
		address, _, _ := strings.Cut(link, "#")
		got := s.browser().get(address)
		require.Equal(t, http.StatusOK, got.status, link)
		want := path
		if want == "" {
			want = "/"
		}
		want = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(want) // Location is a URI (RFC 3986)
		require.Equal(t, s.server.URL+want, s.browser().click(address).header.Get("Location"))
	}
}

// deadLinks are addresses of links that cannot be used, by what is wrong with them.
func deadLinks(t *testing.T, s *site) map[string]string {
	t.Helper()
	in := create
	in.Path = "/reports"
	expired, _ := s.link(in)
	s.wait(time.Hour)
	used, _ := s.link(in)
	_, err := s.redeemer.Redeem(t.Context(), tokenOf(t, used))
	require.NoError(t, err)
	revoked, id := s.link(in)
	require.NoError(t, s.issuer.Revoke(t.Context(), "t1", id))
	unknown := unknownLink(t, s)
	live, _ := s.link(in)
	return map[string]string{
		"expired": expired, "used": used, "revoked": revoked, "unknown": unknown, "forged": live + "x",
		"missing": s.server.URL + "/magic/reports", "empty": s.server.URL + "/magic?token=", "garbage": s.server.URL + "/magic?token=..",
		"two tokens, the last of another": strings.TrimSuffix(live, "#top") + "&token=x", "huge": s.server.URL + "/magic?token=" + strings.Repeat("a", 6000),
		"under another name": strings.Replace(live, "token=", "Token=", 1), "malformed": s.server.URL + "/magic?token=%zz",
	}
}

// unknownLink issues a link that has the site's signature and that the site's store does not have.
func unknownLink(t *testing.T, s *site) string {
	t.Helper()
	other := newIssuer(t, func(c *magiclink.Config) {
		c.BaseURL, c.Now, c.Businesses = s.redeemer.BaseURL(), s.now, magiclink.AnyBusiness
	})
	response, err := other.Issue(t.Context(), create)
	require.NoError(t, err)
	return response.MagicLink
}

// All links that cannot be used look alike, in headers and body, to GET and to the form.
func TestDeadLinksLookAlike(t *testing.T) {
	for _, newLinkURL := range []string{"", "https://app.example.com/sign-in?a=b&c=d"} {
		s := newSite(t, func(c *httpadapter.PageConfig) { c.NewLinkURL = newLinkURL })
		var first, firstPosted *view
		for name, address := range deadLinks(t, s) {
			got := s.browser().get(address)
			require.Equal(t, http.StatusGone, got.status, name)
			require.Empty(t, got.cookies, name)
			requireSecure(t, got)
			if first == nil {
				first = &got
			}
			require.Equal(t, first.withoutNonce(), got.withoutNonce(), name)
			require.Equal(t, len(first.header), len(got.header), name)
			require.NotContains(t, got.body, "<form")

			b := s.browser() // its form is right but for the token
			live, _ := s.link(create)
			shown := b.get(live)
			posted := b.post(formFor(t, shown, tokenIn(address)))
			require.Equal(t, http.StatusGone, posted.status, name)
			require.Nil(t, posted.cookie(httpadapter.SessionCookie))
			requireSecure(t, posted)
			if firstPosted == nil {
				firstPosted = &posted
			}
			require.Equal(t, first.withoutNonce(), posted.withoutNonce(), name)
		}
		if newLinkURL == "" {
			require.Contains(t, first.body, `<a class="button" href="`+s.server.URL+`/">Go to <bdi>Acme</bdi></a>`)
		} else {
			require.Contains(t, first.body, `<a class="button" href="https://app.example.com/sign-in?a=b&amp;c=d">Get a new link</a>`)
		}
		require.Empty(t, s.log.String(), "a dead link is nobody's fault")
	}
}

// tokenIn is the token of an address, or "".
func tokenIn(address string) string {
	token := ""
	if at := strings.LastIndex(address, "token="); at >= 0 {
		token = address[at+len("token="):]
	}
	token, _, _ = strings.Cut(token, "#")
	return token
}

// With the last token of two being ours the link is ours: a path may have one of its own.
func TestTheLastTokenCounts(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	token := tokenOf(t, link)
	require.Equal(t, http.StatusOK, s.browser().get(s.server.URL+"/magic?token=x&token="+token).status)
	require.Equal(t, http.StatusGone, s.browser().get(s.server.URL+"/magic?token="+token+"&token=x").status)
	require.Equal(t, http.StatusGone, s.browser().get(s.server.URL+"/magic?token="+token+"&token=").status)
}

// The store's outage is answered with 503, and the link works afterwards.
func TestPageWithBrokenStore(t *testing.T) {
	s := newSite(t)
	link, _ := s.link(create)
	b := s.browser()
	f := b.get(link).form(t)
	for name, before := range map[string]func(context.Context) error{
		"an error": func(context.Context) error { return errors.New("the-cause") },
		"a panic":  func(context.Context) error { panic("the-value") },
	} {
		s.store.set(before, nil)
		for _, got := range []view{b.get(link), b.post(f), b.send(http.MethodHead, link, "")} {
			require.Equal(t, http.StatusServiceUnavailable, got.status, name)
			require.Equal(t, "2", got.header.Get("Retry-After"))
			requireSecure(t, got)
			require.NotContains(t, got.body, "the-cause")
			require.NotContains(t, got.body, "the-value")
			require.Nil(t, got.cookie(httpadapter.SessionCookie))
		}
	}
	require.Contains(t, s.log.String(), "the-cause")
	require.Contains(t, s.log.String(), "panicked")
	require.NotContains(t, s.log.String(), "the-value")
	s.store.set(nil, nil)
	require.Equal(t, http.StatusSeeOther, b.post(f).status, "the link and the form still work")
}
