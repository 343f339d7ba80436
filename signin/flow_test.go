package signin_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"

// The whole journey on one device: by the link, and by the code.
func TestSignIn(t *testing.T) {
	for name, open := range stores {
		for way, finish := range map[string]func(*browser, signin.Message) answer{
			"link": func(b *browser, m signin.Message) answer { return b.click(m.Link, "") },
			"code": func(b *browser, m signin.Message) answer { return b.typed(m.Code) },
		} {
			t.Run(name+" "+way, func(t *testing.T) {
				s := newSiteOn(t, open(t))
				b := s.browser("User-Agent", firefox, "Accept-Language", "de-CH, fr;q=0.5")
				page := b.get("/sign-in?next=%2Freports%3Fy%3D1")
				requireSecure(t, page)
				require.Contains(t, page.body, `autocomplete="email"`)
				require.Contains(t, page.body, `<html lang="de" dir="ltr">`)
				got := b.ask(" "+jane+" ", "/reports?y=1")
				require.Equal(t, http.StatusSeeOther, got.status)
				requireSecure(t, got)

				mail := s.last()
				require.Regexp(t, `^[2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4}$`, mail.Code)
				require.True(t, strings.HasPrefix(mail.Link, origin+"/magic/reports?y=1&token="), mail.Link)
				require.Equal(t, signin.Message{
					Kind: signin.KindSignIn, To: jane, App: "Acme", Link: mail.Link, Code: mail.Code, ExpiresAt: noon.Add(10 * time.Minute),
					Language: "de", Browser: "Firefox", System: "Windows", AskedAt: noon,
				}, mail)

				page = b.get("/sign-in/check")
				requireSecure(t, page)
				require.Contains(t, page.body, `<bdi dir="ltr">`+jane+`</bdi>`)
				require.Contains(t, page.body, "10&nbsp;Min., bis <bdi dir=\"ltr\">12:10&nbsp;UTC</bdi>")
				require.NotContains(t, page.body, mail.Code)
				require.Empty(t, b.account())
				requireIn(t, b, finish(b, mail), "/reports?y=1")

				got = b.get("/sign-in/check")
				require.Equal(t, origin+"/reports?y=1", got.header.Get("Location"), "Back, and another tab: this browser is signed in")
				require.Equal(t, http.StatusGone, s.browser().click(mail.Link, "").status)
			})
		}
	}
}

// The same code can be sent again for a minute by the browser that has sent it. Later it signs nobody in, see TestReplayOfACode, and leads
// a browser that is signed in to where it wants to go.
func TestSignInAgain(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	form := b.get("/sign-in/check").fields(t)
	form.Set("code", mail.Code)
	for range 8 { // more often than there are tries
		requireIn(t, b, b.post("/sign-in/check", form), "/")
	}
	form.Set("code", "2222-2222")
	require.Equal(t, http.StatusForbidden, b.post("/sign-in/check", form).status)
	form.Set("code", mail.Code)
	s.clock.move(time.Minute + time.Second)
	requireIn(t, b, b.post("/sign-in/check", form), "/")
}

// A new sign-in is a new session, and the one of before ends for every copy of its token.
func TestSignInReplacesASession(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	requireIn(t, b, b.typed(b.waiting(jane).Code), "/")
	before := b.cookies[httpadapter.SessionCookie]
	s.clock.move(time.Hour)
	requireIn(t, b, b.typed(b.waiting(jane).Code), "/")
	require.NotEqual(t, before, b.cookies[httpadapter.SessionCookie])
	_, err := s.Sessions().Verify(t.Context(), before)
	require.ErrorIs(t, err, magiclink.ErrInvalidToken)
}

// The last mail is the one that works.
func TestResend(t *testing.T) {
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			s := newSiteOn(t, open(t))
			b := s.browser()
			first := b.waiting(jane)
			page := b.get("/sign-in/check")
			require.Contains(t, page.body, "animation:later 1ms 30s both")
			form := page.fields(t)
			require.Equal(t, http.StatusSeeOther, b.post("/sign-in/resend", form).status)
			s.settled()
			require.Len(t, s.inbox.all(), 1, "too soon")

			s.clock.move(30 * time.Second)
			require.NotContains(t, b.get("/sign-in/check").body, "animation:later")
			got := b.post("/sign-in/resend", form)
			require.Equal(t, origin+"/sign-in/check", got.header.Get("Location"))
			second := s.last()
			require.Len(t, s.inbox.all(), 2)
			require.NotEqual(t, first.Code, second.Code)
			require.ErrorIs(t, s.verdict(first.Link), magiclink.ErrRevoked)
			require.Equal(t, http.StatusGone, b.click(first.Link, "").status)
			require.Equal(t, http.StatusForbidden, b.typed(first.Code).status)
			requireIn(t, b, b.typed(second.Code), "/")
			require.Contains(t, s.told.reasons(magiclink.OpSupersede), magiclink.Reason(""))
		})
	}
}

// The page offers another mail no sooner than one is sent, whatever part of a second has passed.
func TestResendIsOfferedInTime(t *testing.T) {
	for _, part := range []time.Duration{time.Nanosecond, 400 * time.Millisecond, time.Second - 1} {
		s := newSite(t)
		s.clock.move(part)
		b := s.browser()
		b.waiting(jane)
		s.clock.move(time.Second - part/2)
		page := b.get("/sign-in/check")
		var seconds int
		_, rest, found := strings.Cut(page.body, "animation:later 1ms ")
		require.True(t, found)
		_, err := fmt.Sscanf(rest, "%ds", &seconds)
		require.NoError(t, err)
		require.LessOrEqual(t, seconds, 31)
		s.clock.move(time.Duration(seconds) * time.Second)
		require.Equal(t, http.StatusSeeOther, b.post("/sign-in/resend", page.fields(t)).status)
		s.settled()
		require.Len(t, s.inbox.all(), 2, part)
	}
}

// A page whose link is over has no field for a code, and offers another mail.
func TestWhatIsOverHasNoField(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	require.Equal(t, http.StatusSeeOther, s.browser().click(mail.Link, mail.Code).status)
	used := b.typed(mail.Code)
	require.Equal(t, http.StatusGone, used.status)
	require.Contains(t, used.body, "This link and its code no longer work")
	s.clock.move(time.Hour)
	expired := b.get("/sign-in/check")
	require.Contains(t, expired.body, "The link and the code have expired")
	for _, page := range []answer{used, expired} {
		require.NotContains(t, page.body, `name="code"`)
		require.NotContains(t, page.body, "a mail is on its way")
		require.Contains(t, page.body, jane)
		require.Contains(t, page.body, "/sign-in/resend")
	}
}

// A request beyond the limits leaves the mail that was sent before as it was.
func TestALimitedRequestEndsNothing(t *testing.T) {
	s := newSite(t, func(c *signin.Config) { c.Limits.PerAddress = magiclink.Rate{Burst: 1, Every: time.Hour} })
	b := s.browser()
	mail := b.waiting(jane)
	for range 4 { // the pauses of the browser are over, but not the limit of the address
		s.clock.move(2 * time.Minute)
		require.Equal(t, http.StatusSeeOther, b.post("/sign-in/resend", b.get("/sign-in/check").fields(t)).status)
	}
	s.settled()
	require.Len(t, s.inbox.all(), 1)
	requireIn(t, b, b.typed(mail.Code), "/")
}

// One form that is sent twice makes one link, which is that of this browser: a double click before the first answer has set the cookie.
func TestTheSameFormTwice(t *testing.T) {
	for name, step := range map[string]time.Duration{"at once": 0, "in the next step": 4 * time.Second} { // noon is at 7 s of a step of 10 s
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			b := s.browser()
			form := b.get("/sign-in").fields(t)
			form.Set("email", jane)
			b.post("/sign-in", form)
			s.settled()
			delete(b.cookies, "__Host-magiclink_signin")
			s.clock.move(step)
			b.post("/sign-in", form)
			s.settled()
			require.Len(t, s.inbox.all(), 1)
			mail := s.last()
			page := b.get(mail.Link)
			require.NotContains(t, page.body, "another browser")
			requireIn(t, b, b.typed(mail.Code), "/")
		})
	}
}

// Who asks again for the same address, on a new page, stays in the flow of the mail that has come.
func TestAskingAgain(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	require.Equal(t, http.StatusSeeOther, b.ask("Jane@Example.com", "/later").status)
	s.settled()
	require.Len(t, s.inbox.all(), 1)
	requireIn(t, b, b.click(mail.Link, ""), "/")
}

// Another address is another flow. The mail to the first one is still good, with its code.
func TestAnotherAddress(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first := b.waiting(jane)
	require.Contains(t, b.get("/sign-in/check").body, `href="`+origin+`/sign-in"`)
	second := b.waiting("joe@open.example")
	require.Equal(t, "joe@open.example", second.To)
	require.Equal(t, http.StatusForbidden, b.typed(first.Code).status)
	requireIn(t, b, b.click(first.Link, first.Code), "/")
}

// Where a person wants to go is a local path, or nothing.
func TestNext(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Limits = signin.Limits{ResendPauses: []time.Duration{}, PerAddress: magiclink.Rate{Burst: 1000, Every: time.Second}}
		c.TTL = time.Minute
	})
	for next, want := range map[string]string{
		"/a?b=c#d": "/a?b=c#d", "": "/", "//evil.example": "/", "https://evil.example/": "/", `/\evil.example`: "/", "/a/../b": "/",
		"/%2e%2e//evil.example": "/", "javascript:alert(1)": "/", "/" + strings.Repeat("a", 512): "/",
	} {
		b := s.browser()
		form := b.get("/sign-in?next=" + url.QueryEscape(next)).fields(t)
		form.Set("email", jane)
		form.Set("next", next)
		b.post("/sign-in", form)
		requireIn(t, b, b.typed(s.last().Code), want)
	}
}

// The path of Resolve is for those who have not said where to go.
func TestPathOfResolve(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Limits.ResendPauses = []time.Duration{}
		c.Resolve = func(_ context.Context, _ string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Path: "/home", TTL: 3, MagicLinkID: "x", IdempotencyKey: "y"}, nil
		}
	})
	b := s.browser()
	mail := b.waiting(jane)
	require.Equal(t, noon.Add(10*time.Minute), mail.ExpiresAt, "the TTL is that of the flow")
	requireIn(t, b, b.typed(mail.Code), "/home")
	b = s.browser()
	b.ask(jane, "/elsewhere")
	requireIn(t, b, b.typed(s.last().Code), "/elsewhere")
}

// The mail goes to the address of the account and nowhere else.
func TestMailGoesToTheAccount(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.Resolve = func(context.Context, string) (magiclink.MagicLinkCreate, error) {
			return magiclink.MagicLinkCreate{ExternalBusinessID: "acme", Email: jane}, nil // a database that takes two addresses for one
		}
	})
	require.Equal(t, jane, s.browser().waiting("jane@EXAMPLE.com.evil.example").To)
}

// A page without a flow leads to the request page.
func TestNoFlow(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	for _, cookie := range []string{"", "x", "1.a.b.c.d.e", strings.Repeat("a", 4000)} {
		b.cookies["__Host-magiclink_signin"] = cookie
		require.Equal(t, origin+"/sign-in", b.get("/sign-in/check").header.Get("Location"))
		form := b.get("/sign-in").fields(t)
		for _, path := range []string{"/sign-in/check", "/sign-in/resend"} {
			got := b.post(path, form)
			require.Equal(t, http.StatusSeeOther, got.status)
			require.Equal(t, origin+"/sign-in", got.header.Get("Location"))
		}
	}
	got := b.get("/sign-in/resend")
	require.Equal(t, origin+"/sign-in/check", got.header.Get("Location"), "a reload of what was posted")
	got = b.send(http.MethodPut, "/sign-in", nil)
	require.Equal(t, http.StatusMethodNotAllowed, got.status)
	requireSecure(t, got)
}

// What the person has entered is shown, and is no markup.
func TestHostileAddresses(t *testing.T) {
	s := newSite(t, func(c *signin.Config) {
		c.TellUnknown = true
		c.Resolve = func(ctx context.Context, address string) (magiclink.MagicLinkCreate, error) {
			require.True(t, magiclink.ValidEmail(address), "%q", address)
			return resolve(ctx, address)
		}
	})
	for _, address := range []string{
		`"><script>alert(1)</script>@x.example`, "a@b.example\r\nBcc: c@d.example", "\u202eevil@x.example", strings.Repeat("ä", 400), "\xff\xfe", "",
		"a b", "jane@example.com,joe@example.com", "<jane@example.com>", "jane@example.com\x00", strings.Repeat("a", 300) + "@x.example",
	} {
		b := s.browser()
		got := b.ask(address, "")
		require.Equal(t, http.StatusSeeOther, got.status, "%q", address)
		require.Equal(t, origin+"/sign-in/check", got.header.Get("Location"))
		page := b.get("/sign-in/check")
		require.Equal(t, http.StatusOK, page.status, "%q", address)
		require.NotContains(t, page.body, "<script")
		require.NotContains(t, page.body, "\u202e")
	}
	s.settled()
	require.Empty(t, s.inbox.all())
	s.browser().waiting(jane) // the control
}

// The link expires for the flow as for everybody.
func TestExpiry(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	s.clock.move(10 * time.Minute)
	page := b.get("/sign-in/check")
	require.Contains(t, page.body, "have expired")
	require.NotContains(t, page.body, `name="code"`)
	form := page.fields(t)
	form.Set("code", mail.Code)
	late := b.post("/sign-in/check", form)
	require.Equal(t, http.StatusForbidden, late.status)
	require.Contains(t, late.body, "have expired")
	require.NotContains(t, late.body, "not right", "the code was")
	for range 5 {
		late = b.post("/sign-in/check", form)
	}
	require.NotContains(t, late.body, "too many wrong codes")
	require.NotContains(t, late.body, "still works")
	require.Equal(t, http.StatusGone, b.click(mail.Link, "").status)
}

// A request whose link exists already is refused like one beyond a limit. Nothing else of it is done.
func TestALinkThatExists(t *testing.T) {
	generous := func(c *signin.Config) {
		c.Limits = signin.Limits{ResendPauses: []time.Duration{}, PerAddress: magiclink.Rate{Burst: 100, Every: time.Second}}
	}
	first := newSite(t, generous)
	b := first.browser()
	form := b.get("/sign-in").fields(t)
	form.Set("email", jane)
	others := []*site{newSiteOn(t, first.store, generous), newSiteOn(t, first.store, generous)} // other replicas, which have not seen the form
	for _, replica := range append([]*site{first}, others...) {
		b.site = replica
		b.post("/sign-in", form)
		replica.settled()
		delete(b.cookies, "__Host-magiclink_signin")
	}
	require.Len(t, first.inbox.all(), 1)
	for _, replica := range others {
		require.Empty(t, replica.inbox.all())
		require.Equal(t, []magiclink.Reason{magiclink.ReasonLimited}, replica.told.reasons(signin.OpRequest))
	}
	b.post("/sign-in", form)
	requireIn(t, b, b.typed(first.last().Code), "/")
}

// Resolve gets an address in ASCII alone. The Kelvin sign is none, and folds to the letter k.
func TestAddressesAreNotFoldedIntoASCII(t *testing.T) {
	var resolved []string
	s := newSite(t, func(c *signin.Config) {
		c.Resolve = func(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
			resolved = append(resolved, address)
			return magiclink.MagicLinkCreate{ExternalBusinessID: "acme"}, nil
		}
	})
	for _, address := range []string{"jane@\u212aelvin.example", "john@KELVIN.example"} {
		s.browser().begin(address)
		s.settled()
	}
	require.Equal(t, []string{"john@kelvin.example"}, resolved)
}
