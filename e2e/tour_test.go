package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/e2e/internal/browser"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/signin"
)

// tour leads a browser to every page that a person can meet. At each one it calls show.
type tour struct {
	t      *testing.T
	b      *browser.Browser
	server *mailServer
	show   func(name string)

	asked int // how often a mail was asked for
}

// byMail is the pages of a sign-in by mail, in a language.
func (v *tour) byMail(language string) {
	v.t.Helper()
	translated := func(c *signin.Config) { c.Page.Language, c.Page.OnRedeem = language, suspend }
	a := newApplication(v.t, v.server, translated)
	v.b.ForgetCookies()
	v.refusedForms(a)
	v.onOneDevice(a)
	v.inAnotherBrowser(a)
	v.refusedByApplication(a)
	v.tooLate(a)
	v.strict(newApplication(v.t, v.server, translated, in(signin.ModeRequire)))
	v.guessed(newApplication(v.t, v.server, translated, func(c *signin.Config) { c.Note = "For development: the mails are files in ./mail." }))
	v.limited(newApplication(v.t, v.server, translated, func(c *signin.Config) {
		c.Limits.CodesPerClient = magiclink.Rate{Burst: 1, Every: time.Hour}
	}))
}

// ask asks for a mail to an address of its own, and returns the mail.
func (v *tour) ask(a *application, name string) (address string, mail letter) {
	v.t.Helper()
	v.asked++
	address = fmt.Sprintf("%s.%d.%s@example.com", name, v.asked, strings.ToLower(strings.ReplaceAll(v.t.Name(), "/", ".")))
	v.b.ForgetCookies()
	v.b.Visit(a.origin + "/sign-in?next=/reports")
	v.b.Fill("#email", address)
	v.b.Click("button")
	v.b.Arrive(a.origin + signin.CheckPath)
	return address, v.server.newest(v.t, address, 1)
}

// suspend keeps people out whose address begins with "suspended", when their link is used up already.
func suspend(_ http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
	if strings.HasPrefix(redeemed.Email, "suspended") {
		return httpadapter.ErrRefused
	}
	return nil
}

// mail is the mail of a sign-in in a language.
func (v *tour) mail(language string) letter {
	v.t.Helper()
	a := newApplication(v.t, v.server, func(c *signin.Config) { c.Page.Language = language })
	_, mail := v.ask(a, "mail")
	return mail
}

// warned types a code that signs nobody in.
func (v *tour) warned(code string) {
	v.t.Helper()
	v.b.Script(nil, `document.querySelectorAll("[role=alert]").forEach(e => e.remove())`)
	typeCode(v.b, code)
	v.b.Has("[role=alert]")
}

func (v *tour) refusedForms(a *application) {
	v.b.Visit(a.origin + "/sign-in?next=/reports")
	v.show("request")
	v.b.ForgetCookies()
	v.b.Fill("#email", "jane@example.com")
	v.b.Click("button")
	v.b.Has("[role=alert]")
	v.show("request-refused")
	v.b.Visit(strings.Replace(a.origin, "127.0.0.1", "localhost", 1) + "/sign-in")
	v.b.Fill("#email", "jane@example.com")
	v.b.Click("button")
	v.b.Has("[role=alert]")
	v.show("request-wrong-address")
}

func (v *tour) onOneDevice(a *application) {
	address, mail := v.ask(a, "jane")
	v.show("check")
	v.warned(mail.wrongCode(1))
	v.show("check-wrong-code")
	a.clock.move(31 * time.Second)
	v.b.Visit(a.origin + signin.CheckPath)
	v.show("check-again")
	v.b.Visit(mail.link)
	v.show("confirm")
	v.b.Click("button")
	v.b.Arrive(a.origin + "/reports")
	for range 2 {
		a.signInElsewhere(address)
	}
	v.b.Visit(a.origin + httpadapter.SessionsPath)
	v.show("sessions")
	v.b.ForgetCookies()
	v.b.Visit(mail.link)
	v.show("dead")
}

// signInElsewhere begins another session of the same person.
func (a *application) signInElsewhere(address string) {
	a.t.Helper()
	issued, err := a.Issuer().Issue(a.t.Context(), magiclink.MagicLinkCreate{ExternalBusinessID: "reports", Email: address})
	require.NoError(a.t, err)
	redeemed, err := a.Redeemer().Redeem(magiclink.WithDevice(a.t.Context(), "Safari on iPhone"), magiclink.TokenOf(issued.MagicLink))
	require.NoError(a.t, err)
	_, _, err = a.Sessions().Grant(a.t.Context(), redeemed)
	require.NoError(a.t, err)
}

func (v *tour) inAnotherBrowser(a *application) {
	_, mail := v.ask(a, "other")
	v.b.ForgetCookies()
	v.b.Visit(mail.link)
	v.show("other-browser")
	v.warned(mail.wrongCode(1))
	v.show("other-browser-wrong-code")
	for n := range 5 {
		v.warned(mail.wrongCode(n + 2))
	}
	v.show("other-browser-code-ended")
}

func (v *tour) refusedByApplication(a *application) {
	_, mail := v.ask(a, "refused")
	typeCode(v.b, mail.code)
	v.b.Has("a.button")
	v.show("check-refused")
	v.b.Visit(mail.link)
	v.b.Click("button")
	v.b.Has("a.button")
	v.show("not-admitted")
	_, mail = v.ask(a, "suspended")
	typeCode(v.b, mail.code)
	v.b.Has("a.button")
	v.show("check-refused-used")
	_, mail = v.ask(a, "suspended")
	v.b.Visit(mail.link)
	v.b.Click("button")
	v.b.Has("a.button")
	v.show("not-admitted-used")
}

// tooLate uses the link up elsewhere, waits until the link has expired, and at last breaks the store.
func (v *tour) tooLate(a *application) {
	_, mail := v.ask(a, "late")
	_, err := a.Redeemer().Redeem(v.t.Context(), magiclink.TokenOf(mail.link))
	require.NoError(v.t, err)
	v.warned(mail.code)
	v.show("check-link-ended")
	a.clock.move(11 * time.Minute)
	v.b.Visit(a.origin + signin.CheckPath)
	v.show("check-expired")
	_, mail = v.ask(a, "broken")
	a.breakStore()
	v.warned(mail.code)
	v.show("check-unavailable")
	v.b.Visit(mail.link)
	v.show("unavailable")
}

func (v *tour) strict(a *application) {
	_, mail := v.ask(a, "strict")
	v.b.ForgetCookies()
	v.b.Visit(mail.link)
	v.show("other-browser-refused")
}

// guessed ends a code by wrong ones, below the note that an application may have on its pages.
func (v *tour) guessed(a *application) {
	_, mail := v.ask(a, "guessed")
	for n := range 6 {
		v.warned(mail.wrongCode(n + 1))
	}
	v.show("check-code-ended")
}

// limited has one try of a code for each client, and shows what a page says that has five tries for each code.
func (v *tour) limited(a *application) {
	_, mail := v.ask(a, "limited")
	v.warned(mail.wrongCode(1))
	v.warned(mail.wrongCode(2))
	v.show("check-limited")
}
