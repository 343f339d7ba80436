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
		BaseURL: "https://app.example.com/magic", Keys: seededKeyring(tb), Store: memory.New(), Now: now,
	}
	for _, c := range change {
		c(&config)
	}
	links, err := magiclink.New(config)
	require.NoError(tb, err)
	return links
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
