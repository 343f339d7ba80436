package magiclink_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// withID puts members behind a business id, which makes a body complete.
func withID(members string) string { return `{"business_id":"` + businessA + `",` + members + `}` }

func TestUnmarshalCreateAccepts(t *testing.T) {
	type want = magiclink.MagicLinkCreate
	for body, test := range map[string]want{
		`{"business_id":"` + businessA + `"}`:                 {BusinessID: businessA},
		withID(`"ttl":5`):                                     {TTL: 5},
		withID(`"ttl":5.0`):                                   {TTL: 5},
		withID(`"ttl":50e-1`):                                 {TTL: 5},
		withID(`"ttl":5.00E+0`):                               {TTL: 5},
		withID(`"ttl":500000000000e-11`):                      {TTL: 5},
		withID(`"ttl":1e1`):                                   {TTL: 10},
		withID(`"ttl":1E01`):                                  {TTL: 10},
		withID(`"ttl":1.5e1`):                                 {TTL: 15},
		withID(`"ttl":0.5e1`):                                 {TTL: 5},
		withID(`"ttl":0.00015e5`):                             {TTL: 15},
		withID(`"ttl":1`):                                     {TTL: 1},
		withID(`"ttl":15`):                                    {TTL: 15},
		withID(`"ttl":15.` + zeros(500)):                      {TTL: 15},
		withID(`"ttl":0.` + zeros(300) + `1e301`):             {TTL: 1},
		withID(`"session_timeout":1`):                         {SessionTimeout: 1},
		withID(`"session_timeout":7948800`):                   {SessionTimeout: 7948800},
		withID(`"session_timeout":79488e2`):                   {SessionTimeout: 7948800},
		withID(`"session_timeout":7948800.000`):               {SessionTimeout: 7948800},
		withID(`"email":"Jane@Example.com"`):                  {Email: "Jane@Example.com"},
		withID(`"email":"jane\u0040example.com"`):             {Email: "jane@example.com"},
		withID(`"path":"/reports"`):                           {Path: "/reports"},
		withID(`"path":"\/reports"`):                          {Path: "/reports"},
		withID(`"path":null`):                                 {},
		withID(`"external_business_id":null`):                 {},
		withID(`"external_business_id":"a"`):                  {ExternalBusinessID: "a"},
		`{"business_id":null,"external_business_id":"a"}`:     {BusinessID: "-", ExternalBusinessID: "a"},
		`{"external_business_id":"\ud83d\ude00"}`:             {BusinessID: "-", ExternalBusinessID: "😀"},
		`{"external_business_id":"\"\\\u00e9"}`:               {BusinessID: "-", ExternalBusinessID: `"\é`},
		`{"ext\u0065rnal_business_id":"a"}`:                   {BusinessID: "-", ExternalBusinessID: "a"},
		`{"external_business_id":"` + repeat("ü", 255) + `"}`: {BusinessID: "-", ExternalBusinessID: repeat("ü", 255)},
		withID(`"TTL":99`):                                    {}, // another name
		withID(`"Ttl":99,"ttl":3`):                            {TTL: 3},
		withID(`"BUSINESS_ID":5`):                             {},
		withID(`"businessid":5`):                              {},
		withID(`"TenantID":"x"`):                              {}, // never from JSON
		withID(`"tenant_id":"x"`):                             {},
		withID(`"Caller":{"TenantID":"x"}`):                   {},
		withID(`"Extension":"x"`):                             {},
		withID(`"unknown":{"ttl":0,"a":[]}`):                  {},
		withID(`"unknown":[[[[{"a":null}]]]]`):                {},
		withID(`"unknown":1e999999999`):                       {},
		withID(`"":0`):                                        {},
		withID(`"unknown":"\u0000"`):                          {},
		" \t\r\n" + withID(`"ttl" : 5`) + " \t\r\n":           {TTL: 5},
	} {
		t.Run(short(body), func(t *testing.T) {
			var in magiclink.MagicLinkCreate
			require.NoError(t, in.UnmarshalJSON([]byte(body)))
			switch test.BusinessID {
			case "":
				test.BusinessID = businessA
			case "-":
				test.BusinessID = ""
			}
			require.Equal(t, test, in)

			var direct magiclink.MagicLinkCreate
			require.NoError(t, json.Unmarshal([]byte(body), &direct))
			require.Equal(t, in, direct)
		})
	}
}

func TestUnmarshalCreateRefusesFields(t *testing.T) {
	for body, want := range map[string]string{
		withID(`"ttl":0`):                                     "ttl:min",
		withID(`"ttl":-0`):                                    "ttl:min",
		withID(`"ttl":0.0`):                                   "ttl:min",
		withID(`"ttl":0e5`):                                   "ttl:min",
		withID(`"ttl":-0.0e-7`):                               "ttl:min",
		withID(`"ttl":-1`):                                    "ttl:min",
		withID(`"ttl":-1e400`):                                "ttl:min",
		withID(`"ttl":16`):                                    "ttl:max",
		withID(`"ttl":1.6e1`):                                 "ttl:max",
		withID(`"ttl":1e400`):                                 "ttl:max",
		withID(`"ttl":1e99999999999999999999`):                "ttl:max",
		withID(`"ttl":4294967301`):                            "ttl:max", // 5 in 32 bits
		withID(`"ttl":18446744073709551621`):                  "ttl:max", // 5 in 64 bits
		withID(`"ttl":9223372036854775808`):                   "ttl:max",
		withID(`"ttl":` + repeat("9", 5000)):                  "ttl:max",
		withID(`"ttl":5.5`):                                   "ttl:type",
		withID(`"ttl":1e-400`):                                "ttl:type",
		withID(`"ttl":1e-99999999999999999999`):               "ttl:type",
		withID(`"ttl":5.` + zeros(400) + `1`):                 "ttl:type",
		withID(`"ttl":55e-1`):                                 "ttl:type",
		withID(`"ttl":"5"`):                                   "ttl:type",
		withID(`"ttl":true`):                                  "ttl:type",
		withID(`"ttl":false`):                                 "ttl:type",
		withID(`"ttl":null`):                                  "ttl:type",
		withID(`"ttl":[5]`):                                   "ttl:type",
		withID(`"ttl":{}`):                                    "ttl:type",
		withID(`"session_timeout":0`):                         "session_timeout:min",
		withID(`"session_timeout":-5`):                        "session_timeout:min",
		withID(`"session_timeout":7948801`):                   "session_timeout:max",
		withID(`"session_timeout":1e300`):                     "session_timeout:max",
		withID(`"session_timeout":null`):                      "session_timeout:type",
		withID(`"session_timeout":"86400"`):                   "session_timeout:type",
		withID(`"session_timeout":0.1`):                       "session_timeout:type",
		withID(`"email":null`):                                "email:type",
		withID(`"email":5`):                                   "email:type",
		withID(`"email":""`):                                  "email:email",
		withID(`"email":"jane"`):                              "email:email",
		withID(`"email":["a@example.com"]`):                   "email:type",
		withID(`"path":""`):                                   "path:localpath",
		withID(`"path":"reports"`):                            "path:localpath",
		withID(`"path":"/a\u0009b"`):                          "path:localpath",
		withID(`"path":"/\\evil.com"`):                        "path:localpath",
		withID(`"path":false`):                                "path:type",
		withID(`"external_business_id":""`):                   "external_business_id:min",
		withID(`"external_business_id":"a\nb"`):               "external_business_id:plaintext",
		withID(`"external_business_id":7`):                    "external_business_id:type",
		withID(`"external_business_id":{}`):                   "external_business_id:type",
		`{}`:                                                  "business_id:required_without",
		`{"business_id":null}`:                                "business_id:required_without",
		`{"business_id":null,"external_business_id":null}`:    "business_id:required_without",
		`{"Business_ID":"` + businessA + `"}`:                 "business_id:required_without",
		`{"business_id":""}`:                                  "business_id:biz_string",
		`{"business_id":5}`:                                   "business_id:type",
		`{"business_id":"biz_0"}`:                             "business_id:biz_string",
		`{"external_business_id":""}`:                         "external_business_id:min",
		`{"external_business_id":5}`:                          "external_business_id:type",
		`{"external_business_id":"` + repeat("ü", 256) + `"}`: "external_business_id:max",
		`{"business_id":5,"external_business_id":"a"}`:        "business_id:type",
		`{"path":"x","email":null,"ttl":"5","business_id":0,"session_timeout":0,"external_business_id":""}`: "business_id:type " +
			"external_business_id:min ttl:type session_timeout:min email:type path:localpath",
	} {
		t.Run(short(body), func(t *testing.T) {
			requireUntouched(t, body)
			err := new(magiclink.MagicLinkCreate).UnmarshalJSON([]byte(body))
			require.Equal(t, want, strings.Join(fieldsOf(t, err), " "))
		})
	}
}

// requireUntouched demands that a refused body changes nothing.
func requireUntouched(t *testing.T, body string) {
	t.Helper()
	before := magiclink.MagicLinkCreate{Caller: caller("t", "s"), BusinessID: "b", TTL: 7, Path: "p", Extension: "e"}
	in := before
	require.Error(t, in.UnmarshalJSON([]byte(body)))
	require.Equal(t, before, in)
	require.Error(t, json.Unmarshal([]byte(body), &in))
	require.Equal(t, before, in)
}

func TestUnmarshalKeepsWhatJSONDoesNotHave(t *testing.T) {
	in := magiclink.MagicLinkCreate{Caller: caller("t", businessA), TTL: 7, Path: "/old"}
	require.NoError(t, json.Unmarshal([]byte(`{"external_business_id":"a"}`), &in))
	require.Equal(t, magiclink.MagicLinkCreate{Caller: caller("t", businessA), ExternalBusinessID: "a"}, in)
}

func TestMarshalAndBack(t *testing.T) {
	in := magiclink.MagicLinkCreate{BusinessID: businessA, ExternalBusinessID: "é<&", TTL: 3, SessionTimeout: 9, Email: "a@b.cd", Path: "/?a&b"}
	text, err := json.Marshal(in)
	require.NoError(t, err)
	var out magiclink.MagicLinkCreate
	require.NoError(t, json.Unmarshal(text, &out))
	require.Equal(t, in, out)
}
