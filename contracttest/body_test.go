package contracttest

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
)

const limit = 64 << 10

// padded is a good body of exactly this length.
func padded(length int) spoil { return body(goodBody + strings.Repeat(" ", length-len(goodBody))) }

func TestSizeOfTheBody(t *testing.T) {
	s := newService(t)
	for length, w := range map[int]want{
		limit - 1: created, limit: created, limit + 1: tooLarge, 2 * limit: tooLarge,
	} {
		t.Run(strconv.Itoa(length), func(t *testing.T) { s.expect(t, s.good(t, padded(length)), w) })
		t.Run(strconv.Itoa(length)+" chunked", func(t *testing.T) { s.expect(t, s.good(t, padded(length), chunked), w) })
	}
}

func TestSizeOfTheBodyIsConfigurable(t *testing.T) {
	s := newService(t, func(o *options) { o.handler.MaxBody = 100 })
	for length, w := range map[int]want{99: created, 100: created, 101: tooLarge, limit: tooLarge} {
		t.Run(strconv.Itoa(length), func(t *testing.T) {
			s.expect(t, s.good(t, padded(length)), w)
			s.expect(t, s.good(t, padded(length), chunked), w)
		})
	}
}

func TestContentType(t *testing.T) {
	s := newService(t)
	is := func(values ...string) spoil { return header("Content-Type", values...) }
	s.run(t, []trial{
		{"none", is(), unreadable},
		{"empty", is(""), unreadable},
		{"text", is("text/plain"), unreadable},
		{"a form", is("application/x-www-form-urlencoded"), unreadable},
		{"problem+json", is("application/problem+json"), unreadable},
		{"longer", is("application/json2"), unreadable},
		{"a patch", is("application/json-patch+json"), unreadable},
		{"two headers", is("application/json", "application/json"), unreadable},
		{"a list", is("application/json, text/plain"), unreadable},
		{"Latin-1", is("application/json; charset=iso-8859-1"), unreadable},
		{"UTF-16", is("application/json; charset=utf-16"), unreadable},
		{"two charsets", is("application/json; charset=utf-8; charset=iso-8859-1"), unreadable},
		{"gzip", header("Content-Encoding", "gzip"), unreadable},
		{"two encodings", header("Content-Encoding", "identity", "br"), unreadable},
		{"control: UTF-8", is("application/json; charset=utf-8"), created},
		{"control: UTF-8 in quotes", is(`application/json;charset="UTF-8"`), created},
		{"control: upper case", is("APPLICATION/JSON"), created},
		{"control: another parameter", is("application/json; profile=x"), created},
		{"control: identity", header("Content-Encoding", "identity"), created},
	})
}

func TestBodyIsOneJSONObject(t *testing.T) {
	s := newService(t)
	deep := func(depth int) string {
		return `{"business_id":"` + acme + `","x":` + strings.Repeat("[", depth) + strings.Repeat("]", depth) + `}`
	}
	for name, text := range map[string]string{
		"nothing":                     "",
		"spaces":                      "  \n",
		"null":                        "null",
		"a string":                    `"x"`,
		"a number":                    "5",
		"a list":                      "[" + goodBody + "]",
		"an end too few":              goodBody[:len(goodBody)-1],
		"an end too many":             goodBody + "}",
		"a second object":             goodBody + goodBody,
		"a word behind it":            goodBody + " x",
		"a NUL behind it":             goodBody + "\x00",
		"a byte order mark":           "\ufeff" + goodBody,
		"a comment":                   `{/* */"business_id":"` + acme + `"}`,
		"a trailing comma":            `{"business_id":"` + acme + `",}`,
		"two commas":                  `{"business_id":"` + acme + `",,"ttl":5}`,
		"single quotes":               `{'business_id':'` + acme + `'}`,
		"a name without quotes":       `{business_id:"` + acme + `"}`,
		"no colon":                    `{"business_id" "` + acme + `"}`,
		"NaN":                         `{"business_id":"` + acme + `","ttl":NaN}`,
		"a leading zero":              `{"business_id":"` + acme + `","ttl":05}`,
		"a plus":                      `{"business_id":"` + acme + `","ttl":+5}`,
		"a point without digits":      `{"business_id":"` + acme + `","ttl":5.}`,
		"hexadecimal":                 `{"business_id":"` + acme + `","ttl":0x5}`,
		"True":                        `{"business_id":"` + acme + `","x":True}`,
		"a raw line break":            "{\"business_id\":\"" + acme + "\",\"x\":\"a\nb\"}",
		"an unknown escape":           `{"business_id":"` + acme + `","x":"\q"}`,
		"half an escape":              `{"business_id":"` + acme + `","x":"\u00"}`,
		"a lone high surrogate":       `{"business_id":"` + acme + `","x":"\ud800"}`,
		"a lone low surrogate":        `{"business_id":"` + acme + `","x":"\udc00"}`,
		"bad UTF-8 in a value":        "{\"business_id\":\"" + acme + "\",\"x\":\"\xff\"}",
		"bad UTF-8 in a name":         "{\"business_id\":\"" + acme + "\",\"\xc3\x28\":1}",
		"overlong UTF-8":              "{\"business_id\":\"" + acme + "\",\"x\":\"\xc0\xaf\"}",
		"an encoded surrogate":        "{\"business_id\":\"" + acme + "\",\"x\":\"\xed\xa0\x80\"}",
		"UTF-16":                      "{\x00}\x00",
		"a duplicate":                 `{"business_id":"` + acme + `","business_id":"` + acme + `"}`,
		"a duplicate by an escape":    `{"business_id":"` + acme + `","\u0062usiness_id":"` + globex + `"}`,
		"a duplicate that is ignored": `{"business_id":"` + acme + `","x":1,"x":2}`,
		"a duplicate in the depth":    `{"business_id":"` + acme + `","x":{"a":{"b":1,"b":2}}}`,
		"too deep":                    deep(1000),
		"a form":                      "business_id=" + acme,
	} {
		t.Run(name, func(t *testing.T) { s.expect(t, s.good(t, body(text)), unreadable) })
	}
	for name, text := range map[string]string{
		"spaces around":           " \r\n\t" + goodBody + "\n",
		"an escape in a name":     `{"\u0062usiness_id":"` + acme + `"}`,
		"a pair of surrogates":    `{"business_id":"` + acme + `","x":"\ud83d\ude00"}`,
		"unknown members":         `{"business_id":"` + acme + `","x":{"a":[1,null,true,{}]},"y":1e999}`,
		"names that differ":       `{"business_id":"` + acme + `","Business_ID":"x","TTL":99,"Email":5,"tenant_id":"t2"}`,
		"some depth":              deep(20),
		"a name of the Go struct": `{"business_id":"` + acme + `","TenantID":"t2","ScopedBusinessID":"x","-":"t2"}`,
	} {
		t.Run("control: "+name, func(t *testing.T) { s.expect(t, s.good(t, body(text)), created) })
	}
}

func TestOtherMethods(t *testing.T) {
	s := newService(t)
	for _, name := range []string{"GET", "PUT", "PATCH", "DELETE", "OPTIONS", "post", "PROPFIND"} {
		t.Run(name, func(t *testing.T) { s.expect(t, s.good(t, method(name)), wrongMethod) })
	}
	t.Run("without credentials", func(t *testing.T) {
		s.expect(t, s.good(t, method("GET"), header("Authorization"), body("")), wrongMethod)
	})
	t.Run("HEAD", func(t *testing.T) {
		got := s.send(t, s.good(t, method("HEAD"), body("")))
		checkHeaders(t, got, wrongMethod)
		if got.status != http.StatusMethodNotAllowed || len(got.body) != 0 {
			t.Fatalf("got %d with %d bytes", got.status, len(got.body))
		}
	})
}
