package magiclink_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// redemption is one with every field.
func redemption() magiclink.Redemption {
	return magiclink.Redemption{
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy",
		Subject: magiclink.Subject{
			TenantID: "tenant-1", BusinessID: businessA, ExternalBusinessID: "shop-7", Email: "jane@example.com",
		},
		Path: "/reports", SessionTimeout: time.Hour, IssuedAt: noon, ExpiresAt: noon, RedeemedAt: noon,
	}
}

// newSessions makes Sessions without a Store: what a token says is all that counts.
func newSessions(tb testing.TB, change ...func(*magiclink.Config)) (*magiclink.Sessions, *clock) {
	tb.Helper()
	at := &clock{now: noon}
	config := magiclink.Config{BaseURL: baseURL, Keys: seededKeyring(tb), Now: at.Now}
	for _, c := range change {
		c(&config)
	}
	sessions, err := magiclink.NewSessions(config)
	require.NoError(tb, err)
	return sessions, at
}

func TestSessionRoundTrip(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			sessions, _ := newSessions(t, func(c *magiclink.Config) { c.Keys = generate(t, algorithm) })
			token, granted, err := sessions.Grant(t.Context(), redemption())
			require.NoError(t, err)
			require.Equal(t, magiclink.Session{
				ID: "ses_GA6EG2qFxA97NZHtxeLPUy", MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", Subject: redemption().Subject,
				CreatedAt: noon.Truncate(time.Second), ExpiresAt: noon.Truncate(time.Second).Add(time.Hour),
			}, granted)
			verified, err := sessions.Verify(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, granted, verified)
		})
	}
}

func TestClaimsOfSession(t *testing.T) {
	sessions, _ := newSessions(t)
	token, granted, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"alg": "EdDSA", "kid": seededKeyring(t).Keys()[0].ID, "typ": "magiclink-session+jwt",
	}, part(t, token, 0))
	require.Equal(t, map[string]any{
		"iss": origin, "aud": origin + "#session", "jti": granted.ID, "iat": json.Number("1773489607"),
		"exp": json.Number("1773493207"), "tenant_id": "tenant-1",
		"business_id": businessA, "sub": "EncBNeqWycH7nnUU73P-8g", "external_business_id": "shop-7", "email": "jane@example.com",
	}, part(t, token, 1))

	bare, _, err := sessions.Grant(t.Context(), magiclink.Redemption{
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", SessionTimeout: time.Second, RedeemedAt: noon,
	})
	require.NoError(t, err)
	for _, absent := range []string{"tenant_id", "business_id", "external_business_id", "email"} {
		require.NotContains(t, part(t, bare, 1), absent)
	}
}

// A session lasts as long as the link said: exact to the nanosecond of our clock, from the second that it began in.
func TestSessionExpiry(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, time.Hour, 7948800 * time.Second} {
		for _, leeway := range []time.Duration{0, time.Minute} {
			t.Run(fmt.Sprint(timeout, leeway), func(t *testing.T) {
				sessions, at := newSessions(t, func(c *magiclink.Config) { c.Leeway = leeway })
				redeemed := redemption()
				redeemed.SessionTimeout = timeout
				token, granted, err := sessions.Grant(t.Context(), redeemed)
				require.NoError(t, err)
				require.Equal(t, timeout, granted.ExpiresAt.Sub(granted.CreatedAt))
				end := noon.Truncate(time.Second).Add(timeout + leeway)
				for offset, alive := range map[time.Duration]bool{-time.Second: true, -1: true, 0: false, 1: false, time.Second: false} {
					at.set(end.Add(offset))
					verified, err := sessions.Verify(t.Context(), token)
					if alive {
						require.NoError(t, err)
						require.Equal(t, granted, verified)
					} else {
						require.Equal(t, magiclink.ErrInvalidToken, err, "the bare error, and not that it has expired")
						require.Zero(t, verified)
					}
				}
			})
		}
	}
}

// A session has the id of its link, and begins when the link was redeemed: granting again gives the same session.
func TestGrantTwice(t *testing.T) {
	sessions, at := newSessions(t)
	token, granted, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	at.set(noon.Add(59 * time.Minute))
	again, same, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	require.Equal(t, granted, same)
	require.Equal(t, token, again)

	other := redemption()
	other.MagicLinkID = "mlk_2kPn8QxYw2TzB4vR7sHd3e"
	another, different, err := sessions.Grant(t.Context(), other)
	require.NoError(t, err)
	require.Equal(t, "ses_2kPn8QxYw2TzB4vR7sHd3e", different.ID, "the control: another link, another session")
	require.NotEqual(t, token, another)
}

// A session that would be over already is not granted, to the nanosecond of our clock. The Leeway counts as in Verify.
func TestGrantOfAnExpiredSession(t *testing.T) {
	sessions, at := newSessions(t, func(c *magiclink.Config) { c.Leeway = time.Minute })
	end := noon.Truncate(time.Second).Add(time.Hour + time.Minute)
	for moment, want := range map[time.Time]error{
		end.Add(-1): nil, end: magiclink.ErrExpired, end.Add(1): magiclink.ErrExpired, end.Add(time.Hour): magiclink.ErrExpired,
	} {
		at.set(moment)
		token, granted, err := sessions.Grant(t.Context(), redemption())
		require.Equal(t, want, err)
		require.Equal(t, want == nil, token != "")
		require.Equal(t, want == nil, granted != magiclink.Session{})
	}
}

// Sessions are verified with public keys, without a store; and with those alone none is granted.
func TestSessionsWithPublicKeys(t *testing.T) {
	granting, _ := newSessions(t)
	public, err := seededKeyring(t).Public()
	require.NoError(t, err)
	verifying, _ := newSessions(t, func(c *magiclink.Config) { c.Keys = public })
	token, granted, err := granting.Grant(t.Context(), redemption())
	require.NoError(t, err)
	verified, err := verifying.Verify(t.Context(), token)
	require.NoError(t, err)
	require.Equal(t, granted, verified)

	token, granted, err = verifying.Grant(t.Context(), redemption())
	require.ErrorIs(t, err, magiclink.ErrNoSigningKey)
	require.Empty(t, token)
	require.Zero(t, granted)
}

func TestSessionAfterRotation(t *testing.T) {
	keys := generate(t, magiclink.EdDSA)
	sessions, _ := newSessions(t, func(c *magiclink.Config) { c.Keys = keys })
	token, _, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	old := keys.Keys()[0].ID
	_, err = keys.Rotate()
	require.NoError(t, err)
	_, err = sessions.Verify(t.Context(), token)
	require.NoError(t, err)
	require.NoError(t, keys.Retire(old))
	_, err = sessions.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
}

func TestSessionsOfAnotherConfiguration(t *testing.T) {
	sessions, _ := newSessions(t)
	token, _, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	for name, change := range map[string]func(*magiclink.Config){
		"origin":   func(c *magiclink.Config) { c.BaseURL = "https://app.example.org/magic" },
		"issuer":   func(c *magiclink.Config) { c.Issuer = "https://other.example" },
		"audience": func(c *magiclink.Config) { c.Audience = "https://other.example" },
		"keys":     func(c *magiclink.Config) { c.Keys = generate(t, magiclink.EdDSA) },
	} {
		t.Run(name, func(t *testing.T) {
			other, _ := newSessions(t, change)
			_, err := other.Verify(t.Context(), token)
			require.Equal(t, magiclink.ErrInvalidToken, err)
		})
	}
	same, _ := newSessions(t, func(c *magiclink.Config) { c.Issuer, c.Audience = origin, origin })
	_, err = same.Verify(t.Context(), token)
	require.NoError(t, err, "the control")
}

func TestSessionsRefuseForgeries(t *testing.T) {
	sessions, _ := newSessions(t)
	token, granted, err := sessions.Grant(t.Context(), redemption())
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	header := string(unbase64(t, parts[0]))
	claims := string(unbase64(t, parts[1]))
	_, err = sessions.Verify(t.Context(), craft(seededKey(), header, claims))
	require.NoError(t, err, "the control: what each case changes is a session")
	for name, bad := range map[string]string{
		"empty": "", "garbage": "garbage", "cut off": token[:len(token)-1], "padded": token + "=", "space": " " + token,
		"other signature": parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		"alg none":        craft(seededKey(), strings.Replace(header, "EdDSA", "none", 1), claims),
		"typ of a link":   craft(seededKey(), strings.Replace(header, "magiclink-session+jwt", "magiclink+jwt", 1), claims),
		"aud of a link":   craft(seededKey(), header, strings.Replace(claims, "#session", "#magic-link", 1)),
		"bare aud":        craft(seededKey(), header, strings.Replace(claims, "#session", "", 1)),
		"id of a link":    craft(seededKey(), header, strings.Replace(claims, granted.ID, "mlk_"+granted.ID[4:], 1)),
		"malformed id":    craft(seededKey(), header, strings.Replace(claims, granted.ID, granted.ID+"0", 1)),
		"no id":           craft(seededKey(), header, strings.Replace(claims, granted.ID, "", 1)),
		"email a list":    craft(seededKey(), header, strings.Replace(claims, `"jane@example.com"`, `["jane@example.com"]`, 1)),
		"two emails":      craft(seededKey(), header, strings.Replace(claims, `"email"`, `"email":"x@example.com","email"`, 1)),
		"null tenant":     craft(seededKey(), header, strings.Replace(claims, `"tenant-1"`, `null`, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			verified, err := sessions.Verify(t.Context(), bad)
			require.Equal(t, magiclink.ErrInvalidToken, err)
			require.Zero(t, verified)
		})
	}
}

// Text comes back as it went in.
func TestSessionText(t *testing.T) {
	sessions, _ := newSessions(t)
	for _, text := range []string{
		`"quoted"`, `back\slash`, "Zürich", "事業", "😀", "a\u2028b", "</script>", `{"x":1}`, "a\x00b\n\t", "\x7f", "é\u0301", "\ufeff",
		`","tenant_id":"evil`, `\u0041`,
	} {
		redeemed := redemption()
		redeemed.TenantID, redeemed.ExternalBusinessID, redeemed.Email = text, text+"2", text+"3"
		token, granted, err := sessions.Grant(t.Context(), redeemed)
		require.NoError(t, err)
		require.Equal(t, []string{text, text + "2", text + "3"}, []string{granted.TenantID, granted.ExternalBusinessID, granted.Email})
		verified, err := sessions.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, granted, verified)
	}
}

// What is granted comes back as it was granted, or is not granted.
func TestGrantRefusesWhatWouldNotComeBack(t *testing.T) {
	for name, change := range map[string]func(*magiclink.Redemption){
		"of Inspect":          func(r *magiclink.Redemption) { r.RedeemedAt = time.Time{} },
		"zero":                func(r *magiclink.Redemption) { *r = magiclink.Redemption{} },
		"no id":               func(r *magiclink.Redemption) { r.MagicLinkID = "" },
		"id of a session":     func(r *magiclink.Redemption) { r.MagicLinkID = "ses_GA6EG2qFxA97NZHtxeLPUy" },
		"malformed id":        func(r *magiclink.Redemption) { r.MagicLinkID += "0" },
		"bad UTF-8":           func(r *magiclink.Redemption) { r.Email = "jane\xff@example.com" },
		"no session":          func(r *magiclink.Redemption) { r.SessionTimeout = 0 },
		"a negative session":  func(r *magiclink.Redemption) { r.SessionTimeout = -time.Hour },
		"half a second":       func(r *magiclink.Redemption) { r.SessionTimeout = 500 * time.Millisecond },
		"ten thousand years":  func(r *magiclink.Redemption) { r.SessionTimeout = 1<<63 - 1 },
		"a second and a half": func(r *magiclink.Redemption) { r.SessionTimeout = 1500 * time.Millisecond },
	} {
		t.Run(name, func(t *testing.T) {
			sessions, _ := newSessions(t)
			redeemed := redemption()
			change(&redeemed)
			token, granted, err := sessions.Grant(t.Context(), redeemed)
			require.Equal(t, name == "a second and a half", err == nil, "the control is granted in whole seconds")
			if err != nil {
				require.Empty(t, token)
				require.Zero(t, granted)
				return
			}
			verified, err := sessions.Verify(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, granted, verified)
		})
	}
}

// The longest of everything that a link can be issued with fits into the session's token, with names of the issuer and the
// audience of 240 bytes in all.
func TestLongestSession(t *testing.T) {
	longest := magiclink.Redemption{
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", SessionTimeout: 7948800 * time.Second, RedeemedAt: noon,
		Subject: magiclink.Subject{
			TenantID: repeat("😀", 255), BusinessID: businessA, ExternalBusinessID: repeat("😀", 255),
			Email: repeat("j", 64) + "@" + repeat("e", 63) + "." + repeat("e", 63) + "." + repeat("e", 57) + ".com",
		},
	}
	require.Len(t, longest.Email, 254)
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			sessions, _ := newSessions(t, func(c *magiclink.Config) {
				c.Keys, c.Issuer, c.Audience = generate(t, algorithm), repeat("i", 120), repeat("a", 120)
			})
			token, granted, err := sessions.Grant(t.Context(), longest)
			require.NoError(t, err)
			require.LessOrEqual(t, len(token), 4096)
			verified, err := sessions.Verify(t.Context(), token)
			require.NoError(t, err)
			require.Equal(t, granted, verified)
		})
	}
}

// A token that a verifier would not read is not granted.
func TestSessionTooLong(t *testing.T) {
	sessions, _ := newSessions(t)
	redeemed := redemption()
	redeemed.ExternalBusinessID = repeat("x", 4096)
	token, granted, err := sessions.Grant(t.Context(), redeemed)
	require.ErrorIs(t, err, magiclink.ErrTokenTooLong)
	require.Empty(t, token)
	require.Zero(t, granted)
}

// A token that was recognised before is judged anew each time: by the time and by the Sessions that are asked, also where two
// of them share a Keyring.
func TestSessionsThatShareAKeyring(t *testing.T) {
	keys, at := seededKeyring(t), &clock{now: noon}
	sessions := func(base string) *magiclink.Sessions {
		made, err := magiclink.NewSessions(magiclink.Config{BaseURL: base, Keys: keys, Now: at.Now})
		require.NoError(t, err)
		return made
	}
	here, there := sessions(baseURL), sessions("https://app.example.org/magic")
	token, _, err := here.Grant(t.Context(), redemption())
	require.NoError(t, err)
	for range 3 {
		verified, err := here.Verify(t.Context(), token)
		require.NoError(t, err)
		require.Equal(t, "jane@example.com", verified.Email)
		_, err = there.Verify(t.Context(), token)
		require.Equal(t, magiclink.ErrInvalidToken, err)
		_, err = keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{Issuer: origin, Audience: origin + "#session", Now: noon})
		require.Equal(t, magiclink.ErrInvalidToken, err)
		_, err = here.Verify(t.Context(), token+"x")
		require.Equal(t, magiclink.ErrInvalidToken, err)
	}
	at.set(noon.Add(time.Hour))
	_, err = here.Verify(t.Context(), token)
	require.Equal(t, magiclink.ErrInvalidToken, err)
}

// A caller that changes what it was given changes nothing for the next caller.
func TestVerifiedAccessTokenIsTheCallers(t *testing.T) {
	keys := seededKeyring(t)
	token := accessToken()
	token.Audience = []string{"urn:other", accessAudience}
	signed, err := keys.SignAccessToken(token)
	require.NoError(t, err)
	for range 3 {
		got, err := keys.VerifyAccessToken(signed, accessCheck())
		require.NoError(t, err)
		require.Equal(t, token, got)
		got.Audience[0], got.Audience[1], got.Scopes[0] = "urn:evil", "urn:evil", "admin"
		_, err = keys.VerifyAccessToken(signed, magiclink.AccessTokenCheck{Issuer: accessIssuer, Audience: "urn:evil", Now: noon})
		require.Equal(t, magiclink.ErrInvalidToken, err)
	}
}
