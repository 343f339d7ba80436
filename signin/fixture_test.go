package signin_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

const (
	origin = "https://app.example.com"
	jane   = "jane@example.com"
)

var noon = time.Date(2026, 3, 14, 12, 0, 7, 0, time.UTC)

// stores are the stores on which the flow is tested.
var stores = map[string]func(*testing.T) magiclink.Store{
	"memory": func(*testing.T) magiclink.Store { return memory.New() },
	"sqlite": func(t *testing.T) magiclink.Store {
		t.Helper()
		store, err := sqlite.Open(t.TempDir() + "/magiclink.db")
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, store.Close()) })
		return store
	},
}

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// inbox is a Mailer that keeps the messages. Fail, if set, is asked first.
type inbox struct {
	mu       sync.Mutex
	messages []signin.Message
	fail     func(ctx context.Context, message signin.Message) error
}

func (i *inbox) Send(ctx context.Context, message signin.Message) error {
	i.mu.Lock()
	fail := i.fail
	i.mu.Unlock()
	if fail != nil {
		if err := fail(ctx, message); err != nil {
			return err
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.messages = append(i.messages, message)
	return nil
}

func (i *inbox) all() []signin.Message {
	i.mu.Lock()
	defer i.mu.Unlock()
	return append([]signin.Message(nil), i.messages...)
}

// recorder keeps events.
type recorder struct {
	mu     sync.Mutex
	events []magiclink.Event
}

func (r *recorder) take(_ context.Context, event magiclink.Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, event)
}

// reasons are those of the events of an operation.
func (r *recorder) reasons(op magiclink.Op) []magiclink.Reason {
	r.mu.Lock()
	defer r.mu.Unlock()
	var reasons []magiclink.Reason
	for _, event := range r.events {
		if event.Op == op {
			reasons = append(reasons, event.Reason)
		}
	}
	return reasons
}

// lockedBuffer takes a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// site is a service with a flow. Jane may sign in, and so may everybody at open.example.
type site struct {
	*httpadapter.Service
	t      *testing.T
	config signin.Config
	flow   *signin.Flow
	clock  *clock
	store  magiclink.Store
	inbox  *inbox
	told   *recorder
	log    *lockedBuffer
}

func resolve(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
	if address != jane && !strings.HasSuffix(address, "@open.example") {
		return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
	}
	return magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: address, Extension: "own"}, nil
}

func newSite(t *testing.T, change ...func(*signin.Config)) *site {
	t.Helper()
	return newSiteOn(t, memory.New(), change...)
}

func newSiteOn(t *testing.T, store magiclink.Store, change ...func(*signin.Config)) *site {
	t.Helper()
	keys, err := magiclink.NewKeyring(ed25519.NewKeyFromSeed([]byte("a seed of 32 bytes for the tests")))
	require.NoError(t, err)
	s := &site{t: t, clock: &clock{now: noon}, store: store, inbox: new(inbox), told: new(recorder), log: new(lockedBuffer)}
	s.config = signin.Config{
		Config: magiclink.Config{
			BaseURL: origin + "/magic", Keys: keys, Store: store, Now: s.clock.Now, OnEvent: s.told.take, Businesses: magiclink.AnyBusiness,
			Logger: slog.New(slog.NewJSONHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		},
		Mailer: s.inbox, Resolve: resolve, App: "Acme",
		ClientAddress: func(r *http.Request) netip.Addr {
			address, _ := netip.ParseAddr(r.Header.Get("X-Test-Client"))
			return address
		},
	}
	for _, c := range change {
		c(&s.config)
	}
	s.flow, err = signin.New(s.config)
	require.NoError(t, err)
	s.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{Config: s.config.Config, SignIn: s.flow})
	require.NoError(t, err)
	return s
}

// settled waits until all mails were sent.
func (s *site) settled() {
	s.t.Helper()
	require.NoError(s.t, s.flow.Wait(s.t.Context()))
}

// last is the last mail. There is at least one.
func (s *site) last() signin.Message {
	s.t.Helper()
	s.settled()
	mails := s.inbox.all()
	require.NotEmpty(s.t, mails)
	return mails[len(mails)-1]
}

// browser keeps cookies as a browser does.
type browser struct {
	*site
	cookies map[string]string
	headers []string // name, value, …
}

func (s *site) browser(headers ...string) *browser {
	return &browser{site: s, cookies: map[string]string{}, headers: headers}
}

type answer struct {
	status int
	header http.Header
	body   string
}

func (b *browser) send(method, target string, body io.Reader, headers ...string) answer {
	b.t.Helper()
	r := httptest.NewRequestWithContext(b.t.Context(), method, target, body)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	headers = append(append([]string{}, b.headers...), headers...)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	for _, cookie := range w.Result().Cookies() {
		require.True(b.t, strings.HasPrefix(cookie.Name, "__Host-") && cookie.Secure && cookie.HttpOnly && cookie.Path == "/")
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
			continue
		}
		b.cookies[cookie.Name] = cookie.Value
	}
	return answer{w.Code, w.Header(), w.Body.String()}
}

func (b *browser) get(target string) answer { b.t.Helper(); return b.send(http.MethodGet, target, nil) }

func (b *browser) post(target string, form url.Values, headers ...string) answer {
	b.t.Helper()
	headers = append([]string{"Content-Type", "application/x-www-form-urlencoded", "Origin", origin}, headers...)
	return b.send(http.MethodPost, target, strings.NewReader(form.Encode()), headers...)
}

func (b *browser) json(target, body string, headers ...string) answer {
	b.t.Helper()
	return b.send(http.MethodPost, target, strings.NewReader(body), append([]string{"Content-Type", "application/json"}, headers...)...)
}

var (
	hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)
	action = regexp.MustCompile(`<form[^>]* action="([^"]*)"`)
)

// fields are the hidden fields of the first form of a page.
func (a answer) fields(t *testing.T) url.Values {
	t.Helper()
	first, _, ok := strings.Cut(a.body, "</form>")
	require.True(t, ok, "a page with a form: %d %s", a.status, a.body)
	fields := url.Values{}
	for _, field := range hidden.FindAllStringSubmatch(first, -1) {
		fields.Set(field[1], strings.ReplaceAll(field[2], "&amp;", "&"))
	}
	return fields
}

// ask fills the request page in.
func (b *browser) ask(address, next string) answer {
	b.t.Helper()
	target := "/sign-in"
	if next != "" {
		target += "?next=" + url.QueryEscape(next)
	}
	page := b.get(target)
	require.Equal(b.t, http.StatusOK, page.status)
	form := page.fields(b.t)
	form.Set("email", address)
	return b.post("/sign-in", form)
}

// waiting asks, and returns the mail that came.
func (b *browser) waiting(address string) signin.Message {
	b.t.Helper()
	before := len(b.inbox.all())
	got := b.ask(address, "")
	require.Equal(b.t, http.StatusSeeOther, got.status)
	require.Equal(b.t, origin+"/sign-in/check", got.header.Get("Location"))
	b.settled()
	require.Len(b.t, b.inbox.all(), before+1, b.log.String())
	return b.last()
}

// typed types a code on the waiting page.
func (b *browser) typed(code string) answer {
	b.t.Helper()
	form := b.get("/sign-in/check").fields(b.t)
	form.Set("code", code)
	return b.post("/sign-in/check", form)
}

// click opens a link and presses the button. With a code it types that first.
func (b *browser) click(link, code string) answer {
	b.t.Helper()
	page := b.get(link)
	if !strings.Contains(page.body, "<form") {
		return page
	}
	form := page.fields(b.t)
	if code != "" {
		form.Set("code", code)
	}
	return b.post(action.FindStringSubmatch(page.body)[1], form)
}

// account is who is signed in in this browser, or "".
func (b *browser) account() string {
	b.t.Helper()
	got := b.get("/session")
	if got.status != http.StatusOK {
		require.Equal(b.t, http.StatusUnauthorized, got.status)
		return ""
	}
	return regexp.MustCompile(`"email":"([^"]*)"`).FindStringSubmatch(got.body)[1]
}

func requireIn(t *testing.T, b *browser, got answer, path string) {
	t.Helper()
	require.Equal(t, http.StatusSeeOther, got.status, got.body)
	require.Equal(t, origin+path, got.header.Get("Location"))
	require.Equal(t, jane, b.account())
}

// requireSecure checks the headers that each page has.
func requireSecure(t *testing.T, got answer) {
	t.Helper()
	for name, want := range map[string]string{
		"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
		"Referrer-Policy": "strict-origin", "X-Robots-Tag": "noindex, nofollow",
	} {
		require.Equal(t, want, got.header.Get(name), name)
	}
	policy := got.header.Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self' " + origin} {
		require.Contains(t, policy, want)
	}
	require.NotContains(t, got.body, "<script")
}

func faultyFields(t *testing.T, err error) []string {
	t.Helper()
	list, ok := errors.AsType[magiclink.ConfigErrors](err)
	require.True(t, ok, "%v", err)
	var fields []string
	for _, fault := range list {
		fields = append(fields, fault.Field)
	}
	return fields
}

// record is the record of a link by its token.
func (s *site) record(link string) magiclink.Redemption {
	s.t.Helper()
	seen, err := s.Redeemer().Inspect(s.t.Context(), magiclink.TokenOf(link))
	require.NoError(s.t, err)
	return seen
}

func (s *site) verdict(link string) error {
	_, err := s.Redeemer().Inspect(s.t.Context(), magiclink.TokenOf(link))
	return err
}
