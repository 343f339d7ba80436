package httpadapter

import (
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/magiclink-go/magiclink"
)

// SessionsPageConfig configures a [SessionsPage].
type SessionsPageConfig struct {
	// Sessions lists and ends the sessions; public keys are enough. Its Store must be a [magiclink.Lister] and a
	// [magiclink.SubjectRevoker], as all stores of this module are: with another the page answers 503. Required.
	Sessions *magiclink.Sessions

	// Path is the local path at which the page is mounted, without a query. Its form is posted to this path on the origin of
	// the BaseURL. Empty means [SessionsPath].
	Path string

	// SignIn is where a person without a session is redirected, as [RequireOptions.SignIn] says, with the Path of this page
	// as "next": a local path or an https URL. Empty means a page with the status 401.
	SignIn string

	// Destination is the local path to which a browser is redirected that has signed itself out. Empty means "/".
	Destination string

	// Binding forgets the sign-in flow of the session that ends, where a flow has begun it: a *signin.Flow. Optional.
	Binding Binding

	// Describe says on which device a session is, for an application that knows more of it than [magiclink.Session.Device], for example
	// what it has kept by the MagicLinkID in [PageConfig.OnRedeem]. It is called for at most 100 sessions of a page. Its request has a
	// deadline: see Timeout. Nil, and "", show the Device, in the language of the page, or that the device is not known.
	Describe func(r *http.Request, session magiclink.Session) string

	// Location is the time zone of the times on the page. Nil means UTC: a server does not know the zone of a browser.
	Location *time.Location

	// The look of the page: see the fields of the same names in [PageConfig].
	App, Logo          string
	Colors, DarkColors PageColors
	Language           string

	Timeout time.Duration // how long store and Describe may take: see Timeouts in the package documentation; zero means 5 s
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

func (c *SessionsPageConfig) fillIn() {
	if c.Path == "" {
		c.Path = SessionsPath
	}
	if c.Destination == "" {
		c.Destination = "/"
	}
	if c.Describe == nil {
		c.Describe = func(*http.Request, magiclink.Session) string { return "" }
	}
	if c.Location == nil {
		c.Location = time.UTC
	}
}

func (c *SessionsPageConfig) check(found *faults) {
	if u, err := url.Parse(c.Path); err != nil || !magiclink.ValidLocalPath(c.Path) || u.EscapedPath() != c.Path {
		found.add("Path", `must be a local path without a query, such as "/sessions"`)
	}
	checkBindingValue(found, c.Binding)
	if !isLinkTarget(c.SignIn) {
		found.add("SignIn", "must be an https URL or a local path")
	}
	if !magiclink.ValidLocalPath(c.Destination) {
		found.add("Destination", `must be a local path such as "/"`)
	}
}
