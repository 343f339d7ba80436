package httpadapter

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/magiclink-go/magiclink"
)

// signIn answers a click: it redeems the link, starts the session, and sends the browser on.
func (p *Page) signIn(w http.ResponseWriter, r *http.Request) {
	form, complete := p.readForm(w, r)
	if !sameOrigin(r, p.route.origin) {
		p.show(w, r, http.StatusForbidden, StateWrongAddress, p.openAgain(form.token))
		return
	}
	secret, found := p.route.cookies.FormSecret(r)
	if !complete || !found || !form.isMadeFor(secret) {
		p.show(w, r, http.StatusForbidden, StateRefused, p.openAgain(form.token))
		return
	}
	ctx, cancel := p.deadline(r)
	defer cancel()
	r = r.WithContext(ctx)
	redeemed, err := p.redeem(r, form, redeemedBy(secret, form.token))
	switch {
	case errors.Is(err, ErrRefused):
		p.show(w, r, http.StatusForbidden, StateNotAdmitted, p.openAgain(form.token))
	case p.answerUnbound(w, r, form.token, secret, err):
	case err != nil:
		p.answerFailure(w, r, form.token, secret, err)
	default:
		p.finish(w, r, p.formData(form.token, secret), redeemed)
	}
}

// redeem uses the link up, or repeats its redemption. Its binding and the application decide first: a link that was not used yet
// stays usable when the person is not admitted. A panic is an outage here, so that its page has the form again.
func (p *Page) redeem(r *http.Request, form pageForm, by string) (redeemed magiclink.Redemption, err error) {
	defer contain(func() { err = errPanic })
	admitted := p.config.Admit == nil
	if !admitted || p.config.Binding != nil {
		seen, err := p.config.Redeemer.Inspect(r.Context(), form.token)
		switch {
		case err == nil:
			if err := p.admit(r, seen, form.code); err != nil {
				return magiclink.Redemption{}, err
			}
			admitted = true
		case !errors.Is(err, magiclink.ErrConsumed) && (!errors.Is(err, magiclink.ErrExpired) || p.config.Binding != nil):
			return magiclink.Redemption{}, err
		} // a link that was used needs no proof but its by
	}
	redeemed, err = redeemRepeatable(onDevice(r.Context(), r), p.config.Redeemer, form.token, by, p.config.Now())
	redeemed = openBinding(p.config.Binding, redeemed)
	if err == nil && !admitted { // a repetition
		err = p.config.Admit(r, redeemed)
	}
	return redeemed, err
}

// admit asks the binding of a link that was not used yet, and then the application.
func (p *Page) admit(r *http.Request, seen magiclink.Redemption, code string) error {
	if err := checkBinding(r.Context(), p.config.Binding, seen, p.proof(r, code)); err != nil {
		return err
	}
	if p.config.Admit == nil {
		return nil
	}
	return p.config.Admit(r, openBinding(p.config.Binding, seen))
}

// answerFailure answers a click that redeemed nothing. After an outage the page has the form again, since only the same
// form can complete a redemption whose outcome is unknown.
func (p *Page) answerFailure(w http.ResponseWriter, r *http.Request, token, secret string, err error) {
	seen := magiclink.Redemption{}
	if isDead(err) {
		if found, verdict := p.config.Redeemer.Inspect(r.Context(), token); verdict != nil {
			seen, err = found, verdict
		}
	}
	p.answerUnusable(w, r, seen, err, p.formData(token, secret))
}

// finish starts the session of a link that was redeemed.
func (p *Page) finish(w http.ResponseWriter, r *http.Request, data PageData, redeemed magiclink.Redemption) {
	r = r.WithContext(context.WithoutCancel(r.Context())) // the link is used up: that the client has gone is no excuse
	err := p.StartSession(w, r, redeemed)
	switch {
	case errors.Is(err, ErrRefused):
		p.show(w, r, http.StatusForbidden, StateNotAdmitted, PageData{LinkUsed: true})
	case err != nil:
		p.unavailable(w, r, data, fmt.Errorf("link %s is used up, and no session was started: %w", redeemed.MagicLinkID, err))
	default:
		p.sendOn(w, redeemed)
	}
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
	if p.config.Sessions != nil {
		token, session, err := p.config.Sessions.Grant(r.Context(), redeemed)
		if err != nil {
			return err
		}
		if err := SetSessionCookie(w, p.config.Sessions, token, session); err != nil {
			return err
		}
	}
	return callOnRedeem(p.config.OnRedeem, w, r, redeemed)
}

// callOnRedeem calls a hook of the application, which may be nil. After an error or a panic no cookie of it is left.
func callOnRedeem(
	hook func(http.ResponseWriter, *http.Request, magiclink.Redemption) error,
	w http.ResponseWriter, r *http.Request, redeemed magiclink.Redemption,
) (err error) {
	if hook == nil {
		return nil
	}
	before := slices.Clone(w.Header()["Set-Cookie"])
	defer func() {
		if err != nil {
			w.Header()["Set-Cookie"] = before
		}
	}()
	defer contain(func() { err = errPanic })
	return hook(w, r, redeemed)
}
