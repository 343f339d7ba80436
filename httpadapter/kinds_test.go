package httpadapter_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

// Everything on the web that takes a token takes its own kind alone, though key, issuer and base of the audience are the
// same for all.
func TestKindsOfToken(t *testing.T) {
	s := newSite(t)
	keys, origin := seededKeyring(t), s.server.URL
	tokens := func() map[string]string {
		link, _ := s.link(create)
		access, err := keys.SignAccessToken(magiclink.AccessToken{
			Issuer: origin, Audience: []string{origin}, Subject: "crm", ClientID: "crm", ID: "act_1",
			Scopes: []string{httpadapter.ScopeCreate}, TenantID: "t1", IssuedAt: noon, ExpiresAt: noon.Add(time.Hour),
		})
		require.NoError(t, err)
		return map[string]string{"link": tokenOf(t, link), "session": s.session(t), "access": access}
	}
	bearer, err := httpadapter.NewBearerAuthenticator(httpadapter.BearerConfig{Keys: keys, Issuer: origin, Audience: origin, Now: s.now})
	require.NoError(t, err)
	for _, verifier := range []struct {
		name, takes string
		status      int // of what is not taken
		present     func(token string) int
	}{
		{"the page", "link", 410, func(token string) int { return s.browser().get(origin + "/magic?token=" + token).status }},
		{"the form", "link", 410, func(token string) int {
			b := s.browser()
			live, _ := s.link(create)
			if status := b.post(formFor(t, b.get(live), token)).status; status != http.StatusSeeOther {
				return status
			}
			return http.StatusOK
		}},
		{"the JSON route", "link", 410, func(token string) int { return s.browser().redeemJSON(`{"token":"` + token + `"}`).status }},
		{"the session cookie", "session", 401, func(token string) int {
			return s.browser().send(http.MethodGet, origin+"/session", "", "Cookie", httpadapter.SessionCookie+"="+token).status
		}},
		{"the session bearer", "session", 401, func(token string) int {
			return s.browser().send(http.MethodGet, origin+"/session", "", "Authorization", "Bearer "+token).status
		}},
		{"the authenticator", "access", 401, func(token string) int {
			r := httptest.NewRequest(http.MethodPost, "/", nil)
			r.Header.Set("Authorization", "Bearer "+token)
			if _, err := bearer.Authenticate(r); err != nil {
				require.ErrorIs(t, err, httpadapter.ErrInvalidCredentials)
				return http.StatusUnauthorized
			}
			return http.StatusOK
		}},
	} {
		for kind, token := range tokens() {
			want := verifier.status
			if kind == verifier.takes {
				want = http.StatusOK
			}
			require.Equal(t, want, verifier.present(token), "%s as %s", kind, verifier.name)
		}
	}
}

// session redeems a link and returns the session token.
func (s *site) session(tb testing.TB) string {
	tb.Helper()
	link, _ := s.link(create)
	redeemed, err := s.redeemer.Redeem(tb.Context(), magiclink.TokenOf(link))
	require.NoError(tb, err)
	token, _, err := s.sessions.Grant(tb.Context(), redeemed)
	require.NoError(tb, err)
	return token
}
