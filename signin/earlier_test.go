package signin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

const flowCookie = "__Host-magiclink_signin"

// A browser that has asked for several addresses is the one that has asked for each of the last three, and for no other.
func TestSeveralAddressesInOneBrowser(t *testing.T) {
	for _, mode := range []signin.Mode{signin.ModePrefer, signin.ModeRequire} {
		t.Run(string(mode), func(t *testing.T) {
			s := newSite(t, inMode(mode))
			b, stranger := s.browser(), s.browser()
			var mails []signin.Message
			for n := range 4 {
				mails = append(mails, b.waiting(fmt.Sprintf("kim%d@open.example", n)))
			}
			stranger.waiting(jane)
			require.LessOrEqual(t, len(b.cookies[flowCookie]), 1024)

			require.NotEqual(t, http.StatusSeeOther, b.click(mails[0].Link, "").status, "the oldest is forgotten")
			require.NoError(t, s.verdict(mails[0].Link))
			for _, n := range []int{1, 3, 2} {
				require.NotEqual(t, http.StatusSeeOther, stranger.click(mails[n].Link, "").status)
				require.NoError(t, s.verdict(mails[n].Link))
				require.Equal(t, http.StatusSeeOther, b.click(mails[n].Link, "").status, n)
				require.Equal(t, mails[n].To, b.account())
			}
		})
	}
}

// The code is that of the address for which the page waits.
func TestCodesOfEarlierAddresses(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	first := b.waiting(jane)
	second := b.waiting("kim@open.example")
	require.Equal(t, http.StatusForbidden, b.typed(first.Code).status)
	require.Equal(t, http.StatusSeeOther, b.typed(second.Code).status)
	require.Equal(t, "kim@open.example", b.account())
}

// What is no cookie of a flow counts as none.
func TestBrokenFlowCookies(t *testing.T) {
	s := newSite(t)
	b := s.browser()
	mail := b.waiting(jane)
	whole := b.cookies[flowCookie]
	secret := strings.Split(whole, ".")[1]
	for _, broken := range []string{
		whole + "~", whole + "~x", whole + "~" + secret + "~" + secret + "~" + secret, secret, "~" + secret + ".", "~~" + secret,
	} {
		b.cookies[flowCookie] = broken
		require.Equal(t, http.StatusSeeOther, b.get("/sign-in/check").status, broken)
		require.NotEqual(t, http.StatusSeeOther, b.click(mail.Link, "").status, broken)
	}
	b.cookies[flowCookie] = "~" + secret // the secret is the proof
	require.Equal(t, http.StatusSeeOther, b.click(mail.Link, "").status)
}

// Who signs out of what the flow has begun has no mail to wait for. What was asked for another address is still waited for.
func TestSignOutEndsTheWaiting(t *testing.T) {
	leave := func(b *browser) {
		require.Equal(b.t, http.StatusSeeOther, b.post("/logout", nil).status)
	}
	t.Run("by the link", func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		requireIn(t, b, b.click(b.waiting(jane).Link, ""), "/")
		require.Equal(t, origin+"/", b.get("/sign-in/check").header.Get("Location"), "signed in")
		leave(b)
		require.NotContains(t, b.cookies, flowCookie)
		require.Equal(t, origin+"/sign-in", b.get("/sign-in/check").header.Get("Location"))
	})
	t.Run("by the code", func(t *testing.T) {
		s := newSite(t)
		b := s.browser()
		requireIn(t, b, b.typed(b.waiting(jane).Code), "/")
		leave(b)
		require.NotContains(t, b.cookies, flowCookie)
	})
	t.Run("another request under way", func(t *testing.T) {
		s := newSite(t, inMode(signin.ModeRequire))
		b := s.browser()
		requireIn(t, b, b.click(b.waiting(jane).Link, ""), "/")
		kim := b.waiting("kim@open.example")
		leave(b)
		require.Contains(t, b.get("/sign-in/check").body, "kim@open.example")
		require.Equal(t, http.StatusSeeOther, b.click(kim.Link, "").status)
	})
	t.Run("an earlier request under way", func(t *testing.T) {
		s := newSite(t, inMode(signin.ModeRequire))
		b := s.browser()
		kim := b.waiting("kim@open.example")
		requireIn(t, b, b.click(b.waiting(jane).Link, ""), "/")
		leave(b)
		require.Equal(t, origin+"/sign-in", b.get("/sign-in/check").header.Get("Location"))
		require.Equal(t, http.StatusSeeOther, b.click(kim.Link, "").status)
	})
	t.Run("used elsewhere", func(t *testing.T) { // a browser that has asked for a stranger's address learns nothing by signing out
		s := newSite(t)
		b, phone := s.browser(), s.browser()
		mail := b.waiting(jane)
		requireIn(t, phone, phone.click(mail.Link, mail.Code), "/")
		before := b.cookies[flowCookie]
		leave(b)
		require.Equal(t, before, b.cookies[flowCookie])
		require.Contains(t, b.get("/sign-in/check").body, "a mail is on its way")
	})
}

// The page of a person's own sessions signs out, too.
func TestSessionsPageEndsTheWaiting(t *testing.T) {
	s := newSite(t)
	var err error
	s.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{
		Config: s.config.Config, SignIn: s.flow, SessionsPath: httpadapter.SessionsPath,
	})
	require.NoError(t, err)
	b := s.browser()
	requireIn(t, b, b.click(b.waiting(jane).Link, ""), "/")
	form := b.get(httpadapter.SessionsPath).fields(t)
	form.Set("end", "everywhere")
	require.Equal(t, http.StatusSeeOther, b.post(httpadapter.SessionsPath, form).status)
	require.Empty(t, b.account())
	require.NotContains(t, b.cookies, flowCookie)
}
