package magiclink_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// The keys of RFC 8037 appendix A and RFC 7515 appendix A.1 and A.3.
const (
	okpD   = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"
	okpX   = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
	ecX    = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
	ecY    = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
	ecD    = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
	octK   = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
	octK31 = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" // 31 bytes
	okp    = `{"kty":"OKP","crv":"Ed25519","kid":"a","x":"` + okpX + `"`
	okpKey = okp + `,"d":"` + okpD + `"`
	ec     = `{"kty":"EC","crv":"P-256","kid":"b","x":"` + ecX + `","y":"` + ecY + `"`
	ecKey  = ec + `,"d":"` + ecD + `"`
	octKey = `{"kty":"oct","kid":"c","k":"` + octK + `"`
)

func setOf(keys ...string) string { return `{"keys":[` + strings.Join(keys, ",") + `]}` }

func TestParseKeyring(t *testing.T) {
	for name, test := range map[string]struct {
		set string
		ids []string
		can bool
	}{
		"OKP":                {setOf(okpKey + "}"), []string{"a"}, true},
		"OKP public":         {setOf(okp + "}"), []string{"a"}, false},
		"EC":                 {setOf(ecKey + "}"), []string{"b"}, true},
		"EC public":          {setOf(ec + "}"), []string{"b"}, false},
		"oct":                {setOf(octKey + "}"), []string{"c"}, true},
		"alg and use":        {setOf(okpKey + `,"alg":"EdDSA","use":"sig"}`), []string{"a"}, true},
		"alg ES256":          {setOf(ecKey + `,"alg":"ES256"}`), []string{"b"}, true},
		"alg HS256":          {setOf(octKey + `,"alg":"HS256"}`), []string{"c"}, true},
		"unknown members":    {`{"note":1,"keys":[` + okpKey + `,"x-note":{"a":[1]}}]}`, []string{"a"}, true},
		"two asymmetric":     {setOf(okpKey+"}", ec+"}"), []string{"a", "b"}, true},
		"public one first":   {setOf(okp+"}", ecKey+"}"), []string{"a", "b"}, false},
		"two secrets":        {setOf(octKey+"}", strings.Replace(octKey, `"c"`, `"d"`, 1)+"}"), []string{"c", "d"}, true},
		"kid of 128 bytes":   {setOf(strings.Replace(okpKey, `"a"`, `"`+repeat("k", 128)+`"`, 1) + "}"), []string{repeat("k", 128)}, true},
		"white space around": {" \n" + setOf(okpKey+"}") + "\t", []string{"a"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.ParseKeyring([]byte(test.set))
			require.NoError(t, err)
			require.Equal(t, test.ids, idsOf(keys))
			require.Equal(t, test.can, keys.CanSign())
			if test.can {
				require.NoError(t, verify(keys, sign(t, keys)))
			}
		})
	}
}

func TestParseKeyringRefuses(t *testing.T) {
	kid := func(id string) string { return setOf(strings.Replace(okpKey, `"a"`, id, 1) + "}") }
	for name, set := range map[string]string{
		"nothing": "", "null": "null", "array": "[" + okpKey + "}]", "no keys": "{}", "empty set": setOf(), "keys null": `{"keys":null}`,
		"keys object": `{"keys":` + okpKey + `}}`, "a key itself": okpKey + "}", "Keys": `{"Keys":[` + okpKey + `}]}`,
		"trailing": setOf(okpKey+"}") + "{}", "trailing letter": setOf(okpKey+"}") + "x", "key null": setOf("null"), "key string": setOf(`"a"`),
		"key array": setOf("[]"), "key empty": setOf("{}"), "second bad": setOf(okpKey+"}", "{}"), "BOM": "\ufeff" + setOf(okpKey+"}"),
		"PEM":       "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g\n-----END PRIVATE KEY-----\n",
		"bad UTF-8": setOf(okpKey + ",\"n\":\"\xff\"}"), "duplicate keys": `{"keys":[` + okpKey + `}],"keys":[]}`,
		"duplicate kid": setOf(okpKey+"}", strings.Replace(ec, `"b"`, `"a"`, 1)+"}"), "same key twice": setOf(okpKey+"}", okpKey+"}"),
		"duplicate d": setOf(okpKey + `,"d":"` + okpD + `"}`), "duplicate x": setOf(okpKey + `,"x":"` + okpX + `"}`),
		"duplicate escaped": setOf(okpKey + `,"\u0064":"` + okpD + `"}`),
		"no kid":            setOf(`{"kty":"OKP","crv":"Ed25519","x":"` + okpX + `"}`), "empty kid": kid(`""`), "kid number": kid(`5`), "kid null": kid(`null`),
		"kid with space": kid(`"a b"`), "kid with line break": kid(`"a\nb"`), "kid with quote": kid(`"a\"b"`), "kid with backslash": kid(`"a\\b"`),
		"kid beyond ASCII": kid(`"ä"`), "kid of 129 bytes": kid(`"` + repeat("k", 129) + `"`), "kid with NUL": kid(`"\u0000"`),
		"RSA":         setOf(`{"kty":"RSA","kid":"r","n":"` + repeat("w", 342) + `","e":"AQAB"}`),
		"X25519":      setOf(`{"kty":"OKP","crv":"X25519","kid":"x","x":"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}`),
		"Ed448":       setOf(`{"kty":"OKP","crv":"Ed448","kid":"x","x":"` + repeat("A", 76) + `"}`),
		"P-384":       setOf(`{"kty":"EC","crv":"P-384","kid":"x","x":"` + repeat("A", 64) + `","y":"` + repeat("A", 64) + `"}`),
		"secp256k1":   setOf(strings.Replace(ec, "P-256", "secp256k1", 1) + "}"),
		"unknown kty": setOf(strings.Replace(okpKey, "OKP", "XXX", 1) + "}"), "no kty": setOf(`{"kid":"a","crv":"Ed25519","x":"` + okpX + `"}`),
		"oct with OKP": setOf(okpKey+"}", octKey+"}"), "OKP with oct": setOf(octKey+"}", okp+"}"), "oct with EC": setOf(ecKey+"}", octKey+"}"),
		"alg of another kind": setOf(okpKey + `,"alg":"ES256"}`), "alg none": setOf(octKey + `,"alg":"none"}`), "alg HS512": setOf(octKey + `,"alg":"HS512"}`),
		"alg RS256": setOf(okpKey + `,"alg":"RS256"}`), "alg unknown": setOf(okpKey + `,"alg":"XX"}`), "alg number": setOf(okpKey + `,"alg":5}`),
		"use enc": setOf(okpKey + `,"use":"enc"}`), "use unknown": setOf(okpKey + `,"use":"x"}`), "use number": setOf(okpKey + `,"use":1}`),
		"short x": setOf(strings.Replace(okp, okpX, okpX[:42], 1) + "}"), "long x": setOf(strings.Replace(okp, okpX, okpX+"AAAA", 1) + "}"),
		"empty x": setOf(strings.Replace(okp, okpX, "", 1) + "}"), "short d": setOf(strings.Replace(okpKey, okpD, okpD[:40], 1) + "}"),
		"empty d": setOf(strings.Replace(okpKey, okpD, "", 1) + "}"), "d of another key": setOf(strings.Replace(okpKey, okpD, ecD, 1) + "}"),
		"no x": setOf(`{"kty":"OKP","crv":"Ed25519","kid":"a","d":"` + okpD + `"}`), "x garbage": setOf(strings.Replace(okp, okpX, "!!!!", 1) + "}"),
		"x number": setOf(`{"kty":"OKP","crv":"Ed25519","kid":"a","x":5}`), "short k": setOf(`{"kty":"oct","kid":"c","k":"` + octK31 + `"}`),
		"empty k": setOf(`{"kty":"oct","kid":"c","k":""}`), "no k": setOf(`{"kty":"oct","kid":"c"}`), "no y": setOf(`{"kty":"EC","crv":"P-256","kid":"b","x":"` + ecX + `"}`),
		"off the curve": setOf(strings.Replace(ec, ecY, ecX, 1) + "}"), "EC d of another": setOf(strings.Replace(ecKey, ecD, okpD, 1) + "}"),
		"EC d zero": setOf(strings.Replace(ecKey, ecD, repeat("A", 43), 1) + "}"), "EC d huge": setOf(strings.Replace(ecKey, ecD, repeat("_", 400), 1) + "}"),
		"EC x huge": setOf(strings.Replace(ec, ecX, repeat("_", 400), 1) + "}"), "EC point zero": setOf(`{"kty":"EC","crv":"P-256","kid":"b","x":"AA","y":"AA"}`),
		"EC empty d": setOf(strings.Replace(ecKey, ecD, "", 1) + "}"), "deep": setOf(okpKey + `,"n":` + repeat("[", 1000) + repeat("]", 1000) + "}"),
	} {
		t.Run(name, func(t *testing.T) {
			keys, err := magiclink.ParseKeyring([]byte(set))
			require.Error(t, err)
			require.Nil(t, keys)
			require.NotEqual(t, magiclink.ErrNoSigningKey, err)
			for _, material := range []string{okpD, okpD[:12], ecD[:12], octK[:12], okpX[:12], "A7f3a"} {
				require.NotContains(t, err.Error(), material)
			}
		})
	}
}

func TestPublicJWKSHasPublicMembersAlone(t *testing.T) {
	for algorithm, want := range map[magiclink.Algorithm][]string{
		magiclink.EdDSA: {"alg", "crv", "kid", "kty", "use", "x"},
		magiclink.ES256: {"alg", "crv", "kid", "kty", "use", "x", "y"},
	} {
		keys := generate(t, algorithm)
		_, err := keys.Rotate()
		require.NoError(t, err)
		text, err := keys.PublicJWKS()
		require.NoError(t, err)
		for n, member := range parseSet(t, text) {
			require.Equal(t, want, slices.Sorted(maps.Keys(member)))
			require.Equal(t, string(algorithm), member["alg"])
			require.Equal(t, "sig", member["use"])
			require.Equal(t, keys.Keys()[n].ID, member["kid"])
		}
	}
}

func readSet(t *testing.T, path string) []map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	return parseSet(t, text)
}

func parseSet(t *testing.T, text []byte) []map[string]any {
	t.Helper()
	var set struct{ Keys []map[string]any }
	require.NoError(t, json.Unmarshal(text, &set))
	return set.Keys
}

// Names count case and all, material is in base64url without padding (RFC 7518 section 6), and key_ops is heeded.
func TestParseKeyringReadsStrictly(t *testing.T) {
	for name, set := range map[string]string{
		"kty in capitals":   setOf(strings.Replace(octKey, "kty", "KTY", 1) + "}"),
		"padded":            setOf(strings.Replace(okp, okpX, okpX+"=", 1) + "}"),
		"standard alphabet": setOf(strings.Replace(okpKey, okpD, strings.ReplaceAll(okpD, "_", "/"), 1) + "}"),
		"last bits":         setOf(strings.Replace(okp, okpX, okpX[:42]+"p", 1) + "}"),
		"line break":        setOf(strings.Replace(okp, okpX, okpX[:10]+`\n`+okpX[10:], 1) + "}"),
		"coordinate of 35":  setOf(strings.Replace(ec, ecX, "AAAA"+ecX, 1) + "}"),
		"key_ops encrypt":   setOf(okpKey + `,"key_ops":["encrypt"]}`),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := magiclink.ParseKeyring([]byte(set))
			require.Error(t, err)
		})
	}
}
