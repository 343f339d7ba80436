package contracttest

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var encode = base64.RawURLEncoding.EncodeToString

// signed makes a compact token of whatever header and payload, with the key of the service.
func signed(header, payload string) string {
	text := encode([]byte(header)) + "." + encode([]byte(payload))
	return text + "." + encode(ed25519.Sign(seededKey(), []byte(text)))
}

func (s *service) goodHeader() string {
	return fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"at+jwt"}`, s.keys.Keys()[0].ID)
}

func goodClaims() string {
	return fmt.Sprintf(`{"iss":%q,"aud":%q,"sub":"crm","client_id":"crm","jti":"1","scope":"auth:create",`+
		`"tenant_id":"t1","iat":%d,"exp":%d}`, issuer, audience, noon.Unix(), noon.Unix()+60)
}

// linkToken returns the token of a link: of our key, but of another kind.
func linkToken(tb testing.TB, s *service) string {
	tb.Helper()
	var object struct {
		Data struct {
			Link string `json:"magic_link"`
		} `json:"data"`
	}
	require.NoError(tb, json.Unmarshal(s.expect(tb, s.good(tb), created).body, &object))
	link, err := url.Parse(object.Data.Link)
	require.NoError(tb, err)
	return link.Query().Get("token")
}

func TestTokenWithAForgedHeader(t *testing.T) {
	s := newService(t)
	kid := s.keys.Keys()[0].ID
	for name, header := range map[string]string{
		"alg none":         `{"alg":"none","kid":"` + kid + `","typ":"at+jwt"}`,
		"alg None":         `{"alg":"None","kid":"` + kid + `","typ":"at+jwt"}`,
		"no alg":           `{"kid":"` + kid + `","typ":"at+jwt"}`,
		"alg of others":    `{"alg":"ES256","kid":"` + kid + `","typ":"at+jwt"}`,
		"no kid":           `{"alg":"EdDSA","typ":"at+jwt"}`,
		"unknown kid":      `{"alg":"EdDSA","kid":"key_1","typ":"at+jwt"}`,
		"no typ":           `{"alg":"EdDSA","kid":"` + kid + `"}`,
		"typ JWT":          `{"alg":"EdDSA","kid":"` + kid + `","typ":"JWT"}`,
		"typ of a link":    `{"alg":"EdDSA","kid":"` + kid + `","typ":"magiclink+jwt"}`,
		"typ of a session": `{"alg":"EdDSA","kid":"` + kid + `","typ":"magiclink-session+jwt"}`,
		"crit":             `{"alg":"EdDSA","kid":"` + kid + `","typ":"at+jwt","crit":["exp"]}`,
		"jku":              `{"alg":"EdDSA","kid":"` + kid + `","typ":"at+jwt","jku":"https://evil.example"}`,
		"a duplicate":      `{"alg":"EdDSA","kid":"` + kid + `","typ":"at+jwt","typ":"at+jwt"}`,
		"not an object":    `["EdDSA"]`,
	} {
		t.Run(name, func(t *testing.T) { s.expect(t, s.good(t, bearer(signed(header, goodClaims()))), invalidToken) })
	}
	s.expect(t, s.good(t, bearer(signed(s.goodHeader(), goodClaims()))), created)
}

func TestTokenWithForgedClaims(t *testing.T) {
	s := newService(t)
	exp := fmt.Sprintf(`"exp":%d`, noon.Unix()+60)
	for name, swap := range map[string][2]string{
		"exp as a string":         {exp, fmt.Sprintf(`"exp":"%d"`, noon.Unix()+60)},
		"exp null":                {exp, `"exp":null`},
		"exp negative":            {exp, `"exp":-1`},
		"exp huge":                {exp, `"exp":1e300`},
		"no exp":                  {"," + exp, ""},
		"no iat":                  {fmt.Sprintf(`"iat":%d,`, noon.Unix()), ""},
		"no jti":                  {`"jti":"1",`, ""},
		"no sub":                  {`"sub":"crm",`, ""},
		"no client_id":            {`"client_id":"crm",`, ""},
		"no iss":                  {`"iss":"` + issuer + `",`, ""},
		"no aud":                  {`"aud":"` + audience + `",`, ""},
		"aud a number":            {`"aud":"` + audience + `"`, `"aud":1`},
		"aud with a number in it": {`"aud":"` + audience + `"`, `"aud":["` + audience + `",1]`},
		"scope a list":            {`"scope":"auth:create"`, `"scope":["auth:create"]`},
		"tenant a number":         {`"tenant_id":"t1"`, `"tenant_id":1`},
		"business malformed":      {`"tenant_id":"t1"`, `"tenant_id":"t1","business_id":"biz_1"`},
		"a duplicate":             {`"tenant_id":"t1"`, `"tenant_id":"t2","tenant_id":"t1"`},
		"not valid yet":           {exp, exp + fmt.Sprintf(`,"nbf":%d`, noon.Unix()+1)},
		"trailing data":           {exp + "}", exp + "} {}"},
	} {
		t.Run(name, func(t *testing.T) {
			claims := strings.Replace(goodClaims(), swap[0], swap[1], 1)
			require.NotEqual(t, goodClaims(), claims)
			s.expect(t, s.good(t, bearer(signed(s.goodHeader(), claims))), invalidToken)
		})
	}
}

func TestTokenWithAForgedForm(t *testing.T) {
	s := newService(t)
	token := s.access(t)
	parts := strings.Split(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	signature[0] ^= 1
	stranger := ed25519.Sign(ed25519.NewKeyFromSeed(make([]byte, 32)), []byte(parts[0]+"."+parts[1]))
	head := encode([]byte(strings.Replace(s.goodHeader(), "EdDSA", "HS256", 1)))
	mac := hmac.New(sha256.New, seededKey().Public().(ed25519.PublicKey)) // the confusion of key kinds
	mac.Write([]byte(head + "." + parts[1]))
	for name, forged := range map[string]string{
		"nothing":               "",
		"a word":                "x",
		"two parts":             parts[0] + "." + parts[1],
		"four parts":            token + ".x",
		"no signature":          parts[0] + "." + parts[1] + ".",
		"another signature":     parts[0] + "." + parts[1] + "." + encode(signature),
		"a stranger's key":      parts[0] + "." + parts[1] + "." + encode(stranger),
		"HS256 with public key": head + "." + parts[1] + "." + encode(mac.Sum(nil)),
		"padding":               token + "==",
		"a space in it":         parts[0] + " ." + parts[1] + "." + parts[2],
		"quotes":                `"` + token + `"`,
		"other trailing bits":   token[:len(token)-1] + "B",
		"5 KiB":                 token + strings.Repeat("A", 5<<10),
		"a link's token":        linkToken(t, s),
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEqual(t, token, forged)
			s.expect(t, s.good(t, bearer(forged)), invalidToken)
		})
	}
	s.expect(t, s.good(t, bearer(token)), created)
}
