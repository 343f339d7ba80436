package guide

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/signin"
)

func TestReports(t *testing.T) {
	inbox := magiclinktest.NewInbox()
	app := newApp(t, inbox)

	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	page := person.SignIn(inbox, "https://app.acme.example/reports", "jane@example.com")
	require.True(t, page.Has("The reports of jane@example.com"))
}

// newApp is the application as main makes it, with an inbox in place of a mail server.
func newApp(t *testing.T, inbox *magiclinktest.Inbox) http.Handler {
	t.Helper()
	accounts.put(account{Email: "jane@example.com", Verified: true})
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	pages := http.NewServeMux()
	service, _, err := newSignIn(keys, magiclinktest.NewStore(), inbox, pages)
	require.NoError(t, err)
	signedIn := httpadapter.RequireSession(service.Sessions(), httpadapter.RequireOptions{SignIn: signin.RequestPath})
	pages.Handle("GET /reports", signedIn(http.HandlerFunc(reports)))
	return service
}

func TestPhone(t *testing.T) {
	inbox := magiclinktest.NewInbox()
	app := newApp(t, inbox)

	desk := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	waiting := desk.Open("https://app.acme.example/reports").Submit("email", "jane@example.com")
	mail := inbox.Wait(t, "jane@example.com")

	phone := magiclinktest.NewPhone(t, magiclinktest.Handler(app))
	asks := phone.Open(mail.Link) // "You asked for this in another browser": asks for the code
	require.Equal(t, http.StatusUnauthorized, phone.Open("/session").Status)

	page := waiting.Submit("code", mail.Code) // on the desk, or: asks.Submit("code", mail.Code)
	require.Equal(t, "/reports", page.URL.Path)
	require.Equal(t, http.StatusGone, asks.Submit("code", mail.Code).Status)
}

func TestScanner(t *testing.T) {
	inbox := magiclinktest.NewInbox()
	app := newApp(t, inbox)

	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	person.Open("https://app.acme.example/sign-in").Submit("email", "jane@example.com")
	mail := inbox.Wait(t, "jane@example.com")

	scanner := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	scanner.Scan(mail.Link) // opens it, follows every link, presses every button
	require.Equal(t, http.StatusUnauthorized, scanner.Open("/session").Status)
	person.Open(mail.Link).Submit()
	require.Equal(t, http.StatusOK, person.Open("/session").Status)
}

func TestLate(t *testing.T) {
	inbox, store, clock := magiclinktest.NewInbox(), magiclinktest.NewStore(), magiclinktest.NewClock(time.Now())
	app := newAppOn(t, inbox, store, clock) // Config.Store: store, Config.Now: clock.Now

	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	person.Open("https://app.acme.example/sign-in").Submit("email", "jane@example.com")
	mail := inbox.Wait(t, "jane@example.com")

	confirm := person.Open(mail.Link)
	store.Fail(errors.New("outage"))
	require.Equal(t, http.StatusServiceUnavailable, confirm.Submit().Status)
	store.Fail(nil)
	clock.Advance(time.Hour)
	require.Equal(t, http.StatusGone, confirm.Submit().Status)
}

func newAppOn(t *testing.T, inbox *magiclinktest.Inbox, store *magiclinktest.Store, clock *magiclinktest.Clock) http.Handler {
	t.Helper()
	accounts.put(account{Email: "jane@example.com", Verified: true})
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	config := magiclink.Config{BaseURL: "https://app.acme.example/magic", Keys: keys, Store: store, Now: clock.Now}
	flow, err := signin.New(signin.Config{Config: config, Mailer: inbox, Resolve: resolve})
	require.NoError(t, err)
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow})
	require.NoError(t, err)
	return service
}

func TestOtherSite(t *testing.T) {
	inbox := magiclinktest.NewInbox()
	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(newApp(t, inbox)))
	page := person.SignIn(inbox, "https://app.acme.example/reports", "jane@example.com")

	person.Header.Set("Origin", "https://evil.example")
	person.Header.Set("Sec-Fetch-Site", "cross-site")
	require.Equal(t, http.StatusForbidden, page.Press("Sign out").Status)
	require.Equal(t, http.StatusOK, person.Open("/session").Status)
}

func TestMailThatFails(t *testing.T) {
	inbox := magiclinktest.NewInbox()
	inbox.Fail(signin.ErrPermanent)
	var log bytes.Buffer
	service, flow := newAudited(t, inbox, magiclink.Audit(&log)) // Config.OnEvent

	magiclinktest.NewBrowser(t, magiclinktest.Handler(service)).
		Open("https://app.acme.example/sign-in").Submit("email", "jane@example.com")
	require.NoError(t, flow.Wait(t.Context()))
	require.Contains(t, log.String(), `"op":"sign_in_mail","reason":"undeliverable"`)
}

func newAudited(t *testing.T, inbox *magiclinktest.Inbox, onEvent func(context.Context, magiclink.Event)) (http.Handler, *signin.Flow) {
	t.Helper()
	accounts.put(account{Email: "jane@example.com", Verified: true})
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	config := magiclink.Config{BaseURL: "https://app.acme.example/magic", Keys: keys, Store: magiclinktest.NewStore(), OnEvent: onEvent}
	flow, err := signin.New(signin.Config{Config: config, Mailer: inbox, Resolve: resolve})
	require.NoError(t, err)
	service, err := httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow})
	require.NoError(t, err)
	return service, flow
}
