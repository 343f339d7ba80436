package contracttest

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
)

func TestNoCredentials(t *testing.T) {
	s := newService(t)
	token := s.access(t)
	authorization := func(value string) spoil { return header("Authorization", value) }
	s.run(t, []trial{
		{"no header", header("Authorization"), noCredentials},
		{"an empty header", authorization(""), noCredentials},
		{"Basic", authorization("Basic Y3JtOnNlY3JldA=="), noCredentials},
		{"Digest", authorization(`Digest username="crm"`), noCredentials},
		{"Negotiate", authorization("Negotiate abc"), noCredentials},
		{"a scheme that begins like ours", authorization("BearerToken " + token), noCredentials},
		{"a scheme that ends like ours", authorization("XBearer " + token), noCredentials},
		{"the token without a scheme", authorization(token), noCredentials},
		{"the token in a cookie", func(r *request) {
			r.header = map[string][]string{"Cookie": {"access_token=" + token}}
		}, noCredentials},
		{"the token in another header", func(r *request) {
			r.header = map[string][]string{"X-Access-Token": {token}}
		}, noCredentials},
	})
}

func TestSchemeIsReadWithoutRegardToCase(t *testing.T) {
	s := newService(t)
	token := s.access(t)
	for _, scheme := range []string{"Bearer ", "bearer ", "BEARER ", "bEaReR ", "Bearer   "} {
		t.Run(scheme, func(t *testing.T) {
			s.expect(t, s.good(t, header("Authorization", scheme+token)), created)
			s.expect(t, s.good(t, header("Authorization", scheme+"x")), invalidToken)
		})
	}
}

func TestCredentialsSentTwiceOrInTheQuery(t *testing.T) {
	s := newService(t)
	token := s.access(t)
	const at = httpadapter.IssuePath
	none := header("Authorization")
	both := func(changes ...spoil) spoil {
		return func(r *request) {
			for _, change := range changes {
				change(r)
			}
		}
	}
	s.run(t, []trial{
		{"the same header twice", header("Authorization", "Bearer "+token, "Bearer "+token), invalidToken},
		{"a good and a bad header", header("Authorization", "Bearer "+token, "Bearer x"), invalidToken},
		{"two schemes", header("Authorization", "Basic eDp5", "Bearer "+token), invalidToken},
		{"a list in one header", header("Authorization", "Bearer "+token+", Bearer "+token), invalidToken},
		{"in the query alone", both(none, path(at+"?access_token="+token)), invalidToken},
		{"in the query, too", path(at + "?access_token=" + token), invalidToken},
		{"a bad one in the query, too", path(at + "?access_token=x"), invalidToken},
		{"an empty one in the query", path(at + "?access_token="), invalidToken},
		{"one without a value in the query", path(at + "?access_token"), invalidToken},
		{"behind another parameter", path(at + "?a=b&access_token=" + token), invalidToken},
		{"with its name encoded", path(at + "?%61ccess_token=" + token), invalidToken},
		{"control: another query", path(at + "?a=b"), created},
	})
}

// Go's url.Values has no member for a pair that it cannot parse; the token stands in the address all the same.
func TestCredentialsInAMalformedQuery(t *testing.T) {
	s := newService(t)
	for _, query := range []string{
		"access_token=%zz", "access_token=x;a=b", "a=b;access_token=x", "a=%zz&access_token=x",
	} {
		t.Run(query, func(t *testing.T) {
			s.expect(t, s.good(t, path(httpadapter.IssuePath+"?"+query)), invalidToken)
		})
	}
}

func TestTokenForSomebodyElseOrAnotherTime(t *testing.T) {
	s := newService(t)
	with := func(change func(*magiclink.AccessToken)) spoil { return bearer(s.access(t, change)) }
	s.run(t, []trial{
		{"another issuer", with(func(a *magiclink.AccessToken) { a.Issuer = issuer + "/" }), invalidToken},
		{"another audience", with(func(a *magiclink.AccessToken) {
			a.Audience = []string{"https://x.example"}
		}), invalidToken},
		{"an audience that begins like ours", with(func(a *magiclink.AccessToken) {
			a.Audience = []string{audience + ".evil.example"}
		}), invalidToken},
		{"expired this second", with(func(a *magiclink.AccessToken) { a.ExpiresAt = noon }), invalidToken},
		{"expired long ago", with(func(a *magiclink.AccessToken) {
			a.IssuedAt, a.ExpiresAt = noon.Add(-2*time.Hour), noon.Add(-time.Hour)
		}), invalidToken},
		{"control: ours among several audiences", with(func(a *magiclink.AccessToken) {
			a.Audience = []string{"https://x.example", audience}
		}), created},
		{"control: it expires in a second", with(func(a *magiclink.AccessToken) {
			a.ExpiresAt = noon.Add(time.Second)
		}), created},
	})
}

func TestAllInvalidTokensHaveOneAnswer(t *testing.T) {
	s := newService(t)
	expired := s.access(t, func(a *magiclink.AccessToken) { a.ExpiresAt = noon })
	first := s.expect(t, s.good(t, bearer("x")), invalidToken)
	for _, token := range []string{"", "a.b.c", expired, linkToken(t, s)} {
		again := s.expect(t, s.good(t, bearer(token)), invalidToken)
		require.Equal(t, string(first.body), string(again.body))
		first.header.Del("Date")
		again.header.Del("Date")
		require.Equal(t, first.header, again.header)
	}
}

func TestScope(t *testing.T) {
	s := newService(t)
	// The keyring refuses to sign some of these, so the tokens are made by hand.
	scopes := func(names ...string) spoil {
		scope, err := json.Marshal(strings.Join(names, " "))
		require.NoError(t, err)
		return bearer(signed(s.goodHeader(), strings.Replace(goodClaims(), `"auth:create"`, string(scope), 1)))
	}
	s.run(t, []trial{
		{"none", scopes(), lacksScope},
		{"no such claim", bearer(signed(s.goodHeader(),
			strings.Replace(goodClaims(), `"scope":"auth:create",`, "", 1))), lacksScope},
		{"another", scopes("ledger:read"), lacksScope},
		{"longer", scopes("auth:create2"), lacksScope},
		{"shorter", scopes("auth:creat"), lacksScope},
		{"upper case", scopes("AUTH:CREATE"), lacksScope},
		{"title case", scopes("Auth:Create"), lacksScope},
		{"with something before it", scopes("xauth:create"), lacksScope},
		{"split in two", scopes("auth:", "create"), lacksScope},
		{"in a list with commas", scopes("ledger:read,auth:create"), lacksScope},
		{"behind a tab", scopes("ledger:read\tauth:create"), lacksScope},
		{"behind a no-break space", scopes("ledger:read\u00a0auth:create"), lacksScope},
		{"percent-encoded", scopes(url.QueryEscape("auth:create")), lacksScope},
		{"a wildcard", scopes("auth:*", "*"), lacksScope},
		{"control: among others", scopes("ledger:read", "auth:create", "x"), created},
	})
}
