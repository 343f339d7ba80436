package e2e_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/internal/dbtest"
	"github.com/magiclink-go/magiclink/signin"
)

// scan opens every link of a mail in a real browser and presses every button there, whether the browser finds the form complete or not. Then it sends
// every form by a script. It keeps its cookies and runs scripts, and types nothing.
func scan(t *testing.T, mail letter) (scanner *tab) {
	t.Helper()
	scanner = open(t)
	for _, link := range mail.links() {
		scanner.visit(link)
		scanner.waitIdle()
		for _, act := range []struct{ all, each string }{
			{`document.querySelectorAll("button, input[type=submit], a.button")`, `click()`},
			{`document.forms`, `submit()`},
		} {
			scanner.press(link, act.all, act.each)
		}
	}
	return scanner
}

// press opens a link and does something with each of its elements, which leads to another page.
func (b *tab) press(link, all, act string) {
	b.t.Helper()
	for n := 0; ; n++ {
		b.visit(link)
		if ask(b, chromedp.Evaluate[int](all+".length")) <= n {
			return
		}
		b.load(chromedp.Evaluate[chromedp.Void](fmt.Sprintf(
			`[...document.forms].forEach(form => form.noValidate = true); %s[%d].%s; undefined`, all, n, act)))
	}
}

// TestScannerPressesButtons lets a scanner be faster than the person. In the modes prefer and require it gets nowhere. In the mode off it signs itself in, and
// the person has to ask again: docs/guide/scanners.md says so.
func TestScannerPressesButtons(t *testing.T) {
	server := startMailServer(t)
	inEach(t, func(t *testing.T, b *browser.Browser) {
		modes := []signin.Mode{signin.ModePrefer, signin.ModeRequire}
		if b.Engine != browser.Chromium && !dbtest.Full() {
			modes = modes[:1]
		}
		for _, mode := range modes {
			a, address := newApplication(t, server, in(mode)), string(mode)+"."+string(b.Engine)+"@example.com"
			byClick := func(mail letter) { b.Visit(mail.link); b.Click("button") }
			byCode := func(mail letter) { typeCode(b, mail.code) }
			for n, finish := range []func(letter){byClick, byCode} {
				b.ForgetCookies()
				a.clock.move(time.Duration(n) * 10 * time.Minute)
				b.Visit(a.origin + "/reports")
				askForMail(b, address)
				mail := server.newest(t, address, n+1)
				scanner := scan(t, mail)
				scanner.visit(a.origin + "/")
				require.Contains(t, scanner.text(), notSignedIn)
				require.NoError(t, a.verdict(mail.link))
				finish(mail)
				b.Arrive(a.origin + "/reports")
				b.Shows("You are signed in as " + address)
				require.Equal(t, n+1, a.sessions(address))
			}
		}
		scannerIsFaster(t, b, server)
	})
}

// scannerIsFaster is the mode off, and also the control: the scanner does press the button.
func scannerIsFaster(t *testing.T, b *browser.Browser, server *mailServer) {
	t.Helper()
	a, address := newApplication(t, server, in(signin.ModeOff)), "off."+string(b.Engine)+"@example.com"
	b.ForgetCookies()
	b.Visit(a.origin + "/reports")
	askForMail(b, address)
	mail := server.newest(t, address, 1)
	scanner := scan(t, mail)
	scanner.visit(a.origin + "/")
	require.Contains(t, scanner.text(), "You are signed in as "+address)
	require.ErrorIs(t, a.verdict(mail.link), magiclink.ErrConsumed)
	require.Equal(t, 1, a.sessions(address))

	typeCode(b, mail.code)
	b.Shows("This link and its code no longer work")
	b.Visit(mail.link)
	b.Shows(headingDead)
	require.Contains(t, b.Text(), "may have been used already")
	b.Visit(a.origin + "/")
	b.Shows(notSignedIn)
	require.Equal(t, 1, a.sessions(address), "that of the scanner")
}
