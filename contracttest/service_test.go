package contracttest

import (
	"bytes"
	"crypto/ed25519"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

const (
	baseURL  = "https://app.example.com/magic"
	issuer   = "https://auth.example.com"
	audience = "https://api.example.com"

	acme   = "biz_GA6EG2qFxA97NZHtxeLPUy" // of tenant t1, which calls it "acme"
	globex = "biz_2kPn8QxYw2TzB4vR7sHd3e" // of tenant t1, which calls it "globex"
	other  = "biz_7mNpQrStUvWxYz23456789" // of tenant t2, which calls it "acme", too
	nobody = "biz_ABCDEFGHJKLMNPQRSTUVWX" // of no tenant

	secret = "a secret of the client: 100% of it + a bit of ü"
)

// noon is where the clock stands.
var noon = time.Date(2026, 3, 14, 12, 0, 7, 0, time.UTC)

func seededKey() ed25519.PrivateKey {
	return ed25519.NewKeyFromSeed([]byte("a fixed seed of thirty-two bytes"))
}

// service is the whole API on a real connection, with what stands behind it.
type service struct {
	url   string
	keys  *magiclink.Keyring
	store *countingStore
	log   *safeBuffer
}

// options are what a test changes about a service.
type options struct {
	core    magiclink.Config
	handler httpadapter.IssueConfig
	token   httpadapter.TokenConfig
	bearer  httpadapter.BearerConfig
}

func newService(tb testing.TB, change ...func(*options)) *service {
	tb.Helper()
	keys, err := magiclink.NewKeyring(seededKey())
	require.NoError(tb, err)
	s := &service{keys: keys, store: newCountingStore(), log: new(safeBuffer)}
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	now := func() time.Time { return noon }
	o := options{
		core: magiclink.Config{
			BaseURL: baseURL, Keys: keys, Store: s.store, Businesses: tenants, Now: now, Logger: logger,
		},
		bearer:  httpadapter.BearerConfig{Keys: keys, Issuer: issuer, Audience: audience, Now: now},
		handler: httpadapter.IssueConfig{Logger: logger},
		token: httpadapter.TokenConfig{
			Keys: keys, Clients: clients(tb), Issuer: issuer, Audience: audience, Businesses: tenants, Now: now,
			Logger: logger,
		},
	}
	for _, c := range change {
		c(&o)
	}
	s.serve(tb, o)
	return s
}

func (s *service) serve(tb testing.TB, o options) {
	tb.Helper()
	links, err := magiclink.New(o.core)
	require.NoError(tb, err)
	bearer, err := httpadapter.NewBearerAuthenticator(o.bearer)
	require.NoError(tb, err)
	o.handler.Issuer = links
	if o.handler.Authenticator == nil {
		o.handler.Authenticator = bearer
	}
	issue, err := httpadapter.NewIssueHandler(o.handler)
	require.NoError(tb, err)
	token, err := httpadapter.NewTokenHandler(o.token)
	require.NoError(tb, err)

	mux := http.NewServeMux()
	mux.Handle(httpadapter.IssuePath, issue)
	mux.Handle(httpadapter.TokenPath, token)
	mux.Handle(httpadapter.JWKSPath, httpadapter.JWKSHandler(s.keys))
	mux.Handle(httpadapter.OpenAPIPath, httpadapter.OpenAPIHandler())
	server := httptest.NewServer(mux)
	tb.Cleanup(server.Close)
	s.url = server.URL
}

func clients(tb testing.TB) httpadapter.ClientDirectory {
	tb.Helper()
	hash := httpadapter.HashSecret(secret)
	directory, err := httpadapter.StaticClients(
		httpadapter.Client{ID: "crm", SecretSHA256: hash, TenantID: "t1", Scopes: []string{"auth:create", "ledger:read"}},
		httpadapter.Client{ID: "till", SecretSHA256: hash, TenantID: "t1", Scopes: []string{"auth:create"}, BusinessID: acme},
		httpadapter.Client{ID: "app:1+2", SecretSHA256: hash, TenantID: "t2", Scopes: []string{"auth:create"}},
		httpadapter.Client{ID: "idle", SecretSHA256: hash, TenantID: "t1"},
	)
	require.NoError(tb, err)
	return directory
}

// access signs an access token that lets its bearer issue links for any business of t1, unless a change says otherwise.
func (s *service) access(tb testing.TB, change ...func(*magiclink.AccessToken)) string {
	tb.Helper()
	token := magiclink.AccessToken{
		Issuer: issuer, Audience: []string{audience}, Subject: "crm", ClientID: "crm", ID: "act_1",
		Scopes: []string{"auth:create"}, TenantID: "t1", IssuedAt: noon.Add(-time.Minute), ExpiresAt: noon.Add(time.Minute),
	}
	for _, c := range change {
		c(&token)
	}
	signed, err := s.keys.SignAccessToken(token)
	require.NoError(tb, err)
	return signed
}

// safeBuffer takes a log from several goroutines.
type safeBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
