package httpadapter_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestAuthenticatorErrors(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		status int
		logged bool
	}{
		{"none", nil, 201, false},
		{"no credentials", httpadapter.ErrNoCredentials, 401, false},
		{"wrapped", errors.Join(errors.New("x"), httpadapter.ErrInvalidCredentials), 401, false},
		{"an outage", errors.New("the authority is down"), 503, true},
		{"a deadline", context.DeadlineExceeded, 503, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			logger, log := logTo()
			handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
				Issuer: newIssuer(t), Logger: logger,
				Authenticator: authenticator(func(r *http.Request) (httpadapter.Principal, error) {
					who, _ := anyone(r)
					return who, row.err
				}),
			})
			require.NoError(t, err)
			w := post(handler, typeJSON, goodBody)
			require.Equal(t, row.status, w.Code)
			require.Equal(t, row.logged, log.Len() > 0)
			if row.logged {
				require.Contains(t, log.String(), row.err.Error())
				require.NotContains(t, w.Body.String(), row.err.Error())
			}
		})
	}
}

// The value of a panic may hold anything, so neither the log nor the client gets it.
func TestPanicsAreOutages(t *testing.T) {
	const canary = "canary-of-a-panic"
	logger, log := logTo()
	panics := directory(func(context.Context) error { panic(canary) })
	authenticating, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
		Issuer: newIssuer(t), Logger: logger,
		Authenticator: authenticator(func(*http.Request) (httpadapter.Principal, error) { panic(canary) }),
	})
	require.NoError(t, err)
	finding, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
		Authenticator: anyone, Logger: logger,
		Issuer: newIssuer(t, func(c *magiclink.Config) { c.Businesses = panics }),
	})
	require.NoError(t, err)
	tokens, err := httpadapter.NewTokenHandler(httpadapter.TokenConfig{
		Keys: seededKeyring(t), Clients: panics, Issuer: apiURL, Audience: apiURL, Logger: logger,
	})
	require.NoError(t, err)
	for name, w := range map[string]func() *httptest.ResponseRecorder{
		"Authenticator":     func() *httptest.ResponseRecorder { return post(authenticating, typeJSON, goodBody) },
		"BusinessDirectory": func() *httptest.ResponseRecorder { return post(finding, typeJSON, goodBody) },
		"ClientDirectory":   func() *httptest.ResponseRecorder { return post(tokens, typeForm, goodForm) },
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			answer := w()
			requireEnvelope(t, 503, answer)
			require.Equal(t, "2", answer.Header().Get("Retry-After"))
			require.Contains(t, log.String(), "panicked")
			require.NotContains(t, log.String(), canary)
			require.NotContains(t, answer.Body.String(), canary)
		})
	}
}

// In net/http this one panic means "drop the connection", and middleware relies on it.
func TestAbortHandlerIsPassedOn(t *testing.T) {
	handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
		Issuer:        newIssuer(t),
		Authenticator: authenticator(func(*http.Request) (httpadapter.Principal, error) { panic(http.ErrAbortHandler) }),
	})
	require.NoError(t, err)
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { post(handler, typeJSON, goodBody) })
}

func TestDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hangs := directory(func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
		logger, _ := logTo()
		handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
			Authenticator: anyone, Logger: logger,
			Issuer: newIssuer(t, func(c *magiclink.Config) { c.Businesses = hangs }),
		})
		require.NoError(t, err)
		start := time.Now()
		requireEnvelope(t, 503, post(handler, typeJSON, goodBody))
		require.Equal(t, 5*time.Second, time.Since(start), "the default timeout")
	})
}

// Code that ignores its context delays its own request until it returns: the documentation says so.
func TestDeadlineThatIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ignores := directory(func(context.Context) error { time.Sleep(20 * time.Second); return nil })
		logger, _ := logTo()
		handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
			Authenticator: anyone, Logger: logger,
			Issuer: newIssuer(t, func(c *magiclink.Config) { c.Businesses = ignores }),
		})
		require.NoError(t, err)
		start := time.Now()
		requireEnvelope(t, 503, post(handler, typeJSON, goodBody))
		require.Equal(t, 20*time.Second, time.Since(start))
	})
}

// slowBody takes its time; the clock of the test does not.
type slowBody struct {
	io.Reader
	delay time.Duration
}

func (b slowBody) Read(p []byte) (int, error) {
	time.Sleep(b.delay)
	return b.Reader.Read(p)
}

// How long a client takes to send its request is not the store's time: it must not look like an outage, in the answer
// or in the log.
func TestSlowClientIsNoOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		logger, log := logTo()
		handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{Issuer: newIssuer(t), Authenticator: anyone, Logger: logger})
		require.NoError(t, err)
		r := httptest.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Content-Type", typeJSON)
		r.ContentLength = -1
		r.Body = io.NopCloser(slowBody{strings.NewReader(goodBody), 6 * time.Second})
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		require.Equal(t, http.StatusCreated, w.Code)
		require.Empty(t, log.String())
	})
}

// A principal that no link can have is a fault of the server, not of the fields that the client sent.
func TestImpossiblePrincipalIsNotTheClientsFault(t *testing.T) {
	for _, who := range []httpadapter.Principal{{TenantID: "a\nb"}, {TenantID: "t1", BusinessID: "biz_1"}} {
		logger, log := logTo()
		who.Scopes = []string{httpadapter.ScopeCreate}
		handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
			Issuer: newIssuer(t), Logger: logger,
			Authenticator: authenticator(func(*http.Request) (httpadapter.Principal, error) { return who, nil }),
		})
		require.NoError(t, err)
		requireEnvelope(t, 503, post(handler, typeJSON, goodBody))
		require.NotEmpty(t, log.String())
	}
}
