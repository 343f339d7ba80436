package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// lookers are headers of programs that open a link without a user.
var lookers = []http.Header{
	{},
	{"Sec-Purpose": {"prefetch;prerender"}},
	{"Sec-Purpose": {"prefetch"}, "Sec-Fetch-Site": {"none"}},
	{"Purpose": {"prefetch"}},
	{"X-Moz": {"prefetch"}},
	{"User-Agent": {"Mozilla/5.0 (compatible; MailScanner/1.0)"}, "Cookie": {plainFormCookie + "=x"}},
}

// TestLookingUsesNothingUp opens one link a thousand times in the ways of scanners, prefetchers and previewers.
func TestLookingUsesNothingUp(t *testing.T) {
	t.Parallel()
	const times = 1000
	s := start(t)
	l := s.issue("/reports")
	before := s.record(l)
	methods := map[string]int{
		http.MethodGet: http.StatusOK, http.MethodHead: http.StatusOK, http.MethodOptions: http.StatusMethodNotAllowed,
	}
	count := 0
	for count < times {
		for method, want := range methods {
			for _, header := range lookers {
				got := send(t, method, l.url, "", header.Clone())
				require.Equal(t, want, got.Status, method)
				require.NotContains(t, got.Header.Get("Set-Cookie"), plainSessionCookie)
				count++
			}
		}
	}
	require.Equal(t, before, s.record(l))
	s.requireLive(l)
	require.Equal(t, http.StatusSeeOther, s.post(s.openForm(l, "")).Status, "after %d looks the link works", count)
	s.requireUsed(l)
}

// TestSignInByClick is the whole way of a user: look, click, arrive, and come back.
func TestSignInByClick(t *testing.T) {
	t.Parallel()
	for name, scripts := range map[string]bool{"with scripts": true, "without scripts": false} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			l := s.issue("/reports?y=1#top")
			b := open(t)
			if !scripts {
				b.withoutScripts()
			}

			require.Equal(t, http.StatusOK, b.visit(l.url))
			b.waitIdle()
			s.requireLive(l)
			require.Equal(t, http.StatusUnauthorized, b.visit(s.Origin+"/session"))

			require.Equal(t, http.StatusOK, b.visit(l.url))
			require.Equal(t, http.StatusOK, b.signIn())
			require.Equal(t, s.Origin+"/reports?y=1#top", b.address())
			require.Contains(t, b.text(), "You are signed in as jane@example.com")
			s.requireUsed(l)
			session, used := b.session(s), s.record(l)
			require.NotEmpty(t, session)

			require.Equal(t, http.StatusOK, b.load(chromedp.Reload()), "the page behind the redirection is a GET")
			require.Equal(t, http.StatusOK, b.load(chromedp.NavigateBack()))
			require.Equal(t, s.Origin+"/reports?y=1#top", b.address(), "the used link leads to where it led before")
			require.Equal(t, http.StatusOK, b.visit(s.Origin+"/session"))
			require.Equal(t, http.StatusOK, b.visit(l.url))
			require.Equal(t, s.Origin+"/reports?y=1#top", b.address())
			stranger := open(t)
			require.Equal(t, http.StatusGone, stranger.visit(l.url))
			require.Contains(t, stranger.text(), "This link no longer works")
			require.Equal(t, 0, ask(stranger, chromedp.Evaluate[int](`document.querySelectorAll("form, button").length`)))

			require.Equal(t, session, b.session(s), "there is no second session")
			require.Equal(t, used, s.record(l))
			waitFor(t, func() bool { return s.posts("303") == 1 })
			require.Equal(t, http.StatusOK, b.visit(s.Origin+"/session"))
			require.Contains(t, b.text(), `"email":"jane@example.com"`)
			require.Contains(t, b.text(), l.id)
		})
	}
}
