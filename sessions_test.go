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
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", TenantID: "tenant-1", BusinessID: businessA, ExternalBusinessID: "shop-7",
		Email: "jane@example.com", Path: "/reports", SessionTimeout: time.Hour, IssuedAt: noon, ExpiresAt: noon, RedeemedAt: noon,
	}
}

func newSessions(tb testing.TB, change ...func(*magiclink.SessionsConfig)) (*magiclink.Sessions, *clock) {
	tb.Helper()
	at := &clock{now: noon}
	config := magiclink.SessionsConfig{BaseURL: baseURL, Keys: seededKeyring(tb), Now: at.Now}
	for _, c := range change {
		c(&config)
	}
	sessions, err := magiclink.NewSessions(config)
	require.NoError(tb, err)
	return sessions, at
}

func TestNewSessionsReportsEveryFaultAtOnce(t *testing.T) {
	sessions, err := magiclink.NewSessions(magiclink.SessionsConfig{
		BaseURL: "https://app.example.com/a?b", Issuer: "\n", Audience: repeat("x", 513), Leeway: 2 * time.Minute,
	})
	require.Nil(t, sessions)
	var faults magiclink.ConfigErrors
	require.ErrorAs(t, err, &faults)
	var fields []string
	for _, fault := range faults {
		fields = append(fields, fault.Field)
	}
	require.ElementsMatch(t, []string{"BaseURL", "Keys", "Issuer", "Audience", "Leeway"}, fields)
}

func TestSessionRoundTrip(t *testing.T) {
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			sessions, _ := newSessions(t, func(c *magiclink.SessionsConfig) { c.Keys = generate(t, algorithm) })
			token, granted, err := sessions.Grant(redemption())
			require.NoError(t, err)
			require.Regexp(t, `^ses_[`+idAlphabet+`]{22}$`, granted.ID)
			require.Equal(t, magiclink.Session{
				ID: granted.ID, MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", TenantID: "tenant-1", BusinessID: businessA,
				ExternalBusinessID: "shop-7", Email: "jane@example.com",
				CreatedAt: noon.Truncate(time.Second), ExpiresAt: noon.Truncate(time.Second).Add(time.Hour),
			}, granted)
			verified, err := sessions.Verify(token)
			require.NoError(t, err)
			require.Equal(t, granted, verified)
		})
	}
}

func TestClaimsOfSession(t *testing.T) {
	sessions, _ := newSessions(t)
	token, granted, err := sessions.Grant(redemption())
	require.NoError(t, err)
	require.Equal(t, map[string]any{
		"alg": "EdDSA", "kid": seededKeyring(t).Keys()[0].ID, "typ": "magiclink-session+jwt",
	}, part(t, token, 0))
	require.Equal(t, map[string]any{
		"iss": origin, "aud": origin + "#session", "jti": granted.ID, "iat": json.Number("1773489607"),
		"exp": json.Number("1773493207"), "magic_link_id": "mlk_GA6EG2qFxA97NZHtxeLPUy", "tenant_id": "tenant-1",
		"business_id": businessA, "external_business_id": "shop-7", "email": "jane@example.com",
	}, part(t, token, 1))

	bare, _, err := sessions.Grant(magiclink.Redemption{MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", SessionTimeout: time.Second})
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
				sessions, at := newSessions(t, func(c *magiclink.SessionsConfig) { c.Leeway = leeway })
				redeemed := redemption()
				redeemed.SessionTimeout = timeout
				token, granted, err := sessions.Grant(redeemed)
				require.NoError(t, err)
				require.Equal(t, timeout, granted.ExpiresAt.Sub(granted.CreatedAt))
				end := noon.Truncate(time.Second).Add(timeout + leeway)
				for offset, alive := range map[time.Duration]bool{-time.Second: true, -1: true, 0: false, 1: false, time.Second: false} {
					at.set(end.Add(offset))
					verified, err := sessions.Verify(token)
					if alive {
						require.NoError(t, err)
						require.Equal(t, granted, verified)
					} else {
						require.Equal(t, magiclink.ErrInvalid, err, "the bare error, and not that it has expired")
						require.Zero(t, verified)
					}
				}
			})
		}
	}
}

// Each session has an id of its own, also of one redemption at one time.
func TestSessionIDsAreNew(t *testing.T) {
	sessions, _ := newSessions(t)
	ids, tokens := map[string]bool{}, map[string]bool{}
	for range 1000 {
		token, granted, err := sessions.Grant(redemption())
		require.NoError(t, err)
		ids[granted.ID], tokens[token] = true, true
	}
	require.Len(t, ids, 1000)
	require.Len(t, tokens, 1000)
}

// Sessions are verified with public keys, without a store; and with those alone none is granted.
func TestSessionsWithPublicKeys(t *testing.T) {
	granting, _ := newSessions(t)
	public, err := seededKeyring(t).Public()
	require.NoError(t, err)
	verifying, _ := newSessions(t, func(c *magiclink.SessionsConfig) { c.Keys = public })
	token, granted, err := granting.Grant(redemption())
	require.NoError(t, err)
	verified, err := verifying.Verify(token)
	require.NoError(t, err)
	require.Equal(t, granted, verified)

	token, granted, err = verifying.Grant(redemption())
	require.ErrorIs(t, err, magiclink.ErrNoSigningKey)
	require.Empty(t, token)
	require.Zero(t, granted)
}

func TestSessionAfterRotation(t *testing.T) {
	keys := generate(t, magiclink.EdDSA)
	sessions, _ := newSessions(t, func(c *magiclink.SessionsConfig) { c.Keys = keys })
	token, _, err := sessions.Grant(redemption())
	require.NoError(t, err)
	old := keys.Keys()[0].ID
	_, err = keys.Rotate()
	require.NoError(t, err)
	_, err = sessions.Verify(token)
	require.NoError(t, err)
	require.NoError(t, keys.Retire(old))
	_, err = sessions.Verify(token)
	require.Equal(t, magiclink.ErrInvalid, err)
}

func TestSessionsOfAnotherConfiguration(t *testing.T) {
	sessions, _ := newSessions(t)
	token, _, err := sessions.Grant(redemption())
	require.NoError(t, err)
	for name, change := range map[string]func(*magiclink.SessionsConfig){
		"origin":   func(c *magiclink.SessionsConfig) { c.BaseURL = "https://app.example.org/magic" },
		"issuer":   func(c *magiclink.SessionsConfig) { c.Issuer = "https://other.example" },
		"audience": func(c *magiclink.SessionsConfig) { c.Audience = "https://other.example" },
		"keys":     func(c *magiclink.SessionsConfig) { c.Keys = generate(t, magiclink.EdDSA) },
	} {
		t.Run(name, func(t *testing.T) {
			other, _ := newSessions(t, change)
			_, err := other.Verify(token)
			require.Equal(t, magiclink.ErrInvalid, err)
		})
	}
	same, _ := newSessions(t, func(c *magiclink.SessionsConfig) { c.Issuer, c.Audience = origin, origin })
	_, err = same.Verify(token)
	require.NoError(t, err, "the control")
}

func TestSessionsRefuseForgeries(t *testing.T) {
	sessions, _ := newSessions(t)
	token, granted, err := sessions.Grant(redemption())
	require.NoError(t, err)
	parts := strings.Split(token, ".")
	header := string(unbase64(t, parts[0]))
	claims := string(unbase64(t, parts[1]))
	_, err = sessions.Verify(craft(seededKey(), header, claims))
	require.NoError(t, err, "the control: what each case changes is a session")
	for name, bad := range map[string]string{
		"empty": "", "garbage": "garbage", "cut off": token[:len(token)-1], "padded": token + "=", "space": " " + token,
		"other signature": parts[0] + "." + parts[1] + "." + strings.Repeat("A", 86),
		"alg none":        craft(seededKey(), strings.Replace(header, "EdDSA", "none", 1), claims),
		"typ of a link":   craft(seededKey(), strings.Replace(header, "magiclink-session+jwt", "magiclink+jwt", 1), claims),
		"aud of a link":   craft(seededKey(), header, strings.Replace(claims, "#session", "#magic-link", 1)),
		"bare aud":        craft(seededKey(), header, strings.Replace(claims, "#session", "", 1)),
		"id of a link":    craft(seededKey(), header, strings.Replace(claims, granted.ID, "mlk_"+granted.ID[4:], 1)),
		"no id":           craft(seededKey(), header, strings.Replace(claims, granted.ID, "", 1)),
		"email a list":    craft(seededKey(), header, strings.Replace(claims, `"jane@example.com"`, `["jane@example.com"]`, 1)),
		"two emails":      craft(seededKey(), header, strings.Replace(claims, `"email"`, `"email":"x@example.com","email"`, 1)),
		"null tenant":     craft(seededKey(), header, strings.Replace(claims, `"tenant-1"`, `null`, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			verified, err := sessions.Verify(bad)
			require.Equal(t, magiclink.ErrInvalid, err)
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
		token, granted, err := sessions.Grant(redeemed)
		require.NoError(t, err)
		require.Equal(t, []string{text, text + "2", text + "3"}, []string{granted.TenantID, granted.ExternalBusinessID, granted.Email})
		verified, err := sessions.Verify(token)
		require.NoError(t, err)
		require.Equal(t, granted, verified)
	}
}

// What is granted comes back as it was granted, or is not granted.
func TestGrantRefusesWhatWouldNotComeBack(t *testing.T) {
	for name, change := range map[string]func(*magiclink.Redemption){
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
			token, granted, err := sessions.Grant(redeemed)
			if err != nil {
				require.Empty(t, token)
				require.Zero(t, granted)
				return
			}
			verified, err := sessions.Verify(token)
			require.NoError(t, err)
			require.Equal(t, granted, verified)
		})
	}
}

// The longest of everything that a link can be issued with fits into the session's token, with names of the issuer and the
// audience of 280 bytes in all.
func TestLongestSession(t *testing.T) {
	longest := magiclink.Redemption{
		MagicLinkID: "mlk_GA6EG2qFxA97NZHtxeLPUy", TenantID: repeat("😀", 255), BusinessID: businessA,
		ExternalBusinessID: repeat("😀", 255), SessionTimeout: 7948800 * time.Second,
		Email: repeat("j", 64) + "@" + repeat("e", 63) + "." + repeat("e", 63) + "." + repeat("e", 57) + ".com",
	}
	require.Len(t, longest.Email, 254)
	for _, algorithm := range algorithms {
		t.Run(string(algorithm), func(t *testing.T) {
			sessions, _ := newSessions(t, func(c *magiclink.SessionsConfig) {
				c.Keys, c.Issuer, c.Audience = generate(t, algorithm), repeat("i", 120), repeat("a", 120)
			})
			token, granted, err := sessions.Grant(longest)
			require.NoError(t, err)
			t.Logf("%d bytes", len(token))
			verified, err := sessions.Verify(token)
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
	token, granted, err := sessions.Grant(redeemed)
	require.ErrorIs(t, err, magiclink.ErrTokenTooLong)
	require.Empty(t, token)
	require.Zero(t, granted)
}

// What has been recognised once is judged anew each time: by the time, and by whoever asks, also where both share a ring.
func TestSessionsThatShareAKeyring(t *testing.T) {
	keys, at := seededKeyring(t), &clock{now: noon}
	sessions := func(base string) *magiclink.Sessions {
		made, err := magiclink.NewSessions(magiclink.SessionsConfig{BaseURL: base, Keys: keys, Now: at.Now})
		require.NoError(t, err)
		return made
	}
	here, there := sessions(baseURL), sessions("https://app.example.org/magic")
	token, _, err := here.Grant(redemption())
	require.NoError(t, err)
	for range 3 {
		verified, err := here.Verify(token)
		require.NoError(t, err)
		require.Equal(t, "jane@example.com", verified.Email)
		_, err = there.Verify(token)
		require.Equal(t, magiclink.ErrInvalid, err)
		_, err = keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{Issuer: origin, Audience: origin + "#session", Now: noon})
		require.Equal(t, magiclink.ErrInvalid, err)
		_, err = here.Verify(token + "x")
		require.Equal(t, magiclink.ErrInvalid, err)
	}
	at.set(noon.Add(time.Hour))
	_, err = here.Verify(token)
	require.Equal(t, magiclink.ErrInvalid, err)
}

// The caller may do as it likes with what it was given: the next one is told what the token says.
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
		require.Equal(t, magiclink.ErrInvalid, err)
	}
}
