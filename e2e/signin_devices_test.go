package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/signin"
)

// TestSignInOnTwoDevices asks on a desktop and reads the mail on a phone, which has another browser.
func TestSignInOnTwoDevices(t *testing.T) {
	t.Parallel()
	server := startMailServer(t)
	for n, engine := range browser.Engines {
		other := browser.Engines[(n+1)%len(browser.Engines)]
		t.Run(string(engine)+" and "+string(other), func(t *testing.T) {
			t.Parallel()
			d := &devices{
				t: t, server: server, desktop: browser.Open(t, engine, browser.Options{}), phone: browser.Open(t, other, browser.Options{}),
				suffix: "." + string(engine) + "@example.com",
			}
			d.phone.Resize(390, 844)
			d.finishOnPhone()
			d.finishOnDesktop()
			d.phoneIsRefused()
		})
	}
}

type devices struct {
	t              *testing.T
	server         *mailServer
	desktop, phone *browser.Browser
	suffix         string // of the addresses
}

// ask fills in the request page on the desktop, and returns what the phone reads.
func (d *devices) ask(a *application, address string) letter {
	d.t.Helper()
	d.desktop.Visit(a.origin + "/reports?y=1")
	askForMail(d.desktop, address)
	return d.server.newest(d.t, address, 1)
}

func typeCode(b *browser.Browser, code string) {
	b.Fill("#code", code)
	b.Click("button")
}

// finishOnPhone opens the link there and types the code there.
func (d *devices) finishOnPhone() {
	a, address := newTLSApplication(d.t, d.server), "phone"+d.suffix
	mail := d.ask(a, address)
	d.phone.Visit(mail.link)
	d.phone.Shows(headingOther)
	typeCode(d.phone, mail.wrongCode(1))
	d.phone.Shows(noticeWrong)
	require.NoError(d.t, a.verdict(mail.link))
	typeCode(d.phone, strings.ToLower(strings.Replace(mail.code, "-", " ", 1))) // as people type it
	d.phone.Arrive(a.origin + "/reports?y=1")
	d.phone.Shows("You are signed in as " + address)
	require.Error(d.t, a.verdict(mail.link))
	require.Equal(d.t, 1, a.sessions(address))
	d.desktop.Visit(a.origin + "/")
	d.desktop.Shows(notSignedIn)
}

// finishOnDesktop looks at the link on the phone, and types the code on the page that waits on the desktop.
func (d *devices) finishOnDesktop() {
	a, address := newTLSApplication(d.t, d.server), "desktop"+d.suffix
	mail := d.ask(a, address)
	d.phone.Visit(mail.link)
	d.phone.Shows("go back to the browser where you asked")
	d.typedOnDesktop(a, address, mail)
}

// phoneIsRefused cannot use the link on the phone at all, which says what to do.
func (d *devices) phoneIsRefused() {
	a, address := newTLSApplication(d.t, d.server, in(signin.ModeRequire)), "require"+d.suffix
	mail := d.ask(a, address)
	d.phone.Visit(mail.link)
	d.phone.Shows(headingOther)
	d.phone.Shows("Open the link in the browser where you asked for it, or type the code from the mail there.")
	require.Zero(d.t, countOf(d.phone, "form, button, input"))
	require.Equal(d.t, 1, countOf(d.phone, `a.button[href="/sign-in"]`), "or to begin anew on the phone")
	d.typedOnDesktop(a, address, mail)
}

func (d *devices) typedOnDesktop(a *application, address string, mail letter) {
	d.t.Helper()
	typeCode(d.desktop, mail.code)
	d.desktop.Arrive(a.origin + "/reports?y=1")
	d.desktop.Shows("You are signed in as " + address)
	d.phone.Visit(mail.link)
	d.phone.Shows(headingDead)
	d.phone.Visit(a.origin + "/")
	d.phone.Shows(notSignedIn)
	require.Equal(d.t, 1, a.sessions(address))
}

// countOf counts the elements of the page that a selector matches.
func countOf(b *browser.Browser, selector string) (count int) {
	b.Script(&count, "return document.querySelectorAll(arguments[0]).length", selector)
	return count
}
