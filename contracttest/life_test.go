package contracttest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// life is a Service whose links and sessions a test sees and ends.
type life struct {
	*service
	all   *httpadapter.Service
	store *faultyStore

	clock atomic.Int64 // nanoseconds behind noon
	step  time.Duration

	mu     sync.Mutex
	events []magiclink.Event
}

// now is noon, or later by what a test has added. With a step each look at the clock is later than the one before.
func (l *life) now() time.Time {
	return noon.Add(time.Duration(l.clock.Add(int64(l.step))))
}

func (l *life) onEvent(_ context.Context, event magiclink.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, event)
}

// told returns the events since the last call.
func (l *life) told() []magiclink.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	events := l.events
	l.events = nil
	return events
}

func newLife(tb testing.TB, store magiclink.Store, change ...func(*httpadapter.ServiceConfig)) *life {
	tb.Helper()
	keys, err := magiclink.NewKeyring(seededKey())
	require.NoError(tb, err)
	l := &life{service: &service{keys: keys, log: new(safeBuffer)}, store: &faultyStore{Store: store}}
	config := httpadapter.ServiceConfig{
		Config: magiclink.Config{
			BaseURL: baseURL, Keys: keys, Store: l.store, Businesses: tenants, Issuer: issuer, Audience: audience, Now: l.now,
			Logger: slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})), OnEvent: l.onEvent,
		},
		Clients: clients(tb), Timeout: time.Minute,
	}
	for _, c := range change {
		c(&config)
	}
	l.all, err = httpadapter.NewService(config)
	require.NoError(tb, err)
	server := httptest.NewServer(l.all)
	tb.Cleanup(server.Close)
	l.url = server.URL
	return l
}

// stores are those on which every test of lists runs.
var stores = map[string]func(testing.TB) magiclink.Store{
	"memory": func(testing.TB) magiclink.Store { return memory.New() },
	"sqlite": func(tb testing.TB) magiclink.Store {
		store, err := sqlite.Open(filepath.Join(tb.TempDir(), "links.db"))
		require.NoError(tb, err)
		tb.Cleanup(func() { require.NoError(tb, store.Close()) })
		return store
	},
}

func onEveryStore(t *testing.T, test func(*testing.T, magiclink.Store)) {
	t.Helper()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}

// faultyStore fails with the error that a test sets.
type faultyStore struct {
	magiclink.Store
	fail atomic.Pointer[error]
}

func (s *faultyStore) set(err error) { s.fail.Store(&err) }

func (s *faultyStore) fault() error {
	if err := s.fail.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *faultyStore) Get(ctx context.Context, id string) (magiclink.Record, error) {
	if err := s.fault(); err != nil {
		return magiclink.Record{}, err
	}
	return s.Store.Get(ctx, id)
}

func (s *faultyStore) Revoke(ctx context.Context, id string, at time.Time) error {
	if err := s.fault(); err != nil {
		return err
	}
	return s.Store.Revoke(ctx, id, at)
}

func (s *faultyStore) List(ctx context.Context, query magiclink.ListQuery) ([]magiclink.Record, error) {
	if err := s.fault(); err != nil {
		return nil, err
	}
	lister, _ := magiclink.StoreAs[magiclink.Lister](s.Store)
	return lister.List(ctx, query)
}

func (s *faultyStore) RevokeSubject(ctx context.Context, subject magiclink.Subject, upTo, at time.Time) (int, error) {
	if err := s.fault(); err != nil {
		return 0, err
	}
	revoker, _ := magiclink.StoreAs[magiclink.SubjectRevoker](s.Store)
	return revoker.RevokeSubject(ctx, subject, upTo, at)
}

func (s *faultyStore) Take(ctx context.Context, key string, rate magiclink.Rate, at time.Time) (time.Duration, error) {
	if err := s.fault(); err != nil {
		return 0, err
	}
	limiter, _ := magiclink.StoreAs[magiclink.Limiter](s.Store)
	return limiter.Take(ctx, key, rate, at)
}

func (s *faultyStore) Reset(ctx context.Context, key string) error {
	if err := s.fault(); err != nil {
		return err
	}
	limiter, _ := magiclink.StoreAs[magiclink.Limiter](s.Store)
	return limiter.Reset(ctx, key)
}

func (s *faultyStore) Peek(ctx context.Context, key string) (int64, error) {
	if err := s.fault(); err != nil {
		return 0, err
	}
	peeker, _ := magiclink.StoreAs[magiclink.LimitPeeker](s.Store)
	return peeker.Peek(ctx, key)
}

func (s *faultyStore) Unwrap() magiclink.Store { return s.Store }

// whose says for whom a link is issued.
type whose struct{ tenant, business, email string }

var jane = whose{"t1", acme, "jane@example.com"}

// link issues a link and returns its id and its token.
func (l *life) link(tb testing.TB, w whose, change ...func(*magiclink.MagicLinkCreate)) (id, token string) {
	tb.Helper()
	in := magiclink.MagicLinkCreate{
		Caller: magiclink.Caller{TenantID: w.tenant}, BusinessID: w.business, Email: w.email, SessionTimeout: 3600,
	}
	for _, c := range change {
		c(&in)
	}
	issued, err := l.all.Issuer().Issue(tb.Context(), in)
	require.NoError(tb, err)
	return issued.MagicLinkID, magiclink.TokenOf(issued.MagicLink)
}

// session issues a link and uses it, and returns the id of the link and the token of the session.
func (l *life) session(tb testing.TB, w whose, change ...func(*magiclink.MagicLinkCreate)) (linkID, sessionToken string) {
	tb.Helper()
	id, token := l.link(tb, w, change...)
	redeemed, err := l.all.Redeemer().Redeem(tb.Context(), token)
	require.NoError(tb, err)
	sessionToken, _, err = l.all.Sessions().Grant(tb.Context(), redeemed)
	require.NoError(tb, err)
	return id, sessionToken
}

func sessionIDOf(linkID string) string { return "ses_" + strings.TrimPrefix(linkID, "mlk_") }

// holding is a change of an access token: exactly these scopes.
func holding(scopes ...string) func(*magiclink.AccessToken) {
	return func(a *magiclink.AccessToken) { a.Scopes = scopes }
}

var everyScope = holding(httpadapter.ScopeCreate, httpadapter.ScopeRead, httpadapter.ScopeRevoke)

// ask sends a request with a token that has every scope, unless a change says otherwise. A token lasts for an hour from noon.
func (l *life) ask(tb testing.TB, method, path, text string, change ...func(*magiclink.AccessToken)) answer {
	tb.Helper()
	return l.send(tb, l.request(tb, method, path, text, change...))
}

func (l *life) request(tb testing.TB, method, path, text string, change ...func(*magiclink.AccessToken)) request {
	tb.Helper()
	lasting := func(a *magiclink.AccessToken) { a.ExpiresAt = noon.Add(12 * time.Hour) }
	token := l.access(tb, append([]func(*magiclink.AccessToken){everyScope, lasting}, change...)...)
	r := at(method, path, "Authorization", "Bearer "+token)
	if text != "" {
		r.body = text
		r.header.Set("Content-Type", "application/json")
	}
	return r
}

// data asks for a 200 that the document describes, and returns its data.
func (l *life) data(tb testing.TB, method, path, text string, change ...func(*magiclink.AccessToken)) object {
	tb.Helper()
	got := l.ask(tb, method, path, text, change...)
	require.Equal(tb, http.StatusOK, got.status, "%s", got.body)
	checkServed(tb, method, path, got)
	return got.members(tb, "data")["data"].(object)
}

// checkServed holds an answer against the document and the headers that every answer has.
func checkServed(tb testing.TB, method, path string, got answer) {
	tb.Helper()
	route, _, _ := strings.Cut(path, "?")
	require.Empty(tb, complaints(tb, "served", method, route, got), "%s", got.body)
	require.Equal(tb, []string{"application/json"}, got.header.Values("Content-Type"))
	require.Equal(tb, []string{"no-store"}, got.header.Values("Cache-Control"))
	require.Equal(tb, []string{"nosniff"}, got.header.Values("X-Content-Type-Options"))
}

// idsIn returns a member of each element of a list.
func idsIn(data object, list, member string) []string {
	ids := []string{}
	for _, element := range data[list].([]any) {
		ids = append(ids, element.(object)[member].(string))
	}
	return ids
}

// serve asks a handler without a connection.
func serve(handler http.Handler, method, target string, headers ...string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, func() *http.Request {
		r := httptest.NewRequest(method, "/", nil)
		r.URL.Path, r.URL.RawQuery, _ = strings.Cut(target, "?")
		for n := 0; n < len(headers); n += 2 {
			r.Header.Add(headers[n], headers[n+1])
		}
		return r
	}())
	return w
}
