package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// BenchmarkRequireSession measures what a request pays for the look at the store: "looks-us" with a look each time, and "cached-us" with a
// SessionRecheck, where the token is verified from memory and no store is asked. The difference is what the store costs.
func BenchmarkRequireSession(b *testing.B) {
	for _, store := range []struct {
		name string
		url  func() string
	}{
		{storeMemory, func() string { return storeMemory }},
		{storeSQLite, func() string { return storeSQLite }},
		{"postgres", func() string { return dbtest.PostgresDatabase(b) }},
		{"redis", func() string { return dbtest.RedisURL(b) }},
	} {
		b.Run(store.name, func(b *testing.B) { benchmarkRequireSession(b, store.url()) })
	}
}

func benchmarkRequireSession(b *testing.B, url string) {
	store := openForBench(b, url)
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(b, err)
	config := magiclink.Config{BaseURL: "https://app.example.com/magic", Keys: keys, Store: store}
	cached := config
	cached.SessionRecheck = time.Hour
	cookie := signIn(b, config)
	looks, rechecks := requestsWith(b, config, cookie), requestsWith(b, cached, cookie)
	var took, tookCached time.Duration
	for b.Loop() { // in turn, so that a disturbance hits both
		took += looks()
		tookCached += rechecks()
	}
	per := func(total time.Duration) float64 { return float64(total.Nanoseconds()) / 1000 / float64(b.N) }
	b.ReportMetric(per(took), "looks-us")
	b.ReportMetric(per(tookCached), "cached-us")
	b.ReportMetric(per(took-tookCached), "store-us")
}

func openForBench(b *testing.B, url string) magiclink.Store {
	b.Helper()
	where := storeFlag{where: url}
	if url == storeSQLite {
		store, err := sqlite.Open(filepath.Join(b.TempDir(), "links.db"))
		require.NoError(b, err)
		b.Cleanup(func() { require.NoError(b, store.Close()) })
		return store
	}
	if where.scheme() == "postgres" {
		owner, closeOwner, err := connectPostgres(b.Context(), url)
		require.NoError(b, err)
		require.NoError(b, errors.Join(owner.Migrate(b.Context()), closeOwner()))
	}
	store, closeStore, err := where.open(b.Context(), nil)
	require.NoError(b, err)
	b.Cleanup(func() { require.NoError(b, closeStore()) })
	return store
}

func signIn(b *testing.B, config magiclink.Config) (token string) {
	b.Helper()
	issuer, err := magiclink.New(config)
	require.NoError(b, err)
	redeemer, err := magiclink.NewRedeemer(config)
	require.NoError(b, err)
	sessions, err := magiclink.NewSessions(config)
	require.NoError(b, err)
	link, err := issuer.Issue(b.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "app", Email: "jane@example.com"})
	require.NoError(b, err)
	redeemed, err := redeemer.Redeem(b.Context(), magiclink.TokenOf(link.MagicLink))
	require.NoError(b, err)
	token, _, err = sessions.Grant(b.Context(), redeemed)
	require.NoError(b, err)
	return token
}

// requestsWith returns a function that makes one request with the session and says how long it took.
func requestsWith(b *testing.B, config magiclink.Config, token string) func() time.Duration {
	b.Helper()
	sessions, err := magiclink.NewSessions(config)
	require.NoError(b, err)
	handler := httpadapter.RequireSession(sessions, httpadapter.RequireOptions{})(
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	request := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "https://app.example.com/", nil)
	request.AddCookie(&http.Cookie{Name: httpadapter.SessionCookie, Value: token})
	return func() time.Duration {
		recorder := httptest.NewRecorder()
		begun := time.Now()
		handler.ServeHTTP(recorder, request)
		took := time.Since(begun)
		require.Equal(b, http.StatusNoContent, recorder.Code)
		return took
	}
}
