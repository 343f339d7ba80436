package e2e_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/security"
	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

// TestReferrer signs in and looks at every header that was sent: the Origin of the POST is whole, and no Referer holds more
// than the origin.
func TestReferrer(t *testing.T) {
	t.Parallel()
	s := start(t)
	l := s.issue("/reports/secret?y=1")
	b := open(t)
	require.Equal(t, http.StatusOK, b.visit(l.url))
	require.Equal(t, http.StatusOK, b.signIn())
	require.Equal(t, http.StatusOK, b.signIn(), "the landing page's button signs out")

	posted := b.wire(b.find(http.MethodPost, s.BaseURL))
	require.Equal(t, s.Origin, posted["origin"])
	require.Equal(t, "same-origin", posted["sec-fetch-site"])
	require.Equal(t, s.Origin+"/", posted["referer"])
	landed := b.wire(b.find(http.MethodGet, s.Origin+"/reports/secret?y=1"))
	require.Equal(t, s.Origin+"/", landed["referer"])
	for _, r := range b.sent() {
		require.Contains(t, []string{"", s.Origin + "/"}, b.wire(r)["referer"], r.url)
	}
}

// deadPage serves the library's page with an address for new links, and no link that works.
func deadPage(t *testing.T, newLinkURL string) *httptest.Server {
	t.Helper()
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	config := magiclink.Config{BaseURL: server.URL + "/magic", Keys: keys, Store: memory.New()}
	redeemer, err := magiclink.NewRedeemer(config)
	require.NoError(t, err)
	sessions, err := magiclink.NewSessions(config)
	require.NoError(t, err)
	page, err := httpadapter.NewPage(httpadapter.PageConfig{Redeemer: redeemer, Sessions: sessions, NewLinkURL: newLinkURL})
	require.NoError(t, err)
	mux.Handle("/magic/", page)
	mux.HandleFunc("/new", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<title>new</title>") })
	return server
}

// TestReferrerToNewLink leaves the page of a dead link for the address where one asks for a new one.
func TestReferrerToNewLink(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "<title>new</title>")
	}))
	t.Cleanup(elsewhere.Close)
	foreign := strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1) + "/new"
	for name, address := range map[string]string{"on the same origin": "/new", "elsewhere": foreign} {
		t.Run(name, func(t *testing.T) {
			server := deadPage(t, address)
			b := open(t)
			command(b, security.SetIgnoreCertificateErrors, security.SetIgnoreCertificateErrorsParams{Ignore: true})
			require.Equal(t, http.StatusGone, b.visit(server.URL+"/magic/reports/secret?token=eyJhbGciOi"))
			require.Equal(t, []string{"Get a new link"}, b.roles()["link"])
			require.Equal(t, http.StatusOK, b.load(chromedp.Click(chromedp.CSS("a"))))
			arrived := b.address()
			require.True(t, strings.HasSuffix(arrived, "/new"), arrived)
			require.Equal(t, server.URL+"/", b.wire(b.find(http.MethodGet, arrived))["referer"])
			for _, r := range b.sent() {
				require.NotContains(t, b.wire(r)["referer"], "/magic", r.url)
			}
		})
	}
}

// TestReferrerPolicies is why the page has strict-origin: of the policies that keep the link out of every Referer, it is
// the one that leaves the Origin of a POST as it is. What a policy does is Chromium's word, not ours.
func TestReferrerPolicies(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]struct{ origin, referer string }{
		"no-referrer":                     {"null", ""},
		"strict-origin":                   {"own", "own/"},
		"origin":                          {"own", "own/"},
		"same-origin":                     {"own", "own/form?token=secret"},
		"strict-origin-when-cross-origin": {"own", "own/form?token=secret"},
		"unsafe-url":                      {"own", "own/form?token=secret"},
	} {
		t.Run(policy, func(t *testing.T) {
			var mu sync.Mutex
			var origin, referer string
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Referrer-Policy", policy)
				w.Header().Set("Content-Type", "text/html")
				if r.Method == http.MethodPost {
					mu.Lock()
					defer mu.Unlock()
					origin, referer = r.Header.Get("Origin"), r.Header.Get("Referer")
				}
				fmt.Fprint(w, `<form method="post" action="/form"><button>Go on</button></form>`)
			}))
			t.Cleanup(server.Close)
			b := open(t)
			require.Equal(t, http.StatusOK, b.visit(server.URL+"/form?token=secret"))
			require.Equal(t, http.StatusOK, b.signIn())
			mu.Lock()
			defer mu.Unlock()
			require.Equal(t, strings.Replace(want.origin, "own", server.URL, 1), origin)
			require.Equal(t, strings.Replace(want.referer, "own", server.URL, 1), referer)
		})
	}
}
