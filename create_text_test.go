package magiclink_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

func TestUnmarshalCreateRefusesText(t *testing.T) {
	good := withID(`"ttl":5`)
	require.NoError(t, new(magiclink.MagicLinkCreate).UnmarshalJSON([]byte(good)), "what the cases below spoil is good")

	for name, body := range map[string]string{
		"empty": "", "space": " ", "null": "null", "array": "[" + good + "]", "string": `"a"`, "number": "5", "true": "true",
		"byte order mark": "\ufeff" + good, "trailing object": good + "{}", "trailing letter": good + "x",
		"trailing comma": withID(`"ttl":5,`), "trailing NUL": good + "\x00", "leading NUL": "\x00" + good,
		"form feed": "\f" + good, "no-break space": "\u00a0" + good, "unclosed": good[:len(good)-1], "only open": "{",
		"comment": "/**/" + good, "single quotes": "{'ttl':5}", "bare name": "{ttl:5}", "no colon": `{"ttl" 5}`,
		"duplicate":         withID(`"ttl":5,"ttl":5`),
		"duplicate apart":   withID(`"ttl":5,"a":0,"path":"/","ttl":6`),
		"duplicate id":      withID(`"business_id":"` + businessB + `"`),
		"duplicate null":    withID(`"path":null,"path":"/"`),
		"duplicate unknown": withID(`"a":1,"a":2`),
		"duplicate escaped": withID(`"ttl":5,"t\u0074l":5`),
		"duplicate empty":   withID(`"":5,"":5`),
		"duplicate nested":  withID(`"a":{"b":1,"b":2}`),
		"duplicate deeper":  withID(`"a":[{"b":1},[{"b":1,"\u0062":2}]]`),
		"duplicate of many": withID(members(40) + `,"m39":0`),
		"bad UTF-8":         withID(`"path":"/` + "\xff" + `"`),
		"bad UTF-8 in name": withID(`"` + "\xc3" + `":0`),
		"overlong UTF-8":    withID(`"a":"` + "\xc0\xaf" + `"`),
		"surrogate bytes":   withID(`"a":"` + "\xed\xa0\x80" + `"`),
		"lone high":         withID(`"a":"\ud800"`),
		"lone low":          withID(`"a":"\udc00"`),
		"high then letter":  withID(`"a":"\ud800a"`),
		"high then high":    withID(`"a":"\ud800\ud800"`),
		"high then escape":  withID(`"a":"\ud800\n"`),
		"swapped":           withID(`"a":"\udc00\ud800"`),
		"lone in name":      withID(`"\ud800":0`),
		"raw tab":           withID("\"a\":\"\t\""), "raw line break": withID("\"a\":\"\n\""), "raw NUL": withID("\"a\":\"\x00\""),
		"escape x": withID(`"a":"\x41"`), "escape U": withID(`"a":"\U0041"`), "escape quote": withID(`"a":"\'"`),
		"short escape": withID(`"a":"\u004"`), "signed escape": withID(`"a":"\u+041"`), "escape _": withID(`"a":"\u0_41"`),
		"cut escape": `{"a":"\`, "cut escape u": `{"a":"\u`, "cut escape 00": `{"a":"\u00`, "cut string": `{"a":"b`,
		"leading zero": withID(`"ttl":05`), "plus": withID(`"ttl":+5`), "dot first": withID(`"ttl":.5e1`),
		"dot last": withID(`"ttl":5.`), "no exponent": withID(`"ttl":5e`), "sign alone": withID(`"ttl":-`),
		"hex": withID(`"ttl":0x5`), "NaN": withID(`"ttl":NaN`), "Infinity": withID(`"ttl":Infinity`),
		"underscore": withID(`"ttl":1_0`), "True": withID(`"a":True`), "tru": withID(`"a":tru`), "nullx": withID(`"a":nullx`),
		"undefined": withID(`"a":undefined`), "comma in array": withID(`"a":[1,]`), "two commas": withID(`"a":[1,,2]`),
		"mixed ends": withID(`"a":[1}`),
		"deep":       withID(`"a":` + repeat("[", 100_000) + repeat("]", 100_000)),
		"deep open":  withID(`"a":` + repeat(`{"a":`, 100_000)),
		"depth 65":   withID(`"a":` + repeat("[", 64) + repeat("]", 64)),
	} {
		t.Run(name, func(t *testing.T) {
			err := new(magiclink.MagicLinkCreate).UnmarshalJSON([]byte(body))
			var syntax *magiclink.SyntaxError
			require.ErrorAs(t, err, &syntax)
			requireUntouched(t, body)
		})
	}
}

func TestUnmarshalCreateDepth64(t *testing.T) {
	body := []byte(withID(`"a":` + repeat("[", 63) + repeat("]", 63)))
	require.NoError(t, new(magiclink.MagicLinkCreate).UnmarshalJSON(body))
}

// Ten times the members, or the digits, cost about ten times the time and not a hundred times.
func TestUnmarshalCreateTimeGrowsWithLength(t *testing.T) {
	for name, body := range map[string]func(n int) string{
		"members": func(n int) string { return withID(members(n)) },
		"digits":  func(n int) string { return withID(`"ttl":` + repeat("1", 100*n) + "e-" + strconv.Itoa(100*n)) },
	} {
		t.Run(name, func(t *testing.T) {
			quickest := func(n int) time.Duration {
				text, least := []byte(body(n)), time.Hour
				for range 15 {
					start := time.Now()
					_ = new(magiclink.MagicLinkCreate).UnmarshalJSON(text)
					least = min(least, time.Since(start))
				}
				return least
			}
			require.Less(t, quickest(50_000)/quickest(5_000), time.Duration(60))
		})
	}
}
