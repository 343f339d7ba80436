package magiclink_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

const (
	accessIssuer   = "https://auth.example.com"
	accessAudience = "https://api.example.com"
)

// accessToken is a good one from a second before noon until an hour later.
func accessToken() magiclink.AccessToken {
	return magiclink.AccessToken{
		Issuer: accessIssuer, Audience: []string{accessAudience}, Subject: "client-7", ClientID: "client-7", ID: "act_1",
		Scopes: []string{"auth:create", "ledger:read"}, TenantID: "tenant-1", BusinessID: businessA,
		IssuedAt: noon.Truncate(time.Second), ExpiresAt: noon.Truncate(time.Second).Add(time.Hour),
	}
}

func accessCheck() magiclink.AccessTokenCheck {
	return magiclink.AccessTokenCheck{Issuer: accessIssuer, Audience: accessAudience, Now: noon}
}

func sign(tb testing.TB, keys *magiclink.Keyring) string {
	tb.Helper()
	token, err := keys.SignAccessToken(accessToken())
	require.NoError(tb, err)
	return token
}

func verify(keys *magiclink.Keyring, token string) error {
	_, err := keys.VerifyAccessToken(token, accessCheck())
	return err
}

func TestAccessTokenRoundTrip(t *testing.T) {
	for _, algorithm := range algorithms {
		for name, change := range map[string]func(*magiclink.AccessToken){
			"as it is":     func(*magiclink.AccessToken) {},
			"audiences":    func(a *magiclink.AccessToken) { a.Audience = []string{"https://other.example", accessAudience} },
			"bare":         func(a *magiclink.AccessToken) { a.Scopes, a.TenantID, a.BusinessID = nil, "", "" },
			"quoted text":  func(a *magiclink.AccessToken) { a.TenantID = "\"\\\x00\u2028ü😀</script>" },
			"one scope":    func(a *magiclink.AccessToken) { a.Scopes = []string{"auth:create"} },
			"other tenant": func(a *magiclink.AccessToken) { a.TenantID = "t2" },
		} {
			t.Run(string(algorithm)+" "+name, func(t *testing.T) {
				keys := generate(t, algorithm)
				want := accessToken()
				change(&want)
				token, err := keys.SignAccessToken(want)
				require.NoError(t, err)
				require.Equal(t, "at+jwt", part(t, token, 0)["typ"])
				got, err := keys.VerifyAccessToken(token, accessCheck())
				require.NoError(t, err)
				require.Equal(t, want, got)
			})
		}
	}
}

func TestSignAccessTokenRefuses(t *testing.T) {
	keys := seededKeyring(t)
	for name, change := range map[string]func(*magiclink.AccessToken){
		"no issuer":          func(a *magiclink.AccessToken) { a.Issuer = "" },
		"no audience":        func(a *magiclink.AccessToken) { a.Audience = nil },
		"empty audience":     func(a *magiclink.AccessToken) { a.Audience = []string{accessAudience, ""} },
		"audience of a link": func(a *magiclink.AccessToken) { a.Audience = []string{origin + "#magic-link"} },
		"no subject":         func(a *magiclink.AccessToken) { a.Subject = "" },
		"no client":          func(a *magiclink.AccessToken) { a.ClientID = "" },
		"no times":           func(a *magiclink.AccessToken) { a.IssuedAt, a.ExpiresAt = time.Time{}, time.Time{} },
		"no time of issue":   func(a *magiclink.AccessToken) { a.IssuedAt = time.Time{} },
		"no expiry":          func(a *magiclink.AccessToken) { a.ExpiresAt = time.Time{} },
		"no life":            func(a *magiclink.AccessToken) { a.ExpiresAt = a.IssuedAt },
		"too long":           func(a *magiclink.AccessToken) { a.TenantID = repeat("x", 3000) },
	} {
		t.Run(name, func(t *testing.T) {
			token := accessToken()
			change(&token)
			signed, err := keys.SignAccessToken(token)
			require.Error(t, err)
			require.Empty(t, signed)
		})
	}
	token := accessToken()
	token.TenantID = repeat("x", 3000)
	_, err := keys.SignAccessToken(token)
	require.ErrorIs(t, err, magiclink.ErrTokenTooLong)
}

func TestVerifyAccessTokenForAnotherCheck(t *testing.T) {
	keys := seededKeyring(t)
	token := sign(t, keys)
	require.NoError(t, verify(keys, token), "the check that each case changes passes")
	for name, change := range map[string]func(*magiclink.AccessTokenCheck){
		"issuer":            func(c *magiclink.AccessTokenCheck) { c.Issuer = "https://auth.example.org" },
		"issuer with slash": func(c *magiclink.AccessTokenCheck) { c.Issuer += "/" },
		"issuer in capital": func(c *magiclink.AccessTokenCheck) { c.Issuer = "https://AUTH.example.com" },
		"no issuer":         func(c *magiclink.AccessTokenCheck) { c.Issuer = "" },
		"audience":          func(c *magiclink.AccessTokenCheck) { c.Audience = "https://api.example.org" },
		"part of audience":  func(c *magiclink.AccessTokenCheck) { c.Audience = "https://api.example" },
		"no audience":       func(c *magiclink.AccessTokenCheck) { c.Audience = "" },
		"no time":           func(c *magiclink.AccessTokenCheck) { c.Now = time.Time{} },
	} {
		t.Run(name, func(t *testing.T) {
			check := accessCheck()
			change(&check)
			got, err := keys.VerifyAccessToken(token, check)
			require.Equal(t, magiclink.ErrInvalidToken, err, "the bare error: it says no more")
			require.Zero(t, got)
		})
	}
}

// The end of a token's life is exact to the nanosecond of our clock; its claims are whole seconds.
func TestAccessTokenExpiry(t *testing.T) {
	keys := seededKeyring(t)
	token, end := sign(t, keys), accessToken().ExpiresAt
	for name, test := range map[string]struct {
		leeway time.Duration
		dead   time.Duration // behind the end
	}{
		"none": {0, 0}, "negative": {-time.Hour, 0}, "a second": {time.Second, time.Second},
		"a minute": {time.Minute, time.Minute}, "above the clamp": {time.Hour, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			check := accessCheck()
			check.Leeway = test.leeway
			for offset, ok := range map[time.Duration]bool{-time.Second: true, -1: true, 0: false, 1: false, time.Second: false} {
				check.Now = end.Add(test.dead + offset)
				_, err := keys.VerifyAccessToken(token, check)
				require.Equal(t, ok, err == nil, offset)
			}
		})
	}
}

// What is signed comes back as it was, or is not signed: a scope with a space would come back as two.
func TestSignAccessTokenRefusesWhatWouldNotComeBack(t *testing.T) {
	keys := seededKeyring(t)
	for name, change := range map[string]func(*magiclink.AccessToken){
		"two scopes in one":  func(a *magiclink.AccessToken) { a.Scopes = []string{"auth:create admin"} },
		"empty scope":        func(a *magiclink.AccessToken) { a.Scopes = []string{""} },
		"scope with a quote": func(a *magiclink.AccessToken) { a.Scopes = []string{`auth:"create`} },
		"malformed business": func(a *magiclink.AccessToken) { a.BusinessID = "shop-7" },
		"bad UTF-8":          func(a *magiclink.AccessToken) { a.TenantID = "tenant\xff" },
		"year 40000":         func(a *magiclink.AccessToken) { a.ExpiresAt = time.Date(40000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			token := accessToken()
			change(&token)
			_, err := keys.SignAccessToken(token)
			require.Error(t, err)
		})
	}
}

// Without an id each signature makes a new one, which names the time of issue. An id of the caller is kept.
func TestAccessTokenIDs(t *testing.T) {
	keys := seededKeyring(t)
	seen := map[string]bool{}
	for range 3 {
		token := accessToken()
		token.ID = ""
		signed, err := keys.SignAccessToken(token)
		require.NoError(t, err)
		require.Empty(t, token.ID, "the caller's value is as it was")
		got, err := keys.VerifyAccessToken(signed, accessCheck())
		require.NoError(t, err)
		require.Regexp(t, `^act_[`+idAlphabet+`]{22}$`, got.ID)
		require.False(t, seen[got.ID])
		seen[got.ID] = true
	}
}
