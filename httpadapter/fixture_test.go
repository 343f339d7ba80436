package httpadapter_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/memory"
)

const (
	baseURL  = "https://app.example.com/magic"
	apiURL   = "https://api.example.com"
	business = "biz_GA6EG2qFxA97NZHtxeLPUy"
	goodBody = `{"business_id":"` + business + `"}`
	goodForm = "client_id=crm&client_secret=canary-secret"
	typeJSON = "application/json"
	typeForm = "application/x-www-form-urlencoded"
)

var noon = time.Date(2026, 3, 14, 12, 0, 7, 0, time.UTC)

func now() time.Time { return noon }

func seededKeyring(tb testing.TB) *magiclink.Keyring {
	tb.Helper()
	keys, err := magiclink.NewKeyring(ed25519.NewKeyFromSeed([]byte("a fixed seed of thirty-two bytes")))
	require.NoError(tb, err)
	return keys
}

func newIssuer(tb testing.TB, change ...func(*magiclink.Config)) *magiclink.Issuer {
	tb.Helper()
	config := magiclink.Config{
		BaseURL: baseURL, Keys: seededKeyring(tb), Store: memory.New(), Businesses: magiclink.AnyBusiness, Now: now,
	}
	for _, c := range change {
		c(&config)
	}
	links, err := magiclink.New(config)
	require.NoError(tb, err)
	return links
}

// core is what issues, redeems and recognises, without HTTP.
type core struct {
	issuer   *magiclink.Issuer
	redeemer *magiclink.Redeemer
	sessions *magiclink.Sessions
	store    *tapStore
}

func newCore(tb testing.TB, change ...func(*magiclink.Config)) *core {
	tb.Helper()
	c := &core{store: &tapStore{Store: memory.New()}}
	config := magiclink.Config{
		BaseURL: baseURL, Keys: seededKeyring(tb), Store: c.store, Businesses: magiclink.AnyBusiness, Now: now,
	}
	for _, f := range change {
		f(&config)
	}
	var err error
	c.issuer, err = magiclink.New(config)
	require.NoError(tb, err)
	c.redeemer, err = magiclink.NewRedeemer(config)
	require.NoError(tb, err)
	c.sessions, err = magiclink.NewSessions(config)
	require.NoError(tb, err)
	return c
}

// link issues a link and returns its token.
func (c *core) link(tb testing.TB, in magiclink.MagicLinkCreate) (token string) {
	tb.Helper()
	response, err := c.issuer.Issue(tb.Context(), in)
	require.NoError(tb, err)
	return magiclink.TokenOf(response.MagicLink)
}

// session signs an address in for an hour and returns the session token.
func (c *core) session(tb testing.TB, email string) string {
	tb.Helper()
	return c.sessionOf(tb, magiclink.MagicLinkCreate{BusinessID: business, Email: email, SessionTimeout: 3600})
}

func (c *core) sessionOf(tb testing.TB, in magiclink.MagicLinkCreate) string {
	tb.Helper()
	redeemed, err := c.redeemer.Redeem(tb.Context(), c.link(tb, in))
	require.NoError(tb, err)
	token, _, err := c.sessions.Grant(tb.Context(), redeemed)
	require.NoError(tb, err)
	return token
}

func sessionHandler(tb testing.TB, sessions *magiclink.Sessions) http.Handler {
	tb.Helper()
	handler, err := httpadapter.NewSessionHandler(httpadapter.SessionConfig{Sessions: sessions})
	require.NoError(tb, err)
	return handler
}

// authenticator is an Authenticator that does as the test says.
type authenticator func(*http.Request) (httpadapter.Principal, error)

func (f authenticator) Authenticate(r *http.Request) (httpadapter.Principal, error) { return f(r) }

// anyone lets every request in.
var anyone = authenticator(func(*http.Request) (httpadapter.Principal, error) {
	return httpadapter.Principal{TenantID: "t1", Scopes: []string{httpadapter.ScopeCreate}}, nil
})

// directory is a BusinessDirectory and a ClientDirectory that does as the test says.
type directory func(context.Context) error

func (f directory) FindBusiness(ctx context.Context, _ string, _ magiclink.BusinessRef) (magiclink.Business, error) {
	return magiclink.Business{ID: business}, f(ctx)
}

func (f directory) FindClient(ctx context.Context, _ string) (httpadapter.Client, error) {
	return httpadapter.Client{}, f(ctx)
}

// logTo is a logger and what it wrote.
func logTo() (*slog.Logger, *bytes.Buffer) {
	log := new(bytes.Buffer)
	return slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), log
}

// post sends a body to a handler, with headers given as names and values in turn.
func post(handler http.Handler, contentType, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// requireEnvelope demands an answer of this status with both members of the envelope.
func requireEnvelope(tb testing.TB, status int, w *httptest.ResponseRecorder) {
	tb.Helper()
	require.Equal(tb, status, w.Code, "%s", w.Body)
	require.Equal(tb, "application/json", w.Header().Get("Content-Type"))
	var object map[string]any
	require.NoError(tb, json.Unmarshal(w.Body.Bytes(), &object))
	require.Contains(tb, object, "error")
	require.Contains(tb, object, "data")
}

// faultyFields returns the fields of a ConfigErrors in order.
func faultyFields(tb testing.TB, err error) []string {
	tb.Helper()
	var faults magiclink.ConfigErrors
	require.ErrorAs(tb, err, &faults)
	var list []string
	for _, fault := range faults {
		require.NotEmpty(tb, fault.Reason)
		list = append(list, fault.Field)
	}
	return list
}
