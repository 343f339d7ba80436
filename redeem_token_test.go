package magiclink_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/store/memory"
)

// invalidTokens are tokens that are no links of ours, made from one that is.
func invalidTokens(tb testing.TB, token, id string) map[string]string {
	tb.Helper()
	kid := seededKeyring(tb).Keys()[0].ID
	header := `{"alg":"EdDSA","kid":"` + kid + `","typ":"magiclink+jwt"}`
	claims := func(iss, aud, jti string) string {
		return fmt.Sprintf(`{"iss":%q,"aud":%q,"jti":%q,"iat":1773489607,"exp":1773490207}`, iss, aud, jti)
	}
	good := claims(origin, origin+"#magic-link", id)
	parts := strings.Split(token, ".")
	other, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(tb, err)
	foreign := newFixture(tb, func(c *magiclink.Config) { c.Keys = other })
	response, err := foreign.Issue(tb.Context(), fullInput)
	require.NoError(tb, err)
	require.Equal(tb, good, string(unbase64(tb, parts[1])), "the claims that each case changes are the token's")
	return map[string]string{
		"empty":              "",
		"garbage":            "garbage",
		"two dots":           "..",
		"cut off":            token[:len(token)-1],
		"longer":             token + "A",
		"twice":              token + token,
		"space before":       " " + token,
		"line break behind":  token + "\n",
		"padding":            token + "=",
		"another signature":  parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		"no signature":       parts[0] + "." + parts[1] + ".",
		"huge":               strings.Repeat("a", 5000) + "." + parts[1] + "." + parts[2],
		"link":               baseURL + "?token=" + token,
		"id alone":           id,
		"another key":        tokenOf(tb, response.MagicLink),
		"alg none":           craft(seededKey(), `{"alg":"none","kid":"`+kid+`","typ":"magiclink+jwt"}`, good),
		"unknown kid":        craft(seededKey(), `{"alg":"EdDSA","kid":"key_x","typ":"magiclink+jwt"}`, good),
		"embedded key":       craft(seededKey(), header[:len(header)-1]+`,"jwk":{}}`, good),
		"typ JWT":            craft(seededKey(), `{"alg":"EdDSA","kid":"`+kid+`","typ":"JWT"}`, good),
		"typ of a session":   craft(seededKey(), `{"alg":"EdDSA","kid":"`+kid+`","typ":"magiclink-session+jwt"}`, good),
		"typ of access":      craft(seededKey(), `{"alg":"EdDSA","kid":"`+kid+`","typ":"at+jwt"}`, good),
		"no typ":             craft(seededKey(), `{"alg":"EdDSA","kid":"`+kid+`"}`, good),
		"issuer":             craft(seededKey(), header, claims("https://app.example.org", origin+"#magic-link", id)),
		"issuer with slash":  craft(seededKey(), header, claims(origin+"/", origin+"#magic-link", id)),
		"bare audience":      craft(seededKey(), header, claims(origin, origin, id)),
		"session's audience": craft(seededKey(), header, claims(origin, origin+"#session", id)),
		"other audience":     craft(seededKey(), header, claims(origin, "https://app.example.org#magic-link", id)),
		"id of a session":    craft(seededKey(), header, claims(origin, origin+"#magic-link", "ses_"+id[4:])),
		"malformed id":       craft(seededKey(), header, claims(origin, origin+"#magic-link", id+"0")),
		"injected id":        craft(seededKey(), header, claims(origin, origin+"#magic-link", "' OR 1=1 --")),
		"no expiry":          craft(seededKey(), header, strings.Replace(good, `,"exp":1773490207`, "", 1)),
		"two ids":            craft(seededKey(), header, strings.Replace(good, `"jti"`, `"jti":"mlk_x","jti"`, 1)),
		"not before":         craft(seededKey(), header, strings.Replace(good, `"iat"`, `"nbf":1773489608,"iat"`, 1)),
	}
}

// A token that is no link of ours has one answer, and no store is asked about it.
func TestInvalidTokensReachNoStore(t *testing.T) {
	f := newFixture(t)
	token, id := f.link(t, fullInput)
	for name, bad := range invalidTokens(t, token, id) {
		t.Run(name, func(t *testing.T) {
			seen, err := f.Inspect(t.Context(), bad)
			require.Equal(t, magiclink.ErrInvalidToken, err, "the bare error: it says no more")
			require.Zero(t, seen)
			redeemed, err := f.Redeem(t.Context(), bad)
			require.Equal(t, magiclink.ErrInvalidToken, err)
			require.Zero(t, redeemed)
			require.Zero(t, f.store.calls())
		})
	}
	crafted := craft(seededKey(), `{"alg":"EdDSA","kid":"`+seededKeyring(t).Keys()[0].ID+`","typ":"magiclink+jwt"}`,
		string(unbase64(t, strings.Split(token, ".")[1])))
	_, err := f.Inspect(t.Context(), crafted)
	require.NoError(t, err, "the control: what is crafted without a fault is a link")
	_, err = f.Redeem(t.Context(), token)
	require.NoError(t, err, "the control: the link is still usable")
	require.EqualValues(t, 2, f.store.calls())
}

// What has expired by its token is not redeemed, whatever the store would say.
func TestExpiredTokensReachNoStore(t *testing.T) {
	f := newFixture(t)
	token, _ := f.link(t, fullInput)
	f.clock.set(noon.Add(10 * time.Minute))
	_, err := f.Redeem(t.Context(), token)
	require.Equal(t, magiclink.ErrExpired, err)
	require.Zero(t, f.store.calls())
}

// A Redeemer of another configuration does not take the link.
func TestRedeemerOfAnotherConfiguration(t *testing.T) {
	f := newFixture(t)
	token, _ := f.link(t, fullInput)
	good := magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(t), Store: f.store, Now: f.clock.Now}
	for name, test := range map[string]struct {
		change func(*magiclink.Config)
		want   error
	}{
		"the same":       {func(*magiclink.Config) {}, nil},
		"another path":   {func(c *magiclink.Config) { c.BaseURL = origin + "/other" }, nil},
		"explicit names": {func(c *magiclink.Config) { c.Issuer, c.Audience = origin, origin }, nil},
		"another origin": {func(c *magiclink.Config) { c.BaseURL = "https://app.example.org/magic" }, magiclink.ErrInvalidToken},
		"another port":   {func(c *magiclink.Config) { c.BaseURL = origin + ":8443/magic" }, magiclink.ErrInvalidToken},
		"issuer":         {func(c *magiclink.Config) { c.Issuer = "https://other.example" }, magiclink.ErrInvalidToken},
		"audience":       {func(c *magiclink.Config) { c.Audience = "https://other.example" }, magiclink.ErrInvalidToken},
		"keys":           {func(c *magiclink.Config) { c.Keys = generate(t, magiclink.EdDSA) }, magiclink.ErrInvalidToken},
		"another store":  {func(c *magiclink.Config) { c.Store = memory.New() }, magiclink.ErrInvalidToken},
	} {
		t.Run(name, func(t *testing.T) {
			config := good
			test.change(&config)
			redeemer, err := magiclink.NewRedeemer(config)
			require.NoError(t, err)
			_, err = redeemer.Inspect(t.Context(), token)
			require.Equal(t, test.want, err)
		})
	}
}

// What is stored may have been changed by others: a path that leaves the site does not come out.
func TestTamperedPathDoesNotComeOut(t *testing.T) {
	for _, path := range []string{
		"//evil.example", `/\evil.example`, `\\evil.example`, "///evil.example", "https://evil.example", "/..//evil.example",
		"/%2e%2e//evil.example", "/.\t//evil.example", "/a/../b", "javascript:alert(1)", "reports", "/a\r\nSet-Cookie: x=1",
		"/a%0d%0aSet-Cookie:x", "/a b", "/ü", "/" + repeat("a", 512), "@evil.example", ".evil.example", ":8080/",
		"/a//b", "/%5cevil.example", "/a%2fb", "/\x00", "/%",
	} {
		t.Run(path, func(t *testing.T) {
			f := newFixture(t)
			f.store.create = func(record *magiclink.Record) { record.Path = path }
			token, _ := f.link(t, fullInput)
			seen, err := f.Inspect(t.Context(), token)
			require.NoError(t, err)
			require.Empty(t, seen.Path)
			require.Equal(t, origin+"/", f.Destination(seen))
			redeemed, err := f.Redeem(t.Context(), token)
			require.NoError(t, err)
			require.Empty(t, redeemed.Path)
			require.Equal(t, origin+"/", f.Destination(redeemed))
			require.Equal(t, origin+"/", f.Destination(magiclink.Redemption{Path: path}), "nor if the caller has it from elsewhere")
		})
	}
	f := newFixture(t)
	for path, want := range map[string]string{"": "/", "/": "/", "/a/?b=//c#//d": "/a/?b=//c#//d", "/a/": "/a/"} {
		require.Equal(t, origin+want, f.Destination(magiclink.Redemption{Path: path}), "the control")
	}
}

// Redeeming takes no private key.
func TestRedeemWithPublicKeysAlone(t *testing.T) {
	for _, algorithm := range []magiclink.Algorithm{magiclink.EdDSA, magiclink.ES256} {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			public, err := keys.Public()
			require.NoError(t, err)
			require.False(t, public.CanSign())
			issuing := newFixture(t, func(c *magiclink.Config) { c.Keys = keys })
			redeemer, err := magiclink.NewRedeemer(magiclink.Config{
				BaseURL: baseURL, Keys: public, Store: issuing.store, Now: issuing.clock.Now,
			})
			require.NoError(t, err)
			response, err := issuing.Issue(t.Context(), fullInput)
			require.NoError(t, err)
			redeemed, err := redeemer.Redeem(t.Context(), tokenOf(t, response.MagicLink))
			require.NoError(t, err)
			require.Equal(t, response.MagicLinkID, redeemed.MagicLinkID)
		})
	}
}

// A link outlives the rotation of its key, and not the key's retirement.
func TestRedeemAfterRotation(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			keys := generate(t, algorithm)
			issuing := newFixture(t, func(c *magiclink.Config) { c.Keys = keys })
			redeemer, err := magiclink.NewRedeemer(magiclink.Config{
				BaseURL: baseURL, Keys: keys, Store: issuing.store, Now: issuing.clock.Now,
			})
			require.NoError(t, err)
			var tokens []string
			for range 2 {
				response, err := issuing.Issue(t.Context(), fullInput)
				require.NoError(t, err)
				tokens = append(tokens, tokenOf(t, response.MagicLink))
			}
			old := keys.Keys()[0].ID
			_, err = keys.Rotate()
			require.NoError(t, err)
			_, err = redeemer.Redeem(t.Context(), tokens[0])
			require.NoError(t, err)
			require.NoError(t, keys.Retire(old))
			_, err = redeemer.Redeem(t.Context(), tokens[1])
			require.Equal(t, magiclink.ErrInvalidToken, err)
			response, err := issuing.Issue(t.Context(), fullInput)
			require.NoError(t, err)
			_, err = redeemer.Redeem(t.Context(), tokenOf(t, response.MagicLink))
			require.NoError(t, err, "the new key's links work")
		})
	}
}
