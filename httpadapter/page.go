package httpadapter

import (
	"errors"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/magiclink-go/magiclink"
)

// PageConfig is what a [Page] is made from.
type PageConfig struct {
	// Redeemer redeems the links. Required.
	Redeemer *magiclink.Redeemer

	// Sessions grants the session that a redemption stands for, in the cookie [SessionCookie]. Required unless OnRedeem
	// is set.
	Sessions *magiclink.Sessions

	// OnRedeem takes the redemption instead, in an application with sessions of its own. It starts that session, under a
	// new session id, and sets its cookie; it writes no answer, since the redirection follows. The link is used up when it
	// is called: after an error, which is answered with 503, the user needs a new link.
	OnRedeem func(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) error

	// ActiveAccount says who is signed in already, so that the page can warn: a name fit to be shown to whoever sits in
	// front of it, or "". Nil means to look at the session cookie.
	ActiveAccount func(r *http.Request) string

	// App is what the page calls the application. Empty means the host of the links.
	App string

	// NewLinkURL is where one can ask for a new link: an absolute https URL, or a local path. Optional.
	NewLinkURL string

	// Template shows the pages, with [PageData]. Nil means the one that is built in. It has to work without scripts: the
	// pages' Content-Security-Policy allows none, and styles only with the nonce.
	Template *template.Template

	Timeout time.Duration // how long the store may take before the answer is 503; zero means 5 s
	Logger  *slog.Logger  // takes the causes of 503 answers; nil means slog.Default
}

// Page is the redemption page: where links lead. GET and HEAD show whom a link would sign in and change nothing, however
// often they are called, because mail scanners follow links and some run scripts. A click posts the form back; that
// redeems the link, sets the session cookie, and redirects to the path that was persisted with the link.
//
// The form can be posted only by the page itself: it carries a token bound to a cookie that no other site can read or
// set, and cross-origin requests are refused. So nobody can be signed in to somebody else's account by a foreign site.
//
// Mount it at the route and below it: at "/magic" and "/magic/" for links that begin with https://app.example.com/magic.
// It is safe for concurrent use.
type Page struct {
	redeemer   *magiclink.Redeemer
	start      func(http.ResponseWriter, *http.Request, magiclink.Redemption) error
	active     func(*http.Request) string
	template   *template.Template
	app        string
	action     string // the path that the form is posted to
	host       string
	newLinkURL string
	crossSite  *http.CrossOriginProtection
	endpoint
}

// NewPage reports every fault of the configuration at once, as [magiclink.ConfigErrors].
func NewPage(config PageConfig) (*Page, error) {
	var faults magiclink.ConfigErrors
	route := new(url.URL)
	if checkRedeemer(&faults, config.Redeemer); len(faults) == 0 {
		if parsed, err := url.Parse(config.Redeemer.BaseURL()); err == nil { // NewRedeemer has parsed it, too
			route = parsed
		}
	}
	if config.OnRedeem == nil {
		checkSessions(&faults, config.Sessions)
	}
	if !linkTarget(config.NewLinkURL) {
		faults.Add("NewLinkURL", "must be an https URL or a local path")
	}
	shared := newEndpoint(&faults, 0, config.Timeout, "", config.Logger)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	p := &Page{
		redeemer: config.Redeemer, start: config.OnRedeem, active: config.ActiveAccount, template: config.Template,
		app: config.App, action: route.EscapedPath(), host: route.Host, newLinkURL: config.NewLinkURL,
		crossSite: http.NewCrossOriginProtection(), endpoint: shared,
	}
	p.fillIn(config.Sessions)
	return p, nil
}

func (p *Page) fillIn(sessions *magiclink.Sessions) {
	if p.start == nil {
		p.start = func(w http.ResponseWriter, _ *http.Request, redeemed magiclink.Redemption) error {
			return startSession(w, sessions, redeemed)
		}
	}
	if p.active == nil {
		p.active = func(r *http.Request) string { return activeAccount(sessions, r) }
	}
	if p.template == nil {
		p.template = builtIn
	}
	if p.app == "" {
		p.app = p.host
	}
	if p.action == "" {
		p.action = "/"
	}
}

func checkRedeemer(faults *magiclink.ConfigErrors, redeemer *magiclink.Redeemer) {
	if redeemer.BaseURL() == "" {
		faults.Add("Redeemer", "is required: make one with magiclink.NewRedeemer")
	}
}

func checkSessions(faults *magiclink.ConfigErrors, sessions *magiclink.Sessions) {
	if !sessions.CanGrant() {
		faults.Add("Sessions", "are required, with a key that can sign: make them with magiclink.NewSessions")
	}
}

// linkTarget accepts what may stand in an href: nothing that runs.
func linkTarget(address string) bool {
	if address == "" || magiclink.ValidLocalPath(address) {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "https" && u.Host != ""
}

// ServeHTTP implements [http.Handler].
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer contain(func() { p.unavailable(w, r, errPanic) })
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.confirm(w, r)
	case http.MethodPost:
		p.redeem(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.show(w, r, http.StatusMethodNotAllowed, PageData{State: StateRefused})
	}
}

// confirm shows what a click would do.
func (p *Page) confirm(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := p.deadline(r)
	defer cancel()
	token := lastToken(r.URL)
	seen, err := p.redeemer.Inspect(ctx, token)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	p.show(w, r, http.StatusOK, PageData{
		State:         StateConfirm,
		Account:       maskEmail(seen.Email),
		ActiveAccount: p.active(r),
		Destination:   p.host + destinationPath(seen.Path),
		Action:        p.action,
		Token:         token,
		FormToken:     formToken(ensureFormCookie(w, r), token),
	})
}

// lastToken returns the token that we have put behind everything else that a path's own query may hold.
func lastToken(u *url.URL) string {
	tokens := u.Query()["token"]
	if len(tokens) == 0 {
		return ""
	}
	return tokens[len(tokens)-1]
}

// redeem consumes the link, starts the session, and sends the browser on.
func (p *Page) redeem(w http.ResponseWriter, r *http.Request) {
	form, ok := readPageForm(w, r)
	if !ok || p.crossSite.Check(r) != nil || !form.ours(r) {
		p.show(w, r, http.StatusForbidden, PageData{State: StateRefused})
		return
	}
	ctx, cancel := p.deadline(r)
	defer cancel()
	redeemed, err := p.redeemer.Redeem(ctx, form.token)
	if err != nil {
		p.refuse(w, r, err)
		return
	}
	if err := p.begin(w, r, redeemed); err != nil {
		p.unavailable(w, r, fmt.Errorf("link %s is used up, and no session was started: %w", redeemed.MagicLinkID, err))
		return
	}
	dropFormCookie(w)
	secure(w.Header(), "")
	w.Header().Set("Location", p.redeemer.Destination(redeemed))
	w.WriteHeader(http.StatusSeeOther)
}

// begin starts the session. After an error or a panic no cookie of it is left: half a session is none.
func (p *Page) begin(w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption) (err error) {
	before := slices.Clone(w.Header()["Set-Cookie"])
	defer func() {
		if err != nil {
			w.Header()["Set-Cookie"] = before
		}
	}()
	defer contain(func() { err = errPanic })
	return p.start(w, r, redeemed)
}

// refuse has one look for all links that cannot be used.
func (p *Page) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if !isDead(err) {
		p.unavailable(w, r, err)
		return
	}
	p.show(w, r, http.StatusGone, PageData{State: StateDead})
}

// isDead tells the verdicts on a link from everything that says nothing about it.
func isDead(err error) bool {
	for _, verdict := range []error{
		magiclink.ErrInvalid, magiclink.ErrRevoked, magiclink.ErrConsumed, magiclink.ErrExpired,
	} {
		if errors.Is(err, verdict) {
			return true
		}
	}
	return false
}

func (p *Page) unavailable(w http.ResponseWriter, r *http.Request, cause error) {
	p.logger.ErrorContext(r.Context(), "magiclink: answered 503", "error", cause)
	w.Header().Set("Retry-After", retryAfterSeconds)
	p.show(w, r, http.StatusServiceUnavailable, PageData{State: StateUnavailable})
}
