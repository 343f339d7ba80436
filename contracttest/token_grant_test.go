package contracttest

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// RFC 9068 section 2: the header's typ, and the claims that a token has to have.
func TestClaimsOfAToken(t *testing.T) {
	s := newService(t)
	g, claims := s.granted(t, asked())
	require.Equal(t, object{"alg": "EdDSA", "typ": "at+jwt", "kid": s.keys.Keys()[0].ID}, part(t, g.AccessToken, 0))
	require.Regexp(t, `^act_.{22}$`, claims["jti"])
	delete(claims, "jti")
	require.Equal(t, object{
		"iss": issuer, "aud": audience, "sub": "crm", "client_id": "crm", "scope": "auth:create ledger:read",
		"tenant_id": "t1", "iat": float64(noon.Unix()), "exp": float64(noon.Unix() + 3600),
	}, claims)
	require.EqualValues(t, 3600, g.ExpiresIn)
	require.Equal(t, "auth:create ledger:read", g.Scope)
}

func TestEveryTokenHasAnIDOfItsOwn(t *testing.T) {
	s := newService(t)
	_, first := s.granted(t, asked())
	_, second := s.granted(t, asked())
	require.NotEqual(t, first["jti"], second["jti"])
}

func TestTokenIssuesALink(t *testing.T) {
	const ledger = "https://ledger.example/"
	s := newService(t, func(o *options) { o.token.Resources = []string{ledger} })
	issue := func(g grant, id string) request { return s.good(t, bearer(g.AccessToken), named(id, "")) }
	g, _ := s.granted(t, asked("scope", "auth:create"))
	s.expect(t, issue(g, acme), created)
	s.expect(t, issue(g, globex), created)
	g, _ = s.granted(t, asked("scope", "ledger:read"))
	s.expect(t, issue(g, acme), lacksScope)
	g, _ = s.granted(t, asked("business_id", acme))
	s.expect(t, issue(g, acme), created)
	s.expect(t, issue(g, globex), otherBusiness)
	g, _ = s.granted(t, plain("client_id", "till", "client_secret", secret))
	s.expect(t, issue(g, acme), created)
	s.expect(t, issue(g, globex), otherBusiness)
	g, _ = s.granted(t, plain().with(basic("app:1+2", secret)))
	s.expect(t, issue(g, acme), notFound)
	s.expect(t, issue(g, other), created)
	g, _ = s.granted(t, asked("resource", audience+"/"))
	s.expect(t, issue(g, acme), created)
	g, _ = s.granted(t, asked("resource", ledger))
	s.expect(t, issue(g, acme), invalidToken)
}

func TestScopeOfAToken(t *testing.T) {
	s := newService(t)
	for asks, has := range map[string]string{
		"auth:create": "auth:create", "ledger:read": "ledger:read", "ledger:read auth:create": "ledger:read auth:create",
		"": "auth:create ledger:read",
	} {
		g, claims := s.granted(t, asked("scope", asks))
		require.Equal(t, has, g.Scope)
		require.Equal(t, has, claims["scope"])
	}
	s.refuse(t, []ask{
		{"another", asked("scope", "invoice:create"), notGranted},
		{"one of two", asked("scope", "auth:create invoice:create"), notGranted},
		{"in capitals", asked("scope", "AUTH:CREATE"), notGranted},
		{"longer", asked("scope", "auth:create2"), notGranted},
		{
			"of a client that has none", plain("client_id", "idle", "client_secret", secret, "scope", "auth:create"),
			notGranted,
		},
		{"a space", asked("scope", " "), malformedScope},
		{"two spaces", asked("scope", "auth:create  ledger:read"), malformedScope},
		{"a space behind", asked("scope", "auth:create "), malformedScope},
		{"a tab", asked("scope", "auth:create\tledger:read"), malformedScope},
		{"a line break", asked("scope", "auth:create\n"), malformedScope},
		{"quotes", asked("scope", `"auth:create"`), malformedScope},
		{"a backslash", asked("scope", `auth:create\`), malformedScope},
		{"not ASCII", asked("scope", "aüth:create"), malformedScope},
	})
}

func TestAudienceOfAToken(t *testing.T) {
	const a, b = "https://a.example/x?y=1", "urn:example:b"
	allowed, eight := []string{a, b}, []string(nil)
	for n := range 8 {
		allowed = append(allowed, a+strconv.Itoa(n))
		eight = append(eight, "resource", a+strconv.Itoa(n))
	}
	long := "https://a.example/" + strings.Repeat("x", 4000)
	s := newService(t, func(o *options) { o.token.Resources = append(allowed, long) })
	_, claims := s.granted(t, asked("resource", a))
	require.Equal(t, a, claims["aud"])
	_, claims = s.granted(t, asked("resource", a, "resource", b))
	require.Equal(t, []any{a, b}, claims["aud"])
	_, claims = s.granted(t, asked("resource", "", "resource", ""))
	require.Equal(t, audience, claims["aud"])
	_, claims = s.granted(t, asked("resource", audience+"/"))
	require.Equal(t, audience, claims["aud"], "the spelling that is configured")
	s.granted(t, asked(eight...))
	s.refuse(t, []ask{
		{"not configured", asked("resource", "https://bank.example.net/api"), invalidTarget},
		{"configured and not", asked("resource", a, "resource", "https://bank.example.net/api"), invalidTarget},
		{"relative", asked("resource", "/x"), invalidTarget},
		{"without a scheme", asked("resource", "//a.example"), invalidTarget},
		{"a word", asked("resource", "api"), invalidTarget},
		{"a fragment", asked("resource", a+"#x"), invalidTarget},
		{"an empty fragment", asked("resource", a+"#"), invalidTarget},
		{"a space", asked("resource", "https://a.example/x y"), invalidTarget},
		{"a NUL", asked("resource", "https://a.example/\x00"), invalidTarget},
		{"not ASCII", asked("resource", "https://ä.example"), invalidTarget},
		{"a bad escape", asked("resource", "https://a.example/%zz"), invalidTarget},
		{"good and bad", asked("resource", a, "resource", "x"), invalidTarget},
		{"nine", asked(append(eight, "resource", b)...), invalidTarget},
		{"longer than a token may be", asked("resource", long), invalidTarget},
	})
}

func TestBusinessOfAToken(t *testing.T) {
	s := newService(t)
	till := func(pairs ...string) request {
		return plain(append([]string{"client_id", "till", "client_secret", secret}, pairs...)...)
	}
	for name, row := range map[string]struct {
		request request
		want    any
	}{
		"none":                   {asked(), nil},
		"one of the tenant's":    {asked("business_id", globex), globex},
		"the client's own":       {till(), acme},
		"the client's own again": {till("business_id", acme), acme},
	} {
		t.Run(name, func(t *testing.T) {
			_, claims := s.granted(t, row.request)
			require.Equal(t, row.want, claims["business_id"])
		})
	}
	s.refuse(t, []ask{
		{"malformed", asked("business_id", "biz_1"), invalidRequest},
		{"an external id", asked("business_id", "acme"), invalidRequest},
		{"null", asked("business_id", "null"), invalidRequest},
		{"unknown", asked("business_id", nobody), refusal{404, "invalid_request"}},
		{"foreign", asked("business_id", other), refusal{404, "invalid_request"}},
		{"another than the client's", till("business_id", globex), refusal{403, "invalid_request"}},
	})
	unknown := s.refused(t, asked("business_id", nobody), refusal{404, "invalid_request"})
	foreign := s.refused(t, asked("business_id", other), refusal{404, "invalid_request"})
	require.Equal(t, string(unknown.body), string(foreign.body))
}

func TestLifetimeOfAToken(t *testing.T) {
	s := newService(t)
	lasts := func(t *testing.T, s *service, asks string, want int64) {
		t.Helper()
		g, claims := s.granted(t, asked("expires_in", asks))
		require.Equal(t, want, g.ExpiresIn)
		require.InDelta(t, noon.Unix()+want, claims["exp"], 0)
	}
	day := int64(24 * time.Hour / time.Second)
	for asks, want := range map[string]int64{"": 3600, "1": 1, "60": 60, "86400": day, "86401": day, "2147483647": day} {
		t.Run(asks, func(t *testing.T) { lasts(t, s, asks, want) })
	}
	t.Run("a lower maximum", func(t *testing.T) {
		short := newService(t, func(o *options) { o.token.MaxLifetime = time.Minute })
		lasts(t, short, "", 60)
		lasts(t, short, "59", 59)
		lasts(t, short, "61", 60)
	})
	var asks []ask
	for _, value := range []string{"0", "-1", "x", "1.5", "1e3", "0x10", "1_000", " 5", "5 ", "null", "Infinity", "٣"} {
		asks = append(asks, ask{value, asked("expires_in", value), invalidRequest})
	}
	s.refuse(t, asks)
}

// The document has no maximum: a client that asks for more than the maximum of the server gets that maximum.
func TestLifetimeBeyondEveryIntegerIsCut(t *testing.T) {
	s := newService(t)
	for _, asks := range []string{"2147483648", strconv.Itoa(math.MaxInt64), "9223372036854775808"} {
		t.Run(asks, func(t *testing.T) {
			g, _ := s.granted(t, asked("expires_in", asks))
			require.EqualValues(t, 86400, g.ExpiresIn)
		})
	}
}
