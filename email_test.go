package magiclink_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
)

// emailsAccepted are addresses and what is kept of them.
var emailsAccepted = map[string]string{
	"jane@example.com":                      "jane@example.com",
	"Jane.K@Example.COM":                    "Jane.K@example.com",
	"JANE@EXAMPLE.IO":                       "JANE@example.io",
	"a@b.c":                                 "a@b.c",
	"jane+tag@example.com":                  "jane+tag@example.com",
	"jane.k.doe@mail.example.com":           "jane.k.doe@mail.example.com",
	"!#$%&'*+-/=?^_`{|}~@example.com":       "!#$%&'*+-/=?^_`{|}~@example.com",
	"0@0.example":                           "0@0.example",
	"-@a-b.example":                         "-@a-b.example",
	"o'brien@example.ie":                    "o'brien@example.ie",
	"jane@xn--bcher-kva.EXAMPLE":            "jane@xn--bcher-kva.example",
	"jane@xn--mller-kva.de":                 "jane@xn--mller-kva.de", // müller.de in its ASCII form
	"jane@1.2.3.4x":                         "jane@1.2.3.4x",
	"jane@example.co-op":                    "jane@example.co-op",
	repeat("l", 64) + "@example.com":        repeat("l", 64) + "@example.com",
	"a@" + repeat("b", 63) + ".com":         "a@" + repeat("b", 63) + ".com",
	"a@" + repeat("b.", 125) + "cc":         "a@" + repeat("b.", 125) + "cc",     // 254 bytes
	"aaaa@" + repeat("Bb.", 82) + "ccc":     "aaaa@" + repeat("bb.", 82) + "ccc", // 254 bytes
	"a.b@" + repeat("c", 63) + ".D.example": "a.b@" + repeat("c", 63) + ".d.example",
}

// emailsRefused are texts that are not an address, and addresses that two systems may read differently.
var emailsRefused = []string{
	"jane", "@", "jane@", "@example.com", "jane@@example.com", "jane@a@example.com", "jane@example", "jane@localhost",
	" jane@example.com", "jane@example.com ", "jane @example.com", "jane@ example.com", "ja ne@example.com", "jane@example.com\n",
	"jane@example.com\r\nBcc: x@example.com", "jane\t@example.com", "jane\x00@example.com", "jane@example.com\x00", "jane@exa\x7fmple.com",
	".jane@example.com", "jane.@example.com", "ja..ne@example.com", ".@example.com", "jane@.example.com", "jane@example.com.",
	"jane@example..com", "jane@.", "jane@-example.com", "jane@example-.com", "jane@example.-com", "jane@example.com-",
	"jane@exa_mple.com", "jane@exa/mple.com", "jane@example.com:25", "jane@example.com/x", "jane@example.com?x", "jane@example.com#x",
	`"jane"@example.com`, `"ja ne"@example.com`, `"jane@evil.com"@example.com`, `ja"ne@example.com`, `ja\ne@example.com`, `""@example.com`,
	"Jane <jane@example.com>", "<jane@example.com>", `"Jane" <jane@example.com>`, "jane@example.com (Jane)", "(Jane)jane@example.com",
	"jane(x)@example.com", "jane@(x)example.com", "jane@example.com, joe@example.com", "jane@example.com;joe@example.com",
	"jane@example.com,joe@example.com", "group: jane@example.com;", "jane@[192.0.2.1]", "jane@[IPv6:2001:db8::1]", "jane@192.0.2.1",
	"jane@1.2", "jane@example.123", "jane@2001:db8::1", "mailto:jane@example.com", "jane%evil.com@[x]", "ja<ne@example.com", "ja>ne@example.com",
	"ja[ne@example.com", "ja:ne@example.com", "ja;ne@example.com", "ja,ne@example.com",
	"mıke@example.com", "jane@exampl\u212a.com", "jane@\u212aexample.com", "jäne@example.com", "jane@bücher.example", "ｊane@example.com",
	"jane@example\u3002com", "jane\uff20example.com", "jane@example.com\u200b", "\ufeffjane@example.com", "jane@ex\u00adample.com",
	"jane@müller.de", "jane@MÜLLER.de", "jane@xn--müller.de", "jane\xff@example.com", "jane@\xffexample.com", "=?utf-8?q?jane?=@(x)example.com", "jane@ſample.com",
	repeat("l", 65) + "@example.com", "a@" + repeat("b", 64) + ".com", "ab@" + repeat("b.", 125) + "cc", "a@" + repeat("b.", 126) + "c",
	repeat("a", 100_000) + "@example.com", "a@" + repeat("b.", 100_000) + "com", repeat("@", 10_000),
}

func TestEmailAccepted(t *testing.T) {
	f := newFixture(t)
	for address, want := range emailsAccepted {
		t.Run(short(address), func(t *testing.T) {
			response, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, Email: address})
			require.NoError(t, err)
			record, err := f.store.Get(t.Context(), response.MagicLinkID)
			require.NoError(t, err)
			require.Equal(t, want, record.Email)
		})
	}
}

func TestEmailRefused(t *testing.T) {
	f := newFixture(t)
	for _, address := range emailsRefused {
		t.Run(short(address), func(t *testing.T) {
			_, err := f.Issue(t.Context(), magiclink.MagicLinkCreate{BusinessID: businessA, Email: address})
			require.Equal(t, []string{"email:email"}, fieldsOf(t, err))
		})
	}
}

// ValidEmail has the rule of Issue. The empty text, which stands for no address there, is no address.
func TestValidEmail(t *testing.T) {
	for address := range emailsAccepted {
		require.True(t, magiclink.ValidEmail(address), short(address))
	}
	for _, address := range append(emailsRefused, "") {
		require.False(t, magiclink.ValidEmail(address), short(address))
	}
}
