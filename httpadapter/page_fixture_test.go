package httpadapter_test

import (
	"context"
	"html"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

const formCookie = "__Host-magiclink_form"

// site is a server with everything that redeems, and what stands behind it.
type site struct {
	tb       testing.TB
	issuer   *magiclink.Issuer
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions
	store    *tapStore
	log      *lockedBuffer
	logger   *slog.Logger
	server   *httptest.Server
	mux      *http.ServeMux
	shown    *httpadapter.Page // at the route
	offset   atomic.Int64      // of the clock from noon, in nanoseconds
	mu       sync.Mutex
	events   []magiclink.Event // of redemptions
	ended    []magiclink.Event // of sessions that were ended
}

// siteSetup says what a site is like.
type siteSetup struct {
	path       string // of the BaseURL
	plain      bool   // http in place of https
	baseURL    string // in place of the server's own address
	middleware func(http.Handler) http.Handler
}

// newSite starts a server that is its own origin of links, with the page at /magic. A change is to the page's
// configuration.
func newSite(tb testing.TB, change ...func(*httpadapter.PageConfig)) *site {
	tb.Helper()
	return newSiteOf(tb, siteSetup{path: "/magic"}, change...)
}

func newSiteOf(tb testing.TB, setup siteSetup, change ...func(*httpadapter.PageConfig)) *site {
	tb.Helper()
	s := &site{tb: tb, store: &tapStore{Store: memory.New()}, log: new(lockedBuffer), mux: http.NewServeMux()}
	s.logger = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.start(setup)
	if setup.baseURL == "" {
		setup.baseURL = s.server.URL + setup.path
	}
	s.build(setup.baseURL)
	s.shown = s.page(change...)
	if setup.path != "" {
		s.mux.Handle(setup.path, s.shown)
		s.mux.Handle(setup.path+"/", s.shown)
	}
	s.mountOthers()
	return s
}

func (s *site) start(setup siteSetup) {
	handler := http.Handler(s.mux)
	if setup.middleware != nil {
		handler = setup.middleware(handler)
	}
	s.server = httptest.NewUnstartedServer(handler)
	s.server.Config.ErrorLog = slog.NewLogLogger(s.logger.Handler(), slog.LevelError)
	if setup.plain {
		s.server.Start()
	} else {
		s.server.StartTLS()
	}
	s.server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 32 // as many as race
	s.tb.Cleanup(s.server.Close)
}

func (s *site) build(baseURL string) {
	config := magiclink.Config{
		BaseURL: baseURL, Keys: seededKeyring(s.tb), Store: s.store, Businesses: magiclink.AnyBusiness, Now: s.now,
		Logger: s.logger, OnEvent: s.take,
	}
	var err error
	s.issuer, err = magiclink.New(config)
	require.NoError(s.tb, err)
	s.redeemer, err = magiclink.NewRedeemer(config)
	require.NoError(s.tb, err)
	s.sessions, err = magiclink.NewSessions(config)
	require.NoError(s.tb, err)
}

// mountOthers mounts the handlers beside the page.
func (s *site) mountOthers() {
	redeem, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{
		Redeemer: s.redeemer, Sessions: s.sessions, Now: s.now, Logger: s.logger,
	})
	require.NoError(s.tb, err)
	s.mux.Handle(httpadapter.RedeemPath, redeem)
	session, err := httpadapter.NewSessionHandler(httpadapter.SessionConfig{Sessions: s.sessions, Logger: s.logger})
	require.NoError(s.tb, err)
	s.mux.Handle(httpadapter.SessionPath, session)
}

func (s *site) page(change ...func(*httpadapter.PageConfig)) *httpadapter.Page {
	s.tb.Helper()
	config := httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, App: "Acme", Now: s.now, Logger: s.logger}
	for _, c := range change {
		c(&config)
	}
	page, err := httpadapter.NewPage(config)
	require.NoError(s.tb, err)
	return page
}

func (s *site) now() time.Time { return noon.Add(time.Duration(s.offset.Load())) }

func (s *site) wait(d time.Duration) { s.offset.Add(int64(d)) }

func (s *site) take(_ context.Context, event magiclink.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch event.Op {
	case magiclink.OpRedeem:
		s.events = append(s.events, event)
	case magiclink.OpEnd:
		s.ended = append(s.ended, event)
	}
}

// create is what most links are issued with.
var create = magiclink.MagicLinkCreate{
	Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business, ExternalBusinessID: "shop-7", Email: "jane@example.com", Path: "/reports?y=1#top",
	TTL: 5, SessionTimeout: 3600,
}

// link issues one.
func (s *site) link(in magiclink.MagicLinkCreate) (link, id string) {
	s.tb.Helper()
	response, err := s.issuer.Issue(s.tb.Context(), in)
	require.NoError(s.tb, err)
	return response.MagicLink, response.MagicLinkID
}

// requireUsable demands that the link was not used up by what the test has done.
func (s *site) requireUsable(link string) {
	s.tb.Helper()
	_, err := s.redeemer.Inspect(s.tb.Context(), tokenOf(s.tb, link))
	require.NoError(s.tb, err, "the link is still usable")
}

func (s *site) requireUsed(link string) {
	s.tb.Helper()
	_, err := s.redeemer.Inspect(s.tb.Context(), tokenOf(s.tb, link))
	require.ErrorIs(s.tb, err, magiclink.ErrConsumed)
}

func tokenOf(tb testing.TB, link string) string {
	tb.Helper()
	token := magiclink.TokenOf(link)
	require.NotEmpty(tb, token)
	return token
}

// browser keeps cookies and follows no redirection.
type browser struct {
	site   *site
	client *http.Client
}

func (s *site) browser() *browser {
	s.tb.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(s.tb, err)
	client := *s.server.Client()
	client.Jar = jar
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{s, &client}
}

// view is an answer as a browser sees it.
type view struct {
	status  int
	header  http.Header
	body    string
	cookies []*http.Cookie
}

// send sends a request with headers given as names and values in turn. A header "Host" sets the host.
func (b *browser) send(method, address, body string, headers ...string) view {
	b.site.tb.Helper()
	r, err := http.NewRequestWithContext(b.site.tb.Context(), method, address, strings.NewReader(body))
	require.NoError(b.site.tb, err)
	for pair := range slices.Chunk(headers, 2) {
		if pair[0] == "Host" {
			r.Host = pair[1]
		}
		r.Header.Add(pair[0], pair[1])
	}
	response, err := b.client.Do(r)
	require.NoError(b.site.tb, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(b.site.tb, err)
	return view{response.StatusCode, response.Header, string(text), response.Cookies()}
}

func (b *browser) get(address string) view {
	b.site.tb.Helper()
	return b.send(http.MethodGet, address, "")
}

// click opens a link and posts the form of its page as a browser does.
func (b *browser) click(link string, headers ...string) view {
	b.site.tb.Helper()
	shown := b.get(link)
	require.Equal(b.site.tb, http.StatusOK, shown.status, shown.body)
	return b.post(shown.form(b.site.tb), headers...)
}

// form is the address and the fields of a page's form.
type form struct {
	action string
	fields url.Values
}

var (
	actionOf = regexp.MustCompile(`<form method="post" action="([^"]*)">`)
	fieldsOf = regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`)
)

func (v view) form(tb testing.TB) form {
	tb.Helper()
	action := actionOf.FindStringSubmatch(v.body)
	require.NotNil(tb, action, "the page has a form: %s", v.body)
	f := form{html.UnescapeString(action[1]), url.Values{}}
	for _, field := range fieldsOf.FindAllStringSubmatch(v.body, -1) {
		f.fields.Add(field[1], html.UnescapeString(field[2]))
	}
	require.Len(tb, f.fields, 2)
	return f
}

var buttonOf = regexp.MustCompile(`<a class="button" href="([^"]*)">`)

// button is where the page's button leads.
func (v view) button(tb testing.TB) string {
	tb.Helper()
	found := buttonOf.FindAllStringSubmatch(v.body, -1)
	require.Len(tb, found, 1, v.body)
	return html.UnescapeString(found[0][1])
}

// post sends a form as a browser does that has been on the site.
func (b *browser) post(f form, headers ...string) view {
	b.site.tb.Helper()
	return b.send(http.MethodPost, f.action, f.fields.Encode(), append([]string{
		"Content-Type", typeForm, "Origin", b.site.server.URL, "Sec-Fetch-Site", "same-origin",
	}, headers...)...)
}

// cookie returns the cookie that the answer sets, or nil.
func (v view) cookie(name string) *http.Cookie {
	for _, cookie := range v.cookies {
		if cookie.Name == name {
			return cookie
		}
	}
	return nil
}

var nonces = regexp.MustCompile(`nonce="[^"]*"`)

// withoutNonce is the body, comparable with others.
func (v view) withoutNonce() string { return nonces.ReplaceAllString(v.body, "nonce") }

// requireSecure demands what every answer of the page has.
func requireSecure(tb testing.TB, v view) {
	tb.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "strict-origin",
	} {
		require.Equal(tb, []string{want}, v.header.Values(name), "%s of %d", name, v.status)
	}
	if v.status == http.StatusSeeOther { // WebKitGTK hangs where Back meets a redirection with this policy
		require.Empty(tb, v.header.Values("Cross-Origin-Opener-Policy"))
	} else {
		require.Equal(tb, []string{"same-origin"}, v.header.Values("Cross-Origin-Opener-Policy"), v.status)
	}
	policies := v.header.Values("Content-Security-Policy")
	require.Len(tb, policies, 1)
	directives := strings.Split(policies[0], "; ")
	for _, want := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} {
		require.Contains(tb, directives, want)
	}
	require.Regexp(tb, `; form-action 'self'( https?://[a-z0-9.:]+)?(;|$)`, policies[0])
	require.NotContains(tb, policies[0], "unsafe")
	require.NotContains(tb, policies[0], "script")
	if nonce := regexp.MustCompile(`'nonce-([^']+)'`).FindStringSubmatch(policies[0]); nonce != nil {
		require.GreaterOrEqual(tb, len(nonce[1]), 22)
	}
}

// lockedBuffer takes what several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf strings.Builder
}

func (b *lockedBuffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(text)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
