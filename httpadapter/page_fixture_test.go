package httpadapter_test

import (
	"context"
	"fmt"
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
	offset   atomic.Int64 // of the clock from noon, in nanoseconds
	mu       sync.Mutex
	events   []magiclink.Event
}

// newSite starts a server that is its own origin of links, with the page at /magic. A change is to the page's
// configuration.
func newSite(tb testing.TB, change ...func(*httpadapter.PageConfig)) *site {
	tb.Helper()
	s := &site{tb: tb, store: &tapStore{Store: memory.New()}, log: new(lockedBuffer), mux: http.NewServeMux()}
	s.logger = slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.server = httptest.NewUnstartedServer(s.mux)
	s.server.Config.ErrorLog = slog.NewLogLogger(s.logger.Handler(), slog.LevelError)
	s.server.StartTLS()
	s.server.Client().Transport.(*http.Transport).MaxIdleConnsPerHost = 32 // as many as race
	tb.Cleanup(s.server.Close)
	keys, base := seededKeyring(tb), s.server.URL+"/magic"
	var err error
	s.issuer, err = magiclink.New(magiclink.Config{BaseURL: base, Keys: keys, Store: s.store, Now: s.now, Logger: s.logger})
	require.NoError(tb, err)
	s.redeemer, err = magiclink.NewRedeemer(magiclink.RedeemerConfig{
		BaseURL: base, Keys: keys, Store: s.store, Now: s.now, Logger: s.logger, OnEvent: s.take,
	})
	require.NoError(tb, err)
	s.sessions, err = magiclink.NewSessions(magiclink.SessionsConfig{BaseURL: base, Keys: keys, Now: s.now})
	require.NoError(tb, err)
	page := s.page(change...)
	s.mux.Handle("/magic", page)
	s.mux.Handle("/magic/", page)
	redeem, err := httpadapter.NewRedeemHandler(httpadapter.RedeemConfig{
		Redeemer: s.redeemer, Sessions: s.sessions, Logger: s.logger,
	})
	require.NoError(tb, err)
	s.mux.Handle(httpadapter.RedeemPath, redeem)
	s.mux.Handle(httpadapter.SessionPath, httpadapter.SessionInfo(s.sessions))
	return s
}

func (s *site) page(change ...func(*httpadapter.PageConfig)) *httpadapter.Page {
	s.tb.Helper()
	config := httpadapter.PageConfig{Redeemer: s.redeemer, Sessions: s.sessions, App: "Acme", Logger: s.logger}
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
	s.events = append(s.events, event)
}

// create is what most links are issued with.
var create = magiclink.MagicLinkCreate{
	TenantID: "t1", BusinessID: business, ExternalBusinessID: "shop-7", Email: "jane@example.com", Path: "/reports?y=1#top",
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
	u, err := url.Parse(link)
	require.NoError(tb, err)
	tokens := u.Query()["token"]
	require.NotEmpty(tb, tokens)
	return tokens[len(tokens)-1]
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

// post sends a form as a browser does that has been on the site.
func (b *browser) post(f form, headers ...string) view {
	b.site.tb.Helper()
	return b.send(http.MethodPost, b.site.server.URL+f.action, f.fields.Encode(), append([]string{
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
		"X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "strict-origin", "Cross-Origin-Opener-Policy": "same-origin",
	} {
		require.Equal(tb, []string{want}, v.header.Values(name), "%s of %d", name, v.status)
	}
	policies := v.header.Values("Content-Security-Policy")
	require.Len(tb, policies, 1)
	directives := strings.Split(policies[0], "; ")
	for _, want := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"} {
		require.Contains(tb, directives, want)
	}
	require.NotContains(tb, policies[0], "unsafe")
	require.NotContains(tb, policies[0], "script")
	if nonce := regexp.MustCompile(`'nonce-([^']+)'`).FindStringSubmatch(policies[0]); nonce != nil {
		require.GreaterOrEqual(tb, len(nonce[1]), 22)
	}
}

// tapStore is a store that counts the calls, and does as the test says before and after them.
type tapStore struct {
	magiclink.Store
	mu     sync.Mutex
	count  int
	tamper func(*magiclink.Record)     // changes what is stored
	before func(context.Context) error // instead of Get and Consume, if it fails
	after  func() error                // what Consume says when it has succeeded
}

func (s *tapStore) Create(ctx context.Context, record magiclink.Record) error {
	s.mu.Lock()
	tamper := s.tamper
	s.mu.Unlock()
	if tamper != nil {
		tamper(&record)
	}
	return s.Store.Create(ctx, record)
}

func (s *tapStore) enter(ctx context.Context) error {
	s.mu.Lock()
	before := s.before
	s.count++
	s.mu.Unlock()
	if before == nil {
		return nil
	}
	return before(ctx)
}

func (s *tapStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := s.enter(ctx); err != nil {
		return magiclink.Record{}, err
	}
	return s.Store.Get(ctx, id)
}

func (s *tapStore) Consume(ctx context.Context, id string, at time.Time) (magiclink.Record, error) {
	if err := s.enter(ctx); err != nil {
		return magiclink.Record{}, err
	}
	record, err := s.Store.Consume(ctx, id, at)
	s.mu.Lock()
	after := s.after
	s.mu.Unlock()
	if err == nil && after != nil {
		if err := after(); err != nil {
			return magiclink.Record{}, fmt.Errorf("after the commit: %w", err)
		}
	}
	return record, err
}

// set changes what the store does, and calls counts the calls for links since it was made.
func (s *tapStore) set(before func(context.Context) error, after func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before, s.after = before, after
}

func (s *tapStore) calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count
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
