package magiclink_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// goodClaims are the members of an access token, in their order.
var goodClaims = []string{
	`"iss":"` + accessIssuer + `"`, `"aud":"` + accessAudience + `"`, `"sub":"s"`, `"client_id":"c"`, `"jti":"j"`, `"scope":"auth:create"`,
	`"tenant_id":"t"`, `"iat":1773489000`, `"exp":1773490000`,
}

// with replaces the member of this name, or leaves it out if the new one is empty.
func with(name, member string) string {
	var kept []string
	for _, one := range goodClaims {
		switch {
		case !strings.HasPrefix(one, `"`+name+`":`):
			kept = append(kept, one)
		case member != "":
			kept = append(kept, member)
		}
	}
	return "{" + strings.Join(kept, ",") + "}"
}

// present verifies what a token with these claims says; the signature is right.
func present(t *testing.T, claims string, at time.Time, leeway time.Duration) (magiclink.AccessToken, error) {
	t.Helper()
	keys := seededKeyring(t)
	token := craft(seededKey(), `{"alg":"EdDSA","kid":"`+keys.Keys()[0].ID+`","typ":"at+jwt"}`, claims)
	return keys.VerifyAccessToken(token, magiclink.AccessTokenCheck{
		Issuer: accessIssuer, Audience: accessAudience, Now: at, Leeway: leeway,
	})
}

func TestClaimsAccepted(t *testing.T) {
	for name, claims := range map[string]string{
		"as they are":    with("", ""),
		"one audience":   with("aud", `"aud":["`+accessAudience+`"]`),
		"many audiences": with("aud", `"aud":["urn:a","`+accessAudience+`","urn:b"]`),
		"unknown member": with("iat", `"iat":1773489000,"new":{"a":[null]}`),
		"escaped name":   with("iss", `"\u0069ss":"`+accessIssuer+`"`),
		"escaped value":  with("iss", `"iss":"https:\/\/auth.example.com"`),
		"white space":    " {" + with("", "")[1:] + "\n",
		"no scope":       with("scope", ""),
		"no tenant":      with("tenant_id", ""),
		"iat ahead":      with("iat", `"iat":1773489999`),
		"iat at exp":     with("iat", `"iat":1773490000`),
		"nbf now":        with("iat", `"iat":1773489000,"nbf":1773489607`),
		"a business":     with("iat", `"iat":1773489000,"business_id":"`+businessA+`"`),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := present(t, claims, noon, 0)
			require.NoError(t, err)
			require.Equal(t, "s", got.Subject)
			require.Equal(t, time.Unix(1773490000, 0).UTC(), got.ExpiresAt)
		})
	}
}

// All of these are rightly signed: only the claims are at fault.
func TestClaimsRefused(t *testing.T) {
	cases := map[string]string{
		"not JSON": "x", "null": "null", "array": "[" + with("", "") + "]", "string": `"a"`, "empty object": "{}", "unclosed": strings.TrimSuffix(with("", ""), "}"),
		"trailing letter": with("", "") + "x", "trailing object": with("", "") + "{}", "trailing NUL": with("", "") + "\x00", "BOM": "\ufeff" + with("", ""),
		"bad UTF-8": with("sub", "\"sub\":\"s\xff\""), "lone surrogate": with("sub", `"sub":"\ud800"`), "bad UTF-8 in unknown": with("sub", "\"sub\":\"s\",\"x\":\"\xff\""),
		"duplicate exp": with("exp", `"exp":1773490000,"exp":1773490000`), "duplicate aud": with("aud", `"aud":"urn:x","aud":"`+accessAudience+`"`),
		"duplicate escaped": with("iss", `"iss":"`+accessIssuer+`","\u0069ss":"`+accessIssuer+`"`), "duplicate unknown": with("sub", `"sub":"s","x":1,"x":1`),
		"duplicate nested": with("sub", `"sub":"s","x":{"y":1,"y":1}`), "other case": with("exp", `"EXP":1773490000`),
		"iss prefix": with("iss", `"iss":"`+accessIssuer+`/"`), "iss array": with("iss", `"iss":["`+accessIssuer+`"]`), "iss upper": with("iss", `"iss":"https://AUTH.example.com"`),
		"aud other": with("aud", `"aud":"urn:x"`), "aud list without ours": with("aud", `"aud":["urn:x","urn:y"]`), "aud empty list": with("aud", `"aud":[]`),
		"aud with number": with("aud", `"aud":["`+accessAudience+`",5]`), "aud with null": with("aud", `"aud":[null,"`+accessAudience+`"]`),
		"aud nested": with("aud", `"aud":[["`+accessAudience+`"]]`), "aud object": with("aud", `"aud":{"`+accessAudience+`":1}`), "aud joined": with("aud", `"aud":"`+accessAudience+` urn:x"`),
		"aud of a link": with("aud", `"aud":"`+accessAudience+`#magic-link"`),
		"iat after exp": with("iat", `"iat":1773490001`), "exp before now": with("exp", `"exp":1773489600`), "exp 0": with("exp", `"exp":0`),
		"nbf ahead": with("iat", `"iat":1773489000,"nbf":1773489608`), "nbf null": with("iat", `"iat":1773489000,"nbf":null`), "nbf string": with("iat", `"iat":1773489000,"nbf":"0"`),
		"sub number": with("sub", `"sub":5`), "client null": with("client_id", `"client_id":null`), "scope list": with("scope", `"scope":["auth:create"]`),
		"scope null": with("scope", `"scope":null`), "tenant number": with("tenant_id", `"tenant_id":7`), "tenant null": with("tenant_id", `"tenant_id":null`),
		"business malformed": with("iat", `"iat":1773489000,"business_id":"*"`), "business null": with("iat", `"iat":1773489000,"business_id":null`),
	}
	for _, name := range []string{"iss", "aud", "sub", "client_id", "jti", "iat", "exp"} {
		cases["no "+name] = with(name, "")
		cases[name+" null"] = with(name, `"`+name+`":null`)
		cases[name+" empty"] = with(name, `"`+name+`":""`)
		cases[name+" true"] = with(name, `"`+name+`":true`)
		cases[name+" object"] = with(name, `"`+name+`":{}`)
	}
	for _, name := range []string{"iat", "exp", "nbf"} {
		for _, number := range []string{
			`"1773490000"`, "1e300", "1.77349e9", "1773490000.0", "1773490000.5", "-1", "-0", "1e9", "-1e300", "9223372036854775807", "18446744073709551616", "[1773490000]",
		} {
			member := `"` + name + `":` + number
			if name == "nbf" {
				cases[member] = with("iat", `"iat":1773489000,`+member)
			} else {
				cases[member] = with(name, member)
			}
		}
	}
	for name, claims := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := present(t, claims, noon, 0)
			require.Equal(t, magiclink.ErrInvalidToken, err)
			require.Zero(t, got)
		})
	}
}

func TestNotBefore(t *testing.T) {
	start := time.Unix(1773489500, 0)
	claims := with("iat", `"iat":1773489000,"nbf":1773489500`)
	for leeway, early := range map[time.Duration]time.Duration{0: 0, -time.Hour: 0, time.Minute: time.Minute, time.Hour: time.Minute} {
		for offset, ok := range map[time.Duration]bool{-time.Second: false, -1: false, 0: true, 1: true} {
			_, err := present(t, claims, start.Add(-early+offset), leeway)
			require.Equal(t, ok, err == nil, "leeway %v, offset %v", leeway, offset)
		}
	}
}

// A link's token opens nothing where an access token is asked for, even with issuer and audience alike.
func TestLinkTokenIsNoAccessToken(t *testing.T) {
	keys := seededKeyring(t)
	f := newFixture(t, func(c *magiclink.Config) { c.Keys, c.Issuer, c.Audience = keys, accessIssuer, accessAudience })
	response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA})
	require.NoError(t, err)
	require.NoError(t, verify(keys, sign(t, keys)))
	require.ErrorIs(t, verify(keys, tokenOf(t, response.MagicLink)), magiclink.ErrInvalidToken)
}

func TestTokensOfOtherRings(t *testing.T) {
	keys := seededKeyring(t)
	id := keys.Keys()[0].ID
	other, err := magiclink.ParseKeyring([]byte(strings.Replace(setOf(okpKey+"}"), `"a"`, `"`+id+`"`, 1)))
	require.NoError(t, err)
	require.NoError(t, verify(keys, sign(t, keys)))
	require.ErrorIs(t, verify(keys, sign(t, other)), magiclink.ErrInvalidToken, "the same id, another key")
	require.ErrorIs(t, verify(other, sign(t, keys)), magiclink.ErrInvalidToken)
}
