package e2e_test

import (
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/signin"
)

// TestStrangersOpenTheLink gives the link, but not the code, to somebody else: a stolen link lets nobody in.
func TestStrangersOpenTheLink(t *testing.T) {
	server := startMailServer(t)
	inEach(t, func(t *testing.T, b *browser.Browser) {
		for _, mode := range []signin.Mode{signin.ModePrefer, signin.ModeRequire} {
			a, address := newApplication(t, server, in(mode)), string(mode)+"."+string(b.Engine)+"@example.com"
			b.ForgetCookies()
			b.Visit(a.origin + "/reports")
			askForMail(b, address)
			mail := server.newest(t, address, 1)
			if mode == signin.ModePrefer {
				guess(t, a, mail)
			}
			requireStranger(t, a, mail, mode)
			require.NoError(t, a.verdict(mail.link))
			require.Zero(t, a.sessions(address))
			b.Visit(mail.link)
			b.Click("button")
			b.Arrive(a.origin + "/reports")
			b.Shows("You are signed in as " + address)
			require.Equal(t, 1, a.sessions(address))
		}
	})
}

// guess tries five wrong codes beside the link, after which not even the right one is taken there. The control of that is the phone of TestSignInOnTwoDevices.
func guess(t *testing.T, a *application, mail letter) {
	t.Helper()
	stranger := open(t)
	require.Equal(t, http.StatusOK, stranger.visit(mail.link))
	for n := range 5 {
		require.Equal(t, http.StatusForbidden, stranger.typeCode(mail.wrongCode(n+1)))
		require.Contains(t, stranger.text(), noticeWrong)
	}
	require.Equal(t, http.StatusForbidden, stranger.typeCode(mail.code))
	require.Contains(t, stranger.text(), "There were too many wrong codes")
	require.NotContains(t, stranger.text(), "type the code")
	stranger.visit(a.origin + "/")
	require.Contains(t, stranger.text(), notSignedIn)
}

// requireStranger opens the link in a browser that has asked for a mail itself, but for another address.
func requireStranger(t *testing.T, a *application, mail letter, mode signin.Mode) {
	t.Helper()
	stranger := open(t)
	require.Equal(t, http.StatusOK, stranger.visit(a.origin+signin.RequestPath))
	stranger.do(chromedp.SendKeys(chromedp.CSS("#email"), "stranger."+string(mode)+"@elsewhere.example"))
	require.Equal(t, http.StatusOK, stranger.signIn())
	require.Equal(t, http.StatusOK, stranger.visit(mail.link))
	require.Contains(t, stranger.text(), headingOther)
	if mode == signin.ModePrefer {
		stranger.press(mail.link, "document.forms", "submit()")
		require.Contains(t, stranger.text(), headingOther, "without a code")
	}
	stranger.visit(a.origin + signin.CheckPath)
	require.Equal(t, http.StatusForbidden, stranger.typeCode(mail.code), "the code of a mail is for the browser that has asked for it")
	stranger.visit(a.origin + "/")
	require.Contains(t, stranger.text(), notSignedIn)
}
