package e2e_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
)

// signedIn is what the landing page shows to the person whom [service.issue] issues links for.
const (
	signedIn    = "You are signed in as jane@example.com"
	notSignedIn = "You are not signed in"
)

// requireSignedIn looks at a page that the browser has not shown before.
func requireSignedIn(t *testing.T, b *browser.Browser, origin string) {
	t.Helper()
	b.Visit(origin + "/elsewhere")
	require.Contains(t, b.Text(), signedIn)
}

// TestDoubleClick clicks "Sign in" twice. The second click goes out before the answer to the first is here, and the browser
// drops that answer with the session that it starts. The second answer has to be as good.
func TestDoubleClick(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		for _, delay := range []time.Duration{30 * time.Millisecond, 100 * time.Millisecond} {
			doubleClick(t, b, delay)
		}
		clicks := doubleClick(t, b, 500*time.Millisecond)
		require.Equal(t, 2, clicks, "the control: on a wire so slow, both clicks are sent before an answer is here")
	})
}

// doubleClick returns how many clicks the service has answered.
func doubleClick(t *testing.T, b *browser.Browser, delay time.Duration) (clicks int) {
	t.Helper()
	wire := newSlowWire(t, delay)
	s := start(t, "-base-url", wire.origin+"/magic")
	wire.leadTo(strings.TrimPrefix(s.Origin, "http://"))
	l := s.issue("/reports")
	b.Visit(l.url)
	b.DoubleClick("button", 20*time.Millisecond)
	b.Arrive(wire.origin + "/reports")
	b.Shows(signedIn)
	requireSignedIn(t, b, wire.origin)
	s.requireUsed(l)
	require.Equal(t, http.StatusGone, send(t, http.MethodGet, l.url, "", nil).Status, "nobody else gets in")
	require.Equal(t, http.StatusGone, s.Redeem(l.url).Status, "nobody else gets in")
	return s.posts("")
}

// TestPlainHTTP is what a newcomer does: serve without flags, and a link that is opened on the same machine.
func TestPlainHTTP(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		s := start(t)
		l := s.issue("/reports?y=1#top")
		b.Visit(l.url)
		requirePlainCookie(t, b, plainFormCookie)
		b.Click("button")
		b.Arrive(s.Origin + "/reports?y=1#top")
		b.Shows(signedIn)
		s.requireUsed(l)
		requirePlainCookie(t, b, plainSessionCookie)
		b.Reload()
		require.Contains(t, b.Text(), signedIn)
		b.NewTab()
		requireSignedIn(t, b, s.Origin)
	})
}

func requirePlainCookie(t *testing.T, b *browser.Browser, name string) {
	t.Helper()
	cookie, kept := b.Cookies()[name]
	require.True(t, kept, "%s keeps %s", b.Engine, name)
	require.False(t, cookie.Secure)
	require.True(t, cookie.HTTPOnly)
	require.Equal(t, "/", cookie.Path)
	require.Equal(t, "Lax", cookie.SameSite)
}

// newTLSProxy ends TLS before a service, as many do in production: it calls the service by the service's own address, so
// that the Host header is not what the browser has sent, and the Sec-Fetch headers are dropped. It leads nowhere yet.
func newTLSProxy(t *testing.T) (origin string, leadTo func(*service)) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // browsers break off once, at a certificate that nobody has signed
	to := make(chan *url.URL, 1)
	server.Config.Handler = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		target := <-to
		to <- target
		r.SetURL(target) // which also sets Host
		for name := range r.Out.Header {
			if strings.HasPrefix(name, "Sec-Fetch-") {
				r.Out.Header.Del(name)
			}
		}
	}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "127.0.0.1", "localhost", 1), func(s *service) {
		target, err := url.Parse(s.Origin)
		require.NoError(t, err)
		to <- target
	}
}

// TestBehindTLS signs in and out over HTTPS, where the service sees plain HTTP and its own address as Host.
func TestBehindTLS(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		origin, leadTo := newTLSProxy(t)
		s := start(t, "-base-url", origin+"/magic")
		leadTo(s)
		l := s.issue("/reports")
		b.Visit(l.url)
		b.Click("button")
		b.Arrive(origin + "/reports")
		b.Shows(signedIn)
		s.requireUsed(l)
		for _, name := range []string{formCookie, sessionCookie} {
			cookie, kept := b.Cookies()[name]
			require.True(t, kept, "%s keeps %s", b.Engine, name)
			require.True(t, cookie.Secure && cookie.HTTPOnly)
		}
		b.Click("button") // signs out
		b.Shows(notSignedIn)
		require.NotContains(t, b.Cookies(), sessionCookie)
	})
}

// TestOtherHost opens a link that was issued for 127.0.0.1 at localhost. The page there cannot sign anybody in, since the
// session would belong to the other address. It says so, uses nothing up, and leads to the right address.
func TestOtherHost(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		s := start(t)
		l := s.issue("/reports")
		require.Contains(t, s.Origin, "127.0.0.1")
		b.Visit(strings.Replace(l.url, "127.0.0.1", "localhost", 1))
		b.Click("button")
		b.Shows("Please open the link at its own address")
		s.requireLive(l)
		require.NotContains(t, b.Text(), signedIn)
		b.Click("a.button")
		b.Shows("Sign in as j•••@example.com?")
		require.True(t, strings.HasPrefix(b.URL(), s.BaseURL), b.URL())
		s.requireLive(l)
		b.Click("button")
		b.Arrive(s.Origin + "/reports")
		b.Shows(signedIn)
		s.requireUsed(l)
	})
}

// TestTwoTabs opens two links in one browser. Signing in with one leaves the other's form as good as it was.
func TestTwoTabs(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		s := start(t)
		first, second := s.issue("/first"), s.issueTo("paul@example.org", "/second")
		b.Visit(first.url)
		left := b.Tab()
		right := b.NewTab()
		b.Visit(second.url)

		b.Switch(left)
		b.Click("button")
		b.Arrive(s.Origin + "/first")
		b.Shows(signedIn)
		s.requireLive(second)

		b.Switch(right)
		b.Click("button")
		b.Arrive(s.Origin + "/second")
		b.Shows("You are signed in as paul@example.org")
		s.requireUsed(second)
	})
}

// TestComeBack goes back to the link, loads it again, and opens it again from the mail, while the link's own session is
// there: each leads to the destination. Once signed out, the link is as dead as for everybody else.
func TestComeBack(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		s := start(t)
		l := s.issue("/reports")
		b.Visit(l.url)
		b.Click("button")
		b.Arrive(s.Origin + "/reports")
		used := s.record(l)

		b.Back()
		b.Arrive(s.Origin + "/reports")
		b.Shows(signedIn)
		b.Reload()
		b.Shows(signedIn)
		b.NewTab() // the mail program opens one
		b.Visit(l.url)
		b.Arrive(s.Origin + "/reports")
		b.Shows(signedIn)
		require.Equal(t, used, s.record(l), "nothing was used again")

		b.Click("button") // signs out
		b.Shows(notSignedIn)
		b.Visit(l.url)
		b.Shows("This link no longer works")
	})
}

// TestBackAfterSigningOut goes back to what the session has shown. Over HTTPS no engine shows it again. Over plain HTTP
// WebKit does: there it keeps pages for Back whatever their Cache-Control says, and heeds no Clear-Site-Data. That is for
// loopback addresses alone, where the next person has the same desk.
func TestBackAfterSigningOut(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		origin, leadTo := newTLSProxy(t)
		s := start(t, "-base-url", origin+"/magic")
		leadTo(s)
		b.Visit(s.issue("/reports").url)
		b.Click("button")
		b.Arrive(origin + "/reports")
		b.Visit(origin + "/invoices")
		b.Shows(signedIn)
		b.Click("button") // signs out
		b.Shows(notSignedIn)
		for _, page := range []string{"/invoices", "/reports"} {
			b.Back()
			b.Arrive(origin + page)
			b.Shows(notSignedIn)
			require.NotContains(t, b.Source(), "jane")
		}
	})
}

// TestScannersFirst lets mail scanners look at the link before its person does.
func TestScannersFirst(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		s := start(t)
		l := s.issue("/reports")
		for _, header := range lookers {
			for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodOptions} {
				send(t, method, l.url, "", header.Clone())
			}
		}
		b.Visit(l.url) // a scanner with a real browser, which does not click
		s.requireLive(l)
		b.Visit(l.url)
		b.Click("button")
		b.Arrive(s.Origin + "/reports")
		s.requireUsed(l)
	})
}

// TestOddPaths arrives at paths whose characters have to be percent-encoded on their way.
func TestOddPaths(t *testing.T) {
	inEach(t, func(t *testing.T, b *browser.Browser) {
		s := start(t)
		for path, arrival := range map[string]string{
			`/search?q="foo"`: "/search?q=%22foo%22",
			"/x?f=<5>":        "/x?f=%3C5%3E",
			"/a|b":            "/a%7Cb",
			"/t/{id}":         "/t/%7Bid%7D",
			"/a^b`c":          "/a%5Eb%60c",
			"/a?x[]=1":        "/a?x%5B%5D=1",
		} {
			l := s.issue(path)
			b.Visit(l.url)
			b.Click("button")
			b.Arrive(s.Origin + arrival)
			b.Shows(signedIn)
			require.Equal(t, path, s.record(l).path, "the path that was stored stays as it is")
		}
	})
}
