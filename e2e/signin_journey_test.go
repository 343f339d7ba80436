package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/signin"
)

// askForMail fills in the request page, which the browser shows.
func askForMail(b *browser.Browser, address string) {
	b.Fill("#email", address)
	b.Click("button")
	b.Shows(noticeWaiting)
	b.Shows(address)
}

// TestSignInByMail is the whole way on one device: from a page that only people who are signed in may see, over a mistyped address, a mail, another mail, and
// a link that is opened in two tabs, back to that page.
func TestSignInByMail(t *testing.T) {
	server := startMailServer(t)
	inEach(t, func(t *testing.T, b *browser.Browser) {
		a := newTLSApplication(t, server)
		address, arrival := "jane."+string(b.Engine)+"@example.com", a.origin+"/reports?y=1"
		says := "You are signed in as " + address
		b.Visit(arrival)
		b.Arrive(a.origin + "/sign-in?next=%2Freports%3Fy%3D1")
		askForMail(b, "jan"+address)
		b.Click("main > p a") // another address
		b.Arrive(a.origin + "/sign-in?next=%2Freports%3Fy%3D1")
		askForMail(b, address)
		waiting := b.Tab()
		first := server.newest(t, address, 1)
		require.Contains(t, first.text, "Example Reports")

		require.False(t, canSee(b, ".later button"), "nobody sends mails as fast as they can click")
		a.clock.move(31 * time.Second)
		b.Reload()
		require.True(t, canSee(b, ".later button"))
		b.Click(".later button")
		second := server.newest(t, address, 2)
		require.NotEqual(t, first.link, second.link)
		require.NotEqual(t, first.code, second.code)
		require.NoError(t, a.flow.Wait(t.Context()))
		require.Error(t, a.verdict(first.link), "the newest link is the one that works")
		require.NoError(t, a.verdict(second.link))

		left := b.NewTab() // mail programs open one
		b.Visit(second.link)
		b.Shows("Sign in as")
		right := b.NewTab()
		b.Visit(second.link)
		b.Click("button")
		b.Arrive(arrival)
		b.Shows(says)
		b.Switch(left)
		b.Click("button") // the same click in another tab
		b.Arrive(arrival)
		b.Shows(says)
		b.Switch(waiting)
		b.Reload() // waits for nothing any more
		b.Arrive(arrival)
		b.Shows(says)
		b.Switch(right)
		b.Back()
		b.Arrive(arrival)
		b.Visit(second.link)
		b.Arrive(arrival)
		b.Reload()
		b.Shows(says)
		require.Equal(t, 1, a.sessions(address))
		b.Visit(first.link)
		b.Shows(headingDead)
	})
}

// canSee reports whether an element can be seen and clicked.
func canSee(b *browser.Browser, selector string) (visible bool) {
	b.Script(&visible, "return getComputedStyle(document.querySelector(arguments[0])).visibility == 'visible'", selector)
	return visible
}

// TestSignInByMailWithoutScripts signs in by the code and by the link, and asks for another mail as soon as the page offers it.
func TestSignInByMailWithoutScripts(t *testing.T) {
	t.Parallel()
	const address = "jane@example.com"
	a := newApplication(t, startMailServer(t))
	b := open(t)
	b.withoutScripts()
	require.Equal(t, http.StatusOK, b.visit(a.origin+"/reports"))
	b.do(chromedp.SendKeys(chromedp.CSS("#email"), address))
	require.Equal(t, http.StatusOK, b.signIn())
	require.Contains(t, b.text(), noticeWaiting)

	a.clock.move(29 * time.Second) // the rest is for the browser
	require.Equal(t, http.StatusOK, b.visit(a.origin+signin.CheckPath))
	waitFor(t, func() bool { return ask(b, chromedp.Evaluate[string](laterButton)) == "visible" })
	require.Equal(t, http.StatusOK, b.load(chromedp.Click(chromedp.CSS(".later button"))))
	second := a.server.newest(t, address, 2)
	require.Equal(t, http.StatusForbidden, b.typeCode(second.wrongCode(1)))
	require.Contains(t, b.text(), noticeWrong)
	require.Equal(t, http.StatusOK, b.typeCode(strings.ToLower(strings.Replace(second.code, "-", " ", 1))), "as people type it")
	require.Equal(t, a.origin+"/reports", b.address())
	require.Contains(t, b.text(), signedIn)

	other := open(t)
	other.withoutScripts()
	a.clock.move(10 * time.Minute)
	require.Equal(t, http.StatusOK, other.visit(a.origin+"/reports"))
	other.do(chromedp.SendKeys(chromedp.CSS("#email"), address))
	require.Equal(t, http.StatusOK, other.signIn())
	require.Equal(t, http.StatusOK, other.visit(a.server.newest(t, address, 3).link))
	require.Equal(t, http.StatusOK, other.signIn())
	require.Equal(t, a.origin+"/reports", other.address())
	require.Contains(t, other.text(), signedIn)
	require.Equal(t, 2, a.sessions(address))

	require.Equal(t, http.StatusOK, other.visit(a.origin+signin.RequestPath))
	other.requireFits("request page")
	other.do(chromedp.SendKeys(chromedp.CSS("#email"), strings.Repeat("a", 60)+"@"+strings.Repeat("b", 60)+"."+strings.Repeat("c", 60)+".example"))
	require.Equal(t, http.StatusOK, other.signIn())
	require.Contains(t, other.text(), noticeWaiting)
	other.requireFits("waiting page")
}

// laterButton is "visible" or "hidden".
const laterButton = `getComputedStyle(document.querySelector(".later button")).visibility`

// typeCode types a code into the field of the page, and returns the status of the page behind it.
func (b *tab) typeCode(code string) (status int) {
	b.t.Helper()
	b.do(chromedp.SendKeys(chromedp.CSS("#code"), code))
	return b.signIn()
}
