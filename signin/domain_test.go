package signin_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/signin"
)

// The labels of the longest domains are those of RFC 3492 section 7.1.
func TestASCIIDomain(t *testing.T) {
	for domain, want := range map[string]string{
		"münchen.example":   "xn--mnchen-3ya.example",
		"MÜNCHEN.Example":   "xn--mnchen-3ya.Example",
		"faß.example":       "xn--fa-hia.example",
		"bücher-öl.example": "xn--bcher-l-f1a2c.example",
		"例え。テスト":            "xn--r8jz45g.xn--zckzah",
		"مثال.إختبار":       "xn--mgbh0fb.xn--kgbechtv",
		"उदाहरण.परीक्षा":    "xn--p1b6ci4b4b3a.xn--11b5bs3a9aj6g",
		"他们为什么不说中文.example": "xn--ihqwcrb4cv8a8dqg056pqjye.example",
		"почемужеонинеговорятпорусски.a": "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l.a",
		"Pročprostěnemluvíčesky.example": "xn--proprostnemluvesky-uyb24dma41a.example",
		"ひとつ屋根の下2.example":               "xn--2-u9tlzr9756bt3uc0v.example",
		"example.com":                    "example.com",
	} {
		require.Equal(t, "jane@"+want, signin.ASCIIDomain("jane@"+domain), domain)
	}
	for _, address := range []string{
		"", "jane", "münchen.example", "jöhn@example.com", "jane@", "jane@\u212aelvin.example", "jane@İş.example", "jane@ｅxämple.com", "jane@mün chen.example",
		"jane@mün\u200bchen.example", "jane@mü@x.example", "jane@☃.example", "jane@\xffü.example", "jane@" + strings.Repeat("ü", 60) + ".example",
	} {
		require.Equal(t, address, signin.ASCIIDomain(address))
	}
	require.False(t, magiclink.ValidEmail(signin.ASCIIDomain("jöhn@münchen.example")))
}

// Firefox sends a domain as a person has typed it. The mail goes to the domain's ASCII form, and the page shows what the person
// has typed.
func TestDomainInOtherLetters(t *testing.T) {
	const ascii = "jane@xn--mnchen-3ya.example"
	var asked []string
	s := newSite(t, func(c *signin.Config) {
		c.Resolve = func(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
			asked = append(asked, address)
			return magiclink.MagicLinkCreate{ExternalBusinessID: "acme"}, nil
		}
	})
	b := s.browser()
	mail := b.waiting("jane@München.example")
	require.Equal(t, []string{ascii}, asked)
	require.Equal(t, ascii, mail.To)
	require.Contains(t, b.get("/sign-in/check").body, "jane@München.example")
	require.Equal(t, http.StatusSeeOther, b.typed(mail.Code).status)
	require.Equal(t, ascii, b.account())

	require.Equal(t, http.StatusSeeOther, s.browser().ask(ascii, "").status)
	s.settled()
	require.Len(t, s.inbox.all(), 1, "both are one mailbox, which got a mail just now")
}

func FuzzASCIIDomain(f *testing.F) {
	f.Add("jane@münchen.example")
	f.Add("\xff@例え。テスト")
	f.Fuzz(func(t *testing.T, address string) {
		ascii := signin.ASCIIDomain(address)
		require.Equal(t, ascii, signin.ASCIIDomain(ascii))
	})
}
