package httpadapter

import (
	"context"
	"errors"
	"log/slog"
	"net/http"

	"github.com/magiclink-go/magiclink"
	"github.com/magiclink-go/magiclink/internal/webpage"
)

// Page is the redemption page: where links lead. GET and HEAD show whom a link signs in and change nothing, however often
// they are called: mail scanners follow links, and some run scripts. A click posts the form back. The click redeems the link,
// sets the session cookie, and redirects to the path that was stored with the link.
//
// The same browser may send the same click again within a minute: because of a double click, a reload, or an answer that
// was lost. Each time the browser gets the same session, and the link is used once. A browser that opens a used link again
// while it is signed in by that link is redirected to its destination.
//
// The form works only in the browser that was shown it: it carries a token that is bound to a cookie, and a request from a
// page of another origin is refused before the link is used. So no foreign site can sign a visitor in.
//
// Mount it at the route and below it, for example at "/magic" and "/magic/" for links that begin with
// https://app.example.com/magic. Where the links begin at the root, or where damaged links should also reach the page, ask
// [Page.Matches] first. Make one with [NewPage]; the zero value answers 503. Page is safe for concurrent use.
type Page struct {
	config PageConfig
	look   webpage.Look
	route  pageRoute
	endpoint
}

// ServeHTTP implements [http.Handler].
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if p == nil || p.config.Redeemer == nil {
		uninitialized(w, r, "Page")
		return
	}
	defer contain(func() { p.unavailable(w, r, p.openAgain(linkToken(r.URL)), errPanic) })
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		p.confirm(w, r)
	case http.MethodPost:
		p.signIn(w, r)
	default:
		w.Header().Set("Allow", "GET, HEAD, POST")
		p.show(w, r, http.StatusMethodNotAllowed, StateRefused, p.openAgain(linkToken(r.URL)))
	}
}

// confirm shows what a click would do.
func (p *Page) confirm(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := p.deadline(r)
	defer cancel()
	r = r.WithContext(ctx)
	token := linkToken(r.URL)
	seen, err := p.config.Redeemer.Inspect(ctx, token)
	if err != nil {
		p.answerUnusable(w, r, seen, err, p.openAgain(token))
		return
	}
	secret := p.route.cookies.EnsureFormSecret(w, r)
	if err := checkBinding(ctx, p.config.Binding, seen, p.proof(r, "")); err != nil {
		if !p.answerUnbound(w, r, token, secret, err) {
			p.unavailable(w, r, p.openAgain(token), err)
		}
		return
	}
	data := p.formData(token, secret)
	data.Account = maskEmail(seen.Email)
	data.ActiveAccount = p.config.ActiveAccount(r)
	data.Destination = p.route.host + destinationPath(seen.Path)
	p.show(w, r, http.StatusOK, StateConfirm, data)
}

// answerUnusable has one look for all links that cannot be used. It sends a browser on that is signed in by the link.
func (p *Page) answerUnusable(w http.ResponseWriter, r *http.Request, seen magiclink.Redemption, err error, data PageData) {
	if !isDead(err) {
		p.unavailable(w, r, data, err)
		return
	}
	if errors.Is(err, magiclink.ErrConsumed) {
		active, err := p.isSignedInBy(r, seen.MagicLinkID)
		if err != nil {
			p.unavailable(w, r, data, err)
			return
		}
		if active {
			p.sendOn(w, seen)
			return
		}
	}
	p.show(w, r, http.StatusGone, StateDead, PageData{})
}

// isDead tells the verdicts on a link from all errors that say nothing about it.
func isDead(err error) bool {
	for _, verdict := range []error{
		magiclink.ErrInvalidToken, magiclink.ErrRevoked, magiclink.ErrConsumed, magiclink.ErrExpired,
	} {
		if errors.Is(err, verdict) {
			return true
		}
	}
	return false
}

func (p *Page) sendOn(w http.ResponseWriter, redeemed magiclink.Redemption) {
	p.secure(w.Header(), "")
	w.Header().Set("Location", p.config.Redeemer.Destination(redeemed))
	w.WriteHeader(http.StatusSeeOther)
}

func (p *Page) unavailable(w http.ResponseWriter, r *http.Request, data PageData, cause error) {
	level := slog.LevelError
	if errors.Is(r.Context().Err(), context.Canceled) {
		level = slog.LevelDebug // the client has gone, which is no outage
	}
	p.logger.Log(r.Context(), level, "magiclink: answered 503", "error", cause)
	w.Header().Set("Retry-After", retryAfterSeconds)
	p.show(w, r, http.StatusServiceUnavailable, StateUnavailable, data)
}
