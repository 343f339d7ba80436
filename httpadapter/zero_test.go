package httpadapter_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// A handler that no constructor has made answers 503 and lets nobody in; it does not panic.
func TestZeroValues(t *testing.T) {
	for name, handler := range map[string]http.Handler{
		"IssueHandler":         new(httpadapter.IssueHandler),
		"nil IssueHandler":     (*httpadapter.IssueHandler)(nil),
		"LinksHandler":         new(httpadapter.LinksHandler),
		"nil LinksHandler":     (*httpadapter.LinksHandler)(nil),
		"LimitsHandler":        new(httpadapter.LimitsHandler),
		"nil LimitsHandler":    (*httpadapter.LimitsHandler)(nil),
		"SessionsHandler":      new(httpadapter.SessionsHandler),
		"nil SessionsHandler":  (*httpadapter.SessionsHandler)(nil),
		"TokenHandler":         new(httpadapter.TokenHandler),
		"nil TokenHandler":     (*httpadapter.TokenHandler)(nil),
		"RedeemHandler":        new(httpadapter.RedeemHandler),
		"nil RedeemHandler":    (*httpadapter.RedeemHandler)(nil),
		"SessionHandler":       new(httpadapter.SessionHandler),
		"nil SessionHandler":   (*httpadapter.SessionHandler)(nil),
		"SessionsPage":         new(httpadapter.SessionsPage),
		"nil SessionsPage":     (*httpadapter.SessionsPage)(nil),
		"LogoutHandler":        new(httpadapter.LogoutHandler),
		"nil LogoutHandler":    (*httpadapter.LogoutHandler)(nil),
		"MetadataHandler":      new(httpadapter.MetadataHandler),
		"nil MetadataHandler":  (*httpadapter.MetadataHandler)(nil),
		"Service":              new(httpadapter.Service),
		"nil Service":          (*httpadapter.Service)(nil),
		"JWKS of a zero ring":  httpadapter.JWKSHandler(new(magiclink.Keyring)),
		"JWKS of no ring":      httpadapter.JWKSHandler(nil),
		"JWKS of no arguments": httpadapter.JWKSHandler(),
	} {
		t.Run(name, func(t *testing.T) {
			for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodOptions} {
				w := send(handler, method, "/?token=x", typeForm, goodForm)
				require.Contains(t, []int{http.StatusOK, http.StatusMethodNotAllowed, http.StatusServiceUnavailable}, w.Code)
				readable := method == http.MethodGet && strings.HasPrefix(name, "JWKS of no")
				require.Equal(t, readable, w.Code == http.StatusOK, "%d", w.Code)
				if w.Code != http.StatusOK {
					requireEnvelope(t, w.Code, w)
				}
			}
		})
	}
}

// Handlers whose parts no constructor has made answer 503, too.
func TestHandlersOfZeroParts(t *testing.T) {
	logger, log := logTo()
	handler, err := httpadapter.NewIssueHandler(httpadapter.IssueConfig{
		Issuer: new(magiclink.Issuer), Authenticator: anyone, Logger: logger,
	})
	require.NoError(t, err)
	requireEnvelope(t, http.StatusServiceUnavailable, post(handler, typeJSON, goodBody))
	require.Contains(t, log.String(), "use New")

	principal, err := new(httpadapter.BearerAuthenticator).Authenticate(func() *http.Request {
		r, _ := http.NewRequest(http.MethodPost, "/", nil)
		r.Header.Set("Authorization", "Bearer x")
		return r
	}())
	require.ErrorIs(t, err, httpadapter.ErrInvalidCredentials)
	require.Zero(t, principal)
}
