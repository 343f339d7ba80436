package jose_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/internal/jose"
)

// All of these are rightly signed: only the header is at fault.
func TestHeaderRefused(t *testing.T) {
	each(t, func(t *testing.T, p party) {
		alg := `"alg":"` + string(p.key.Algorithm()) + `"`
		good := `{` + alg + `,"kid":"k","typ":"at+jwt"}`
		require.NoError(t, p.verify(p.craft(good, claims)), "the header that each case spoils")
		with := func(members string) string { return strings.TrimSuffix(good, "}") + "," + members + "}" }
		for name, header := range map[string]string{
			"alg none": `{"alg":"none","kid":"k","typ":"at+jwt"}`, "alg None": `{"alg":"None","kid":"k","typ":"at+jwt"}`,
			"alg NONE": `{"alg":"NONE","kid":"k","typ":"at+jwt"}`, "alg empty": `{"alg":"","kid":"k","typ":"at+jwt"}`,
			"alg missing": `{"kid":"k","typ":"at+jwt"}`, "alg null": `{"alg":null,"kid":"k","typ":"at+jwt"}`,
			"alg number": `{"alg":5,"kid":"k","typ":"at+jwt"}`, "alg array": `{"alg":["HS256"],"kid":"k","typ":"at+jwt"}`,
			"alg HS512": `{"alg":"HS512","kid":"k","typ":"at+jwt"}`, "alg RS256": `{"alg":"RS256","kid":"k","typ":"at+jwt"}`,
			"alg ES384": `{"alg":"ES384","kid":"k","typ":"at+jwt"}`, "alg Ed25519": `{"alg":"Ed25519","kid":"k","typ":"at+jwt"}`,
			"alg lower case":    strings.Replace(good, alg, strings.ToLower(alg), 1),
			"alg with a space":  strings.Replace(good, alg, strings.TrimSuffix(alg, `"`)+` "`, 1),
			"alg of other case": strings.Replace(good, `"alg"`, `"ALG"`, 1),
			"crit":              with(`"crit":[]`), "crit exp": with(`"crit":["exp"],"exp":5`), "b64": with(`"b64":true`), "b64 false": with(`"b64":false,"crit":["b64"]`),
			"jwk": with(`"jwk":{"kty":"oct","k":"AAAA"}`), "jwk string": with(`"jwk":"a"`), "jku": with(`"jku":"https://evil.com"`), "x5u": with(`"x5u":"https://evil.com"`),
			"x5c": with(`"x5c":["AAAA"]`), "x5t": with(`"x5t":"AAAA"`), "zip": with(`"zip":"DEF"`), "enc": with(`"enc":"A128GCM"`), "cty": with(`"cty":"JWT"`),
			"extra": with(`"extra":"a"`), "empty name": with(`"":"a"`), "Crit": with(`"Crit":"a"`), "iss": with(`"iss":"i"`), "other case": with(`"KID":"k"`),
			"kid unknown": strings.Replace(good, `"k"`, `"other"`, 1), "kid empty": strings.Replace(good, `"k"`, `""`, 1),
			"kid missing": `{` + alg + `,"typ":"at+jwt"}`, "kid number": strings.Replace(good, `"k"`, `5`, 1), "kid null": strings.Replace(good, `"k"`, `null`, 1),
			"kid array": strings.Replace(good, `"k"`, `["k"]`, 1), "kid prefix": strings.Replace(good, `"k"`, `"k "`, 1), "kid NUL": strings.Replace(good, `"k"`, `"k\u0000"`, 1),
			"kid case": strings.Replace(good, `"k"`, `"K"`, 1), "kid path": strings.Replace(good, `"k"`, `"../../dev/null"`, 1), "kid SQL": strings.Replace(good, `"k"`, `"k' OR 1=1"`, 1),
			"typ missing": `{` + alg + `,"kid":"k"}`, "typ empty": strings.Replace(good, "at+jwt", "", 1), "typ JWT": strings.Replace(good, "at+jwt", "JWT", 1),
			"typ link": strings.Replace(good, "at+jwt", "magiclink+jwt", 1), "typ session": strings.Replace(good, "at+jwt", "magiclink-session+jwt", 1),
			"typ application": strings.Replace(good, "at+jwt", "application/at+jwt", 1), "typ case": strings.Replace(good, "at+jwt", "AT+JWT", 1),
			"typ space": strings.Replace(good, "at+jwt", "at+jwt ", 1), "typ number": strings.Replace(good, `"at+jwt"`, "5", 1), "typ null": strings.Replace(good, `"at+jwt"`, "null", 1),
			"duplicate alg": with(alg), "duplicate kid": with(`"kid":"k"`), "duplicate typ": with(`"typ":"at+jwt"`), "duplicate escaped": with(`"\u006bid":"k"`),
			"duplicate, good first": with(`"alg":"none"`), "duplicate, good last": `{"alg":"none",` + good[1:],
			"trailing letter": good + "x", "trailing object": good + "{}", "trailing NUL": good + "\x00", "unclosed": good[:len(good)-1], "array": "[" + good + "]",
			"string": `"` + `alg"`, "null": "null", "number": "5", "empty object": "{}", "BOM": "\ufeff" + good, "bad UTF-8": with("\"x\":\"\xff\""),
			"bad UTF-8 in kid": strings.Replace(good, `"k"`, "\"k\xff\"", 1), "lone surrogate": strings.Replace(good, `"k"`, `"\ud800"`, 1), "trailing comma": strings.TrimSuffix(good, "}") + ",}",
		} {
			require.Equal(t, jose.ErrInvalid, p.verify(p.craft(header, claims)), name)
		}
	})
}

// The public key is no secret: taken as one it must open nothing.
func TestAlgorithmConfusion(t *testing.T) {
	for _, p := range []party{edDSA(t), es256(t)} {
		public, err := jose.MarshalSet(members(p.key.Public()))
		require.NoError(t, err)
		for _, secret := range [][]byte{public, seed, {}, publicBytes(t, p.key)} {
			for _, alg := range []string{"HS256", "HS512", string(p.key.Algorithm())} {
				signed := encode([]byte(`{"alg":"`+alg+`","kid":"k","typ":"at+jwt"}`)) + "." + encode([]byte(claims))
				require.ErrorIs(t, p.verify(signed+"."+encode(mac(secret, signed))), jose.ErrInvalid)
			}
		}
	}
}

// The same bytes under an HS256 key are good, so the test above would see a hole.
func TestAlgorithmConfusionControl(t *testing.T) {
	secret := publicBytes(t, edDSA(t).key)
	key, err := jose.NewKey("k", secret)
	require.NoError(t, err)
	p := party{key: key, sign: func(signed string) []byte { return mac(secret, signed) }}
	require.NoError(t, p.verify(p.craft(p.header(), claims)))
}

// The one key that is asked is the one that the header names, whatever comes first.
func TestHeaderChoosesTheKey(t *testing.T) {
	first, second := edDSA(t), es256(t)
	other, err := jose.NewKey("other", rawES256(t))
	require.NoError(t, err)
	keys := []*jose.Key{other, second.key}
	_, err = jose.Verify(second.signed(t), jose.Access, keys)
	require.NoError(t, err)
	_, err = jose.Verify(second.craft(`{"typ":"at+jwt","kid":"k","alg":"ES256"}`, claims), jose.Access, keys)
	require.NoError(t, err, "another order of the members")
	for name, token := range map[string]string{
		"another key":                  strings.Replace(second.signed(t), encode([]byte(second.header())), encode([]byte(`{"alg":"ES256","kid":"other","typ":"at+jwt"}`)), 1),
		"another algorithm of that id": first.signed(t),
		"no key of that id":            second.craft(`{"alg":"ES256","kid":"K","typ":"at+jwt"}`, claims),
	} {
		_, err = jose.Verify(token, jose.Access, keys)
		require.ErrorIs(t, err, jose.ErrInvalid, name)
	}
	_, err = jose.Verify(second.signed(t), jose.Access, nil)
	require.ErrorIs(t, err, jose.ErrInvalid, "no keys at all")
}
