package magiclink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// Each verifier takes tokens of its own kind and no other, though key, issuer and base of the audience are the same for
// all.
func TestKindsOfToken(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			f := newFixture(t, func(c *magiclink.Config) { c.Keys = generate(t, algorithm) })
			keys := f.config.Keys
			link, _ := f.link(t, fullInput)
			session, _ := f.granted(t)
			access := accessToken()
			access.Issuer, access.Audience = origin, []string{origin}
			signed, err := keys.SignAccessToken(access)
			require.NoError(t, err)
			tokens := map[string]string{"link": link, "session": session, "access": signed}

			verifyAccess := func(audience string) func(string) error {
				return func(token string) error {
					_, err := keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{Issuer: origin, Audience: audience, Now: noon})
					return err
				}
			}
			for _, verifier := range []struct {
				name, takes string
				verify      func(string) error
			}{
				{"Inspect", "link", func(token string) error { _, err := f.Inspect(t.Context(), token); return err }},
				{"Redeem", "link", func(token string) error { _, err := f.Redeem(t.Context(), token); return err }},
				{"Sessions.Verify", "session", func(token string) error { _, err := f.sessions.Verify(t.Context(), token); return err }},
				{"VerifyAccessToken", "access", verifyAccess(origin)},
				{"VerifyAccessToken for links", "", verifyAccess(origin + "#magic-link")},
				{"VerifyAccessToken for sessions", "", verifyAccess(origin + "#session")},
			} {
				for kind, token := range tokens {
					err := verifier.verify(token)
					if kind == verifier.takes {
						require.NoError(t, err, "%s takes its own kind", verifier.name)
					} else {
						require.Equal(t, magiclink.ErrInvalidToken, err, "%s does not take %s", verifier.name, kind)
					}
				}
			}
		})
	}
}

// The type and the audience each tell the kinds apart, without the other's help: a token that has the claims of one kind,
// and is good for its verifier but for one of the two, is refused.
func TestKindsDifferInTypeAndAudience(t *testing.T) {
	f := newFixture(t)
	_, id := f.link(t, fullInput)
	sessions, _ := newSessions(t) // without a Store, for which the link would have to be used
	keys := seededKeyring(t)
	kid := keys.Keys()[0].ID
	verifiers := map[string]struct {
		typ, audience, id string
		verify            func(string) error
	}{
		"link": {"magiclink+jwt", origin + "#magic-link", id, func(token string) error {
			_, err := f.Inspect(t.Context(), token)
			return err
		}},
		"session": {"magiclink-session+jwt", origin + "#session", "ses_" + id[4:], func(token string) error {
			_, err := sessions.Verify(t.Context(), token)
			return err
		}},
		"access": {"at+jwt", origin, "act_" + id[4:], func(token string) error {
			_, err := keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{Issuer: origin, Audience: origin, Now: noon})
			return err
		}},
	}
	for name, mine := range verifiers {
		for typeOf, other := range verifiers {
			for audienceOf, another := range verifiers {
				token := craft(seededKey(), `{"alg":"EdDSA","kid":"`+kid+`","typ":"`+other.typ+`"}`,
					`{"iss":"`+origin+`","aud":"`+another.audience+`","jti":"`+mine.id+`","sub":"s","client_id":"c","iat":1773489607,"exp":1773490207}`)
				if name == typeOf && name == audienceOf {
					require.NoError(t, mine.verify(token), "the control: a %s that is crafted right", name)
				} else {
					require.Equal(t, magiclink.ErrInvalidToken, mine.verify(token), "%s with the type of %s and the audience of %s", name, typeOf, audienceOf)
				}
			}
		}
	}
}

// One token may name all audiences: then the type alone stands between the kinds.
func TestKindsWithAllAudiences(t *testing.T) {
	f := newFixture(t)
	_, id := f.link(t, fullInput)
	all := `{"iss":"` + origin + `","aud":["` + origin + `","` + origin + `#magic-link","` + origin + `#session"],"jti":"` + id +
		`","sub":"s","client_id":"c","iat":1773489607,"exp":1773490207}`
	kid := seededKeyring(t).Keys()[0].ID
	for typ, passes := range map[string]bool{
		"magiclink+jwt": true, "magiclink-session+jwt": false, "at+jwt": false, "JWT": false, "MAGICLINK+JWT": false,
		"application/magiclink+jwt": false,
	} {
		_, err := f.Inspect(t.Context(), craft(seededKey(), `{"alg":"EdDSA","kid":"`+kid+`","typ":"`+typ+`"}`, all))
		require.Equal(t, passes, err == nil, typ)
	}
}

// An issuer whose audience is that of another's sessions or links gains nothing by it.
func TestKindsWithAudiencesThatOverlap(t *testing.T) {
	f := newFixture(t)
	issuer := newFixtureOn(t, f.store, func(c *magiclink.Config) { c.Audience = origin + "#session" })
	token, _ := issuer.link(t, fullInput)
	_, err := issuer.Inspect(t.Context(), token)
	require.NoError(t, err, "the control")
	_, err = f.sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
	_, err = f.Inspect(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
}
