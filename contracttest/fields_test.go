package contracttest

import (
	"strings"
	"testing"
	"time"

	"github.com/magiclink-go/magiclink"
)

// member is a good body with one member more.
func member(text string) spoil { return body(`{"business_id":"` + acme + `",` + text + `}`) }

// text is a member whose value is a string that needs no escaping.
func text(name, value string) spoil { return member(`"` + name + `":"` + value + `"`) }

func TestBusinessNames(t *testing.T) {
	s := newService(t, func(o *options) { o.core.Businesses = magiclink.AnyBusiness })
	id := func(value string) spoil { return body(`{"business_id":` + value + `}`) }
	external := func(value string) spoil { return body(`{"external_business_id":` + value + `}`) }
	s.run(t, []trial{
		{"neither", body(`{}`), fields("business_id:required_without")},
		{"both null", body(`{"business_id":null,"external_business_id":null}`), fields("business_id:required_without")},
		{"id null", id(`null`), fields("business_id:required_without")},
		{"id empty", id(`""`), fields("business_id:biz_string")},
		{"id a number", id(`5`), fields("business_id:type")},
		{"id a bool", id(`true`), fields("business_id:type")},
		{"id a list", id(`["` + acme + `"]`), fields("business_id:type")},
		{"id an object", id(`{}`), fields("business_id:type")},
		{"id without its prefix", id(`"` + acme[4:] + `"`), fields("business_id:biz_string")},
		{"id with another prefix", id(`"mlk_` + acme[4:] + `"`), fields("business_id:biz_string")},
		{"id with its prefix in capitals", id(`"BIZ_` + acme[4:] + `"`), fields("business_id:biz_string")},
		{"id of 21 characters", id(`"` + acme[:25] + `"`), fields("business_id:biz_string")},
		{"id of 23 characters", id(`"` + acme + `2"`), fields("business_id:biz_string")},
		{"id with a 0", id(`"` + acme[:25] + `0"`), fields("business_id:biz_string")},
		{"id with a 1", id(`"` + acme[:25] + `1"`), fields("business_id:biz_string")},
		{"id with an I", id(`"` + acme[:25] + `I"`), fields("business_id:biz_string")},
		{"id with an O", id(`"` + acme[:25] + `O"`), fields("business_id:biz_string")},
		{"id with an l", id(`"` + acme[:25] + `l"`), fields("business_id:biz_string")},
		{"id with a space", id(`" ` + acme + `"`), fields("business_id:biz_string")},
		{"id with a NUL", id(`"` + acme + `\u0000"`), fields("business_id:biz_string")},
		{
			"malformed id beside a good external one", body(`{"business_id":"x","external_business_id":"acme"}`),
			fields("business_id:biz_string"),
		},
		{"external empty", external(`""`), fields("external_business_id:min")},
		{"external a number", external(`5`), fields("external_business_id:type")},
		{"external of 256 characters", external(`"` + strings.Repeat("x", 256) + `"`), fields("external_business_id:max")},
		{
			"external of 256 characters of two bytes", external(`"` + strings.Repeat("ü", 256) + `"`),
			fields("external_business_id:max"),
		},
		{"external with a NUL", external(`"a\u0000"`), fields("external_business_id:plaintext")},
		{"external with a line break", external(`"a\nb"`), fields("external_business_id:plaintext")},
		{"external with DEL", external(`"a\u007f"`), fields("external_business_id:plaintext")},
		{"external with a C1 control", external(`"a\u0085"`), fields("external_business_id:plaintext")},
		{"control: external of 1 character", external(`"x"`), created},
		{"control: external of 255 characters", external(`"` + strings.Repeat("x", 255) + `"`), created},
		{"control: external of 255 characters of two bytes", external(`"` + strings.Repeat("ü", 255) + `"`), created},
		{"control: external with a space", external(`"a b"`), created},
		{"control: id null beside an external one", body(`{"business_id":null,"external_business_id":"x"}`), created},
	})
}

func TestIntegers(t *testing.T) {
	s := newService(t)
	for name, bounds := range map[string][2]string{"ttl": {"15", "16"}, "session_timeout": {"7948800", "7948801"}} {
		for value, rule := range map[string]string{
			"1": "", "1.0": "", "1e0": "", "10e-1": "", bounds[0]: "", bounds[0] + ".00": "",
			"0": "min", "-0": "min", "0.0": "min", "0e5": "min", "-1": "min", "-1e99": "min",
			bounds[1]: "max", "1e99": "max", "1e999999999": "max", "9223372036854775808": "max", "4294967297": "max",
			"0.5": "type", "1.5": "type", "1e-1": "type", "null": "type", `"5"`: "type", `""`: "type", "true": "type",
			"[5]": "type", "{}": "type",
		} {
			w := created
			if rule != "" {
				w = fields(name + ":" + rule)
			}
			t.Run(name+"="+value, func(t *testing.T) { s.expect(t, s.good(t, member(`"`+name+`":`+value)), w) })
		}
	}
}

func TestSessionTimeoutHasAnOperatorsMaximum(t *testing.T) {
	s := newService(t, func(o *options) { o.core.MaxSessionTimeout = 30 * 24 * time.Hour })
	s.run(t, []trial{
		{"one more", member(`"session_timeout":2592001`), fields("session_timeout:max")},
		{"the spec's", member(`"session_timeout":7948800`), fields("session_timeout:max")},
		{"beside another fault", member(`"session_timeout":2592001,"ttl":16`), fields("ttl:max", "session_timeout:max")},
		{"control: just as long", member(`"session_timeout":2592000`), created},
	})
}

func TestEmail(t *testing.T) {
	s := newService(t)
	local, label := strings.Repeat("a", 64), strings.Repeat("b", 63)
	longest := local + "@" + label + "." + label + "." + strings.Repeat("c", 58) + ".de" // 254 bytes
	refused := fields("email:email")
	s.run(t, []trial{
		{"null", member(`"email":null`), fields("email:type")},
		{"a number", member(`"email":5`), fields("email:type")},
		{"a list", member(`"email":["jane@example.com"]`), fields("email:type")},
		{"empty", text("email", ""), refused},
		{"no at", text("email", "jane"), refused},
		{"two ats", text("email", "a@b@example.com"), refused},
		{"no local part", text("email", "@example.com"), refused},
		{"no domain", text("email", "jane@"), refused},
		{"no dot in the domain", text("email", "jane@localhost"), refused},
		{"a dot at the end", text("email", "jane@example.com."), refused},
		{"two dots", text("email", "jane@example..com"), refused},
		{"two dots in the local part", text("email", "ja..ne@example.com"), refused},
		{"a quoted local part", text("email", `\"jane\"@example.com`), refused},
		{"a display name", text("email", "Jane <jane@example.com>"), refused},
		{"angle brackets", text("email", "<jane@example.com>"), refused},
		{"a comment", text("email", "jane(x)@example.com"), refused},
		{"a list of two", text("email", "a@example.com,b@example.com"), refused},
		{"a group", text("email", "g:a@example.com;"), refused},
		{"a domain literal", text("email", "jane@[127.0.0.1]"), refused},
		{"an IP address", text("email", "jane@127.0.0.1"), refused},
		{"a space before", text("email", " jane@example.com"), refused},
		{"a line break behind", text("email", `jane@example.com\r\nBcc: x@example.com`), refused},
		{"a dotless i", text("email", "m\u0131ke@example.com"), refused},
		{"KELVIN SIGN in the domain", text("email", "jane@\u212aelvin.com"), refused},
		{"a label with a hyphen at its start", text("email", "jane@-example.com"), refused},
		{"an underscore in the domain", text("email", "jane@ex_ample.com"), refused},
		{"a local part of 65", text("email", local+"a@example.com"), refused},
		{"a label of 64", text("email", "a@"+label+"b.com"), refused},
		{"255 bytes", text("email", longest[:len(longest)-3]+"c.de"), refused},
		{"control: 254 bytes", text("email", longest), created},
		{"control: a plus", text("email", "jane+x@example.com"), created},
		{"control: a punycode domain", text("email", "jane@xn--bcher-kva.example"), created},
	})
}

func TestPath(t *testing.T) {
	s := newService(t)
	refused := fields("path:localpath")
	for _, value := range []string{
		"", "reports", "https://evil.com", "//evil.com", "///evil.com", `/\\evil.com`, `\\\\evil.com`, "/..//evil.com",
		"/%2e%2e//evil.com", "/.\\t//evil.com", "/./x", "/x/..", "/x/.", "/%2E%2e/x", "/.%2e/x", "/a//b", "/a%2fb", "/a%2Fb",
		"/a%5cb", "/a%00b", "/a%1fb", "/a%7fb", "/a b", "/a\\nb", "/ü", "/a%", "/a%2", "/a%zz", "/a?b c", "/a#ü",
		"javascript:alert(1)", "?x=1", "#top", " /a", "/" + strings.Repeat("a", 512),
	} {
		t.Run(value, func(t *testing.T) { s.expect(t, s.good(t, text("path", value)), refused) })
	}
	for _, value := range []string{
		"/", "/reports", "/reports/", "/a/b.c/..d", "/...", "/a%20b", "/a?x=//y/../z", "/a?next=https://x.example",
		"/a#/../b", "/reports?y=1#top", "/" + strings.Repeat("a", 511),
	} {
		t.Run("control: "+value, func(t *testing.T) { s.expect(t, s.good(t, text("path", value)), created) })
	}
	s.expect(t, s.good(t, member(`"path":5`)), fields("path:type"))
	s.expect(t, s.good(t, member(`"path":["/a"]`)), fields("path:type"))
}

func TestEveryBrokenFieldIsReportedAtOnce(t *testing.T) {
	s := newService(t)
	s.run(t, []trial{
		{
			"all of them", body(`{"path":"x","email":"x","session_timeout":0,` +
				`"ttl":16,"external_business_id":"","business_id":"x"}`),
			fields("business_id:biz_string", "external_business_id:min", "ttl:max", "session_timeout:min", "email:email",
				"path:localpath"),
		},
		{
			"all of the wrong type", body(`{"business_id":1,"external_business_id":1,"ttl":"1",` +
				`"session_timeout":"1","email":1,"path":1}`),
			fields("business_id:type", "external_business_id:type", "ttl:type", "session_timeout:type", "email:type",
				"path:type"),
		},
		{
			"types and rules together", body(`{"business_id":"` + acme + `","ttl":null,"session_timeout":7948801,"email":null}`),
			fields("ttl:type", "session_timeout:max", "email:type"),
		},
		{"no business and a broken ttl", body(`{"ttl":0}`), fields("business_id:required_without", "ttl:min")},
		{
			"only the external one, unreadable", body(`{"external_business_id":1,"path":"x"}`),
			fields("external_business_id:type", "path:localpath"),
		},
	})
}
