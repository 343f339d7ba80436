package magiclinktest_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/magiclinktest"
	"github.com/magiclink-go/magiclink/signin"
)

// site is an application whose people sign in by mail. Jane may sign in, and Mallory is refused.
type site struct {
	*httpadapter.Service
	inbox *magiclinktest.Inbox
	clock *magiclinktest.Clock
}

func newSite(t *testing.T) site {
	t.Helper()
	keys, err := magiclink.GenerateKeyring(magiclink.EdDSA)
	require.NoError(t, err)
	s := site{inbox: magiclinktest.NewInbox(), clock: magiclinktest.NewClock(time.Now())}
	config := magiclink.Config{BaseURL: origin + "/magic", Keys: keys, Store: magiclinktest.NewStore(), Now: s.clock.Now}
	flow, err := signin.New(signin.Config{
		Config: config, Mailer: s.inbox, TellUnknown: true,
		Resolve: func(_ context.Context, address string) (magiclink.MagicLinkCreate, error) {
			if address == "joe@example.com" {
				return magiclink.MagicLinkCreate{}, signin.ErrUnknownAddress
			}
			return magiclink.MagicLinkCreate{ExternalBusinessID: "app"}, nil
		},
		Page: httpadapter.PageConfig{Admit: func(_ *http.Request, redemption magiclink.Redemption) error {
			if redemption.Email == "mallory@example.com" {
				return httpadapter.ErrRefused
			}
			return nil
		}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, flow.Close(context.WithoutCancel(t.Context()))) })
	mux := http.NewServeMux()
	s.Service, err = httpadapter.NewService(httpadapter.ServiceConfig{Config: config, SignIn: flow, NotFound: mux})
	require.NoError(t, err)
	signedIn := httpadapter.RequireSession(s.Sessions(), httpadapter.RequireOptions{SignIn: signin.RequestPath})
	mux.Handle("GET /reports", signedIn(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session, _ := httpadapter.SessionFromRequest(r)
		_, _ = fmt.Fprintf(w, "the reports of %s", session.Email)
	})))
	return s
}

// Three lines sign a person in.
func TestSignIn(t *testing.T) {
	app := newSite(t)
	inbox := app.inbox

	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	page := person.SignIn(inbox, "https://app.example.com/reports", "jane@example.com")
	require.Equal(t, "/reports", page.URL.Path)

	require.Equal(t, "the reports of jane@example.com", page.Body)
	require.Equal(t, page.Body, person.Open("/reports").Body)
}

// The mail is read on the phone: there the link needs the code, and the code alone does on the desk.
func TestSignInOnAnotherDevice(t *testing.T) {
	app := newSite(t)
	desk := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	waiting := desk.Open(origin+"/reports").Submit("email", "jane@example.com")
	mail := app.inbox.Wait(t, "jane@example.com")

	phone := magiclinktest.NewPhone(t, magiclinktest.Handler(app))
	page := phone.Open(mail.Link).Submit("code", mail.Code)
	require.Equal(t, "/reports", page.URL.Path)
	require.Equal(t, http.StatusGone, waiting.Submit("code", mail.Code).Status, "the link was used")

	app.clock.Advance(time.Minute)
	waiting = desk.Open("/sign-in").Submit("email", "jane@example.com")
	mail = app.inbox.Wait(t, "jane@example.com")
	require.Equal(t, "/", waiting.Submit("code", mail.Code).URL.Path)
	require.Equal(t, http.StatusOK, desk.Open("/reports").Status)
}

// A scanner of a mail gateway opens the link, presses every button, and gets nowhere. The person still gets in.
func TestScannerGetsNowhere(t *testing.T) {
	app := newSite(t)
	person := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	person.Open(origin+"/sign-in").Submit("email", "jane@example.com")
	mail := app.inbox.Wait(t, "jane@example.com")

	scanner := magiclinktest.NewBrowser(t, magiclinktest.Handler(app))
	require.NotEmpty(t, scanner.Scan(mail.Link))
	require.Empty(t, scanner.Cookie(origin, httpadapter.SessionCookie))
	require.Equal(t, http.StatusUnauthorized, scanner.Open("/session").Status)

	require.Equal(t, http.StatusOK, person.Open(mail.Link).Status)
	person.Open(mail.Link).Submit()
	require.NotEmpty(t, person.Cookie(origin, httpadapter.SessionCookie))
	require.Equal(t, http.StatusOK, person.Open("/session").Status)
}

// watched is a test that may fail.
type watched struct {
	testing.TB
	message string
	logged  string
}

func (w *watched) Helper() {}

func (w *watched) Logf(format string, values ...any) {
	w.logged += fmt.Sprintf(format, values...) + "\n"
}

func (w *watched) Fatalf(format string, values ...any) {
	w.message = fmt.Sprintf(format, values...)
	runtime.Goexit()
}

// failure is what a test says that fails.
func failure(t *testing.T, test func(tb testing.TB)) string {
	t.Helper()
	w, ended := &watched{TB: t}, make(chan struct{})
	go func() {
		defer close(ended)
		test(w)
	}()
	<-ended
	return w.logged + w.message
}

// A form that is refused says what to look at: also where the test only sees the status.
func TestRefusedFormsSayWhatToLookAt(t *testing.T) {
	app := newSite(t)
	eats := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		app.ServeHTTP(w, r)
	})
	ask := func(handler http.Handler, at string, says ...string) {
		said := failure(t, func(tb testing.TB) {
			page := magiclinktest.NewBrowser(tb, magiclinktest.Handler(handler)).Open(at+"/sign-in").Submit("email", "jane@example.com")
			if page.Status != http.StatusOK {
				tb.Fatalf("status %d", page.Status)
			}
		})
		if len(says) == 0 {
			require.Empty(t, said, "the control")
		}
		for _, each := range says {
			require.Contains(t, said, each)
		}
	}
	ask(app, origin)
	ask(app, "https://localhost:8080", "the page was opened at https://localhost:8080, and its form goes to "+origin, "status 403")
	ask(app, "http://app.example.com", "open pages at the scheme and host of the BaseURL")
	ask(eats, origin, "a middleware reads the body", "status 403")
}

// A test that fails says where the person has arrived instead.
func TestFailuresSayWhy(t *testing.T) {
	app := newSite(t)
	for name, test := range map[string]struct {
		run  func(b *magiclinktest.Browser)
		says []string
	}{
		"refused": {
			func(b *magiclinktest.Browser) { b.SignIn(app.inbox, origin+"/sign-in", "mallory@example.com") },
			[]string{"mallory@example.com is not signed in", "status 403", "/magic"},
		},
		"unknown": {
			func(b *magiclinktest.Browser) { b.SignIn(app.inbox, origin+"/sign-in", "joe@example.com") },
			[]string{`the mail to joe@example.com is of the kind "no-account"`},
		},
		"no such page": {
			func(b *magiclinktest.Browser) { b.SignIn(app.inbox, origin+"/nothing", "jane@example.com") },
			[]string{`no form of the page /nothing (status 404, title "", with: ) has the fields ["email"]`},
		},
		"no such field": {
			func(b *magiclinktest.Browser) { b.Open(origin+"/sign-in").Submit("mail", "jane@example.com") },
			[]string{`has the fields ["mail"]`, `POST /sign-in ["email" "form"], button "Send`},
		},
		"no such form": {
			func(b *magiclinktest.Browser) { b.Open(origin + "/sign-in").SubmitTo("/logout") },
			[]string{"no form of the page /sign-in", "goes to /logout"},
		},
		"no such button": {
			func(b *magiclinktest.Browser) { b.Open(origin + "/sign-in").Press("Sign up") },
			[]string{`has the label "Sign up"`},
		},
		"no value":       {func(b *magiclinktest.Browser) { b.Open(origin + "/sign-in").Submit("email") }, []string{"names and values in turn"}},
		"relative first": {func(b *magiclinktest.Browser) { b.Open("/sign-in") }, []string{"must be absolute"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := failure(t, func(tb testing.TB) { test.run(magiclinktest.NewBrowser(tb, magiclinktest.Handler(app))) })
			for _, want := range test.says {
				require.Contains(t, got, want)
			}
		})
	}
}
