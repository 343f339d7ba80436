package e2e_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/httpadapter"
	"github.com/magiclink-go/magiclink/store/sqlite"
)

// rareReports is an application in one language, whose store can be broken, and that has no page to ask for links.
type rareReports struct {
	*reports
	data string
}

func (v *tour) newRareReports(language string, change ...func(*httpadapter.ServiceConfig)) *rareReports {
	v.t.Helper()
	r := &rareReports{data: v.t.TempDir()}
	store, err := sqlite.Open(filepath.Join(r.data, "magiclink.db"))
	require.NoError(v.t, err)
	v.t.Cleanup(func() { require.NoError(v.t, store.Close()) })
	r.reports = newReports(v.t, append(change, func(c *httpadapter.ServiceConfig) {
		c.Config.Store, c.Page.Language, c.NewLinkURL = store, language, ""
	})...)
	return r
}

// rename breaks the store, and mends it.
func (r *rareReports) rename(from, to string) {
	r.t.Helper()
	_, err := database(r.t, r.data).ExecContext(r.t.Context(), "ALTER TABLE "+from+" RENAME TO "+to)
	require.NoError(r.t, err)
}

func (r *rareReports) breakStore() { r.t.Helper(); r.rename("magiclink_links", "elsewhere") }
func (r *rareReports) mendStore()  { r.t.Helper(); r.rename("elsewhere", "magiclink_links") }

// rare is the pages of links and sessions that a sign-in by mail does not lead to, in a language.
func (v *tour) rare(language string) {
	v.t.Helper()
	v.b.ForgetCookies()
	v.refusedClicks(v.newRareReports(language))
	v.ownSessions(v.newRareReports(language))
	v.b.ForgetCookies()
	r := v.newRareReports(language, func(c *httpadapter.ServiceConfig) {
		c.DescribeSession = func(*http.Request, magiclink.Session) string { return "Firefox · Windows" }
	})
	v.b.Visit(r.link())
	v.b.Click("button")
	v.b.Arrive(r.origin + httpadapter.SessionsPath)
	v.show("sessions-described")
}

// spoil lets the page post a form that it was not shown with.
func (v *tour) spoil() { v.b.Script(nil, `document.querySelector("[name=form]").value = "spoilt"`) }

func (v *tour) click(selector string) {
	v.t.Helper()
	v.b.Script(nil, `document.body.dataset.old = true`)
	v.b.Click(selector)
	v.b.Has("body:not([data-old]) h1")
}

func (v *tour) refusedClicks(r *rareReports) {
	v.b.Visit(r.Redeemer().BaseURL() + "?token=x")
	v.show("dead-without-sign-in")
	link := r.link()
	v.b.Visit(link)
	v.spoil()
	v.click("button")
	v.show("refused")
	v.b.Visit(strings.Replace(link, "127.0.0.1", "localhost", 1))
	v.click("button")
	v.show("wrong-address")
	r.overload.Store(true)
	v.b.Visit(link)
	v.click("button")
	v.show("limited")
	r.overload.Store(false)
	v.b.Visit(link)
	r.breakStore()
	v.click("button")
	v.show("unavailable-click")
	r.mendStore()
}

func (v *tour) ownSessions(r *rareReports) {
	page := r.origin + httpadapter.SessionsPath
	v.b.Visit(page)
	v.show("sessions-signed-out")
	v.b.Visit(r.link())
	v.click("button")
	v.b.Visit(page)
	v.show("sessions-one")
	v.b.Visit(r.linkTo("paul@example.org"))
	v.show("confirm-warning")
	for range 100 {
		r.on("Safari on iPhone")
	}
	v.b.Visit(page)
	v.show("sessions-many")
	v.spoil()
	v.click("button")
	v.show("sessions-refused")
	v.b.Visit(page)
	r.breakStore()
	v.click("button")
	v.show("sessions-unavailable-click")
	v.b.Visit(page)
	v.show("sessions-unavailable")
	r.mendStore()
}

// overloaded answers clicks on links as a server does that has had too many from one client.
func (r *reports) overloaded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if r.overload.Load() && request.Method == http.MethodPost && r.Page().Matches(request) {
			r.Page().TryLater(w, request, http.StatusTooManyRequests, time.Minute)
			return
		}
		next.ServeHTTP(w, request)
	})
}
