package e2e_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/security"
	"github.com/stretchr/testify/require"
)

// publicHost is where the browser finds the front, on the usual port of HTTPS.
const publicHost = "app.example.com"

// front is a proxy that ends TLS, as it stands before an installation.
var front reverseProxy

type reverseProxy struct {
	mu     sync.Mutex
	behind *httputil.ReverseProxy
}

// listen starts the front with a certificate of nobody's, and returns its address. It lasts as long as the process.
func (p *reverseProxy) listen() string {
	return httptest.NewTLSServer(p).Listener.Addr().String()
}

// ServeHTTP implements [http.Handler].
func (p *reverseProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	behind := p.behind
	p.mu.Unlock()
	behind.ServeHTTP(w, r)
}

// leadTo lets the front call a program at another origin.
func (p *reverseProxy) leadTo(t *testing.T, origin string) {
	t.Helper()
	to, err := url.Parse(origin)
	require.NoError(t, err)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.behind = &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Host = r.In.Host
		r.SetXForwarded()
	}}
}

// openPublic opens a tab that takes the certificate of the front.
func openPublic(t *testing.T) *tab {
	t.Helper()
	b := open(t)
	command(b, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
	return b
}

// startPublic serves behind the front, and opens a tab.
func startPublic(t *testing.T) (*service, *tab) {
	t.Helper()
	b := openPublic(t)
	s := start(t, "-base-url", "https://"+publicHost+"/magic")
	front.leadTo(t, s.Origin)
	return s, b
}

// TestBehindProxy signs in over HTTPS, where the service itself sees plain HTTP.
func TestBehindProxy(t *testing.T) {
	s, b := startPublic(t)
	l := s.issue("/reports")
	require.Equal(t, http.StatusOK, b.visit(l.url))
	require.Contains(t, b.text(), "You go to "+publicHost+"/reports")
	require.Equal(t, http.StatusOK, b.signIn())
	require.Equal(t, "https://"+publicHost+"/reports", b.address())
	require.Equal(t, "https://"+publicHost, b.wire(b.find(http.MethodPost, s.BaseURL))["origin"])
	cookie := b.cookies("https://" + publicHost)[sessionCookie]
	require.NotNil(t, cookie)
	require.Equal(t, publicHost, cookie.Domain)
	require.Equal(t, http.StatusOK, b.visit("https://"+publicHost+"/session"))
	s.requireUsed(l)
}
