package signin_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/internal/language"
	"github.com/magiclink-go/magiclink/signin"
)

// An attacker asks for a mail to Jane, and waits. Whatever Jane does with that mail in her own browser signs the attacker in nowhere.
func TestMailThatAnAttackerHasAskedFor(t *testing.T) {
	s := newSite(t)
	attacker, person := s.browser("X-Test-Client", "192.0.2.66"), s.browser()
	mail := attacker.waiting(jane)
	require.Equal(t, http.StatusSeeOther, person.ask(jane, "").status)
	s.settled()
	require.Len(t, s.inbox.all(), 1, "the pause of the address: her own request is answered by no second mail")
	require.Equal(t, http.StatusForbidden, person.typed(mail.Code).status, "the code is for the attacker's browser")
	require.Empty(t, person.account())

	got := person.click(mail.Link, "")
	require.Equal(t, http.StatusForbidden, got.status, "a click is not enough")
	requireIn(t, person, person.click(mail.Link, mail.Code), "/")
	require.Equal(t, http.StatusOK, attacker.get("/sign-in/check").status, "the attacker is still waiting")
	require.Equal(t, http.StatusGone, attacker.typed(mail.Code).status, "and the code is used up")
	require.Empty(t, attacker.account())
}

// An attacker cannot sign a victim in to the attacker's account: neither by a form on another site, nor by a link, nor by a cookie that another host
// has set beside the real one.
func TestLoginCSRF(t *testing.T) {
	s := newSite(t)
	attacker, victim := s.browser(), s.browser()
	mail := attacker.waiting("mallory@open.example")
	theirs := attacker.get("/sign-in/check").fields(t)
	theirs.Set("code", mail.Code)
	own := victim.get("/sign-in").fields(t)
	own.Set("code", mail.Code)
	form, flow := "__Host-magiclink_form="+victim.cookies["__Host-magiclink_form"], "; __Host-magiclink_signin="
	planted := flow + attacker.cookies["__Host-magiclink_signin"]
	for name, got := range map[string]answer{
		"the attacker's form":                        victim.post("/sign-in/check", theirs),
		"the attacker's form and cookie":             victim.post("/sign-in/check", theirs, "Cookie", form+planted),
		"from another site":                          victim.post("/sign-in/check", own, "Cookie", form+planted, "Origin", "https://evil.example"),
		"the victim's form, beside their own cookie": victim.post("/sign-in/check", own, "Cookie", form+flow+"theirs"+planted),
		"the attacker's link, by a click":            victim.click(mail.Link, ""),
	} {
		require.Equal(t, name == "the victim's form, beside their own cookie", got.header.Get("Location") == origin+"/sign-in", name)
		require.Contains(t, []int{http.StatusForbidden, http.StatusSeeOther}, got.status, name)
		require.Empty(t, victim.account(), name)
	}
	require.NoError(t, s.verdict(mail.Link), "nothing has used the link")
	require.Equal(t, origin+"/", attacker.post("/sign-in/check", theirs).header.Get("Location"), "the control")
}

// A code that has signed somebody in does so once. The same browser may repeat it for a minute, and never after it has signed out.
func TestReplayOfACode(t *testing.T) {
	for name, signOut := range map[string]bool{"after a minute": false, "after signing out": true} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			flow := b.begin(jane)
			mail := s.last()
			first := b.code(flow, mail.Code)
			require.Equal(t, http.StatusOK, first.status)
			require.Equal(t, http.StatusOK, b.code(flow, mail.Code).status, "the control: a repetition")
			if signOut {
				session, err := s.Sessions().Verify(t.Context(), sessionToken(t, first))
				require.NoError(t, err)
				require.NoError(t, s.Sessions().End(t.Context(), session))
			} else {
				s.clock.move(time.Minute + time.Millisecond)
			}
			for _, other := range []*browser{b, s.browser("X-Test-Client", "192.0.2.66")} {
				require.Equal(t, http.StatusGone, other.code(flow, mail.Code).status)
				require.Equal(t, http.StatusGone, other.json(httpadapter.RedeemPath, `{"token":"`+mail.Link+`","flow":"`+flow+`"}`).status)
			}
		})
	}
}

func sessionToken(t *testing.T, got answer) string {
	t.Helper()
	_, token, found := strings.Cut(got.body, `"session_token":"`)
	require.True(t, found)
	token, _, _ = strings.Cut(token, `"`)
	return token
}

// Whoever writes another address into the cookie has asked for it like everybody else: the mail goes there, and each code signs in the person whom its
// own mail was for.
func TestCookieWithAnotherAddress(t *testing.T) {
	s := newSite(t)
	attacker := s.browser()
	own := attacker.waiting("mallory@open.example")
	parts := strings.Split(attacker.cookies["__Host-magiclink_signin"], ".")
	parts[2] = "amFuZUBleGFtcGxlLmNvbQ" // jane@example.com
	attacker.cookies["__Host-magiclink_signin"] = strings.Join(parts, ".")
	s.clock.move(31 * time.Second)
	attacker.post("/sign-in/resend", attacker.get("/sign-in/check").fields(t))
	s.settled()
	require.Equal(t, jane, s.last().To)
	require.ErrorIs(t, s.verdict(own.Link), magiclink.ErrRevoked, "the last mail of a flow is the one that works")
	require.Equal(t, http.StatusForbidden, attacker.typed(own.Code).status)
	require.Empty(t, attacker.account())
}

// No header of a request gets into a mail, a page, a redirection or a cookie, except as a word of our own.
func TestHostileHeaders(t *testing.T) {
	const evil = "evil.example"
	hostile := []string{
		"Host", evil, "X-Forwarded-Host", evil, "X-Forwarded-Proto", "http", "Forwarded", "host=" + evil, "X-Original-URL", "//" + evil, "Referer", "https://" + evil,
		"User-Agent", "Mozilla/5.0 (X11; Linux) Firefox/1\r\nBcc: x@" + evil + " <b>https://" + evil + "</b>" + strings.Repeat("x", 1<<16),
		"Accept-Language", "xx-" + evil + "\r\nBcc: x@" + evil + ", de;q=0.9" + strings.Repeat(",en", 1<<14),
	}
	s := newSite(t)
	b := s.browser(hostile...)
	form := b.get("http://" + evil + "/sign-in").fields(t)
	form.Set("email", jane)
	for _, got := range []answer{
		b.get("http://" + evil + "/sign-in"), b.post("http://"+evil+"/sign-in", form), b.get("http://" + evil + "/sign-in/check"), b.get("http://" + evil + "/sign-in/resend"),
	} {
		require.NotContains(t, fmt.Sprint(got.header, got.body), "evil")
		require.NotContains(t, fmt.Sprint(got.header), "\r")
	}
	mail := s.last()
	require.True(t, strings.HasPrefix(mail.Link, origin+"/magic"), "%s", mail.Link)
	require.True(t, slices.Contains(language.All, mail.Language))
	require.Equal(t, [2]string{"Firefox", "Linux"}, [2]string{mail.Browser, mail.System})
}

// What a person enters splits no answer, leads nowhere else, and may be as long as it likes.
func TestHostileInput(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Limits.PerClient = magiclink.Rate{Burst: 1000, Every: time.Millisecond}
		c.Limits.ResendPauses, c.Limits.PerAddress = []time.Duration{}, magiclink.Rate{Burst: 1000, Every: time.Millisecond}
	})
	paths := []string{
		"//evil.example", "///evil.example", `/\evil.example`, `\\evil.example`, "https://evil.example", "/..//evil.example", "/%2e%2e//evil.example", "/.\t//evil.example",
		"/a\r\nSet-Cookie: x=y", "/%0d%0aSet-Cookie:x=y", "javascript:alert(1)", "/@evil.example/%2f..", "/" + strings.Repeat("a", 512), "evil.example", " /a", "/a\x00",
	}
	for n, path := range paths {
		b := s.browser()
		form := b.get("/sign-in").fields(t)
		form.Set("email", jane)
		form.Set("next", path)
		require.Equal(t, http.StatusSeeOther, b.post("/sign-in", form).status)
		s.settled()
		require.Len(t, s.inbox.all(), n+1)
		got := b.typed(s.last().Code)
		require.Equal(t, http.StatusSeeOther, got.status)
		require.Equal(t, origin+"/", got.header.Get("Location"), "%q", path)
		require.NotContains(t, fmt.Sprint(got.header), "x=y")
	}
	for _, email := range []string{
		"a\r\nBcc: x@evil.example", jane + "\r\nBcc: x@evil.example", jane + ", x@evil.example", "<" + jane + ">", jane + "\x00@evil.example", strings.Repeat("a", 10_000) + "@evil.example",
		strings.Repeat("é", 1000), "", " ", "\xff\xfe", `"a b"@evil.example`, "x@[127.0.0.1]", "x@evil.example" + strings.Repeat(".", 300),
	} {
		b := s.browser()
		got := b.ask(email, "")
		require.Equal(t, http.StatusSeeOther, got.status, "%q", email)
		require.Len(t, got.header.Values("Set-Cookie"), 1)
		require.LessOrEqual(t, len(got.header.Get("Set-Cookie")), 4096)
		require.Equal(t, http.StatusOK, b.get("/sign-in/check").status)
	}
	s.settled()
	require.Len(t, s.inbox.all(), len(paths), "none of these is an address")
}
