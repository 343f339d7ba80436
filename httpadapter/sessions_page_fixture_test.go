package httpadapter_test

import (
	"context"
	"errors"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
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

const appOrigin = "https://app.example.com"

// peopleStore is a tapStore that can list, and that can fail to.
type peopleStore struct {
	*tapStore
	failList, failRevokeSubject atomic.Bool
}

var errGone = errors.New("the-cause")

func (s *peopleStore) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if s.failList.Load() {
		return nil, errGone
	}
	return s.Store.(magiclink.Lister).List(ctx, query)
}

func (s *peopleStore) RevokeSubject(ctx context.Context, subject magiclink.Subject, upTo, at time.Time) (int, error) {
	if s.failRevokeSubject.Load() {
		return 0, errGone
	}
	return s.Store.(magiclink.SubjectRevoker).RevokeSubject(ctx, subject, upTo, at)
}

// people is a page of sessions with what stands behind it.
type people struct {
	tb testing.TB
	*core
	store  *peopleStore
	page   *httpadapter.SessionsPage
	log    *lockedBuffer
	clock  atomic.Int64 // since noon, in nanoseconds
	mu     sync.Mutex
	events []magiclink.Event // of sessions that were ended one by one
}

func newPeople(tb testing.TB, change ...func(*httpadapter.SessionsPageConfig)) *people {
	tb.Helper()
	p := &people{tb: tb, store: &peopleStore{tapStore: &tapStore{Store: memory.New()}}, log: new(lockedBuffer)}
	p.core = newCore(tb, func(c *magiclink.Config) {
		c.Store = p.store
		c.Now = func() time.Time { return noon.Add(time.Duration(p.clock.Load())) }
		c.OnEvent = p.take
	})
	config := httpadapter.SessionsPageConfig{
		Sessions: p.sessions, App: "Acme",
		Logger: slog.New(slog.NewJSONHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&config)
	}
	var err error
	p.page, err = httpadapter.NewSessionsPage(config)
	require.NoError(tb, err)
	return p
}

func (p *people) take(_ context.Context, event magiclink.Event) {
	if event.Op != magiclink.OpEnd {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.events = append(p.events, event)
}

// jane is the subject of most sessions.
var jane = magiclink.MagicLinkCreate{
	Caller: magiclink.Caller{TenantID: "t1"}, BusinessID: business, ExternalBusinessID: "shop-7", Email: "jane@example.com", SessionTimeout: 3600,
}

// visitor is a browser with its cookies, each empty if it has none.
type visitor struct {
	people       *people
	token        string
	secret, form string // the form cookie, and the field of the form that it was shown last
}

// signIn signs somebody in, in a new browser.
func (p *people) signIn(in magiclink.MagicLinkCreate) *visitor {
	p.tb.Helper()
	return &visitor{people: p, token: p.sessionOf(p.tb, in)}
}

// id is that of the visitor's session, whether or not it lasts.
func (v *visitor) id() string {
	v.people.tb.Helper()
	public, err := magiclink.NewSessions(magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(v.people.tb), Now: now})
	require.NoError(v.people.tb, err)
	session, err := public.Verify(v.people.tb.Context(), v.token)
	require.NoError(v.people.tb, err)
	return session.ID
}

// lasts reports whether the session does.
func (v *visitor) lasts() bool {
	v.people.tb.Helper()
	_, err := v.people.sessions.Verify(v.people.tb.Context(), v.token)
	if err != nil {
		require.ErrorIs(v.people.tb, err, magiclink.ErrInvalidToken)
	}
	return err == nil
}

func (v *visitor) cookies() (headers []string) {
	if v.token != "" {
		headers = append(headers, "Cookie", cookieOf(v.token))
	}
	if v.secret != "" {
		headers = append(headers, "Cookie", formCookie+"="+v.secret)
	}
	return headers
}

// look opens the page and keeps what it is given.
func (v *visitor) look(headers ...string) view {
	v.people.tb.Helper()
	got := recorded(call(v.people.page, http.MethodGet, "/sessions", append(v.cookies(), headers...)...))
	if cookie := got.cookie(formCookie); cookie != nil {
		v.secret = cookie.Value
	}
	if field := fieldsOf.FindStringSubmatch(got.body); field != nil {
		require.Equal(v.people.tb, "form", field[1])
		v.form = html.UnescapeString(field[2])
	}
	return got
}

// press presses a button of the page that was shown last.
func (v *visitor) press(end string, headers ...string) view {
	v.people.tb.Helper()
	return v.post(url.Values{"form": {v.form}, "end": {end}}.Encode(),
		append([]string{"Origin", appOrigin, "Sec-Fetch-Site", "same-origin"}, headers...)...)
}

func (v *visitor) post(body string, headers ...string) view {
	v.people.tb.Helper()
	return recorded(send(v.people.page, http.MethodPost, "/sessions", typeForm, body, append(v.cookies(), headers...)...))
}

func recorded(w *httptest.ResponseRecorder) view {
	response := w.Result()
	return view{response.StatusCode, response.Header, w.Body.String(), response.Cookies()}
}

var (
	rowsOf  = regexp.MustCompile(`(?s)<li>(.*?)</li>`)
	valueOf = regexp.MustCompile(`name="end" value="([^"]*)"`)
)

// buttons are the values of the buttons of a page, in order.
func (v view) buttons() (values []string) {
	for _, found := range valueOf.FindAllStringSubmatch(v.body, -1) {
		values = append(values, found[1])
	}
	return values
}

// requireList demands a list of exactly these sessions, the first of them that of this browser.
func (p *people) requireList(got view, everywhere bool, ids ...string) {
	p.tb.Helper()
	require.Equal(p.tb, http.StatusOK, got.status, got.body)
	requireSecure(p.tb, got)
	if everywhere {
		ids = append(ids, "everywhere")
	}
	require.Equal(p.tb, ids, got.buttons())
	rows := rowsOf.FindAllString(got.body, -1)
	for n, row := range rows {
		require.Equal(p.tb, n == 0, strings.Contains(row, "This browser"))
		require.Equal(p.tb, n == 0, strings.Contains(row, "Sign out here"))
	}
}

// requireStays demands the answer to a click after which the browser is still signed in.
func (p *people) requireStays(got view) {
	p.tb.Helper()
	require.Equal(p.tb, http.StatusSeeOther, got.status, got.body)
	require.Equal(p.tb, []string{appOrigin + "/sessions"}, got.header.Values("Location"))
	require.Empty(p.tb, got.cookies)
	require.Empty(p.tb, got.header.Values("Clear-Site-Data"))
	require.Empty(p.tb, got.body)
	requireSecure(p.tb, got)
}

// requireLeaves demands the answer to a click that has signed this browser out: that of /logout.
func (p *people) requireLeaves(got view) {
	p.tb.Helper()
	require.Equal(p.tb, http.StatusSeeOther, got.status, got.body)
	require.Equal(p.tb, []string{"/"}, got.header.Values("Location"))
	require.Equal(p.tb, []string{clearedCookie}, got.header.Values("Set-Cookie"))
	require.Equal(p.tb, []string{`"cache"`}, got.header.Values("Clear-Site-Data"))
	requireSecure(p.tb, got)
}

// requireUntouched demands an answer that ends nothing and leaves the cookie as it is.
func (p *people) requireUntouched(status int, got view) {
	p.tb.Helper()
	require.Equal(p.tb, status, got.status, got.body)
	require.Nil(p.tb, got.cookie(httpadapter.SessionCookie))
	require.Empty(p.tb, got.header.Values("Clear-Site-Data"))
	requireSecure(p.tb, got)
}
